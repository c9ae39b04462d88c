"""Which machines may use the apt proxy: as EC2's routes and security groups allow."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("boto3")

from local_cloud.relay import egress_closed

EVERYWHERE = [{"CidrIp": "0.0.0.0/0"}]
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}
IGW = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
ALL = {"IpProtocol": "-1", "IpRanges": EVERYWHERE}
HTTP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, "IpRanges": EVERYWHERE}
INSIDE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}


class Ec2:
    """The calls of a boto3 client that the relay makes."""

    def __init__(
        self,
        *,
        instance: bool = True,
        public: str = "",
        own: list[dict[str, str]] | None = None,
        main: list[dict[str, str]] | None = None,
        rules: list[dict[str, Any]] | None = None,
        nat: str = "available",
    ) -> None:
        self.instance, self.public, self.nat = instance, public, nat
        self.own, self.main = own, main or []
        self.rules = [ALL] if rules is None else rules

    def describe_instances(self, Filters: list[Any]) -> dict[str, Any]:
        one = {"VpcId": "vpc-1", "SubnetId": "subnet-1", "SecurityGroups": [{"GroupId": "sg-1"}]}
        one |= {"PublicIpAddress": self.public} if self.public else {}
        return {"Reservations": [{"Instances": [one]}] if self.instance else []}

    def describe_route_tables(self, Filters: list[Any]) -> dict[str, Any]:
        own = Filters[0]["Name"] == "association.subnet-id"
        if own:
            return {"RouteTables": [] if self.own is None else [{"Routes": self.own}]}
        return {"RouteTables": [{"Routes": self.main}]}

    def describe_nat_gateways(self, NatGatewayIds: list[str]) -> dict[str, Any]:
        return {"NatGateways": [{"State": self.nat}]}

    def describe_security_groups(self, GroupIds: list[str]) -> dict[str, Any]:
        return {"SecurityGroups": [{"IpPermissionsEgress": self.rules}]}


@pytest.mark.parametrize(
    ("ec2", "reason"),
    [
        (Ec2(own=[NAT]), ""),
        (Ec2(main=[NAT]), ""),
        (Ec2(own=[NAT], rules=[HTTP]), ""),
        (Ec2(own=[IGW], public="54.1.1.1"), ""),
        (Ec2(own=[IGW]), "no public address"),
        (Ec2(own=[]), "no default route"),
        # the subnet's own table counts, not the main one
        (Ec2(own=[], main=[NAT]), "no default route"),
        (Ec2(own=[NAT], nat="deleting"), "no available NAT gateway"),
        (Ec2(own=[NAT], rules=[]), "no rule"),
        (Ec2(own=[NAT], rules=[INSIDE]), "no rule"),
        (Ec2(instance=False), "no running instance"),
    ],
)
def test_egress_follows_routes_and_groups(ec2: Ec2, reason: str) -> None:
    found = egress_closed(ec2, "10.0.128.10")
    assert reason in found
    assert bool(found) is bool(reason)
