"""The region is said once, in platform_region, and every AWS module of the collection is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.clickstream.aws.plugins.action import aws, port_forward

PROJECT = Path(__file__).parents[3]
RUNTIME = PROJECT / "collections/ansible_collections/clickstream/aws/meta/runtime.yml"
PLAY = """---
- name: Ask for a VPC
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Ask
      clickstream.aws.vpc:
        name: nowhere
        state: absent
"""


def test_every_module_with_a_region_is_given_it() -> None:
    modules = {
        path.stem
        for path in (PROJECT / "plugins/modules").glob("*.py")
        if re.search(r"clickstream\.aws\.(connection|resource)$", path.read_text(), re.MULTILINE)
    }
    routed = yaml.safe_load(RUNTIME.read_text())["plugin_routing"]["modules"]
    assert issubclass(port_forward.ActionModule, aws.ActionModule)
    assert routed == {
        module: {"action_plugin": f"clickstream.aws.{'port_forward' if module == 'port_forward' else 'aws'}"}
        for module in modules
    }


LOADED = """
import sys
from ansible.cli.playbook import main
from ansible.executor.task_executor import TaskExecutor

run = TaskExecutor.run


def told(executor):
    from ansible_collections.clickstream.aws.plugins.plugin_utils import forked_module

    connection = "ansible_collections.amazon.aws.plugins.connection.aws_ssm" in sys.modules
    print("worker:", connection, forked_module.imports.cache_info().currsize, file=sys.stderr)
    return run(executor)


TaskExecutor.run = told
main()
"""


@pytest.mark.parametrize(("strategy", "told"), [("linear", "worker: True 1"), ("free", "worker: False 0")])
def test_workers_need_not_load_what_all_of_them_use(tmp_path: Path, strategy: str, told: str) -> None:
    """Else each task pays for boto3 and Ansible's libraries. Where tasks overlap it does."""
    play = PLAY.replace("vpc:", "caller_info:").replace("  tasks:", f"  strategy: {strategy}\n  tasks:")
    (tmp_path / "play.yml").write_text(play)
    (tmp_path / "told.py").write_text(LOADED)
    command = [sys.executable, "told.py", "-i", "localhost,", "play.yml"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert re.findall("worker:.*", done.stderr) == [told], done.stdout + done.stderr
    assert "Unsupported parameters" in done.stdout


def test_other_collections_modules_are_told_by_their_tasks() -> None:
    """And so are lookups, which run on the controller before any module does."""
    told, silent = 0, []
    for path in sorted((PROJECT / "roles").glob("*/*/*.yml")):
        text = path.read_text()
        for task in tasks(yaml.safe_load(text)):
            for name, arguments in task.items():
                if name.startswith(("amazon.aws.", "community.aws.")):
                    told += 1
                    if arguments.get("region") != "{{ platform_region }}":
                        silent.append(f"{path}: {name}")
        for lookup in text.split("lookup('amazon.aws.")[1:]:
            told += 1
            if "region=platform_region" not in lookup.split(")")[0]:
                silent.append(f"{path}: {lookup[:60]}")
    assert told > 5
    assert silent == []


def test_nothing_else_says_the_region() -> None:
    files = [
        *(PROJECT / "playbooks").glob("*.yml"),
        *(PROJECT / "inventories").rglob("*.yml"),
        *(PROJECT / "roles").glob("*/tasks/*.yml"),
    ]
    assert [path for path in files if "AWS_REGION" in path.read_text()] == []


def tasks(value: Any) -> list[dict[str, Any]]:
    """Every mapping in a YAML document."""
    if isinstance(value, list):
        return [task for one in value for task in tasks(one)]
    if isinstance(value, dict):
        return [value, *(task for one in value.values() for task in tasks(one))]
    return []


@pytest.mark.parametrize(
    ("arguments", "shell", "expected"),
    [
        (["-e", "platform_region=eu-central-1"], "us-east-1", "eu-central-1"),
        (["-e", "platform_region={{ 'eu-' ~ 'north-1' }}"], "us-east-1", "eu-north-1"),
        ([], "us-east-1", "us-east-1"),
    ],
    ids=["the platform's", "from a template", "the shell's, without a platform"],
)
def test_a_module_asks_in_the_region(tmp_path: Path, arguments: list[str], shell: str, expected: str) -> None:
    result = asked(
        tmp_path,
        *arguments,
        AWS_REGION=shell,
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="nothing",
        # nobody listens there: the module says where it would have asked
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
    )
    assert result["invocation"]["module_args"]["region"] == expected, result


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("bucket a: An error occurred (AccessDenied) when calling CreateBucket: no", "bin/deployer-policies"),
        ("VPC a: An error occurred (UnauthorizedOperation) when …: You are not …", "bin/deployer-policies"),
        ("Couldn't connect to AWS: The config profile (x) could not be found", "playbooks/preflight.yml"),
    ],
)
def test_what_a_module_of_others_says_gets_its_fix(said: str, fix: str) -> None:
    told = aws.with_fix(said)
    assert told.startswith(said) and fix in told.partition("Fix:")[2]
    assert aws.with_fix(told) == told


def test_any_other_message_stays() -> None:
    assert aws.with_fix("An error occurred (Throttling)") == "An error occurred (Throttling)"


def test_wrong_credentials_have_their_fix_in_every_module(tmp_path: Path) -> None:
    said = asked(tmp_path, "-e", "platform_region=eu-central-1", AWS_PROFILE="nobody-s")["msg"]
    assert "nobody-s" in said and said.count("Fix:") == 1


def asked(tmp_path: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """The result of the play's task."""
    (tmp_path / "play.yml").write_text(PLAY)
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "localhost,",
        *arguments,
    ]
    done = subprocess.run(
        [*command, str(tmp_path / "play.yml")],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_INJECT_INVOCATION": "1",  # ansible-core from 2.20 on leaves it out by itself
            "AWS_MAX_ATTEMPTS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    answer = json.loads(done.stdout[done.stdout.index("{") :])
    result: dict[str, Any] = answer["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result
