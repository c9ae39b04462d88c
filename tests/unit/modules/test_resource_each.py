"""module_utils/resource.py: several resources in one task."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout, suppress
from typing import Any, ClassVar
from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.clickstream.aws.plugins.module_utils.resource import Resource, State, run_module

OPTIONS = {
    "name": {"required": True},
    "size": {"type": "int", "default": 3},
    "value": {"no_log": True},
    "doors": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"in": {}, "out": {}, "locks": {"type": "int", "default": 1}},
        "mutually_exclusive": [("in", "out")],
        "required_one_of": [("in", "out")],
    },
}


class House(Resource):
    """A resource that is made each time."""

    kind = "house"
    secret: ClassVar[frozenset[str]] = frozenset({"value"})
    made: ClassVar[list[State]] = []

    def read(self) -> State | None:
        return next((one for one in self.made if one["name"] == self.name), None)

    def desired(self) -> State:
        return {key: self.params[key] for key in OPTIONS}

    def create(self, desired: State) -> None:
        self.made.append(desired)

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        raise AssertionError

    def delete(self, current: State) -> None:
        raise AssertionError


def made(without: str = "", **arguments: Any) -> tuple[list[State], dict[str, Any], str]:
    """What the module made, its result, and what it wrote into the controller's log."""
    House.made.clear()
    logged: list[str] = []
    options = {name: option for name, option in OPTIONS.items() if name != without}
    with (
        patch_module_args(arguments),
        mock.patch.object(
            AnsibleModule, "log", lambda _self, text, log_args=None: logged.append(str(log_args))
        ),
        redirect_stdout(io.StringIO()) as out,
        suppress(SystemExit),
    ):
        run_module(House, options, several=True)
    return list(House.made), json.loads(out.getvalue().splitlines()[-1]), " ".join(logged)


def test_an_entry_stands_on_the_task_s_own_options() -> None:
    houses, result, _ = made(each=[{"name": "a"}, {"name": "b", "size": 5}], size=4, doors=[{"in": "x"}])
    assert [(one["name"], one["size"]) for one in houses] == [("a", 4), ("b", 5)]
    assert [one["doors"][0]["in"] for one in houses] == ["x", "x"]
    assert len(result["resources"]) == len(result["diff"]) == 2


@pytest.mark.parametrize("where", ["the task", "an entry"])
def test_rules_about_suboptions_hold(where: str) -> None:
    def with_doors(*doors: dict[str, str]) -> dict[str, Any]:
        options = {"doors": list(doors)}
        return {**options, "name": "a"} if where == "the task" else {"each": [{**options, "name": "a"}]}

    houses, _, _ = made(**with_doors({"in": "x"}, {"out": "y"}))
    assert [(door["in"], door["out"], door["locks"]) for door in houses[0]["doors"]] == [
        ("x", None, 1),
        (None, "y", 1),
    ]
    for wrong in ({}, {"in": "x", "out": "y"}):
        houses, result, _ = made(**with_doors({"in": "x"}, wrong))
        assert houses == [] and "in" in result["msg"] and "out" in result["msg"]


def test_a_secret_of_an_entry_is_not_shown() -> None:
    houses, result, log = made(each=[{"name": "a", "value": "hush-hush"}])
    assert houses[0]["value"] == "hush-hush" and houses[0]["size"] == 3
    assert "hush-hush" not in json.dumps(result) + log and "'name'" in log


@pytest.mark.parametrize("without", ["", "value"])
def test_an_option_that_does_not_exist_is_named_before_anything_is_made(without: str) -> None:
    houses, result, _ = made(without, each=[{"name": "a"}, {"name": "b", "colour": "red"}])
    assert houses == [] and "colour" in result["msg"]
