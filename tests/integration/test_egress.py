"""Network and egress as playbooks: check mode on an empty account, rest, window, leftovers of a crash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import PROJECT, REGION, Account, emulated_account

ANYWHERE = "0.0.0.0/0"
# As role host_packages does it, from a play of another host.
WINDOW = """
- name: Open and close from another host's play
  hosts: analytics
  gather_facts: false
  tasks:
    - name: Work with open egress
      block:
        - name: Open egress
          ansible.builtin.include_role:
            name: egress
            tasks_from: open.yml
            apply: {delegate_to: localhost, become: false}
        - name: Look at what is open
          ansible.builtin.command: "{{ look }}"
          delegate_to: localhost
          become: false
      always:
        - name: Close egress
          ansible.builtin.include_role:
            name: egress
            tasks_from: close.yml
            apply: {delegate_to: localhost, become: false}
"""
OPEN = """
- name: Open, as a run that is killed afterwards
  hosts: controller
  gather_facts: false
  tasks:
    - name: Open egress
      ansible.builtin.import_role:
        name: egress
        tasks_from: open.yml
"""


class Platform:
    """The project's playbooks on an emulated account."""

    def __init__(self, account: Account, scratch: Path) -> None:
        self.account = account
        self.scratch = scratch
        self.ec2 = account.ec2

    def play(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run playbooks, or the one in ``text``."""
        if text:
            path = self.scratch / "playbook.yml"
            path.write_text("---" + text)
            arguments = (*arguments, str(path))
        beside = Path(sys.executable).parent / "ansible-playbook"
        program = str(beside) if beside.exists() else str(shutil.which("ansible-playbook"))
        keep = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return subprocess.run(
            [program, "-i", "inventories/local/hosts.yml", *arguments],
            cwd=PROJECT,
            env={
                **keep,
                "AWS_ENDPOINT_URL": self.account.endpoint,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
                "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
                "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )

    def succeed(self, *arguments: str, text: str = "") -> str:
        """The output of a run that must succeed."""
        done = self.play(*arguments, text=text)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return done.stdout

    def default_routes(self) -> list[dict[str, Any]]:
        """The private table's default routes."""
        by = [{"Name": "tag:Name", "Values": [f"SBW_Project-rtb-private1-{REGION}a"]}]
        tables = self.ec2.describe_route_tables(Filters=by)["RouteTables"]
        return [
            route
            for table in tables
            for route in table["Routes"]
            if route.get("DestinationCidrBlock") == ANYWHERE
        ]

    def ports_out(self) -> set[str]:
        """The ports that the analytics group may reach anywhere in the world."""
        by = [{"Name": "group-name", "Values": ["sg_analytics_ShinyDWH"]}]
        groups = self.ec2.describe_security_groups(Filters=by)["SecurityGroups"]
        return {
            str(rule.get("FromPort", "all"))
            for group in groups
            for rule in group["IpPermissionsEgress"]
            if any(peer["CidrIp"] == ANYWHERE for peer in rule.get("IpRanges", []))
        }

    def gateways(self) -> list[dict[str, Any]]:
        """NAT gateways that are not gone."""
        there = self.ec2.describe_nat_gateways()["NatGateways"]
        return [item for item in there if item["State"] != "deleted"]

    def assert_closed(self) -> None:
        """No way out, and nothing that costs money."""
        assert self.default_routes() == []
        assert self.ports_out() == set()
        assert self.gateways() == []
        assert self.ec2.describe_addresses()["Addresses"] == []

    def nat_tagged(self, resource: str) -> list[dict[str, Any]]:
        """A TagSpecifications argument with the temporary NAT gateway's name."""
        name = {"Key": "Name", "Value": "SBW_Project-nat-temporary"}
        return [{"ResourceType": resource, "Tags": [name]}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with emulated_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture
def empty(server: Account, tmp_path: Path) -> Platform:
    server.reset()
    return Platform(server, tmp_path)


@pytest.fixture(scope="module")
def built(server: Account, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The network at rest; shared, for each test leaves it at rest."""
    server.reset()
    platform = Platform(server, tmp_path_factory.mktemp("play"))
    platform.succeed("playbooks/network.yml")
    return platform


def inventory(platform: Platform) -> str:
    """Everything of the network, as EC2 describes it."""
    calls = ("vpcs", "subnets", "route_tables", "security_groups", "internet_gateways", "nat_gateways")
    more = ("addresses", "vpc_endpoints", "instances")
    answers = [getattr(platform.ec2, f"describe_{name}")() for name in (*calls, *more)]
    for answer in answers:
        answer.pop("ResponseMetadata")
    return json.dumps(answers, default=str, sort_keys=True)


# The tests on an empty account come first: they empty the account that the others then share.


def test_check_mode_on_an_empty_account_lists_everything_and_writes_nothing(empty: Platform) -> None:
    before = inventory(empty)
    output = empty.succeed("playbooks/network.yml", "--check", "--diff")
    assert inventory(empty) == before
    for thing in (
        "VPC SBW_Project-vpc",
        f"subnet SBW_Project-subnet-public1-{REGION}a",
        f"subnet SBW_Project-subnet-private1-{REGION}a",
        "Internet gateway SBW_Project-igw",
        "route table SBW_Project-rtb-public",
        f"route table SBW_Project-rtb-private1-{REGION}a",
        "security groups default",
        "security groups sg_vpc_endpoints, sg_Lambda_ETL, sg_analytics_ShinyDWH, sg_oltp_WebDB",
        "VPC endpoint SBW_Project-vpce-s3",
        "VPC endpoint SBW_Project-vpce-ssm",
        "VPC endpoint SBW_Project-vpce-ssmmessages",
        "VPC endpoint SBW_Project-vpce-ec2messages",
    ):
        assert output.count(f"+++ after: {thing}\n") == 1, thing


def test_closing_works_where_nothing_exists(empty: Platform) -> None:
    before = inventory(empty)
    assert "changed=0" in empty.succeed("playbooks/close_egress.yml")
    assert inventory(empty) == before


def test_closing_removes_an_address_that_has_no_network_any_more(empty: Platform) -> None:
    empty.ec2.allocate_address(Domain="vpc", TagSpecifications=empty.nat_tagged("elastic-ip"))
    empty.succeed("playbooks/close_egress.yml")
    assert empty.ec2.describe_addresses()["Addresses"] == []


def test_at_rest_a_second_run_changes_nothing_and_there_is_no_way_out(built: Platform) -> None:
    assert "changed=0" in built.succeed("playbooks/network.yml")
    built.assert_closed()


def rules(platform: Platform) -> dict[str, set[str]]:
    """Every rule in the VPC in the words of the design, by group."""
    groups = platform.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc_id(platform)]}]
    )["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    lists = platform.ec2.describe_managed_prefix_lists()["PrefixLists"]
    names |= {one["PrefixListId"]: one["PrefixListName"].rsplit(".", 1)[-1] for one in lists}
    found: dict[str, set[str]] = {}
    for group in groups:
        found[group["GroupName"]] = {
            f"{way} {rule.get('FromPort', 'all')} {names.get(peer, peer)}"
            for way, key in (("in", "IpPermissions"), ("out", "IpPermissionsEgress"))
            for rule in group[key]
            for peer in [
                *(one["CidrIp"] for one in rule.get("IpRanges", [])),
                *(one["GroupId"] for one in rule.get("UserIdGroupPairs", [])),
                *(one["PrefixListId"] for one in rule.get("PrefixListIds", [])),
            ]
        }
    return found


def vpc_id(platform: Platform) -> str:
    by = [{"Name": "tag:Name", "Values": ["SBW_Project-vpc"]}]
    [vpc] = platform.ec2.describe_vpcs(Filters=by)["Vpcs"]
    return str(vpc["VpcId"])


def test_the_groups_allow_what_the_design_says_and_no_more(built: Platform) -> None:
    assert rules(built) == {
        "default": set(),
        "sg_vpc_endpoints": {
            "in 443 sg_analytics_ShinyDWH",
            "in 443 sg_Lambda_ETL",
            "in 443 sg_oltp_WebDB",
        },
        "sg_Lambda_ETL": {"out 443 s3", "out 443 sg_vpc_endpoints", "out 5432 sg_analytics_ShinyDWH"},
        "sg_analytics_ShinyDWH": {
            "in 5432 sg_Lambda_ETL",
            "in 3838 sg_analytics_ShinyDWH",
            "out 443 s3",
            "out 443 sg_vpc_endpoints",
        },
        "sg_oltp_WebDB": {f"out 443 {ANYWHERE}"},
    }


def test_the_s3_endpoint_names_the_buckets_and_the_account(built: Platform) -> None:
    endpoints = built.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    [s3] = [one for one in endpoints if one["ServiceName"].endswith(".s3")]
    ours, aws = json.loads(s3["PolicyDocument"])["Statement"]
    buckets = [
        f"arn:aws:s3:::clickstream-s3-{name}" for name in ("ingest", "transfer", "backup", "session-logs")
    ]
    assert sorted(ours["Resource"]) == sorted([*buckets, *(f"{bucket}/*" for bucket in buckets)])
    assert ours["Condition"] == {"StringEquals": {"aws:ResourceAccount": "123456789012"}}
    assert ours["Principal"] == "*" and "s3:*" not in ours["Action"]
    assert (aws["Action"], aws["Resource"]) == ("s3:GetObject", [f"arn:aws:s3:::amazon-ssm-{REGION}/*"])
    services = {one["ServiceName"].rsplit(".", 1)[-1] for one in endpoints if one["State"] == "available"}
    assert services == {"s3", "ssm", "ssmmessages", "ec2messages"}


def test_the_window_is_open_inside_and_closed_after(built: Platform) -> None:
    at_rest = inventory(built)
    seen = built.scratch / "seen"
    scope = f"Credential=test/20260101/{REGION}/ec2/aws4_request"
    look = (
        f"curl -s -o {seen} -H 'Authorization: AWS4-HMAC-SHA256 {scope}' "
        f"-d Action=DescribeRouteTables -d Version=2016-11-15 {built.account.endpoint}/"
    )
    output = built.succeed("-e", json.dumps({"look": look}), text=WINDOW)
    assert "nat-" in seen.read_text()
    assert output.count("SBW_EC2_ShinyDWH -> localhost") >= 6
    built.assert_closed()
    assert json.loads(inventory(built))[2] == json.loads(at_rest)[2]


def test_open_is_the_rest_state_and_the_additions(built: Platform) -> None:
    at_rest = json.loads(inventory(built))
    built.succeed(text=OPEN)
    assert "changed=0" in built.succeed(text=OPEN)
    [gateway] = built.gateways()
    assert [route["NatGatewayId"] for route in built.default_routes()] == [gateway["NatGatewayId"]]
    assert built.ports_out() == {"80", "443"}
    opened = json.loads(inventory(built))
    vpcs, gateways, endpoints = 0, 4, 7
    assert all(at_rest[one] == opened[one] for one in (vpcs, gateways, endpoints))
    others = [
        [group for group in state[3]["SecurityGroups"] if group["GroupName"] != "sg_analytics_ShinyDWH"]
        for state in (at_rest, opened)
    ]
    assert others[0] == others[1]


@pytest.mark.parametrize("playbook", ["playbooks/close_egress.yml", "playbooks/network.yml"])
def test_what_a_killed_run_left_open_is_closed_and_said(built: Platform, playbook: str) -> None:
    built.succeed(text=OPEN)
    if playbook == "playbooks/close_egress.yml":
        assert "changed=3" in built.succeed(playbook, "--check")
        assert len(built.gateways()) == 1
    output = built.succeed(playbook)
    built.assert_closed()
    if playbook == "playbooks/network.yml":
        assert "An earlier run was interrupted while egress was open. Destroyed: nat-" in output


def test_several_leftovers_and_a_lone_address_are_closed(built: Platform) -> None:
    by = [{"Name": "tag:Name", "Values": [f"SBW_Project-subnet-public1-{REGION}a"]}]
    [subnet] = built.ec2.describe_subnets(Filters=by)["Subnets"]
    for _ in range(2):
        address = built.ec2.allocate_address(Domain="vpc", TagSpecifications=built.nat_tagged("elastic-ip"))
        built.ec2.create_nat_gateway(
            SubnetId=subnet["SubnetId"],
            AllocationId=address["AllocationId"],
            TagSpecifications=built.nat_tagged("natgateway"),
        )
    built.ec2.allocate_address(Domain="vpc", TagSpecifications=built.nat_tagged("elastic-ip"))
    built.succeed("playbooks/close_egress.yml")
    built.assert_closed()


def test_everything_is_removed_again(built: Platform) -> None:
    text = """
- name: Destroy the network
  hosts: controller
  gather_facts: false
  roles: [platform]
  tasks:
    - name: Destroy
      ansible.builtin.include_role:
        name: "{{ item }}"
        tasks_from: destroy.yml
      loop: [analytics_instance, vpc_endpoints, security_groups, network]
"""
    built.succeed(text=text)
    assert "changed=0" in built.succeed(text=text)
    left = built.ec2.describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["clickstream"]}])
    assert left["Vpcs"] == []
