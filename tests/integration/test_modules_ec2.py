"""The network's modules against emulated EC2: create, repair, remove, each as check → apply → repeat.

What a module did is read back with boto3, never taken from its own answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.modules import Account, emulated_account

VPC, PUBLIC, PRIVATE, GATEWAY = "vpc-a", "subnet-public", "subnet-private", "igw-a"
TAGS = {"Project": "clickstream"}
S3, SSM = "com.amazonaws.ap-southeast-1.s3", "com.amazonaws.ap-southeast-1.ssm"
ANYWHERE = "0.0.0.0/0"

VPC_ARGUMENTS = {"name": VPC, "cidr": "10.9.0.0/16", "tags": TAGS}
SUBNETS = {PUBLIC: "10.9.0.0/20", PRIVATE: "10.9.128.0/20"}
GATEWAY_ARGUMENTS = {"name": GATEWAY, "vpc": VPC, "tags": TAGS}
PUBLIC_TABLE = {
    "name": "rtb-public",
    "vpc": VPC,
    "subnets": [PUBLIC],
    "routes": [{"destination": ANYWHERE, "internet_gateway": GATEWAY}],
    "tags": TAGS,
}
PRIVATE_TABLE = {"name": "rtb-private", "vpc": VPC, "subnets": [PRIVATE], "tags": TAGS}
GROUPS = {
    "vpc": VPC,
    "tags": TAGS,
    "groups": [
        {
            "name": "sg-app",
            "description": "Application",
            "egress": [
                {"ports": "443", "prefix_list": S3, "description": "S3"},
                {"ports": "5432", "groups": ["sg-db"], "description": "Warehouse"},
            ],
        },
        {
            "name": "sg-db",
            "description": "Database",
            "ingress": [
                {"ports": "5432", "groups": ["sg-app"], "description": "Application"},
                {"ports": "3838", "self": True},
                {"ports": "80-90", "cidrs": ["192.0.2.0/24", "198.51.100.7/32"], "description": "Office"},
                {"protocol": "-1", "cidrs": ["2001:db8::/64"]},
            ],
        },
    ],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
    ],
}
S3_ENDPOINT = {
    "name": "vpce-s3",
    "vpc": VPC,
    "service": S3,
    "type": "Gateway",
    "route_tables": ["rtb-private"],
    "policy": POLICY,
    "tags": TAGS,
}
SSM_ENDPOINT = {
    "name": "vpce-ssm",
    "vpc": VPC,
    "service": SSM,
    "subnets": [PRIVATE],
    "security_groups": ["sg-db"],
    "tags": TAGS,
}
NAT = {"name": "nat-a", "vpc": VPC, "subnet": PUBLIC, "tags": TAGS}
INSTANCE = {
    "name": "host",
    "vpc": VPC,
    "subnet": PRIVATE,
    "private_ip": "10.9.128.10",
    "security_groups": ["sg-db"],
    "image_owner": "136693071363",
    "image_name": "debian-13-arm64-*",
    "type": "t4g.medium",
    "instance_profile": "host-role",
    "user_data": "#!/bin/sh\nexit 0\n",
    "tags": TAGS,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with emulated_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture
def account(server: Account) -> Account:
    server.reset()
    return server


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


# --- reading back, past the modules -----------------------------------------------------------------------


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one item with that Name tag."""
    [found] = [item for item in items if tags(item).get("Name") == name]
    return found


def tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}


def vpc(account: Account) -> dict[str, Any]:
    return named(account.ec2.describe_vpcs()["Vpcs"], VPC)


def subnet(account: Account, name: str) -> dict[str, Any]:
    return named(account.ec2.describe_subnets()["Subnets"], name)


def table(account: Account, name: str) -> dict[str, Any]:
    return named(account.ec2.describe_route_tables()["RouteTables"], name)


def routes(account: Account, name: str) -> dict[str, str]:
    """Target by destination, the local route left out."""
    return {
        route.get("DestinationCidrBlock") or route["DestinationPrefixListId"]: route.get("NatGatewayId")
        or route.get("GatewayId")
        or route.get("InstanceId", "?")
        for route in table(account, name)["Routes"]
        if route.get("GatewayId") != "local"
    }


def table_subnets(account: Account, name: str) -> list[str]:
    return [item["SubnetId"] for item in table(account, name)["Associations"] if "SubnetId" in item]


def group(account: Account, name: str) -> dict[str, Any]:
    by = [{"Name": "vpc-id", "Values": [vpc(account)["VpcId"]]}, {"Name": "group-name", "Values": [name]}]
    [found] = account.ec2.describe_security_groups(Filters=by)["SecurityGroups"]
    return dict(found)


def rules(account: Account, name: str) -> set[tuple[str, ...]]:
    """The rules of a group; see described_rules."""
    return described_rules(group(account, name))


def described_rules(description: dict[str, Any]) -> set[tuple[str, ...]]:
    """(direction, protocol, first port, last port, peer, description) of EC2's description of a group."""
    found = set()
    for way, key in (("in", "IpPermissions"), ("out", "IpPermissionsEgress")):
        for rule in description[key]:
            ports = (str(rule.get("FromPort", "")), str(rule.get("ToPort", "")))
            peers = [
                *((peer["CidrIp"], peer) for peer in rule.get("IpRanges", [])),
                *((peer["CidrIpv6"], peer) for peer in rule.get("Ipv6Ranges", [])),
                *((peer["GroupId"], peer) for peer in rule.get("UserIdGroupPairs", [])),
                *((peer["PrefixListId"], peer) for peer in rule.get("PrefixListIds", [])),
            ]
            for peer, described in peers:
                found.add((way, rule["IpProtocol"], *ports, peer, described.get("Description", "")))
    return found


def endpoint(account: Account, service: str) -> dict[str, Any] | None:
    there = account.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    found = [item for item in there if item["ServiceName"] == service and item["State"] != "deleted"]
    assert len(found) < 2
    return found[0] if found else None


def gateways(account: Account) -> list[dict[str, Any]]:
    there = account.ec2.describe_nat_gateways()["NatGateways"]
    return [item for item in there if item["State"] != "deleted"]


def addresses(account: Account) -> list[dict[str, Any]]:
    return list(account.ec2.describe_addresses()["Addresses"])


def instance(account: Account) -> dict[str, Any] | None:
    pages = account.ec2.describe_instances()["Reservations"]
    there = [item for page in pages for item in page["Instances"] if item["State"]["Name"] != "terminated"]
    assert len(there) < 2
    return there[0] if there else None


def protected(account: Account, instance_id: str) -> bool:
    answer = account.ec2.describe_instance_attribute(
        InstanceId=instance_id, Attribute="disableApiTermination"
    )
    return bool(answer["DisableApiTermination"]["Value"])


def profile_name(account: Account, instance_id: str) -> str | None:
    by = [{"Name": "instance-id", "Values": [instance_id]}]
    answer = account.ec2.describe_iam_instance_profile_associations(Filters=by)
    found = [
        item["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1]
        for item in answer["IamInstanceProfileAssociations"]
        if item["State"] in ("associating", "associated")
    ]
    return found[0] if found else None


# --- create -----------------------------------------------------------------------------------------------


def test_a_vpc_is_created_with_dns(account: Account) -> None:
    account.converge("vpc", **VPC_ARGUMENTS)
    found = vpc(account)
    assert found["CidrBlock"] == "10.9.0.0/16"
    assert tags(found) == {**TAGS, "Name": VPC}
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        answer = account.ec2.describe_vpc_attribute(VpcId=found["VpcId"], Attribute=name)
        assert answer[name[0].upper() + name[1:]]["Value"] is True


def test_another_range_is_an_error_and_not_a_second_vpc(network: Account) -> None:
    result = network.run("vpc", **{**VPC_ARGUMENTS, "cidr": "10.8.0.0/16"})
    assert result["failed"] and "10.9.0.0/16" in result["msg"] and "Fix:" in result["msg"]
    assert vpc(network)["CidrBlock"] == "10.9.0.0/16"


def test_a_subnet_is_created(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("subnet", name=PUBLIC, vpc=VPC, cidr="10.9.0.0/20", zone="ap-southeast-1a", tags=TAGS)
    found = subnet(account, PUBLIC)
    assert (found["CidrBlock"], found["AvailabilityZone"]) == ("10.9.0.0/20", "ap-southeast-1a")
    assert found["MapPublicIpOnLaunch"] is False
    assert tags(found) == {**TAGS, "Name": PUBLIC}


def test_a_subnet_cannot_move(network: Account) -> None:
    result = network.run(
        "subnet", name=PUBLIC, vpc=VPC, cidr="10.9.16.0/20", zone="ap-southeast-1a", tags=TAGS
    )
    assert result["failed"] and "10.9.0.0/20" in result["msg"] and "Fix:" in result["msg"]


def test_an_internet_gateway_is_created_and_attached(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("internet_gateway", **GATEWAY_ARGUMENTS)
    found = named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)
    assert [item["VpcId"] for item in found["Attachments"]] == [vpc(account)["VpcId"]]
    assert tags(found) == {**TAGS, "Name": GATEWAY}


def test_an_internet_gateway_that_a_crash_left_detached_is_attached(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    specification = [{"ResourceType": "internet-gateway", "Tags": [{"Key": "Name", "Value": GATEWAY}]}]
    account.ec2.create_internet_gateway(TagSpecifications=specification)
    account.converge("internet_gateway", **GATEWAY_ARGUMENTS)
    found = named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)
    assert [item["VpcId"] for item in found["Attachments"]] == [vpc(account)["VpcId"]]


def test_a_route_table_is_created_with_route_and_subnet(network: Account) -> None:
    network.ok("route_table", name="rtb-public", vpc=VPC, state="absent")
    network.converge("route_table", **PUBLIC_TABLE)
    gateway = named(network.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)
    assert routes(network, "rtb-public") == {ANYWHERE: gateway["InternetGatewayId"]}
    assert table_subnets(network, "rtb-public") == [subnet(network, PUBLIC)["SubnetId"]]
    assert tags(table(network, "rtb-public")) == {**TAGS, "Name": "rtb-public"}


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


def test_a_gateway_endpoint_is_created(network: Account) -> None:
    network.converge("vpc_endpoint", **S3_ENDPOINT)
    found = endpoint(network, S3)
    assert found is not None
    assert found["VpcEndpointType"] == "Gateway"
    assert found["RouteTableIds"] == [table(network, "rtb-private")["RouteTableId"]]
    assert json.loads(found["PolicyDocument"]) == POLICY
    assert tags(found) == {**TAGS, "Name": "vpce-s3"}


def test_the_route_of_a_gateway_endpoint_is_left_alone(network: Account) -> None:
    network.ok("vpc_endpoint", **S3_ENDPOINT)
    assert not network.ok("route_table", **PRIVATE_TABLE)["changed"]
    assert endpoint(network, S3)["VpcEndpointId"] in routes(network, "rtb-private").values()  # type: ignore[index]


def test_an_interface_endpoint_is_created(network: Account) -> None:
    network.converge("vpc_endpoint", **SSM_ENDPOINT)
    found = endpoint(network, SSM)
    assert found is not None
    assert found["VpcEndpointType"] == "Interface" and found["PrivateDnsEnabled"] is True
    assert found["SubnetIds"] == [subnet(network, PRIVATE)["SubnetId"]]
    assert [item["GroupId"] for item in found["Groups"]] == [group(network, "sg-db")["GroupId"]]


def test_a_nat_gateway_is_created_with_a_tagged_address(network: Account) -> None:
    network.converge("nat_gateway", **NAT)
    [found], [address] = gateways(network), addresses(network)
    assert (found["State"], found["SubnetId"]) == ("available", subnet(network, PUBLIC)["SubnetId"])
    assert tags(found) == tags(address) == {**TAGS, "Name": "nat-a"}
    assert [item["AllocationId"] for item in found["NatGatewayAddresses"]] == [address["AllocationId"]]


def test_an_instance_is_created(profile: Account) -> None:
    profile.converge("instance", **INSTANCE)
    found = instance(profile)
    assert found is not None
    assert found["State"]["Name"] == "running"
    assert (found["PrivateIpAddress"], found["SubnetId"]) == (
        "10.9.128.10",
        subnet(profile, PRIVATE)["SubnetId"],
    )
    assert "PublicIpAddress" not in found and "KeyName" not in found
    assert [item["GroupId"] for item in found["SecurityGroups"]] == [group(profile, "sg-db")["GroupId"]]
    assert (found["InstanceType"], found["Monitoring"]["State"]) == ("t4g.medium", "disabled")
    options = found["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    assert profile_name(profile, found["InstanceId"]) == "host-role"
    assert protected(profile, found["InstanceId"])
    assert tags(found) == {**TAGS, "Name": "host"}
    images = profile.ec2.describe_images(Owners=["136693071363"])["Images"]
    arm = [image for image in images if image["Name"].startswith("debian-13-arm64-")]
    assert found["ImageId"] == max(arm, key=lambda image: image["CreationDate"])["ImageId"]
    [volume] = profile.ec2.describe_volumes()["Volumes"]
    assert (volume["VolumeType"], volume["Encrypted"], volume["Size"]) == ("gp3", True, 20)
    data = profile.ec2.describe_instance_attribute(InstanceId=found["InstanceId"], Attribute="userData")
    assert data["UserData"]["Value"] == "IyEvYmluL3NoCmV4aXQgMAo="


def test_newer_images_and_other_user_data_are_no_drift(profile: Account) -> None:
    profile.ok("instance", **{**INSTANCE, "image_name": "debian-13-arm64-20260901-*"})
    later = {**INSTANCE, "user_data": "#!/bin/sh\n", "volume_size": 40}
    assert not profile.ok("instance", **later)["changed"]


def test_a_region_without_the_image_is_said_before_anything_is_made(profile: Account) -> None:
    wrote = len(profile.writes)
    for check in (True, False):
        result = profile.run("instance", check=check, **{**INSTANCE, "image_name": "debian-99-*"})
        assert result["failed"]
        assert all(
            word in result["msg"] for word in ("debian-99-*", "136693071363", "ap-southeast-1", "Fix:")
        )
    assert profile.writes[wrote:] == []


# --- an empty account, and parents that are not there yet -------------------------------------------------

EVERY_MODULE = [
    ("subnet", {"name": PUBLIC, "vpc": VPC, "cidr": "10.9.0.0/20", "zone": "ap-southeast-1a"}),
    ("internet_gateway", GATEWAY_ARGUMENTS),
    ("route_table", PUBLIC_TABLE),
    ("security_groups", GROUPS),
    ("vpc_endpoint", S3_ENDPOINT),
    ("vpc_endpoint", SSM_ENDPOINT),
    ("nat_gateway", NAT),
    ("instance", INSTANCE),
]


@pytest.mark.parametrize(("module", "arguments"), EVERY_MODULE, ids=lambda value: str(value)[:20])
def test_without_its_vpc_it_is_pending_in_check_mode_and_fails_for_real(
    account: Account, module: str, arguments: dict[str, Any]
) -> None:
    told = account.run(module, check=True, **arguments)
    assert told["changed"] and told["pending"] == VPC and not told.get("failed")
    wrote = len(account.writes)
    done = account.run(module, **arguments)
    assert done["failed"] and VPC in done["msg"] and "Fix:" in done["msg"]
    assert account.writes[wrote:] == []


@pytest.mark.parametrize(
    ("module", "arguments"), [("vpc", VPC_ARGUMENTS), *EVERY_MODULE], ids=lambda v: str(v)[:20]
)
def test_what_is_not_there_need_not_be_removed(
    account: Account, module: str, arguments: dict[str, Any]
) -> None:
    for check in (True, False):
        assert not account.ok(module, check=check, **{**arguments, "state": "absent"})["changed"]


@pytest.mark.parametrize(
    ("module", "arguments", "missing"),
    [
        ("route_table", {**PUBLIC_TABLE, "name": "rtb-x", "subnets": ["nowhere"]}, "nowhere"),
        (
            "route_table",
            {**PUBLIC_TABLE, "routes": [{"destination": ANYWHERE, "nat_gateway": "nat-x"}]},
            "nat-x",
        ),
        ("vpc_endpoint", {**S3_ENDPOINT, "route_tables": ["rtb-x"]}, "rtb-x"),
        ("vpc_endpoint", {**SSM_ENDPOINT, "security_groups": ["sg-x"]}, "sg-x"),
        ("nat_gateway", {**NAT, "subnet": "subnet-x"}, "subnet-x"),
        ("instance", {**INSTANCE, "security_groups": ["sg-x"]}, "sg-x"),
        ("instance", INSTANCE, "host-role"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_missing_parent_is_pending_by_its_name(
    network: Account, module: str, arguments: dict[str, Any], missing: str
) -> None:
    assert network.run(module, check=True, **arguments)["pending"] == missing
    done = network.run(module, **arguments)
    assert done["failed"] and missing in done["msg"]


# --- drift ------------------------------------------------------------------------------------------------


def _network_interface_route(account: Account) -> None:
    interface = account.ec2.create_network_interface(SubnetId=subnet(account, PRIVATE)["SubnetId"])
    account.ec2.create_route(
        RouteTableId=table(account, "rtb-private")["RouteTableId"],
        DestinationCidrBlock="172.16.0.0/12",
        NetworkInterfaceId=interface["NetworkInterface"]["NetworkInterfaceId"],
    )


def _stray_default_route(account: Account) -> None:
    gateway = named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)
    account.ec2.create_route(
        RouteTableId=table(account, "rtb-private")["RouteTableId"],
        DestinationCidrBlock=ANYWHERE,
        GatewayId=gateway["InternetGatewayId"],
    )


def _default_route_elsewhere(account: Account) -> None:
    account.ok("nat_gateway", **NAT)
    account.ec2.replace_route(
        RouteTableId=table(account, "rtb-public")["RouteTableId"],
        DestinationCidrBlock=ANYWHERE,
        NatGatewayId=gateways(account)[0]["NatGatewayId"],
    )


def _dissociated(account: Account) -> None:
    [association] = [item for item in table(account, "rtb-private")["Associations"] if "SubnetId" in item]
    account.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def _in_another_table(account: Account) -> None:
    [association] = [item for item in table(account, "rtb-private")["Associations"] if "SubnetId" in item]
    account.ec2.replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"],
        RouteTableId=table(account, "rtb-public")["RouteTableId"],
    )


def _foreign_subnet(account: Account) -> None:
    made = account.ec2.create_subnet(VpcId=vpc(account)["VpcId"], CidrBlock="10.9.64.0/20")["Subnet"]
    account.ec2.associate_route_table(
        SubnetId=made["SubnetId"], RouteTableId=table(account, "rtb-private")["RouteTableId"]
    )


def _default_route_gone(account: Account) -> None:
    account.ec2.delete_route(
        RouteTableId=table(account, "rtb-public")["RouteTableId"], DestinationCidrBlock=ANYWHERE
    )


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


def _modify_endpoint(service: str, **change: Any) -> Callable[[Account], None]:
    def break_it(account: Account) -> None:
        found = endpoint(account, service)
        assert found is not None
        ids = {
            "sg-app": group(account, "sg-app")["GroupId"],
            "sg-db": group(account, "sg-db")["GroupId"],
            PUBLIC: subnet(account, PUBLIC)["SubnetId"],
            PRIVATE: subnet(account, PRIVATE)["SubnetId"],
            "rtb-private": table(account, "rtb-private")["RouteTableId"],
            "rtb-public": table(account, "rtb-public")["RouteTableId"],
        }
        known = {
            key: [ids[name] for name in value] if isinstance(value, list) else value
            for key, value in change.items()
        }
        account.ec2.modify_vpc_endpoint(VpcEndpointId=found["VpcEndpointId"], **known)

    return break_it


def _tag(find: Callable[[Account], dict[str, Any]], key: str) -> Callable[[Account], None]:
    """Somebody adds a tag, and changes one."""

    def break_it(account: Account) -> None:
        mine = [{"Key": "Owner", "Value": "me"}, {"Key": "Project", "Value": "other"}]
        account.ec2.create_tags(Resources=[find(account)[key]], Tags=mine)

    return break_it


def _dns_off(attribute: str) -> Callable[[Account], None]:
    def break_it(account: Account) -> None:
        account.ec2.modify_vpc_attribute(VpcId=vpc(account)["VpcId"], **{attribute: {"Value": False}})

    return break_it


def _public_addresses(account: Account) -> None:
    account.ec2.modify_subnet_attribute(
        SubnetId=subnet(account, PUBLIC)["SubnetId"], MapPublicIpOnLaunch={"Value": True}
    )


def _detached(account: Account) -> None:
    gateway = named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)
    account.ec2.detach_internet_gateway(
        InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc(account)["VpcId"]
    )


def _gateway(account: Account) -> dict[str, Any]:
    return named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)


SUBNET_ARGUMENTS = {
    "name": PUBLIC,
    "vpc": VPC,
    "cidr": SUBNETS[PUBLIC],
    "zone": "ap-southeast-1a",
    "tags": TAGS,
}
DENY = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]})
OTHER_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{**POLICY["Statement"][0], "Resource": "*"}]}
)  # type: ignore[dict-item]

DRIFT: dict[str, tuple[str, dict[str, Any], Callable[[Account], None]]] = {
    "vpc: DNS support off": ("vpc", VPC_ARGUMENTS, _dns_off("EnableDnsSupport")),
    "vpc: DNS hostnames off": ("vpc", VPC_ARGUMENTS, _dns_off("EnableDnsHostnames")),
    "vpc: tags": ("vpc", VPC_ARGUMENTS, _tag(vpc, "VpcId")),
    "subnet: public addresses": ("subnet", SUBNET_ARGUMENTS, _public_addresses),
    "subnet: tags": ("subnet", SUBNET_ARGUMENTS, _tag(lambda a: subnet(a, PUBLIC), "SubnetId")),
    "internet gateway: detached": ("internet_gateway", GATEWAY_ARGUMENTS, _detached),
    "internet gateway: tags": ("internet_gateway", GATEWAY_ARGUMENTS, _tag(_gateway, "InternetGatewayId")),
    "route table: stray default route": ("route_table", PRIVATE_TABLE, _stray_default_route),
    "route table: route to an interface": ("route_table", PRIVATE_TABLE, _network_interface_route),
    "route table: default route elsewhere": ("route_table", PUBLIC_TABLE, _default_route_elsewhere),
    "route table: default route gone": ("route_table", PUBLIC_TABLE, _default_route_gone),
    "route table: subnet dissociated": ("route_table", PRIVATE_TABLE, _dissociated),
    "route table: subnet in another table": ("route_table", PRIVATE_TABLE, _in_another_table),
    "route table: foreign subnet": ("route_table", PRIVATE_TABLE, _foreign_subnet),
    "route table: tags": (
        "route_table",
        PRIVATE_TABLE,
        _tag(lambda a: table(a, "rtb-private"), "RouteTableId"),
    ),
    "security groups: SSH open": ("security_groups", GROUPS, _open_ssh),
    "security groups: everything out": ("security_groups", GROUPS, _open_everything_out),
    "security groups: rule gone": ("security_groups", GROUPS, _rule_gone),
    "security groups: prefix list rule gone": ("security_groups", GROUPS, _prefix_list_rule_gone),
    "security groups: rule renamed": ("security_groups", GROUPS, _rule_renamed),
    "security groups: rule about a group renamed": ("security_groups", GROUPS, _group_rule_renamed),
    "security groups: tag": ("security_groups", GROUPS, _group_tag),
    "S3 endpoint: policy": ("vpc_endpoint", S3_ENDPOINT, _modify_endpoint(S3, PolicyDocument=OTHER_POLICY)),
    "S3 endpoint: policy reset": ("vpc_endpoint", S3_ENDPOINT, _modify_endpoint(S3, ResetPolicy=True)),
    "S3 endpoint: route table": (
        "vpc_endpoint",
        S3_ENDPOINT,
        _modify_endpoint(S3, RemoveRouteTableIds=["rtb-private"], AddRouteTableIds=["rtb-public"]),
    ),
    "S3 endpoint: no route table": (
        "vpc_endpoint",
        S3_ENDPOINT,
        _modify_endpoint(S3, RemoveRouteTableIds=["rtb-private"]),
    ),
    "S3 endpoint: tags": (
        "vpc_endpoint",
        S3_ENDPOINT,
        _tag(lambda a: endpoint(a, S3) or {}, "VpcEndpointId"),
    ),
    "SSM endpoint: policy": ("vpc_endpoint", SSM_ENDPOINT, _modify_endpoint(SSM, PolicyDocument=DENY)),
    "SSM endpoint: private DNS": (
        "vpc_endpoint",
        SSM_ENDPOINT,
        _modify_endpoint(SSM, PrivateDnsEnabled=False),
    ),
    "SSM endpoint: groups": (
        "vpc_endpoint",
        SSM_ENDPOINT,
        _modify_endpoint(SSM, AddSecurityGroupIds=["sg-app"], RemoveSecurityGroupIds=["sg-db"]),
    ),
    "SSM endpoint: subnets": (
        "vpc_endpoint",
        SSM_ENDPOINT,
        _modify_endpoint(SSM, AddSubnetIds=[PUBLIC], RemoveSubnetIds=[PRIVATE]),
    ),
}


def everything(account: Account) -> dict[str, Any]:
    """What the modules manage, as EC2 describes it; association ids and orders left out."""
    ec2 = account.ec2
    [one] = [item for item in ec2.describe_vpcs()["Vpcs"] if tags(item).get("Name") == VPC]
    vpc_id = one["VpcId"]
    by = [{"Name": "vpc-id", "Values": [vpc_id]}]
    dns = {
        name: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name[0].lower() + name[1:])[name]["Value"]
        for name in ("EnableDnsSupport", "EnableDnsHostnames")
    }
    gateway = _gateway(account)
    return {
        "vpc": (tags(one), dns),
        "gateway": (tags(gateway), [item["VpcId"] for item in gateway["Attachments"]]),
        "subnets": {
            item["SubnetId"]: (tags(item), item["MapPublicIpOnLaunch"])
            for item in ec2.describe_subnets(Filters=by)["Subnets"]
            if tags(item).get("Name") in SUBNETS
        },
        "tables": {
            item["RouteTableId"]: (
                tags(item),
                sorted(json.dumps(route, sort_keys=True) for route in item["Routes"]),
                sorted(found["SubnetId"] for found in item["Associations"] if "SubnetId" in found),
            )
            for item in ec2.describe_route_tables(Filters=by)["RouteTables"]
        },
        "groups": {
            item["GroupId"]: (tags(item), described_rules(item))
            for item in ec2.describe_security_groups(Filters=by)["SecurityGroups"]
        },
        "endpoints": {
            item["VpcEndpointId"]: (
                tags(item),
                json.loads(item["PolicyDocument"]),
                item.get("PrivateDnsEnabled"),
                sorted(item.get("RouteTableIds", [])),
                sorted(item.get("SubnetIds", [])),
                sorted(found["GroupId"] for found in item.get("Groups", [])),
            )
            for item in ec2.describe_vpc_endpoints(Filters=by)["VpcEndpoints"]
        },
    }


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    module, arguments, break_it = DRIFT[case]
    if module == "vpc_endpoint":
        network.ok(module, **arguments)
    before = everything(network)
    break_it(network)
    broken = everything(network)
    assert broken != before, "the case breaks nothing"
    told = network.ok(module, check=True, **arguments)
    assert told["changed"] and told["diff"]["before"] != told["diff"]["after"]
    assert everything(network) == broken
    network.converge(module, **arguments)
    assert everything(network) == before


def _instance_id(account: Account) -> str:
    found = instance(account)
    assert found is not None
    return str(found["InstanceId"])


def _profile_gone(account: Account) -> None:
    by = [{"Name": "instance-id", "Values": [_instance_id(account)]}]
    answer = account.ec2.describe_iam_instance_profile_associations(Filters=by)
    for item in answer["IamInstanceProfileAssociations"]:
        account.ec2.disassociate_iam_instance_profile(AssociationId=item["AssociationId"])


def _other_profile(account: Account) -> None:
    by = [{"Name": "instance-id", "Values": [_instance_id(account)]}]
    [there] = account.ec2.describe_iam_instance_profile_associations(Filters=by)[
        "IamInstanceProfileAssociations"
    ]
    account.ec2.replace_iam_instance_profile_association(
        AssociationId=there["AssociationId"], IamInstanceProfile={"Name": "other-role"}
    )


def _instance_groups(account: Account) -> None:
    account.ec2.modify_instance_attribute(
        InstanceId=_instance_id(account), Groups=[group(account, "sg-app")["GroupId"]]
    )


def _instance_type(account: Account) -> None:
    account.ec2.stop_instances(InstanceIds=[_instance_id(account)])
    account.ec2.modify_instance_attribute(
        InstanceId=_instance_id(account), InstanceType={"Value": "t4g.small"}
    )
    account.ec2.start_instances(InstanceIds=[_instance_id(account)])


INSTANCE_DRIFT: dict[str, Callable[[Account], Any]] = {
    "profile detached": _profile_gone,
    "another profile": _other_profile,
    "other groups": _instance_groups,
    "another type": _instance_type,
    "IMDSv1": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=_instance_id(a), HttpTokens="optional"
    ),
    "metadata for containers": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=_instance_id(a), HttpPutResponseHopLimit=2
    ),
    "no metadata": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=_instance_id(a), HttpEndpoint="disabled"
    ),
    "unprotected": lambda a: a.ec2.modify_instance_attribute(
        InstanceId=_instance_id(a), DisableApiTermination={"Value": False}
    ),
    "stopped": lambda a: a.ec2.stop_instances(InstanceIds=[_instance_id(a)]),
    "monitored": lambda a: a.ec2.monitor_instances(InstanceIds=[_instance_id(a)]),
    "tags": lambda a: a.ec2.create_tags(
        Resources=[_instance_id(a)], Tags=[{"Key": "Project", "Value": "x"}, {"Key": "Owner", "Value": "me"}]
    ),
}


def described_instance(account: Account) -> dict[str, Any]:
    found = instance(account)
    assert found is not None
    keys = ("InstanceId", "InstanceType", "PrivateIpAddress", "SubnetId", "ImageId")
    return {
        **{key: found[key] for key in keys},
        "state": found["State"]["Name"],
        "groups": [item["GroupId"] for item in found["SecurityGroups"]],
        "metadata": {
            key: found["MetadataOptions"][key]
            for key in ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint")
        },
        "monitoring": found["Monitoring"]["State"],
        "profile": profile_name(account, found["InstanceId"]),
        "protected": protected(account, found["InstanceId"]),
        "tags": tags(found),
    }


@pytest.mark.parametrize("case", INSTANCE_DRIFT)
def test_instance_drift_is_seen_in_check_mode_and_repaired(profile: Account, case: str) -> None:
    profile.ok("instance", **INSTANCE)
    before = described_instance(profile)
    INSTANCE_DRIFT[case](profile)
    broken = described_instance(profile)
    assert broken != before, "the case breaks nothing"
    assert profile.ok("instance", check=True, **INSTANCE)["changed"]
    assert described_instance(profile) == broken
    profile.converge("instance", **INSTANCE)
    assert described_instance(profile) == before


def test_an_instance_cannot_move(profile: Account) -> None:
    profile.ok("instance", **INSTANCE)
    result = profile.run("instance", **{**INSTANCE, "private_ip": "10.9.128.11"})
    assert result["failed"] and "10.9.128.10" in result["msg"] and "Fix:" in result["msg"]


def test_rules_are_added_before_others_are_revoked(network: Account) -> None:
    changed = json.loads(json.dumps(GROUPS))
    changed["groups"][1]["ingress"][0]["ports"] = "5433"
    wrote = len(network.writes)
    network.ok("security_groups", **changed)
    assert network.writes[wrote:] == ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]


def test_a_changed_target_replaces_the_route_without_a_gap(network: Account) -> None:
    _default_route_elsewhere(network)
    wrote = len(network.writes)
    network.ok("route_table", **PUBLIC_TABLE)
    assert network.writes[wrote:] == ["ReplaceRoute"]


# --- a NAT gateway that a crash left in some state --------------------------------------------------------


def _address(account: Account, name: str = "nat-a") -> str:
    specification = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": name}]}]
    return str(account.ec2.allocate_address(Domain="vpc", TagSpecifications=specification)["AllocationId"])


def _nat(account: Account, allocation_id: str) -> str:
    specification = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "nat-a"}]}]
    made = account.ec2.create_nat_gateway(
        SubnetId=subnet(account, PUBLIC)["SubnetId"],
        AllocationId=allocation_id,
        TagSpecifications=specification,
    )
    return str(made["NatGateway"]["NatGatewayId"])


def test_an_address_that_a_crash_left_is_used_by_the_next_gateway(network: Account) -> None:
    allocation_id = _address(network)
    network.converge("nat_gateway", **NAT)
    assert [item["AllocationId"] for item in addresses(network)] == [allocation_id]
    assert gateways(network)[0]["NatGatewayAddresses"][0]["AllocationId"] == allocation_id


def test_every_leftover_of_the_name_is_removed_and_nothing_else(network: Account) -> None:
    _nat(network, _address(network))
    _nat(network, network.ec2.allocate_address(Domain="vpc")["AllocationId"])
    _address(network)
    theirs = _address(network, "theirs")
    network.converge("nat_gateway", name="nat-a", state="absent")
    assert gateways(network) == []
    assert [item["AllocationId"] for item in addresses(network)] == [theirs]


def test_an_address_alone_is_a_leftover_too(network: Account) -> None:
    _address(network)
    network.converge("nat_gateway", name="nat-a", state="absent")
    assert addresses(network) == []


def test_a_gateway_in_another_subnet_is_an_error(network: Account) -> None:
    network.ok("nat_gateway", **NAT)
    result = network.run("nat_gateway", **{**NAT, "subnet": PRIVATE})
    assert result["failed"] and "close_egress.yml" in result["msg"]


# --- remove -----------------------------------------------------------------------------------------------


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
    instance_id = _instance_id(profile)
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
    assert instance(profile) is None and not protected(profile, instance_id)
    assert gateways(profile) == addresses(profile) == []
    assert endpoint(profile, S3) is None and endpoint(profile, SSM) is None
    profile.ec2.delete_security_group(GroupId=foreign)
    profile.converge("vpc", **{**VPC_ARGUMENTS, "state": "absent"})
    assert VPC not in [tags(item).get("Name") for item in profile.ec2.describe_vpcs()["Vpcs"]]


def test_two_of_one_name_are_refused_rather_than_guessed(network: Account) -> None:
    specification = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": VPC}]}]
    network.ec2.create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=specification)
    result = network.run("vpc", **VPC_ARGUMENTS)
    assert result["failed"] and "2 resources are called VPC vpc-a" in result["msg"]
