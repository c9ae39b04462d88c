"""Role vpc_endpoints: what the private subnet reaches without the Internet."""

from __future__ import annotations

import json

from tests.support.molecule.account import (
    ACCOUNT,
    ENDPOINTS_GROUP,
    OF_ACCOUNT,
    PRIVATE,
    PRIVATE_TABLE,
    REGION,
    client,
    found,
    make_network,
    named,
    tags,
    the,
)

INTERFACES = ("ssm", "ssmmessages")
MADE = [f"VPC endpoint SBW_Project-vpce-{service}" for service in ("s3", *INTERFACES)]
BROKEN = [
    "VPC endpoint SBW_Project-vpce-s3: policy, route_tables",
    "VPC endpoint SBW_Project-vpce-ssm: security_groups",
]


def prepare() -> None:
    """Subnets, the private route table, and the endpoints' security group."""
    make_network(groups=[ENDPOINTS_GROUP])


def verify() -> None:
    """S3 in the private table, for the platform's buckets only; Systems Manager in the private subnet."""
    endpoints = [one for one in found("vpc_endpoints") if one["State"] == "available"]
    by_service = {one["ServiceName"].removeprefix(f"com.amazonaws.{REGION}."): one for one in endpoints}
    assert sorted(by_service) == sorted(["s3", *INTERFACES]) and len(endpoints) == 3
    assert all(tags(one) == named(f"SBW_Project-vpce-{service}") for service, one in by_service.items())
    subnet, group = the("subnets", name=PRIVATE), the("security_groups", group_name=ENDPOINTS_GROUP)
    for service in INTERFACES:
        one = by_service[service]
        assert (one["VpcEndpointType"], one["PrivateDnsEnabled"]) == ("Interface", True)
        assert one["SubnetIds"] == [subnet["SubnetId"]]
        assert [item["GroupId"] for item in one["Groups"]] == [group["GroupId"]]
    s3 = by_service["s3"]
    table = the("route_tables", name=PRIVATE_TABLE)["RouteTableId"]
    assert (s3["VpcEndpointType"], s3["RouteTableIds"]) == ("Gateway", [table])
    ours, aws = json.loads(s3["PolicyDocument"])["Statement"]
    names = ("ingest", "transfer", "backup", "session-logs")
    buckets = [f"arn:aws:s3:::clickstream-s3-{name}{OF_ACCOUNT}" for name in names]
    assert sorted(ours["Resource"]) == sorted([*buckets, *(f"{bucket}/*" for bucket in buckets)])
    assert ours["Condition"] == {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    assert ours["Principal"] == "*" and "s3:*" not in ours["Action"]
    assert (aws["Action"], aws["Resource"]) == ("s3:GetObject", [f"arn:aws:s3:::amazon-ssm-{REGION}/*"])


def break_by_hand() -> None:
    """S3 lets everybody reach everything and has lost its route; Systems Manager is behind another group."""
    ids = {tags(one)["Name"].rsplit("-", 1)[-1]: one["VpcEndpointId"] for one in found("vpc_endpoints")}
    everything = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=ids["s3"],
        PolicyDocument=json.dumps(everything),
        RemoveRouteTableIds=[the("route_tables", name=PRIVATE_TABLE)["RouteTableId"]],
    )
    vpc = the("vpcs", name="SBW_Project-vpc")["VpcId"]
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=ids["ssm"],
        AddSecurityGroupIds=[the("security_groups", group_name="default", vpc_id=vpc)["GroupId"]],
        RemoveSecurityGroupIds=[the("security_groups", group_name=ENDPOINTS_GROUP)["GroupId"]],
    )
