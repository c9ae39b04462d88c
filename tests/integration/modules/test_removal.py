"""The whole network is removed, each resource once those that need it are gone."""

from __future__ import annotations

from tests.support.modules import Account
from tests.support.network import (
    addresses,
    endpoint,
    gateways,
    group,
    instance,
    instance_id,
    protected,
    tags,
    vpc,
)
from tests.support.tasks import (
    GATEWAY_ARGUMENTS,
    GROUPS,
    INSTANCE,
    NAT,
    PRIVATE_TABLE,
    PUBLIC_TABLE,
    S3,
    S3_ENDPOINT,
    SSM,
    SSM_ENDPOINT,
    SUBNETS,
    VPC,
    VPC_ARGUMENTS,
)


def test_everything_is_removed_each_thing_with_what_it_needs(profile: Account) -> None:
    for module, arguments in (
        ("vpc_endpoint", S3_ENDPOINT),
        ("vpc_endpoint", SSM_ENDPOINT),
        ("nat_gateway", NAT),
        ("instance", INSTANCE),
    ):
        profile.ok(module, **arguments)
    foreign = profile.ec2.create_security_group(
        GroupName="theirs", Description="refers to ours", VpcId=vpc(profile)["VpcId"]
    )["GroupId"]
    pair = [{"GroupId": group(profile, "sg-db")["GroupId"]}]
    profile.ec2.authorize_security_group_ingress(
        GroupId=foreign,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": pair}],
    )
    its_id = instance_id(profile)
    for module, arguments in (
        ("instance", INSTANCE),
        ("nat_gateway", NAT),
        ("vpc_endpoint", SSM_ENDPOINT),
        ("vpc_endpoint", S3_ENDPOINT),
        ("security_groups", GROUPS),
        ("route_table", PRIVATE_TABLE),
        ("route_table", PUBLIC_TABLE),
        ("internet_gateway", GATEWAY_ARGUMENTS),
        *(
            ("subnet", {"name": name, "vpc": VPC, "cidr": cidr, "zone": "ap-southeast-1a"})
            for name, cidr in SUBNETS.items()
        ),
    ):
        profile.converge(module, **{**arguments, "state": "absent"})
    assert instance(profile) is None and not protected(profile, its_id)
    assert gateways(profile) == addresses(profile) == []
    assert endpoint(profile, S3) is None and endpoint(profile, SSM) is None
    profile.ec2.delete_security_group(GroupId=foreign)
    profile.converge("vpc", **{**VPC_ARGUMENTS, "state": "absent"})
    assert VPC not in [tags(item).get("Name") for item in profile.ec2.describe_vpcs()["Vpcs"]]
