"""The module vpc_endpoint: create, repair, remove."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.modules import Account, Act
from tests.support.network import (
    assert_repaired,
    endpoint,
    group,
    routes,
    subnet,
    table,
    tagged_otherwise,
    tags,
)
from tests.support.tasks import (
    POLICY,
    PRIVATE,
    PRIVATE_TABLE,
    PUBLIC,
    S3,
    S3_ENDPOINT,
    SSM,
    SSM_ENDPOINT,
    TAGS,
)


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


def _modify_endpoint(service: str, **change: Any) -> Act:
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


DENY = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]})
OTHER_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{**POLICY["Statement"][0], "Resource": "*"}]}
)  # type: ignore[dict-item]
DRIFT: dict[str, tuple[dict[str, Any], Act]] = {
    "S3 endpoint: policy": (S3_ENDPOINT, _modify_endpoint(S3, PolicyDocument=OTHER_POLICY)),
    "S3 endpoint: policy reset": (S3_ENDPOINT, _modify_endpoint(S3, ResetPolicy=True)),
    "S3 endpoint: route table": (
        S3_ENDPOINT,
        _modify_endpoint(S3, RemoveRouteTableIds=["rtb-private"], AddRouteTableIds=["rtb-public"]),
    ),
    "S3 endpoint: no route table": (S3_ENDPOINT, _modify_endpoint(S3, RemoveRouteTableIds=["rtb-private"])),
    "S3 endpoint: tags": (S3_ENDPOINT, tagged_otherwise(lambda a: endpoint(a, S3) or {}, "VpcEndpointId")),
    "SSM endpoint: policy": (SSM_ENDPOINT, _modify_endpoint(SSM, PolicyDocument=DENY)),
    "SSM endpoint: private DNS": (SSM_ENDPOINT, _modify_endpoint(SSM, PrivateDnsEnabled=False)),
    "SSM endpoint: groups": (
        SSM_ENDPOINT,
        _modify_endpoint(SSM, AddSecurityGroupIds=["sg-app"], RemoveSecurityGroupIds=["sg-db"]),
    ),
    "SSM endpoint: subnets": (
        SSM_ENDPOINT,
        _modify_endpoint(SSM, AddSubnetIds=[PUBLIC], RemoveSubnetIds=[PRIVATE]),
    ),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "vpc_endpoint", *DRIFT[case])


def test_a_service_that_the_region_lacks_is_named(network: Account) -> None:
    result = network.run("vpc_endpoint", **{**S3_ENDPOINT, "service": "com.amazonaws.ap-southeast-1.changed"})
    assert result["failed"] and "InvalidServiceName" in result["msg"], result["msg"]
