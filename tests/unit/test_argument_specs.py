"""Every role says what its variables are, and says it of exactly those that it has."""

from pathlib import Path

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[2] / "roles").iterdir() if path.is_dir())


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text()) or {} if path.exists() else {}


def described(role: Path) -> dict[str, dict]:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    return {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}


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


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_show_a_worked_example(role: Path) -> None:
    defaults = role / "defaults/main.yml"
    if load(defaults):
        assert "Worked example" in defaults.read_text()
