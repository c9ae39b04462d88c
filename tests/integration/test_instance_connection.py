"""Role instance_connection opens a first session (module session_probe), also with plugins that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.session_manager import SessionManager, session_manager

PROJECT = Path(__file__).parents[2]
# The real one says so before it has a session, and its terminal repeats what is typed.
STARTING = "echo; echo Starting session with SessionId: s; head -n 1\n"
WORKS = "#!/bin/sh\necho Starting session with SessionId: s\nexec sh\n"
HANGS = f"#!/bin/sh\n{STARTING}echo $$ > $0.pid; exec sleep 600\n"
FAILS = f"#!/bin/sh\n{STARTING}echo Cannot perform start session: websocket: bad handshake\n"
SHOWN = [f"ansible_aws_ssm_{name}" for name in ("document", "region", "bucket_name", "plugin", "instance_id")]
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: instance_connection
        tasks_from: reach.yml
      vars:
        __instance_connection_found: {instances: [{instance_id: i-1}]}
    - ansible.builtin.set_fact:
        short: "{{ ansible_aws_ssm_timeout | default('of the plugin') }}"
        shown: "{{ dict(names | zip(query('ansible.builtin.vars', *names))) }}"
      delegate_to: localhost
    - ansible.builtin.debug:
        msg: {short: "{{ short }}", shown: "{{ shown }}", long: "{{ ansible_aws_ssm_timeout }}"}
      vars:
        ansible_aws_ssm_timeout: "{{ platform_long_command_timeout }}"
"""


@pytest.fixture
def manager() -> Iterator[SessionManager]:
    with session_manager() as server:
        yield server


def run(
    manager: SessionManager,
    directory: Path,
    plugin: str,
    *,
    name: str = "",
    inventory: dict[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    """The exit code of a run with the plugin, and its last task's result."""
    executable = directory / "some-plugin"
    executable.write_text(plugin)
    executable.chmod(0o755)
    (directory / "playbook.yml").write_text(PLAYBOOK)
    variables = {
        "ansible_python_interpreter": sys.executable,
        "names": SHOWN,
        "account_id": "123456789012",  # the stand-in answers no question about it
        "instance_connection_session_timeout": 3,
        "platform_session_manager_plugin": name or str(executable),
    }
    hosts = {"all": {"hosts": {"machine": inventory or {}}, "vars": variables}}
    (directory / "hosts.json").write_text(json.dumps(hosts))
    done = subprocess.run(
        [str(PROJECT / ".venv/bin/ansible-playbook"), "-i", "hosts.json", "playbook.yml"],
        cwd=directory,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "PATH": f"{directory}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "yaml",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "AWS_ENDPOINT_URL": manager.url,
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "{" in done.stdout, done.stdout + done.stderr
    tasks = json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"]
    return done.returncode, tasks[-1]["hosts"]["machine"]


def test_a_session_that_opens_is_ended_and_the_connection_is_set(
    manager: SessionManager, tmp_path: Path
) -> None:
    manager.not_yet = 1  # the agent has just come online
    code, result = run(manager, tmp_path, WORKS, name="some-plugin")
    assert code == 0, result
    assert manager.started == [{"Target": "i-1", "DocumentName": "clickstream-ansible"}] and not manager.open
    assert result["msg"]["shown"] == {
        "ansible_aws_ssm_document": "clickstream-ansible",
        "ansible_aws_ssm_region": "ap-southeast-1",
        "ansible_aws_ssm_bucket_name": "clickstream-s3-transfer-123456789012-ap-southeast-1-an",
        "ansible_aws_ssm_plugin": str(tmp_path / "some-plugin"),  # a bare name is found on the PATH
        "ansible_aws_ssm_instance_id": "i-1",
    }
    # a fact would overrule what the tasks say that take long
    assert (result["msg"]["short"], int(result["msg"]["long"])) == ("of the plugin", 1800)


def test_what_an_inventory_says_of_the_connection_counts(manager: SessionManager, tmp_path: Path) -> None:
    own = {
        "ansible_aws_ssm_document": "mine",
        "ansible_aws_ssm_region": "eu-north-1",
        "ansible_aws_ssm_bucket_name": "my-bucket",
        "ansible_aws_ssm_plugin": str(tmp_path / "some-plugin"),
        "ansible_aws_ssm_timeout": 90,
    }
    code, result = run(manager, tmp_path, WORKS, name="/nowhere/plugin", inventory=own)
    assert code == 0, result
    assert manager.started == [{"Target": "i-1", "DocumentName": "mine"}]
    found = {**result["msg"]["shown"], "ansible_aws_ssm_timeout": int(result["msg"]["short"])}
    assert found.items() >= own.items()


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (HANGS, "still waited after 3 s"),
        (FAILS, "Cannot perform start session: websocket: bad handshake"),
    ],
    ids=["hangs", "fails"],
)
def test_one_that_does_not_open_ends_the_run_with_what_the_plugin_printed(
    plugin: str, said: str, manager: SessionManager, tmp_path: Path
) -> None:
    begun = time.monotonic()
    code, result = run(manager, tmp_path, plugin)
    assert code != 0 and result["failed"]
    assert said in result["msg"] and "Starting session" in result["msg"] and "Fix: look" in result["msg"]
    assert not manager.open
    assert time.monotonic() - begun < 60
    if plugin == HANGS:
        number = (tmp_path / "some-plugin.pid").read_text().strip()
        assert not Path(f"/proc/{number}").exists(), "the plugin was left running"
