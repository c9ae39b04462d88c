"""Role security_groups: who may reach whom in the VPC."""

from __future__ import annotations

from tests.support.molecule.account import (
    ANALYTICS_GROUP,
    ANYWHERE,
    ENDPOINTS_GROUP,
    ETL_GROUP,
    client,
    found,
    make_network,
    named,
    tags,
    the,
)

GROUPS = (ENDPOINTS_GROUP, ETL_GROUP, ANALYTICS_GROUP, "sg_oltp_WebDB")
MADE = [f"security groups {', '.join(GROUPS)}"]
BROKEN = [f"{MADE[0]}: {ETL_GROUP}, {ANALYTICS_GROUP}"]

prepare = make_network


def rules() -> dict[str, set[str]]:
    """Every rule of the VPC's groups, by group: way, port (or "all") and the other side."""
    groups = found("security_groups", vpc_id=the("vpcs", name="SBW_Project-vpc")["VpcId"])
    lists = client("ec2").describe_managed_prefix_lists()["PrefixLists"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    names |= {one["PrefixListId"]: one["PrefixListName"].rsplit(".", 1)[-1] for one in lists}
    return {
        group["GroupName"]: {
            f"{way} {rule.get('FromPort', 'all')} {names.get(peer, peer)}"
            for way, key in (("in", "IpPermissions"), ("out", "IpPermissionsEgress"))
            for rule in group[key]
            for peer in [
                *(one["CidrIp"] for one in rule.get("IpRanges", [])),
                *(one["GroupId"] for one in rule.get("UserIdGroupPairs", [])),
                *(one["PrefixListId"] for one in rule.get("PrefixListIds", [])),
            ]
        }
        for group in groups
        if group["GroupName"] != "default"
    }


def verify() -> None:
    """The groups allow this and no more."""
    assert rules() == {
        ENDPOINTS_GROUP: {f"in 443 {ANALYTICS_GROUP}", f"in 443 {ETL_GROUP}", "in 443 sg_oltp_WebDB"},
        ETL_GROUP: {"out 443 s3", f"out 443 {ENDPOINTS_GROUP}", f"out 5432 {ANALYTICS_GROUP}"},
        ANALYTICS_GROUP: {
            f"in 5432 {ETL_GROUP}",
            f"in 3838 {ANALYTICS_GROUP}",
            "out 443 s3",
            f"out 443 {ENDPOINTS_GROUP}",
        },
        "sg_oltp_WebDB": {f"out 443 {ANYWHERE}"},
    }
    assert all(tags(the("security_groups", group_name=group)) == named(group) for group in GROUPS)


def break_by_hand() -> None:
    """Everybody may reach the warehouse, and the ETL no longer may."""
    ec2, etl = client("ec2"), the("security_groups", group_name=ETL_GROUP)
    analytics = the("security_groups", group_name=ANALYTICS_GROUP)["GroupId"]
    port = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    everybody = [{**port, "IpRanges": [{"CidrIp": ANYWHERE}]}]
    ec2.authorize_security_group_ingress(GroupId=analytics, IpPermissions=everybody)
    [to_warehouse] = [rule for rule in etl["IpPermissionsEgress"] if rule.get("FromPort") == 5432]
    ec2.revoke_security_group_egress(GroupId=etl["GroupId"], IpPermissions=[to_warehouse])
