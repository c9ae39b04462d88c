"""The module event_rule: targets in one of their equal forms; failures inside a success."""

from __future__ import annotations

from unittest import mock

import pytest

from ansible_collections.clickstream.aws.plugins.modules.event_rule import EventRule, described_target
from tests.support.fakes import FailedError, Module


def test_a_target_that_says_nothing_of_retries_has_eventbridges() -> None:
    short = described_target({"Id": "a", "Arn": "b"})
    retries = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    assert short == described_target({"Id": "a", "Arn": "b", "RetryPolicy": retries})


def test_the_form_of_a_targets_input_is_no_drift() -> None:
    assert described_target({"Id": "a", "Input": '{"b": 1, "a": 2}'}) == described_target(
        {"Id": "a", "Input": '{"a":2,"b":1}'}
    )


def test_a_target_that_eventbridge_did_not_take_is_told() -> None:
    failed = {"TargetId": "function", "ErrorCode": "InternalException", "ErrorMessage": "try again"}
    rule = EventRule(Module(mock.Mock()))
    with pytest.raises(FailedError, match="target function: InternalException: try again"):
        rule.all_done({"FailedEntryCount": 1, "FailedEntries": [failed]})
    rule.all_done({"FailedEntryCount": 0, "FailedEntries": []})
