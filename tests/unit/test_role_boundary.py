"""docs/role-boundary.json allows what the platform's roles together may do, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pytest
import yaml

PROJECT = Path(__file__).parents[2]
BOUNDARY = PROJECT / "docs/role-boundary.json"
ACCOUNT = "123456789012"
BY_THE_KEY_S_POLICY = "kms:Decrypt"
"""No role has it: the policy of alias/aws/ssm admits the account's users of SSM. Should a boundary bound that
too, this one does not; it holds only for what GetParameter decrypts."""

Variables = dict[str, Any]


class Right(NamedTuple):
    """One action on one resource under a condition."""

    action: str
    resource: str
    condition: dict[str, Any]


def rendered(value: Any, variables: Variables) -> Any:
    """A value of a role's variables with the references in it filled in."""
    if isinstance(value, list):
        return [rendered(one, variables) for one in value]
    if isinstance(value, dict):
        return {key: rendered(one, variables) for key, one in value.items()}
    while isinstance(value, str) and "{{" in value:
        value = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(value).render(variables)  # noqa: S701
    return value


def platform() -> Variables:
    found: Variables = yaml.safe_load((PROJECT / "roles/platform/defaults/main.yml").read_text())
    return {**found, "account_id": ACCOUNT}


def statements_of_roles() -> list[dict[str, Any]]:
    own: Variables = yaml.safe_load((PROJECT / "roles/iam/vars/main.yml").read_text())
    names = [name for name in own if name.endswith("_statements")]
    assert len(names) == 3
    return [one for name in names for one in rendered(own[name], {**platform(), **own})]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def rights(statements: list[dict[str, Any]], effect: str = "Allow") -> Iterator[Right]:
    for one in statements:
        for action in listed(one["Action"]) if one["Effect"] == effect else ():
            for resource in listed(one["Resource"]):
                yield Right(action, resource, one.get("Condition", {}))


def within(inner: Any, outer: Any) -> bool:
    """Whether a condition is another one, but for what stands for any account."""
    if isinstance(outer, dict):
        return inner.keys() == outer.keys() and all(within(inner[key], outer[key]) for key in outer)
    ours, others = listed(inner), listed(outer)
    return len(ours) == len(others) and all(map(fnmatchcase, ours, others))


def covers(bound: Right, right: Right) -> bool:
    same = bound.action == right.action and fnmatchcase(right.resource, bound.resource)
    return same and within(right.condition, bound.condition)


BOUND: list[dict[str, Any]] = json.loads(BOUNDARY.read_text())["Statement"]
ROLES = statements_of_roles()


@pytest.mark.parametrize("right", list(rights(ROLES)), ids=lambda right: f"{right.action} {right.resource}")
def test_what_a_role_may_do_is_inside_it(right: Right) -> None:
    assert any(covers(bound, right) for bound in rights(BOUND))


@pytest.mark.parametrize("bound", list(rights(BOUND)), ids=lambda bound: f"{bound.action} {bound.resource}")
def test_what_it_allows_is_what_a_role_may_do(bound: Right) -> None:
    if bound.action == BY_THE_KEY_S_POLICY:
        assert bound.condition == {"StringEquals": {"kms:ViaService": "ssm.ap-southeast-1.amazonaws.com"}}
    else:
        assert any(covers(bound, right) for right in rights(ROLES))


def test_what_it_denies_is_what_the_roles_deny_to_code() -> None:
    denied = list(rights(BOUND, "Deny"))
    assert {one.action for one in denied} == {one.action for one in rights(ROLES, "Deny")}
    for one in denied:
        assert one.condition == {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:*"}}


def test_nobody_inside_it_changes_who_may_do_what() -> None:
    assert not [one for one in rights(BOUND) if one.action.startswith(("iam:", "sts:")) or "*" in one.action]


def test_its_name_is_the_default_of_the_roles() -> None:
    arn = rendered(platform()["platform_role_boundary"], platform())
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/clickstream-{BOUNDARY.stem}"
