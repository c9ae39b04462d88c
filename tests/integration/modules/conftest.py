"""Emulators for all tests of modules, started once a session, and the resources that these tests stand on.

The tests go through create, repair and removal, each as check → apply → repeat (``converge``). What a module
did is read back with boto3, never taken from its own answer. A drift is one line of a table: what somebody
did by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.modules import Account, emulated_account
from tests.support.services import Cloud, emulated_cloud
from tests.support.tasks import (
    CODE,
    GATEWAY_ARGUMENTS,
    GROUPS,
    PRIVATE_TABLE,
    PUBLIC_TABLE,
    SUBNETS,
    TAGS,
    VPC,
    VPC_ARGUMENTS,
    function,
    trust,
    zip_of,
)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """moto alone: EC2 and IAM, emptied in no time."""
    with emulated_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture
def account(moto: Account) -> Account:
    """An empty account."""
    moto.reset()
    return moto


@pytest.fixture
def network(account: Account) -> Account:
    """VPC, subnets, Internet gateway, both route tables and the groups."""
    account.ok("vpc", **VPC_ARGUMENTS)
    for name, cidr in SUBNETS.items():
        account.ok("subnet", name=name, vpc=VPC, cidr=cidr, zone="ap-southeast-1a", tags=TAGS)
    account.ok("internet_gateway", **GATEWAY_ARGUMENTS)
    account.ok("route_table", **PUBLIC_TABLE)
    account.ok("route_table", **PRIVATE_TABLE)
    account.ok("security_groups", **GROUPS)
    return account


@pytest.fixture
def profile(network: Account) -> Account:
    """The network, and the instance profile."""
    trust = {"Service": "ec2.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trust}
    for name in ("host-role", "other-role"):
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        network.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        network.iam.create_instance_profile(InstanceProfileName=name)
        network.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return network


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A local cloud with every service; what a test makes in it stays for the next."""
    with emulated_cloud() as made:
        yield made


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of a function."""
    path = tmp_path_factory.mktemp("package") / "app.zip"
    path.write_bytes(zip_of(CODE))
    return path


@pytest.fixture(scope="module")
def some_function(cloud: Cloud, package: Path) -> Cloud:
    """The function, whatever it is like: rule and API only call it."""
    cloud.ok("iam_role", name="services-role", trust=trust("lambda.amazonaws.com"))
    cloud.ok("lambda_function", **function(package, foreign_permissions=["http-api"]))
    return cloud


@pytest.fixture(scope="module")
def access_log(some_function: Cloud) -> Cloud:
    """The function, and the log group of an API's access log."""
    some_function.ok("log_group", name="/services/access")
    return some_function
