"""The whole network is removed, each resource once those that need it are gone; what hinders it is named."""

from __future__ import annotations

from typing import Any

from tests.support.modules import Account
from tests.support.network import (
    addresses,
    endpoint,
    gateways,
    group,
    instance,
    instance_id,
    protected,
    subnet,
    tags,
    vpc,
)
from tests.support.tasks import (
    GATEWAY_ARGUMENTS,
    GROUPS,
    INSTANCE,
    NAT,
    PRIVATE,
    PRIVATE_TABLE,
    PUBLIC,
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
    told = profile.run("vpc", **{**VPC_ARGUMENTS, "state": "absent"})
    assert told["failed"] and told["in_the_way"] == [f"security group {foreign} (theirs)"]
    profile.ec2.delete_security_group(GroupId=foreign)
    profile.converge("vpc", **{**VPC_ARGUMENTS, "state": "absent"})
    assert VPC not in [tags(item).get("Name") for item in profile.ec2.describe_vpcs()["Vpcs"]]


ABSENT = {"state": "absent"}
REMOVALS: dict[str, tuple[str, dict[str, Any]]] = {
    "groups": ("security_groups", {**GROUPS, **ABSENT}),
    "gateway": ("internet_gateway", {**GATEWAY_ARGUMENTS, **ABSENT}),
    "subnet": ("subnet", {"name": PRIVATE, "vpc": VPC, **ABSENT}),
    "vpc": ("vpc", {**VPC_ARGUMENTS, **ABSENT}),
}


def start_theirs(account: Account) -> str:
    """Somebody starts an instance in the private subnet, with one of the groups."""
    image = account.ec2.describe_images()["Images"][0]["ImageId"]
    [started] = account.ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet(account, PRIVATE)["SubnetId"],
        SecurityGroupIds=[group(account, "sg-db")["GroupId"]],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "theirs"}]}],
    )["Instances"]
    return f"instance {started['InstanceId']} (theirs)"


def interface(account: Account, name: str, description: str = "") -> str:
    made = account.ec2.create_network_interface(
        SubnetId=subnet(account, name)["SubnetId"],
        Groups=[group(account, "sg-db")["GroupId"]],
        Description=description,
    )["NetworkInterface"]["NetworkInterfaceId"]
    return str(made)


def test_somebodys_instance_is_named_at_once_and_all_the_rest_goes(network: Account) -> None:
    theirs = start_theirs(network)
    left = subnet(network, PRIVATE)["SubnetId"]
    for what, hindered in (("groups", True), ("subnet", True), ("gateway", False), ("vpc", True)):
        module, arguments = REMOVALS[what]
        told = network.ok(module, check=True, **arguments)
        result = network.run(module, **arguments)
        assert (theirs in told.get("in_the_way", []), bool(result.get("failed"))) == (hindered, hindered), (
            what
        )
        assert not hindered or (theirs in result["msg"] and theirs in result["in_the_way"])
    assert f"subnet {left} ({PRIVATE})" in result["in_the_way"], "what stays for it is in the VPC's way"
    names = [item["GroupName"] for item in network.ec2.describe_security_groups()["SecurityGroups"]]
    assert "sg-db" in names and "sg-app" not in names


def test_somebodys_public_address_is_named_where_the_gateway_cannot_go(network: Account) -> None:
    made = interface(network, PUBLIC, "their proxy")
    address = network.ec2.allocate_address(Domain="vpc")["AllocationId"]
    network.ec2.associate_address(AllocationId=address, NetworkInterfaceId=made)
    module, arguments = REMOVALS["gateway"]
    result = network.run(module, **arguments)
    assert result["failed"] and result["in_the_way"] == [f"network interface {made} (their proxy)"]


def test_somebodys_subnet_is_in_the_way_of_the_vpc_alone(network: Account) -> None:
    vpc_id = vpc(network)["VpcId"]
    made = network.ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.9.64.0/20")["Subnet"]["SubnetId"]
    for module, arguments in (
        REMOVALS["groups"],
        ("route_table", {**PRIVATE_TABLE, **ABSENT}),
        ("route_table", {**PUBLIC_TABLE, **ABSENT}),
        REMOVALS["gateway"],
        *(("subnet", {"name": name, "vpc": VPC, **ABSENT}) for name in SUBNETS),
    ):
        network.converge(module, **arguments)
    module, arguments = REMOVALS["vpc"]
    assert network.run(module, **arguments)["in_the_way"] == [f"subnet {made}"]
