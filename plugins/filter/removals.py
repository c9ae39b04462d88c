"""Filter: what tasks with ``state: absent`` removed, or would remove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

DOCUMENTATION = r"""
name: removals
short_description: What tasks with state=absent removed, or would remove
description: Takes registered results, of loops too, and names each resource that changed.
options:
  _input:
    description: The results.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what went
  ansible.builtin.debug:
    msg: "{{ [removed_api, removed_buckets] | clickstream.aws.removals }}"
"""

RETURN = r"""
_value:
  description: One line for each resource, e.g. "bucket clickstream-s3-sbw".
  type: list
  elements: str
"""


def removals(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """The changed resources as "kind name", in the order of the results."""
    return [_named(result) for result in flat(results) if result.get("changed")]


def flat(results: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The results, those of a loop one by one."""
    for result in results:
        if "results" in result:
            yield from flat(result["results"])
        else:
            yield result


def _named(result: Mapping[str, Any]) -> str:
    """The collection's modules head their diff with "kind name"; others are known by their loop's item."""
    diff = result.get("diff") or {}
    header = diff.get("before_header") if isinstance(diff, Mapping) else None
    return str(header or result.get("item") or result.get("msg") or "something unnamed")


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"removals": removals}
