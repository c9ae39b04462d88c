"""A role reads its own variables and the platform's, so that whoever sets one knows who takes it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
ROLES = sorted(path for path in (PROJECT / "roles").iterdir() if path.is_dir())
NAMES = sorted((role.name for role in ROLES), key=len, reverse=True)
WORD = re.compile(r"(?<![\w./-])_{0,2}(?P<name>[a-z][a-z0-9_]*)")
BUCKET = re.compile(r"platform_\w+_bucket\b")
COMMENT = re.compile(r"(^|\s)#.*$|^\s*//.*$", re.MULTILINE)

EXCEPTIONS = {
    ("platform", "host_packages_missing"): "hands what one role found to those that check mode makes wait",
    ("platform", "account_id"): "names of buckets end with it, once the role account has found it",
    ("backfill", "etl_timeout"): "a message names the variable that helps",
}


@cache
def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a YAML document."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(child)


def tasks(role: Path) -> list[dict[str, Any]]:
    return [task for path in sorted(role.glob("tasks/*.yml")) for task in walk(load(path))]


@cache
def variables(role: Path) -> set[str]:
    """What a role declares, in defaults, vars and argument specs, and what its tasks set."""
    specs = load(role / "meta/argument_specs.yml")["argument_specs"].values()
    declared = {name for spec in specs for name in spec.get("options", {})}
    for folder in ("defaults", "vars"):
        declared |= set(load(role / folder / "main.yml") or {})
    return declared | results(role)


def results(role: Path) -> set[str]:
    """The public variables that a role's tasks set."""
    found = {task["register"] for task in tasks(role) if isinstance(task.get("register"), str)}
    found |= {name for task in tasks(role) for name in task.get("ansible.builtin.set_fact") or {}}
    return {name for name in found if not name.startswith("_")}


def runs(role: Path) -> dict[str, set[str]]:
    """The roles that a role runs or depends on, each with the variables that it sets for them."""
    found: dict[str, set[str]] = {
        name["role"]: set() for name in load(role / "meta/main.yml")["dependencies"]
    }
    for task in tasks(role):
        for keyword in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
            if keyword in task:
                found.setdefault(task[keyword]["name"], set())
    given = {name for task in tasks(role) for name in task.get("vars") or {}}
    return {name: {one for one in given if one.startswith(f"{name}_")} for name in found}


def owner(word: str) -> str | None:
    return next((name for name in NAMES if word.startswith(f"{name}_") and word not in NAMES), None)


def strangers(role: Path) -> set[str]:
    """The variables of other roles that a role's files mention, without those that it may."""
    everybodys = {variable.lstrip("_") for other in ROLES for variable in variables(other)}
    running = runs(role)
    allowed = {name for own in running.values() for name in own}
    allowed |= {name for other in ROLES if other.name in running for name in results(other)}
    allowed |= {variable for name, variable in EXCEPTIONS if name == role.name}
    folders = ("defaults", "vars", "tasks", "templates", "handlers")
    found = set()
    for path in (path for folder in folders for path in role.glob(f"{folder}/*")):
        text = COMMENT.sub("", path.read_text())
        for name in {match["name"] for match in WORD.finditer(text)}:
            # a name that nobody declares is meant as a variable where it is read in an expression
            declared = name in everybodys or re.search(r"\{\{[^}]*\b" + name + r"\b", text)
            if declared and owner(name) not in (None, role.name, "platform") and name not in allowed:
                found.add(name)
    return found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_reads_its_own_variables_and_the_platforms(role: Path) -> None:
    """What it sets for a role that it runs, and what such a role returns, is its business too."""
    assert not strangers(role)


def test_every_exception_is_needed() -> None:
    for name, variable in EXCEPTIONS:
        text = "".join(path.read_text() for path in sorted((PROJECT / "roles" / name).rglob("*.yml")))
        assert re.search(rf"\b{variable}\b", text), f"{name} does not mention {variable}"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_default_is_another_name_of_a_platform_variable(role: Path) -> None:
    """An alias stays only where something sets it to another value."""
    aliases = {
        name
        for name, value in (load(role / "defaults/main.yml") or {}).items()
        if re.fullmatch(r"\{\{ platform_\w+ \}\}", str(value))
    }
    elsewhere = [
        path
        for folder in ("roles", "playbooks", "inventories", "molecule", "tests")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in (".yml", ".py") and role not in path.parents
    ]
    text = "".join(path.read_text() for path in elsewhere)
    assert {name for name in aliases if not re.search(rf"\b{name}\s*[:=]", text)} == set()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_result_has_the_name_of_a_variable_of_the_role(role: Path) -> None:
    """What a task registers would hide the variable for the rest of the run, in other plays too."""
    declared = set(load(role / "vars/main.yml") or {})
    registered = {task["register"] for task in tasks(role) if isinstance(task.get("register"), str)}
    assert not declared & registered


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_that_names_a_bucket_has_asked_for_the_account(role: Path) -> None:
    files = [path for path in role.rglob("*") if path.suffix in (".yml", ".j2")]
    named = {match for path in files for match in BUCKET.findall(path.read_text())}
    if not named or role.name == "platform":
        return
    assert "account" in runs(role), f"{role.name} reads {sorted(named)}: it must depend on the role account"
