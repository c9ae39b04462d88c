"""EC2 read back past the modules, and what people do to it by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.modules import Account, Act
from tests.support.tasks import GATEWAY, SUBNETS, VPC


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


def tagged_otherwise(find: Callable[[Account], dict[str, Any]], key: str) -> Act:
    """Somebody adds a tag, and changes one."""

    def break_it(account: Account) -> None:
        mine = [{"Key": "Owner", "Value": "me"}, {"Key": "Project", "Value": "other"}]
        account.ec2.create_tags(Resources=[find(account)[key]], Tags=mine)

    return break_it


def internet_gateway(account: Account) -> dict[str, Any]:
    return named(account.ec2.describe_internet_gateways()["InternetGateways"], GATEWAY)


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
    gateway = internet_gateway(account)
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


def instance_id(account: Account) -> str:
    found = instance(account)
    assert found is not None
    return str(found["InstanceId"])


def assert_repaired(account: Account, module: str, arguments: dict[str, Any], break_it: Act) -> None:
    """What ``break_it`` changes by hand, check mode reports (and leaves as it is) and a run puts right."""
    if module == "vpc_endpoint":
        account.ok(module, **arguments)
    before = everything(account)
    break_it(account)
    broken = everything(account)
    assert broken != before, "the case breaks nothing"
    told = account.ok(module, check=True, **arguments)
    assert told["changed"] and told["diff"]["before"] != told["diff"]["after"]
    assert everything(account) == broken
    account.converge(module, **arguments)
    assert everything(account) == before
