"""A value that no role can work with is told, with the fix, before anything is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.clickstream.aws.plugins.filter.settings import (
    LIMITS,
    checked_options,
    setting_errors,
)

ROLES = Path(__file__).parents[2] / "roles"
OPTIONS = checked_options(ROLES)
NUMBERS = sorted(name for name, option in OPTIONS.items() if option["type"] in ("int", "float"))
DEFAULTS = {
    name: value
    for path in ROLES.glob("*/defaults/main.yml")
    for name, value in (yaml.safe_load(path.read_text()) or {}).items()
    if name in OPTIONS and "{{" not in str(value)
}


def errors(**variables: Any) -> list[str]:
    return setting_errors({"localhost": variables}, str(ROLES))


def test_the_defaults_are_all_right() -> None:
    assert errors(**DEFAULTS) == []


def test_every_number_has_its_limits() -> None:
    with_choices = {name for name, option in OPTIONS.items() if option.get("choices")}
    assert LIMITS.keys() == {*NUMBERS, "platform_retention_days"} - with_choices


@pytest.mark.parametrize("value", ["soon", -1, 10**12, [1], 0, float("nan")])
def test_no_number_takes_what_it_cannot_be(value: Any) -> None:
    wrong = {name for name in {*NUMBERS, *LIMITS} if value != 0 or LIMITS.get(name, (0, 0))[0] > 0}
    told = errors(**dict.fromkeys({*NUMBERS, *LIMITS}, value))
    assert {sentence.split(" is ")[0] for sentence in told} == wrong
    assert all("Fix: " in sentence for sentence in told)


def test_nor_does_any_other_option() -> None:
    wrong = {"list": {"a": "b"}, "bool": "maybe", "dict": "text"}
    others = OPTIONS.keys() - {*NUMBERS, *LIMITS}
    told = errors(**{name: wrong.get(OPTIONS[name]["type"], "no choice") for name in others})
    assert {sentence.split(" is ")[0] for sentence in told} == others
    assert all("Fix: " in sentence for sentence in told)


@pytest.mark.parametrize(
    "right",
    [
        {"platform_retention_days": ""},
        {"platform_retention_days": "400"},
        {"platform_warehouse_port": "6432"},
        {"platform_keep_raw_events": "yes"},
        {"etl_reserved_concurrency": None},
        {"http_api_rate_limit": "0.5"},
        {"somebody_s_own": "soon"},
    ],
)
def test_what_ansible_takes_is_right(right: dict[str, Any]) -> None:
    assert errors(**right) == []


def test_variables_of_every_host_are_looked_at_and_each_fault_is_told_once() -> None:
    wrong = {"postgresql_version": "latest"}
    hosts = {"localhost": {}, "SBW_EC2_ShinyDWH": wrong, "another": wrong}
    assert len(setting_errors(hosts, str(ROLES))) == 1


def test_what_stands_on_facts_of_a_host_is_left_to_its_role() -> None:
    filtered = {"msg": "{{ hostvars | clickstream.aws.setting_errors('roles') }}"}
    variables = {"postgresql_memory_mb": "{{ ansible_facts['memtotal_mb'] // 2 }}", "etl_timeout": "{{ 0 }}"}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible")), "localhost", "-i", "inventories/aws"),
            *("-m", "ansible.builtin.debug", "-a", json.dumps(filtered), "-e", json.dumps(variables)),
        ],
        cwd=ROLES.parent,
        capture_output=True,
        text=True,
    )
    assert "etl_timeout is 0" in done.stdout and "postgresql_memory_mb" not in done.stdout, done.stderr
