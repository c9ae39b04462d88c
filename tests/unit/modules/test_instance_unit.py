"""The module instance: an instance that EC2 could not start."""

from __future__ import annotations

from unittest import mock

import pytest
from botocore.exceptions import WaiterError

from ansible_collections.clickstream.aws.plugins.modules.instance import Instance
from tests.support.fakes import FailedError, Module


def test_an_instance_that_ends_while_it_starts_is_told_with_ec2_s_reason() -> None:
    client = mock.Mock()
    client.get_waiter.return_value.wait.side_effect = WaiterError("instance_running", "terminal failure", {})
    client.can_paginate.return_value = False
    ended = {"State": {"Name": "terminated"}, "StateReason": {"Message": "Client.VolumeLimitExceeded: full"}}
    client.describe_instances.return_value = {"Reservations": [{"Instances": [ended]}]}
    with pytest.raises(FailedError, match=r"\(i-1\) is terminated: Client.VolumeLimitExceeded: full. Fix: "):
        Instance(Module(client, vpc="v"))._wait("instance_running", "i-1")
