"""What a module's documentation says of its options is what the module takes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

PLUGINS = Path(__file__).parents[3] / "plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
# An action plugin of the same name takes options for itself.
WHOLE = [name for name in NAMES if not (PLUGINS / "action" / f"{name}.py").exists()]
KEYS = ("type", "elements", "required", "default", "choices", "aliases")
IMPLIED = {
    "type": "str",
    "elements": None,
    "required": False,
    "default": None,
    "choices": None,
    "aliases": None,
}


class TakenError(Exception):
    """Carries what a module gave to its base class."""


def specification(module: Any) -> dict[str, Any]:
    """The argument specification that the module runs with."""
    base = "AnsibleAWSModule" if hasattr(module, "AnsibleAWSModule") else "AnsibleModule"

    def taken(*arguments: Any, **more: Any) -> None:
        raise TakenError(more.get("argument_spec") or arguments[0])

    with mock.patch.object(module, base, taken), pytest.raises(TakenError) as caught:
        module.main()
    return dict(caught.value.args[0])


def comparable(options: dict[str, Any], inner: str) -> dict[str, Any]:
    """Options as {name: what matters}, suboptions included; ``inner`` is the key that holds those."""
    return {
        name: {
            **{key: _list(option.get(key, IMPLIED[key])) for key in KEYS},
            "options": comparable(option.get(inner) or {}, inner),
        }
        for name, option in options.items()
    }


def _list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", WHOLE)
def test_documented_options_are_the_module_s(name: str) -> None:
    module = import_module(f"ansible_collections.clickstream.aws.plugins.modules.{name}")
    documented = yaml.safe_load(module.DOCUMENTATION).get("options", {})
    assert comparable(documented, "suboptions") == comparable(specification(module), "options")


@pytest.mark.parametrize("name", NAMES)
def test_examples_use_only_options_that_exist(name: str) -> None:
    module = import_module(f"ansible_collections.clickstream.aws.plugins.modules.{name}")
    options = yaml.safe_load(module.DOCUMENTATION).get("options", {})
    common = {"region", "state"}
    for task in yaml.safe_load(module.EXAMPLES):
        for action, arguments in task.items():
            if action == f"clickstream.aws.{name}":
                assert set(arguments or {}) <= options.keys() | common
