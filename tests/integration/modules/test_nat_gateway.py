"""The module nat_gateway: create, remove, and what an interrupted run leaves behind."""

from __future__ import annotations

from tests.support.modules import Account
from tests.support.network import addresses, gateways, subnet, tags
from tests.support.tasks import NAT, PRIVATE, PUBLIC, TAGS


def test_a_nat_gateway_is_created_with_a_tagged_address(network: Account) -> None:
    network.converge("nat_gateway", **NAT)
    [found], [address] = gateways(network), addresses(network)
    assert (found["State"], found["SubnetId"]) == ("available", subnet(network, PUBLIC)["SubnetId"])
    assert tags(found) == tags(address) == {**TAGS, "Name": "nat-a"}
    assert [item["AllocationId"] for item in found["NatGatewayAddresses"]] == [address["AllocationId"]]


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
