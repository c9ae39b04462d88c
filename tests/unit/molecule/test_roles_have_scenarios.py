"""Every role has a Molecule scenario, or molecule/README.md says why it has none."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[3]


def test_every_role_has_a_scenario_or_a_reason() -> None:
    roles = {path.name for path in PROJECT.glob("roles/*") if (path / "tasks").is_dir()} | {"platform"}
    scenarios = {path.parent.name for path in PROJECT.glob("molecule/*/molecule.yml")}
    table = (PROJECT / "molecule/README.md").read_text().partition("## Roles without a scenario")[2]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    without = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(without) > 5
    assert scenarios | without == roles
    assert not scenarios & without


def test_every_scenario_is_in_one_lane_of_ci() -> None:
    """tests/run: aws_roles are those with an account.py, host_roles those with a verify.yml."""
    for scenario in PROJECT.glob("molecule/*/molecule.yml"):
        there = {name for name in ("account.py", "verify.yml") if scenario.with_name(name).exists()}
        assert len(there) == 1, scenario
