"""What a module's documentation says of its options and results is what the module takes and gives."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import Resource

PLUGINS = Path(__file__).parents[3] / "plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
# An action plugin of the same name takes options and gives results that the module itself does not know.
WHOLE = [name for name in NAMES if not (PLUGINS / "action" / f"{name}.py").exists()]
KEYS = ("type", "elements", "required", "default", "choices", "aliases")
IMPLIED = {"type": "str", "required": False}
COMMON_RESULTS = {"changed", "diff", "failed", "msg"}
"""Keys that Ansible's own documentation describes for every module."""
RESOURCE_RESULTS = {"exists", "resource"}


class TakenError(Exception):
    """Carries what a module gave to its base class."""


def imported(name: str) -> Any:
    return import_module(f"ansible_collections.clickstream.aws.plugins.modules.{name}")


@cache
def pages() -> dict[str, Any]:
    """Every module's page (doc, return) as ansible-doc gives it, fragments merged."""
    command = [str(Path(sys.executable).with_name("ansible-doc")), "--json", "--type", "module"]
    names = [f"clickstream.aws.{name}" for name in NAMES]
    done = subprocess.run([*command, *names], cwd=PLUGINS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.rpartition(".")[2]: page for name, page in json.loads(done.stdout).items()}


def options(name: str) -> dict[str, Any]:
    """The module's documented options."""
    return dict(pages()[name]["doc"]["options"])


def results(name: str) -> dict[str, Any]:
    """The module's documented results."""
    return dict(pages()[name]["return"])


def resource_class(name: str) -> type[Resource] | None:
    """The resource that the module manages; None for a module that stands on its own."""
    found = [
        item
        for item in vars(imported(name)).values()
        if isinstance(item, type) and issubclass(item, Resource) and item.__module__.endswith(f".{name}")
    ]
    return found[0] if found else None


def specification(name: str) -> dict[str, Any]:
    """The whole argument specification that the module runs with, amazon.aws's part included."""

    def taken(_: AnsibleModule, argument_spec: dict[str, Any], **__: Any) -> None:
        raise TakenError(argument_spec)

    with mock.patch.object(AnsibleModule, "__init__", taken), pytest.raises(TakenError) as caught:
        imported(name).main()
    return dict(caught.value.args[0])


def comparable(options: dict[str, Any], inner: str) -> dict[str, Any]:
    """Options as {name: what matters}, suboptions included; ``inner`` is the key that holds those."""
    return {
        name: {
            **{key: _plain(option.get(key, IMPLIED.get(key))) for key in KEYS},
            "options": comparable(option.get(inner) or {}, inner),
        }
        for name, option in options.items()
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", WHOLE)
def test_documented_options_are_the_module_s(name: str) -> None:
    documented = comparable(options(name), "suboptions")
    assert documented == comparable(specification(name), "options")


@pytest.mark.parametrize("name", NAMES)
def test_examples_use_only_options_that_exist(name: str) -> None:
    known = options(name).keys()
    for task in yaml.safe_load(imported(name).EXAMPLES):
        for action, arguments in task.items():
            if action == f"clickstream.aws.{name}":
                assert set(arguments or {}) <= known


@pytest.mark.parametrize("name", [name for name in WHOLE if not resource_class(name)])
def test_documented_results_are_those_that_the_module_exits_with(name: str) -> None:
    given = _exit_keys((PLUGINS / "modules" / f"{name}.py").read_text(encoding="utf-8"))
    assert results(name).keys() == given - COMMON_RESULTS


@pytest.mark.parametrize("name", [name for name in NAMES if resource_class(name)])
def test_a_resource_documents_every_key_that_it_may_return(name: str) -> None:
    """Which keys a resource really returns, tests/support/modules.py compares in every run of a module."""
    documented = results(name)
    made_by = resource_class(name)
    may_be_hindered = made_by is not None and made_by.in_the_way is not Resource.in_the_way
    expected = RESOURCE_RESULTS | ({"in_the_way"} if may_be_hindered else set())
    assert documented.keys() - {"pending", "resources"} == expected
    assert documented["resource"]["contains"]
    assert _undescribed(documented) == []


def _exit_keys(source: str) -> set[str]:
    """The keywords of every ``module.exit_json(…)`` in the source, a dict that is unpacked in it included."""
    tree = ast.parse(source)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "exit_json"
    ]
    unpacked = {
        keyword.value.id
        for call in calls
        for keyword in call.keywords
        if keyword.arg is None and isinstance(keyword.value, ast.Name)
    }
    dicts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Dict)
        and unpacked & {target.id for target in node.targets if isinstance(target, ast.Name)}
    ]
    return {keyword.arg for call in calls for keyword in call.keywords if keyword.arg} | {
        key.value for found in dicts for key in found.keys if isinstance(key, ast.Constant)
    }


def _undescribed(keys: dict[str, Any], path: str = "") -> list[str]:
    """Paths of documented keys that lack a description or a type, at any depth."""
    return [
        *(f"{path}{key}" for key, entry in keys.items() if not {"description", "type"} <= entry.keys()),
        *(
            missing
            for key, entry in keys.items()
            for missing in _undescribed(entry.get("contains", {}), f"{path}{key}.")
        ),
    ]
