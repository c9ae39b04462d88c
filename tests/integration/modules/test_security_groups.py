"""The module security_groups: create, repair, remove."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.modules import Account, Act
from tests.support.network import assert_repaired, group, rules, tags, vpc
from tests.support.tasks import ANYWHERE, GROUPS, S3, TAGS, VPC


def test_groups_that_refer_to_each_other_are_created_in_one_go(network: Account) -> None:
    network.ok("security_groups", **{**GROUPS, "state": "absent"})
    network.converge("security_groups", **GROUPS)
    app, database = group(network, "sg-app")["GroupId"], group(network, "sg-db")["GroupId"]
    lists = network.ec2.describe_managed_prefix_lists()["PrefixLists"]
    [s3] = [item["PrefixListId"] for item in lists if item["PrefixListName"] == S3]
    assert rules(network, "sg-app") == {
        ("out", "tcp", "443", "443", s3, "S3"),
        ("out", "tcp", "5432", "5432", database, "Warehouse"),
    }
    assert rules(network, "sg-db") == {
        ("in", "tcp", "5432", "5432", app, "Application"),
        ("in", "tcp", "3838", "3838", database, ""),
        ("in", "tcp", "80", "90", "192.0.2.0/24", "Office"),
        ("in", "tcp", "80", "90", "198.51.100.7/32", "Office"),
        ("in", "-1", "", "", "2001:db8::/64", ""),
    }
    assert tags(group(network, "sg-app")) == {**TAGS, "Name": "sg-app"}
    assert group(network, "sg-app")["Description"] == "Application"


def test_the_default_group_is_closed_and_never_removed(network: Account) -> None:
    network.converge("security_groups", vpc=VPC, groups=[{"name": "default"}])
    assert rules(network, "default") == set()


def test_a_rule_may_name_an_unmanaged_group_but_not_one_that_is_nowhere(network: Account) -> None:
    group_id = network.ec2.create_security_group(
        GroupName="theirs", Description="x", VpcId=vpc(network)["VpcId"]
    )["GroupId"]
    ours = {"name": "sg-new", "ingress": [{"ports": "1", "groups": ["theirs"]}]}
    network.converge("security_groups", vpc=VPC, groups=[ours])
    assert rules(network, "sg-new") == {("in", "tcp", "1", "1", group_id, "")}
    ours["ingress"] = [{"ports": "1", "groups": ["nowhere"]}]
    result = network.run("security_groups", vpc=VPC, groups=[ours])
    assert result["failed"] and "nowhere" in result["msg"]
    assert network.run("security_groups", check=True, vpc=VPC, groups=[ours])["pending"] == "nowhere"


def test_a_prefix_list_that_is_nowhere_is_pending_but_hinders_no_removal(network: Account) -> None:
    ours = {"name": "sg-app", "egress": [{"ports": "443", "prefix_list": "com.amazonaws.nowhere.s3"}]}
    told = network.run("security_groups", check=True, vpc=VPC, groups=[ours])
    assert told["pending"] == "com.amazonaws.nowhere.s3"
    network.converge("security_groups", vpc=VPC, groups=[ours], state="absent")


def test_rules_are_added_before_others_are_revoked(network: Account) -> None:
    changed = json.loads(json.dumps(GROUPS))
    changed["groups"][1]["ingress"][0]["ports"] = "5433"
    wrote = len(network.writes)
    network.ok("security_groups", **changed)
    assert network.writes[wrote:] == ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]


def test_a_rule_in_another_form_than_ec2_s_is_no_drift(network: Account) -> None:
    forms = [
        {"protocol": "6", "ports": "443-443", "cidrs": ["10.1.2.3/16"]},
        {"ports": "0080", "cidrs": ["2001:DB8:0:0::1/64"]},
        {"protocol": "UDP", "ports": "0-65535", "cidrs": ["192.0.2.0/24"]},
        {"protocol": "58", "cidrs": ["2001:DB8::/32"]},
        {"protocol": "icmpv6", "cidrs": ["2001:db9::/32"]},
        {"protocol": "icmp", "ports": "8-0", "cidrs": ["192.0.2.0/24"]},
        {"protocol": "050", "ports": "22", "cidrs": ["192.0.2.0/24"]},
    ]
    network.converge("security_groups", vpc=VPC, groups=[{"name": "sg-forms", "ingress": forms}])
    assert rules(network, "sg-forms") == {
        ("in", "tcp", "443", "443", "10.1.0.0/16", ""),
        ("in", "tcp", "80", "80", "2001:db8::/64", ""),
        ("in", "udp", "0", "65535", "192.0.2.0/24", ""),
        ("in", "icmpv6", "-1", "-1", "2001:db8::/32", ""),
        ("in", "icmpv6", "-1", "-1", "2001:db9::/32", ""),
        ("in", "icmp", "8", "0", "192.0.2.0/24", ""),
        ("in", "50", "", "", "192.0.2.0/24", ""),
    }


def test_a_port_that_is_none_is_told_before_anything_is_touched(network: Account) -> None:
    wrote = len(network.writes)
    ours = {"name": "sg-new", "ingress": [{"ports": "90-80", "cidrs": [ANYWHERE]}]}
    result = network.run("security_groups", vpc=VPC, groups=[ours])
    assert result["failed"] and "90-80" in result["msg"] and "Fix:" in result["msg"]
    assert network.writes[wrote:] == []


def _permission(**more: Any) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": ANYWHERE}], **more}]


def _open_ssh(account: Account) -> None:
    account.ec2.authorize_security_group_ingress(
        GroupId=group(account, "sg-db")["GroupId"], IpPermissions=_permission()
    )


def _open_everything_out(account: Account) -> None:
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE, "Description": "clicked"}]}]
    account.ec2.authorize_security_group_egress(
        GroupId=group(account, "sg-app")["GroupId"], IpPermissions=everything
    )


def _rule_gone(account: Account) -> None:
    found = group(account, "sg-db")
    going = [rule for rule in found["IpPermissions"] if rule.get("FromPort") == 5432]
    account.ec2.revoke_security_group_ingress(GroupId=found["GroupId"], IpPermissions=going)


def _prefix_list_rule_gone(account: Account) -> None:
    found = group(account, "sg-app")
    going = [rule for rule in found["IpPermissionsEgress"] if rule.get("PrefixListIds")]
    account.ec2.revoke_security_group_egress(GroupId=found["GroupId"], IpPermissions=going)


def _rule_renamed(account: Account) -> None:
    account.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group(account, "sg-db")["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 90,
                "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "other"}],
            }
        ],
    )


def _group_rule_renamed(account: Account) -> None:
    pair = {"GroupId": group(account, "sg-db")["GroupId"], "Description": "other"}
    account.ec2.update_security_group_rule_descriptions_egress(
        GroupId=group(account, "sg-app")["GroupId"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}],
    )


def _group_tag(account: Account) -> None:
    account.ec2.create_tags(
        Resources=[group(account, "sg-app")["GroupId"]], Tags=[{"Key": "Project", "Value": "other"}]
    )


DRIFT: dict[str, Act] = {
    "SSH open": _open_ssh,
    "everything out": _open_everything_out,
    "rule gone": _rule_gone,
    "prefix list rule gone": _prefix_list_rule_gone,
    "rule renamed": _rule_renamed,
    "rule about a group renamed": _group_rule_renamed,
    "tag": _group_tag,
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "security_groups", GROUPS, DRIFT[case])
