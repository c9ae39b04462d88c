"""The module flow_log: what EC2 says beside the status 200."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.clickstream.aws.plugins.modules.flow_log import FlowLog, destination
from tests.support.fakes import FailedError, Module

MADE: dict[str, Any] = {"FlowLogIds": ["fl-1"], "Unsuccessful": []}
WANTED = {"destination": "arn:aws:s3:::b/flow-logs", "traffic": "REJECT", "interval_seconds": 600}


def refused(message: str) -> dict[str, Any]:
    return {"FlowLogIds": [], "Unsuccessful": [{"ResourceId": "vpc-1", "Error": {"Message": message}}]}


DENIED = refused("Access Denied for LogDestination: b. Please check LogDestination permission")


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def create(*answers: dict[str, Any]) -> Any:
    client = mock.Mock()
    client.create_flow_logs.side_effect = answers
    client.can_paginate.return_value = False
    client.describe_vpcs.return_value = {"Vpcs": [{"VpcId": "vpc-1"}]}
    FlowLog(Module(client, vpc="v", bucket="b", prefix="flow-logs", tags={})).create(WANTED)
    return client.create_flow_logs


def test_a_policy_that_s3_does_not_know_everywhere_is_waited_for(naps: list[float]) -> None:
    made = create(DENIED, DENIED, MADE)
    assert (made.call_count, naps) == (3, [2, 3])
    assert made.call_args.kwargs["LogDestination"] == "arn:aws:s3:::b/flow-logs/"


def test_a_policy_that_never_comes_is_an_error_with_the_fix(naps: list[float]) -> None:
    with pytest.raises(FailedError, match=r"Access Denied.*Fix: run playbooks/storage\.yml"):
        create(*[DENIED] * 6)
    assert sum(naps) == 30


def test_a_bucket_that_is_not_there_is_told_at_once(naps: list[float]) -> None:
    with pytest.raises(FailedError, match=r"does not exist\. Fix:"):
        create(refused("LogDestination: b does not exist."))
    assert naps == []


def test_a_slash_at_the_end_is_no_other_place() -> None:
    place = "arn:aws:s3:::b/flow-logs"
    assert destination({"LogDestination": f"{place}/"}) == destination({"LogDestination": place}) == place
