"""Role network: the VPC, its subnets, Internet gateway and route tables."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import (
    ACCOUNT,
    ANYWHERE,
    OF_ACCOUNT,
    PRIVATE,
    PRIVATE_TABLE,
    PUBLIC,
    REGION,
    client,
    found,
    named,
    tags,
    the,
)

FLOW_LOG = "SBW_Project-vpc-refused"
LOGS = f"clickstream-s3-logs{OF_ACCOUNT}"
MADE = [
    "VPC SBW_Project-vpc",
    f"flow log {FLOW_LOG}",
    f"subnet {PUBLIC}",
    f"subnet {PRIVATE}",
    "Internet gateway SBW_Project-igw",
    "route table SBW_Project-rtb-public",
    f"route table {PRIVATE_TABLE}",
    "security groups default",
]
BROKEN = [
    f"flow log {FLOW_LOG}: tags, traffic",
    f"route table {PRIVATE_TABLE}: routes",
    "security groups default: default",
]


def prepare() -> None:
    """The bucket of the log, which lets AWS deliver into it."""
    arn, service = f"arn:aws:s3:::{LOGS}", {"Service": "delivery.logs.amazonaws.com"}
    deliver = {"Effect": "Allow", "Principal": service}
    client("s3").create_bucket(
        Bucket=LOGS,
        BucketNamespace="account-regional",
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    statements = [
        {**deliver, "Action": "s3:PutObject", "Resource": f"{arn}/flow-logs/AWSLogs/{ACCOUNT}/*"},
        {**deliver, "Action": "s3:GetBucketAcl", "Resource": arn},
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    client("s3").put_bucket_policy(Bucket=LOGS, Policy=json.dumps(document))


def flow_log() -> dict[str, Any]:
    """The VPC's flow log."""
    [found] = client("ec2").describe_flow_logs()["FlowLogs"]
    return dict(found)


def routes(table: str) -> dict[str, str]:
    """A table's routes: destination → target."""
    return {
        route["DestinationCidrBlock"]: str(route.get("GatewayId") or route.get("NatGatewayId"))
        for route in the("route_tables", name=table)["Routes"]
    }


def subnets(table: str) -> list[str]:
    """The subnets that a route table is associated with."""
    associations = the("route_tables", name=table)["Associations"]
    return [one["SubnetId"] for one in associations if "SubnetId" in one]


def verify() -> None:
    """Two subnets in one zone; only the public one has a way out; the default group lets nobody in or out."""
    vpc = the("vpcs", name="SBW_Project-vpc")
    assert (vpc["CidrBlock"], tags(vpc)) == ("10.0.0.0/16", named("SBW_Project-vpc"))
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = client("ec2").describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]] == {"Value": True}, attribute
    log = flow_log()
    assert (log["ResourceId"], log["TrafficType"]) == (vpc["VpcId"], "REJECT")
    assert (log["LogDestination"], log["MaxAggregationInterval"]) == (f"arn:aws:s3:::{LOGS}/flow-logs/", 600)
    assert tags(log) == named(FLOW_LOG)
    gateway = the("internet_gateways", name="SBW_Project-igw")
    assert [one["VpcId"] for one in gateway["Attachments"]] == [vpc["VpcId"]]
    ranges = {PUBLIC: "10.0.0.0/20", PRIVATE: "10.0.128.0/20"}
    out = {PUBLIC: {ANYWHERE: gateway["InternetGatewayId"]}, PRIVATE: {}}
    for name, table in ((PUBLIC, "SBW_Project-rtb-public"), (PRIVATE, PRIVATE_TABLE)):
        subnet = the("subnets", name=name, vpc_id=vpc["VpcId"])
        assert (subnet["CidrBlock"], subnet["AvailabilityZone"]) == (ranges[name], f"{REGION}a")
        assert (subnet["MapPublicIpOnLaunch"], tags(subnet)) == (False, named(name))
        assert subnets(table) == [subnet["SubnetId"]]
        assert routes(table) == {"10.0.0.0/16": "local", **out[name]}
    default = the("security_groups", group_name="default", vpc_id=vpc["VpcId"])
    assert (default["IpPermissions"], default["IpPermissionsEgress"]) == ([], [])
    assert found("nat_gateways") == found("addresses") == []


def break_by_hand() -> None:
    """The private subnet gets a way out, the default group lets everybody in, what is refused goes unseen."""
    ec2, table = client("ec2"), the("route_tables", name=PRIVATE_TABLE)
    ec2.delete_flow_logs(FlowLogIds=[flow_log()["FlowLogId"]])
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[table["VpcId"]],
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{LOGS}/flow-logs/",
        TrafficType="ACCEPT",
    )
    gateway = the("internet_gateways", name="SBW_Project-igw")["InternetGatewayId"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    default = the("security_groups", group_name="default", vpc_id=table["VpcId"])
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": ANYWHERE}]}
    ec2.authorize_security_group_ingress(GroupId=default["GroupId"], IpPermissions=[ssh])
