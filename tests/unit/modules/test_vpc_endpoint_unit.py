"""The module vpc_endpoint: AWS's default policy in all its forms; endpoints that AWS could not make."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest

from ansible_collections.clickstream.aws.plugins.modules.vpc_endpoint import (
    DEFAULT_POLICY,
    VpcEndpoint,
    endpoint_policy,
)
from tests.support.fakes import FailedError, Module


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        {"Statement": {"Action": ["*"], "Effect": "Allow", "Principal": "*", "Resource": ["*"]}},
    ],
)
def test_aws_s_default_policy_is_known_in_all_its_forms(document: Any) -> None:
    assert endpoint_policy(document) == DEFAULT_POLICY


def endpoint(*states: dict[str, Any]) -> tuple[VpcEndpoint, mock.Mock]:
    """An endpoint module, whose endpoint EC2 describes as these, one after the other."""
    client = mock.Mock()
    client.create_vpc_endpoint.return_value = {"VpcEndpoint": {"VpcEndpointId": "vpce-1"}}
    params = {"vpc": "v", "service": "s", "type": "Gateway", "policy": None, "route_tables": [], "tags": {}}
    module = VpcEndpoint(Module(client, **params))
    answers = [[{"VpcEndpointId": "vpce-1", **state}] if state else [] for state in states]
    module.find.all = mock.Mock(side_effect=answers)
    module.find.vpc = mock.Mock(return_value="vpc-1")
    return module, client


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


FAILED = {"State": "failed", "LastError": {"Code": "InsufficientFreeAddresses", "Message": "no address"}}


@pytest.mark.parametrize("state", ["failed", "Rejected", "expired", "Deleting", "deleted"])
def test_an_endpoint_that_never_becomes_available_is_told_at_once_with_aws_s_reason(
    naps: list[float], state: str
) -> None:
    module, _ = endpoint({}, {}, {}, {"State": "pending"}, {**FAILED, "State": state})
    told = f"vpce-1 of s is {state.lower()}: InsufficientFreeAddresses: no address. Fix: "
    with pytest.raises(FailedError, match=told):
        module.create({"policy": DEFAULT_POLICY})
    assert naps == [5, 5]


def test_an_endpoint_that_failed_goes_before_another_is_made() -> None:
    module, client = endpoint({}, FAILED, FAILED, {"State": "deleted"}, {"State": "available"})
    client.delete_vpc_endpoints.return_value = {}
    module.create({"policy": DEFAULT_POLICY})
    assert [call[0] for call in client.mock_calls if not call[0].startswith("meta")] == [
        "delete_vpc_endpoints",
        "create_vpc_endpoint",
    ]


def test_an_endpoint_that_failed_is_there_to_remove_and_not_there_to_use() -> None:
    for state, found in (("absent", "vpce-1"), ("present", None)):
        module, _ = endpoint({}, FAILED)
        module.params = {**module.params, "state": state}
        assert (module.read() or {}).get("vpc_endpoint_id") == found


def test_another_policy_is_not_the_default() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    assert endpoint_policy({"Statement": [statement]}) != DEFAULT_POLICY
