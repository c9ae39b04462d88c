"""Filter: what somebody else made and what hinders tasks with ``state: absent``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.clickstream.aws.plugins.filter.removals import flat

DOCUMENTATION = r"""
name: in_the_way
short_description: What somebody else made and what hinders tasks with state=absent
description:
  - Takes registered results, of loops too, of tasks in check mode.
  - What is itself among the results is left out; a subnet that stays is in the way of its VPC, but no cause.
options:
  _input:
    description: The results.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what hinders
  ansible.builtin.debug:
    msg: "{{ [removed_subnets, removed_vpc] | clickstream.aws.in_the_way }}"
"""

RETURN = r"""
_value:
  description: One line for each, e.g. "instance i-0123456789abcdef0 (theirs)".
  type: list
  elements: str
"""


def in_the_way(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What hinders, each once, by kind and id."""
    left = [result for result in flat(results) if result.get("changed")]
    ours = {name for result in left for name in _names(result.get("diff", {}).get("before"))}
    named = {what for result in left for what in result.get("in_the_way", [])}
    return sorted(what for what in named if ours.isdisjoint(NAMES.findall(what)))


NAMES = re.compile(r"[^\s()]+-[0-9a-f]+\b|(?<=\()[^)]+")
"""The id and the name in "subnet subnet-0123456789abcdef0 (theirs)"."""


def _names(before: Any) -> Iterator[str]:
    """The ids of what is left, and the names of groups, whose states have no ids."""
    for key, value in before.items() if isinstance(before, Mapping) else ():
        if key.endswith("_id") and isinstance(value, str):
            yield value
        elif isinstance(value, Mapping) and "ingress" in value:
            yield key


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"in_the_way": in_the_way}
