"""Every role says what its variables are, and says it of exactly those that it has."""

from pathlib import Path

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[2] / "roles").iterdir() if path.is_dir())


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text()) or {} if path.exists() else {}


def entries(role: Path) -> dict[str, dict]:
    """The role's entry points by name: main, and task files that others run."""
    return load(role / "meta/argument_specs.yml")["argument_specs"]


def described(role: Path) -> dict[str, dict]:
    return {
        name: option for spec in entries(role).values() for name, option in spec.get("options", {}).items()
    }


def sentences(description: str | list[str]) -> list[str]:
    return [description] if isinstance(description, str) else description


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_default_is_described_and_every_description_is_of_a_variable(role: Path) -> None:
    options = described(role)
    required = {name for name, option in options.items() if option.get("required")}
    optional = {name for name, option in options.items() if not option.get("required")}
    defaults = set(load(role / "defaults/main.yml"))
    assert defaults == optional, f"{role.name}: defaults/main.yml and meta/argument_specs.yml disagree"
    assert not required & defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_variables_are_prefixed_with_the_roles_name(role: Path) -> None:
    strangers = [name for name in described(role) if not name.startswith(f"{role.name}_")]
    assert not strangers


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_says_its_type_and_what_it_is(role: Path) -> None:
    silent = [name for name, o in described(role).items() if not (o.get("type") and o.get("description"))]
    assert not silent
    unfinished = [
        name
        for name, option in described(role).items()
        if not all(sentence.strip().endswith(".") for sentence in sentences(option["description"]))
    ]
    assert not unfinished


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_default_that_the_description_states_is_the_default(role: Path) -> None:
    defaults = load(role / "defaults/main.yml")
    wrong = {
        name: (option["default"], defaults[name])
        for name, option in described(role).items()
        if "default" in option
        and (option["default"], type(option["default"])) != (defaults[name], type(defaults[name]))
    }
    assert not wrong


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_entry_point_has_a_heading_and_a_task_file(role: Path) -> None:
    for name, spec in entries(role).items():
        heading = spec.get("short_description", "")
        assert heading and not heading.endswith("."), f"{role.name}: {name} has no heading"
        assert (role / f"tasks/{name}.yml").exists() or (role.name, name) == ("platform", "main")
    if (role / "tasks/destroy.yml").exists():
        assert role.name == "destroy" or "destroy" in entries(role)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_show_a_worked_example(role: Path) -> None:
    defaults = role / "defaults/main.yml"
    if load(defaults):
        assert "Worked example" in defaults.read_text()
