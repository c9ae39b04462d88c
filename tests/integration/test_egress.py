"""Closing the way out where there is no network; everything else about it is shown by molecule/egress."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.modules import PROJECT, REGION, Account, emulated_account


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with emulated_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture
def empty(server: Account) -> Account:
    server.reset()
    return server


def close(account: Account) -> int:
    """Run playbooks/close_egress.yml; returns how many tasks changed something."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "inventories/local/hosts.yml", "playbooks/close_egress.yml"),
        ],
        cwd=PROJECT,
        env={
            **keep,
            "AWS_ENDPOINT_URL": account.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return int(re.findall(r"changed=(\d+)", done.stdout)[-1])


def test_closing_works_where_nothing_exists(empty: Account) -> None:
    assert close(empty) == 0


def test_closing_removes_an_address_that_has_no_network_any_more(empty: Account) -> None:
    name = {"Key": "Name", "Value": "SBW_Project-nat-temporary"}
    empty.ec2.allocate_address(
        Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": [name]}]
    )
    assert close(empty) == 1
    assert empty.ec2.describe_addresses()["Addresses"] == []
