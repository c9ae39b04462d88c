"""The Session Manager plugin on this machine: preflight says what is wrong with it, and how to mend that."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.clickstream.aws.plugins.module_utils.sessions import plugin_fault
from ansible_collections.clickstream.aws.plugins.modules.preflight_info import executable_errors

ROLES = Path(__file__).parents[3] / "roles"
USED = ("session_manager", "platform")
OURS = Path(__file__).parents[3] / "local_cloud/bin/session-manager-plugin"


def plugin(directory: Path, script: str) -> str:
    file = directory / "session-manager-plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize("version", ["1.2.764.0", "1.2.896.0", "1.10.0.0", "2.0"])
def test_a_version_that_signs_is_right(version: str, tmp_path: Path) -> None:
    assert plugin_fault(plugin(tmp_path, f'[ "$1" = --version ] && echo {version}')) == ""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 1.2.707.0", "version 1.2.707.0, and Session Manager needs 1.2.764"),
        ("echo 1.2.764x", "'1.2.764x'"),
        ("echo it broke >&2; exit 1", "it broke"),
        ("exit 0", "does not say its version"),
    ],
)
def test_another_is_refused_with_the_fix(script: str, said: str, tmp_path: Path) -> None:
    [error] = executable_errors(plugin(tmp_path, script))
    assert said in error and "Fix: install" in error


def test_one_that_is_no_program_is_refused(tmp_path: Path) -> None:
    file = Path(plugin(tmp_path, ""))
    file.write_bytes(b"\x7fELF of another processor")
    [error] = executable_errors(str(file))
    assert "does not say its version" in error and "Fix: install" in error


def test_a_missing_one_is_refused(tmp_path: Path) -> None:
    [error] = executable_errors(str(tmp_path / "nothing"))
    assert "not on this machine" in error and "Fix: install" in error


def test_the_local_cloud_s_own_is_right() -> None:
    assert list(executable_errors(str(OURS))) == []


def test_a_session_of_ansible_outlives_the_longest_command() -> None:
    """Session Manager ends one that is given no input for so long, and a command is given none."""
    defaults = [yaml.safe_load((ROLES / role / "defaults/main.yml").read_text()) for role in USED]
    assert (
        defaults[0]["session_manager_ansible_idle_minutes"] * 60
        > defaults[1]["platform_long_command_timeout"]
    )


def test_no_fact_keeps_a_task_from_having_a_time_limit_of_its_own() -> None:
    """A fact overrules a task's vars."""
    files = ROLES.glob("*/tasks/*.yml")
    tasks = [task for file in files for task in yaml.safe_load(file.read_text()) if isinstance(task, dict)]
    facts = [task["ansible.builtin.set_fact"] for task in tasks if "ansible.builtin.set_fact" in task]
    assert len(facts) > 3
    assert [fact for fact in facts if "ansible_aws_ssm_timeout" in fact] == []
