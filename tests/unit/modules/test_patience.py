"""module_utils/patience.py: calls about what AWS has just made, and calls whose answer is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from ansible_collections.clickstream.aws.plugins.module_utils.patience import patient

Answer = tuple[int, str] | Exception
OK: Answer = (200, "<R><vpc><vpcId>vpc-1</vpcId></vpc></R>")
UNKNOWN: Answer = (
    400,
    "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code></Error></Errors></Response>",
)
BROKEN: Answer = (500, "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>")
BUSY: Answer = (503, "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>")
LOST: Answer = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")


class Body:
    """As much of urllib3's response as botocore reads."""

    def __init__(self, text: str) -> None:
        self.text = text

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.text.encode()]


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, list[str]]]:
    """Makes a client that gets these answers, the last one for ever, and the list of what it has sent."""
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def make(*answers: Answer, service: str = "ec2") -> tuple[Any, list[str]]:
        client = boto3.client(
            service,
            endpoint_url="http://127.0.0.1:1",
            region_name="ap-southeast-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 4}),
        )
        left, sent = list(answers), []

        def answer(request: Any, **_: Any) -> AWSResponse:
            sent.append(request.body if isinstance(request.body, str) else request.body.decode())
            now = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(now, Exception):
                raise now
            return AWSResponse(request.url, now[0], {}, Body(now[1]))

        client.meta.events.register(f"before-send.{service}.*", answer)
        return patient(patient(client)), sent

    return make


def test_what_ec2_does_not_know_yet_is_asked_for_again(ec2: Any) -> None:
    client, sent = ec2(UNKNOWN, UNKNOWN, OK)
    client.modify_vpc_attribute(VpcId="vpc-1", EnableDnsSupport={"Value": True})
    assert len(sent) == 3


def test_what_does_not_exist_at_all_is_an_error_in_the_end(ec2: Any) -> None:
    client, sent = ec2(UNKNOWN)
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        client.describe_vpc_attribute(VpcId="vpc-1", Attribute="enableDnsSupport")
    assert 5 < len(sent) < 10


def test_what_is_removed_is_not_waited_for(ec2: Any) -> None:
    client, sent = ec2(UNKNOWN)
    with pytest.raises(ClientError):
        client.delete_vpc(VpcId="vpc-1")
    assert len(sent) == 1


@pytest.mark.parametrize("answer", [LOST, BROKEN], ids=["no answer", "server error"])
@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("create_vpc", {"CidrBlock": "10.0.0.0/16"}),
        ("create_internet_gateway", {}),
        ("create_subnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/20"}),
        ("create_security_group", {"GroupName": "a", "Description": "a"}),
        ("allocate_address", {}),
    ],
)
def test_a_creation_without_a_token_is_never_sent_twice(
    ec2: Any, call: str, arguments: dict[str, Any], answer: Answer
) -> None:
    client, sent = ec2(answer, OK)
    with pytest.raises((ClientError, ReadTimeoutError)):
        getattr(client, call)(**arguments)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("create_route_table", {"VpcId": "vpc-1"}),
        ("create_nat_gateway", {"SubnetId": "subnet-1"}),
        ("run_instances", {"MinCount": 1, "MaxCount": 1}),
        ("create_vpc_endpoint", {"VpcId": "vpc-1", "ServiceName": "s3", "ClientToken": "token"}),
    ],
)
def test_a_creation_with_a_token_is_sent_again_with_the_same(
    ec2: Any, call: str, arguments: dict[str, Any]
) -> None:
    client, sent = ec2(LOST, BROKEN, OK)
    getattr(client, call)(**arguments)
    assert len(sent) == 3 and len(set(sent)) == 1 and "ClientToken=" in sent[0]


@pytest.mark.parametrize("call", ["create_vpc", "describe_vpcs"])
def test_a_busy_ec2_is_asked_again_as_ever(ec2: Any, call: str) -> None:
    client, sent = ec2(BUSY, OK)
    getattr(client, call)(**({"CidrBlock": "10.0.0.0/16"} if call == "create_vpc" else {}))
    assert len(sent) == 2


NO_ROLE: Answer = (404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>")


def test_a_role_that_iam_does_not_know_yet_gets_its_policies_all_the_same(ec2: Any) -> None:
    client, sent = ec2(NO_ROLE, NO_ROLE, (200, "<R/>"), service="iam")
    client.put_role_policy(RoleName="a", PolicyName="b", PolicyDocument="{}")
    assert len(sent) == 3


def test_a_role_that_is_not_there_is_no_reason_to_wait(ec2: Any) -> None:
    client, sent = ec2(NO_ROLE, service="iam")
    with pytest.raises(ClientError):
        client.get_role(RoleName="a")
    assert len(sent) == 1
