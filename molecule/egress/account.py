"""Role egress: the temporary way out of the private subnet."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.molecule.account import (
    ANALYTICS_GROUP,
    ANYWHERE,
    ENDPOINTS_GROUP,
    ETL_GROUP,
    PRIVATE_TABLE,
    PUBLIC,
    client,
    found,
    make_network,
    name_tag,
    named,
    tags,
    the,
)
from tests.support.molecule.scenario import reported

NAT = "SBW_Project-nat-temporary"
GROUPS = (ENDPOINTS_GROUP, ETL_GROUP, ANALYTICS_GROUP, "sg_oltp_WebDB")
TABLE, RULES = f"route table {PRIVATE_TABLE}", f"security groups {', '.join(GROUPS)}"
MADE = [f"NAT gateway {NAT}", TABLE, RULES]
BROKEN = [f"{TABLE}: routes", f"{RULES}: {ANALYTICS_GROUP}"]


def prepare() -> None:
    """The network with its groups, which have no rules yet."""
    make_network(groups=GROUPS)


def default_routes() -> list[str]:
    """Where the private subnet's default routes lead to."""
    routes = the("route_tables", name=PRIVATE_TABLE)["Routes"]
    return [str(one.get("NatGatewayId")) for one in routes if one.get("DestinationCidrBlock") == ANYWHERE]


def ports_out(group: str) -> set[int]:
    """The ports that a group may reach anywhere in the world."""
    rules = the("security_groups", group_name=group)["IpPermissionsEgress"]
    return {
        rule["FromPort"] for rule in rules if ANYWHERE in [one["CidrIp"] for one in rule.get("IpRanges", [])]
    }


def gateways() -> list[str]:
    """NAT gateways that are not gone."""
    return [one["NatGatewayId"] for one in found("nat_gateways") if one["State"] != "deleted"]


def verify(_: object = None) -> None:
    """One NAT gateway with one address is the private subnet's way out, for the host's packages only."""
    [address] = found("addresses")
    [gateway] = [one for one in found("nat_gateways") if one["State"] == "available"]
    assert gateway["SubnetId"] == the("subnets", name=PUBLIC)["SubnetId"]
    assert [one["AllocationId"] for one in gateway["NatGatewayAddresses"]] == [address["AllocationId"]]
    assert tags(gateway) == tags(address) == named(NAT)
    assert default_routes() == [gateway["NatGatewayId"]]
    assert {group: ports_out(group) for group in GROUPS} == {
        ENDPOINTS_GROUP: set(),
        ETL_GROUP: set(),
        ANALYTICS_GROUP: {80, 443},
        "sg_oltp_WebDB": {443},
    }


def break_by_hand() -> None:
    """The route is gone, and the host may reach plain HTTP no longer."""
    client("ec2").delete_route(
        RouteTableId=the("route_tables", name=PRIVATE_TABLE)["RouteTableId"], DestinationCidrBlock=ANYWHERE
    )
    group = the("security_groups", group_name=ANALYTICS_GROUP)
    [http] = [rule for rule in group["IpPermissionsEgress"] if rule.get("FromPort") == 80]
    client("ec2").revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=[http])


# --- called by rest.yml -------------------------------------------------------------------------------------


def would_close(writes: list[str]) -> None:
    """Check mode has named the three things that are open, and left them open."""
    assert sorted(reported("controller")) == sorted(
        [f"NAT gateway {NAT}", f"{TABLE}: routes", f"{RULES}: {ANALYTICS_GROUP}"]
    )
    assert writes == []
    verify()


def told(_: list[str]) -> None:
    """The role has removed what costs money, and said what it was."""
    log = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "ansible.log").read_text()
    words = "An earlier run was interrupted while egress was open."
    assert words + " Would be destroyed: nat-" not in log  # check mode was another task file's
    assert words + " Destroyed: nat-" in " ".join(log.split())
    assert gateways() == found("addresses") == []


def leave(_: list[str]) -> None:
    """Two gateways of the name, and an address that no gateway has."""
    ec2 = client("ec2")
    for _number in range(2):
        address = ec2.allocate_address(Domain="vpc", TagSpecifications=name_tag("elastic-ip", NAT))
        ec2.create_nat_gateway(
            SubnetId=the("subnets", name=PUBLIC)["SubnetId"],
            AllocationId=address["AllocationId"],
            TagSpecifications=name_tag("natgateway", NAT),
        )
    ec2.allocate_address(Domain="vpc", TagSpecifications=name_tag("elastic-ip", NAT))


def closed(_: object = None) -> None:
    """No way out, and nothing that costs money."""
    assert default_routes() == gateways() == found("addresses") == []
    assert ports_out(ANALYTICS_GROUP) == set()


def untouched(writes: list[str]) -> None:
    """Closing what is closed calls nothing that changes the account."""
    assert writes == []
    closed()


removed = closed
