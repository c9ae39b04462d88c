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


def test_a_new_instance_waits_for_the_address_of_one_that_is_ending() -> None:
    """EC2 would answer that it is in use (InvalidIPAddress.InUse)."""
    client = mock.Mock()
    client.can_paginate.return_value = False
    client.describe_instances.return_value = {"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}]}
    host = Instance(Module(client, vpc="v"))
    with mock.patch.object(Instance, "vpc_id", "vpc-1"):
        host._wait_for_the_address()
    [asked] = client.describe_instances.call_args_list
    assert {"Name": "instance-state-name", "Values": ["shutting-down"]} in asked.kwargs["Filters"]
    client.get_waiter.assert_called_once_with("instance_terminated")
    assert client.get_waiter.return_value.wait.call_args.kwargs["InstanceIds"] == ["i-1"]


@pytest.mark.parametrize(
    ("name", "found"), [("ours", "ours, which was removed"), ("theirs", "theirs"), ("", "")]
)
def test_only_the_profile_of_the_task_is_looked_at_in_iam(name: str, found: str) -> None:
    """The deployer may not look at others."""
    client = mock.Mock()
    client.can_paginate.return_value = False
    profile = {"Arn": f"arn:aws:iam::123456789012:instance-profile/{name}", "Id": "AIPA1"}
    associations = [{"IamInstanceProfile": profile}] if name else []
    answer = {"IamInstanceProfileAssociations": associations}
    client.describe_iam_instance_profile_associations.return_value = answer
    client.get_instance_profile.return_value = {"InstanceProfile": {"InstanceProfileId": "AIPA2"}}
    assert Instance(Module(client, vpc="v", instance_profile="ours"))._profile("i-1") == found
    assert client.get_instance_profile.called is (name == "ours")
