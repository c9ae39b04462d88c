"""What a new user of AWS fills in, platform_cors_origins alone, against an endpoint like a fresh account."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.modules import PROJECT
from tests.support.services import Cloud
from tests.support.tasks import REGION

OF_ACCOUNT = f"-123456789012-{REGION}-an"
ON_THE_HOST = """
- hosts: analytics
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: account}
    - ansible.builtin.debug: {msg: "moves modules through {{ platform_transfer_bucket }}"}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """The address of a bucket with the SSM agent."""
    root = tmp_path / "agent"
    for name, content in (
        ("latest/VERSION", "3.3.3050.0"),
        ("3.3.3050.0/debian_arm64/amazon-ssm-agent.deb", "x"),
    ):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def play(cloud: Cloud, agent: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run playbooks with the inventory for AWS; what is beside the origins is where the stand-ins are."""
    given = {
        "platform_cors_origins": ["https://shop.example"],
        "platform_session_manager_plugin": str(PROJECT / "local_cloud/bin/session-manager-plugin"),
        "analytics_instance_agent_url": agent,
        "analytics_instance_agent_record": str(tmp_path / "agent.yml"),
    }
    ours = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(
        [
            str(PROJECT / ".venv/bin/ansible-playbook"),
            *("-i", "inventories/aws", *arguments, "-e", json.dumps(given)),
        ],
        cwd=PROJECT,
        env={
            **ours,
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test-secret-of-nobody",
            "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
        },
        capture_output=True,
        text=True,
    )


def test_preflight_and_buckets_need_no_name_and_no_agent(cloud: Cloud, agent: str, tmp_path: Path) -> None:
    done = play(cloud, agent, tmp_path, "playbooks/preflight.yml", "playbooks/storage.yml")
    assert done.returncode == 0, done.stdout
    assert f"works in account 123456789012, region {REGION}" in done.stdout
    names = [one["Name"] for one in cloud.s3.list_buckets()["Buckets"]]
    buckets = sorted(name for name in names if name.startswith("clickstream-"))  # without other tests'
    purposes = ("backup", "ingest", "logs", "sbw", "session-logs", "transfer")
    assert buckets == [f"clickstream-s3-{purpose}{OF_ACCOUNT}" for purpose in purposes]
    assert "analytics_instance_agent_version: 3.3.3050.0" in (tmp_path / "agent.yml").read_text()


def test_a_play_on_the_host_alone_knows_the_account_too(cloud: Cloud, agent: str, tmp_path: Path) -> None:
    (tmp_path / "host.yml").write_text(ON_THE_HOST)
    done = play(cloud, agent, tmp_path, str(tmp_path / "host.yml"))
    assert done.returncode == 0, done.stdout
    assert f"moves modules through clickstream-s3-transfer{OF_ACCOUNT}" in done.stdout


@pytest.mark.parametrize("playbook", ["verify", "dashboard", "destroy"])
def test_playbooks_that_stand_alone_find_the_account(
    cloud: Cloud, agent: str, tmp_path: Path, playbook: str
) -> None:
    # the roles whose things have the account in their names; all of them take a minute
    few = json.dumps({"destroy_roles": ["storage", "iam"]})
    done = play(cloud, agent, tmp_path, f"playbooks/{playbook}.yml", "--check", "-e", few)
    assert done.returncode == 0, done.stdout
    assert "ACCOUNT-" not in done.stdout


def test_a_region_without_an_endpoint_s_service_is_told(cloud: Cloud, agent: str, tmp_path: Path) -> None:
    services = json.dumps({"vpc_endpoints_interface_services": ["ssm", "ssmmessages", "ec2messages-of-old"]})
    done = play(cloud, agent, tmp_path, "playbooks/preflight.yml", "-e", services)
    assert done.returncode != 0
    assert "has no endpoint of ec2messages-of-old" in done.stdout and "Fix:" in done.stdout
