"""Removal where Lambda takes its time, and where somebody made something of their own in the VPC.

The tests are the life of one network and build on each other, in the order of this file. Removal of a whole
deployment is in test_site.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.modules import PROJECT, REGION
from tests.support.network import tags
from tests.support.services import Cloud, emulated_cloud
from tests.support.tasks import CODE, function, in_a_vpc, zip_of

VPC, PRIVATE = "SBW_Project-vpc", f"SBW_Project-subnet-private1-{REGION}a"
PLAY = [
    {
        "hosts": "controller",
        "gather_facts": False,
        "vars": {"network_flow_log": False},  # there is no bucket for it
        "roles": ["network", "security_groups"],
    }
]
INVENTORY = {
    "controller": {
        "hosts": {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    }
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account with the network, and the ETL function in it."""
    scratch = tmp_path_factory.mktemp("destroy")
    with emulated_cloud(lambda_interface_seconds=60) as made:
        play = scratch / "network.yml"
        play.write_text(yaml.safe_dump(PLAY))
        done = run(made, play, scratch)
        assert done.returncode == 0, done.stdout[-3000:]
        made.ok("iam_role", **in_a_vpc("SBW_Lamda_ETL-role"))
        code = scratch / "etl.zip"
        code.write_bytes(zip_of(CODE))
        place = {"vpc": VPC, "subnets": [PRIVATE], "security_groups": ["sg_Lambda_ETL"]}
        made.ok("lambda_function", **function(code, name="SBW_Lamda_ETL", role="SBW_Lamda_ETL-role", **place))
        yield made


def run(cloud: Cloud, playbook: str | Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    inventory = scratch / "hosts.yml"
    inventory.write_text(yaml.safe_dump(INVENTORY))
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(playbook)),
            *("-e", "confirm=yes", "-e", "security_groups_interface_pause=1"),
            *("-e", json.dumps({"destroy_roles": ["etl", "security_groups", "network", "secrets"]})),
        ],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        },
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def theirs(cloud: Cloud) -> dict[str, str]:
    """What somebody makes in the VPC: a subnet, and an instance in the platform's; their ids."""
    by_name = {"Name": "tag:Name", "Values": [PRIVATE]}
    [private] = cloud.ec2.describe_subnets(Filters=[by_name])["Subnets"]
    subnet = cloud.ec2.create_subnet(VpcId=private["VpcId"], CidrBlock="10.0.64.0/24")["Subnet"]["SubnetId"]
    image = cloud.ec2.describe_images()["Images"][0]["ImageId"]
    [instance] = cloud.ec2.run_instances(
        ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=private["SubnetId"]
    )["Instances"]
    return {"subnet": subnet, "instance": instance["InstanceId"]}


def left(cloud: Cloud) -> set[str]:
    """What is left of the platform's network, and of its function."""
    ec2 = cloud.ec2
    named: list[Any] = [
        *ec2.describe_vpcs()["Vpcs"],
        *ec2.describe_subnets()["Subnets"],
        *ec2.describe_route_tables()["RouteTables"],
        *ec2.describe_internet_gateways()["InternetGateways"],
    ]
    groups = [one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]]
    functions = [one["FunctionName"] for one in cloud.functions.list_functions()["Functions"]]
    names = [tags(one).get("Name", "") for one in named]
    return {name for name in [*names, *groups, *functions] if name.startswith(("SBW_", "sg_"))}


def test_somebodys_own_is_named_all_the_rest_goes_and_the_run_fails_at_the_end(
    cloud: Cloud, theirs: dict[str, str], tmp_path: Path
) -> None:
    done = run(cloud, "playbooks/destroy.yml", tmp_path)
    told = done.stdout + done.stderr
    assert done.returncode != 0, told[-3000:]
    assert left(cloud) == {VPC, PRIVATE}
    waits = told.index("Lambda keeps 1 network interface(s) of deleted functions (eni-")
    assert waits < told.index("TASK [security_groups : Wait until Lambda lets them go]"), "said before"
    end = " ".join(told[told.rindex("Left over:") :].split())
    assert f"VPC {VPC}" in end and f"subnet {PRIVATE}" in end and "Fix: " in end
    hinders = re.search(r"not made by this project: (.*?)\. Fix:", end)
    assert hinders and hinders[1].split(", ") == [
        f"instance {theirs['instance']}",
        f"subnet {theirs['subnet']}",
    ]
    assert "TASK [secrets : Destroy the secret]" in told[waits:], "what comes later is removed too"


def test_once_it_is_gone_so_is_the_rest(cloud: Cloud, theirs: dict[str, str], tmp_path: Path) -> None:
    cloud.ec2.terminate_instances(InstanceIds=[theirs["instance"]])
    cloud.ec2.delete_subnet(SubnetId=theirs["subnet"])
    done = run(cloud, "playbooks/destroy.yml", tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert left(cloud) == set()
