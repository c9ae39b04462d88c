"""What a call needs of IAM: the names of the Service Authorization Reference."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from local_cloud.router.authorization import is_there, keys_asked
from local_cloud.router.calls import Answer, Call, RefusedError
from local_cloud.router.operations import action_of, operation_of
from local_cloud.router.permissions import NAMES, Need, needs

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
HERE = f"{REGION}:{ACCOUNT}"
FORM = "application/x-www-form-urlencoded"


def call(service: str, method: str, path: str, body: bytes = b"", **headers: str) -> Call:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    made = Call(method, path, named, service, REGION, body=body)
    made.action = action_of(made)
    return made


def form(service: str, **parameters: str) -> Call:
    body = urlencode({key.replace("__", "."): value for key, value in parameters.items()}).encode()
    return call(service, "POST", "/", body, content_type=FORM)


def target(service: str, action: str, **body: Any) -> Call:
    prefix = {
        "ssm": "AmazonSSM",
        "sqs": "AmazonSQS",
        "events": "AWSEvents",
        "cognito-idp": "AWSCognitoIdentityProviderService",
        "budgets": "AWSBudgetServiceGateway",
    }[service]
    return call(service, "POST", "/", json.dumps(body).encode(), x_amz_target=f"{prefix}.{action}")


def brief(made: Call) -> list[tuple[str, tuple[str, ...]]]:
    return [(need.action, need.resources) for need in needs(made, ACCOUNT)]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (call("s3", "HEAD", "/b"), [("s3:ListBucket", ("arn:aws:s3:::b",))]),
        (call("s3", "PUT", "/b?lifecycle"), [("s3:PutLifecycleConfiguration", ("arn:aws:s3:::b",))]),
        (call("s3", "PUT", "/b/k", x_amz_target="X.HeadBucket"), [("s3:PutObject", ("arn:aws:s3:::b/k",))]),
        (
            call("s3", "PUT", "/b/k?partNumber=1&uploadId=u", x_amz_copy_source="o/k"),
            [("s3:PutObject", ("arn:aws:s3:::b/k",)), ("s3:GetObject", ("arn:aws:s3:::o/k",))],
        ),
        (
            call("lambda", "POST", "/2015-03-31/functions/", b'{"FunctionName": "f"}'),
            [("lambda:CreateFunction", (f"arn:aws:lambda:{HERE}:function:f",))],
        ),
        (
            call("ec2", "POST", "/", b"Action=DescribeVpcs", content_type=FORM.title()),
            [("ec2:DescribeVpcs", ("*",))],
        ),
        (
            form("ec2", Action="CreateFlowLogs", ResourceId__1="vpc-0123456789abcdef0"),
            [
                (
                    "ec2:CreateFlowLogs",
                    (
                        f"arn:aws:ec2:{HERE}:vpc/vpc-0123456789abcdef0",
                        f"arn:aws:ec2:{HERE}:vpc-flow-log/new",
                        "*",
                    ),
                ),
                ("logs:CreateLogDelivery", ("*",)),
            ],
        ),
        (
            form("ec2", Action="DeleteFlowLogs", FlowLogId__1="fl-0123456789abcdef0"),
            [
                ("ec2:DeleteFlowLogs", (f"arn:aws:ec2:{HERE}:vpc-flow-log/fl-0123456789abcdef0", "*")),
                ("logs:DeleteLogDelivery", ("*",)),
            ],
        ),
        (call("s3", "GET", "/b?inventory&id=i"), [("s3:GetInventoryConfiguration", ("arn:aws:s3:::b",))]),
        (call("s3", "DELETE", "/b?replication"), [("s3:PutReplicationConfiguration", ("arn:aws:s3:::b",))]),
        (
            call("lambda", "POST", "/2021-11-15/functions/f/response-streaming-invocations"),
            [("lambda:InvokeFunction", (f"arn:aws:lambda:{HERE}:function:f",))],
        ),
        (
            target("budgets", "DescribeBudget", AccountId=ACCOUNT, BudgetName="b"),
            [("budgets:ViewBudget", (f"arn:aws:budgets::{ACCOUNT}:budget/b", "*"))],
        ),
        (
            form("sns", Action="PublishBatch", TopicArn="arn:aws:sns:x"),
            [("sns:Publish", ("arn:aws:sns:x", "*"))],
        ),
        (
            target("cognito-idp", "CreateUserPool", PoolName="p", UserPoolTags={"a": "b"}),
            [
                ("cognito-idp:CreateUserPool", ("*",)),
                ("cognito-idp:TagResource", (f"arn:aws:cognito-idp:{HERE}:userpool/new",)),
            ],
        ),
        (
            target("cognito-idp", "DeleteUserPool", UserPoolId="p"),
            [("cognito-idp:DeleteUserPool", (f"arn:aws:cognito-idp:{HERE}:userpool/p",))],
        ),
        (
            target("sqs", "GetQueueUrl", QueueName="q"),
            [("sqs:GetQueueUrl", (f"arn:aws:sqs:{HERE}:q",))],
        ),
        (
            target("sqs", "SendMessageBatch", QueueUrl=f"http://127.0.0.1:4566/{ACCOUNT}/q"),
            [("sqs:SendMessage", (f"arn:aws:sqs:{HERE}:q",))],
        ),
        (
            target("sqs", "CreateQueue", QueueName="q", tags={"Project": "x"}),
            [
                ("sqs:CreateQueue", (f"arn:aws:sqs:{HERE}:q",)),
                ("sqs:TagQueue", (f"arn:aws:sqs:{HERE}:q",)),
            ],
        ),
        (
            target("ssm", "PutParameter", Name="/mine", Names=["/other"]),
            [("ssm:PutParameter", (f"arn:aws:ssm:{HERE}:parameter/mine",))],
        ),
        (
            target("events", "PutRule", Name="other", Rule="mine"),
            [("events:PutRule", (f"arn:aws:events:{HERE}:rule/other",))],
        ),
        (call("s3", "GET", "/b/a%2Fk"), [("s3:GetObject", ("arn:aws:s3:::b/a/k",))]),
        (call("s3", "GET", "/b/k?versionId=1"), [("s3:GetObjectVersion", ("arn:aws:s3:::b/k",))]),
        (
            call("s3", "PUT", "/b/k", x_amz_acl="bucket-owner-full-control"),
            [("s3:PutObject", ("arn:aws:s3:::b/k",)), ("s3:PutObjectAcl", ("arn:aws:s3:::b/k",))],
        ),
        (
            call("s3", "POST", "/b?delete", b"<Delete><Object><Key>x/y</Key></Object></Delete>"),
            [("s3:DeleteObject", ("arn:aws:s3:::b/x/y",))],
        ),
        (
            call("apigateway", "PATCH", "/v2/apis/a/stages/s"),
            [("apigateway:PATCH", (f"arn:aws:apigateway:{REGION}::/apis/a/stages/s",))],
        ),
        (
            call("lambda", "POST", "/2015-03-31/functions/f/invocations"),
            [("lambda:InvokeFunction", (f"arn:aws:lambda:{HERE}:function:f",))],
        ),
        (
            target("ssm", "GetParameter", Name="/clickstream/x"),
            [("ssm:GetParameter", (f"arn:aws:ssm:{HERE}:parameter/clickstream/x",))],
        ),
        (
            target("ssm", "StartSession", Target="i-1", DocumentName="AWS-StartPortForwardingSession"),
            [
                ("ssm:StartSession", (f"arn:aws:ec2:{HERE}:instance/i-1",)),
                ("ssm:StartSession", (f"arn:aws:ssm:{REGION}::document/AWS-StartPortForwardingSession",)),
            ],
        ),
        (
            form(
                "ec2",
                Action="ReplaceIamInstanceProfileAssociation",
                AssociationId="iip-assoc-1",
                **{"IamInstanceProfile.Name": "p"},
            ),
            [
                ("ec2:ReplaceIamInstanceProfileAssociation", ("profile-of/iip-assoc-1",)),
                ("iam:PassRole", ("instance-profile/p",)),
            ],
        ),
        (
            target("events", "PutTargets", Rule="r"),
            [("events:PutTargets", (f"arn:aws:events:{HERE}:rule/r",))],
        ),
        (
            form("iam", Action="AddRoleToInstanceProfile", InstanceProfileName="p", RoleName="r"),
            [
                (
                    "iam:AddRoleToInstanceProfile",
                    (f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:iam::{ACCOUNT}:instance-profile/p", "*"),
                ),
                ("iam:PassRole", (f"arn:aws:iam::{ACCOUNT}:role/r",)),
            ],
        ),
    ],
)
def test_actions_and_what_they_are_about(made: Call, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert brief(made) == expected


def test_tags_that_a_call_makes_are_a_need_and_a_context_of_their_own() -> None:
    tagged = {"TagSpecification__1__Tag__1__Key": "Project", "TagSpecification__1__Tag__1__Value": "x"}
    first, second = needs(form("ec2", Action="CreateVpc", **tagged), ACCOUNT)
    assert (first.action, second.action) == ("ec2:CreateVpc", "ec2:CreateTags")
    assert second.context["ec2:CreateAction"] == "CreateVpc"
    assert second.context["aws:RequestTag/Project"] == first.context["aws:RequestTag/Project"] == "x"
    assert second.context["aws:TagKeys"] == ["Project"]


def test_a_role_is_passed_to_the_service_that_takes_it() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    body = json.dumps({"FunctionName": "f", "Role": role}).encode()
    passing = Need("iam:PassRole", (role,), {"iam:PassedToService": "lambda.amazonaws.com"})
    assert passing in needs(call("lambda", "POST", "/2015-03-31/functions", body), ACCOUNT)


def test_a_listing_says_which_prefix() -> None:
    [need] = needs(call("s3", "GET", "/b?list-type=2&prefix=events%2F"), ACCOUNT)
    assert need == Need("s3:ListBucket", ("arn:aws:s3:::b",), {"s3:prefix": "events/"})


def test_conditions_on_an_action_are_looked_through_for_keys() -> None:
    denial = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}, "NotAction": "x:Y"}
    named = {"Action": "s3:Get*", "Condition": {"StringLike": {"s3:prefix": "x", "aws:X": "y"}}}
    other = {"Action": ["ec2:*"], "Condition": {"StringLike": {"aws:Other": "y"}}}
    asked = keys_asked(
        [{"Statement": denial}, {"Statement": [named, other, {"Action": "*"}]}, {}], "s3:GetObject"
    )
    assert asked == {"aws:securetransport", "s3:prefix", "aws:x"}


def test_the_table_of_names_has_no_operation_that_is_none() -> None:
    named = [(service, action) for service, table in NAMES.items() for action in table]
    assert named
    assert not [one for one in named if not operation_of(Call("", "/", {}, one[0], REGION, action=one[1]))]


def test_a_policy_that_cannot_be_read_is_no_absent_one() -> None:
    assert is_there(Answer(200), "x")
    assert not is_there(Answer(404, b"<Code>NoSuchBucketPolicy</Code>"), "x")
    assert not is_there(Answer(400, b'{"__type": "NotFoundException"}'), "x")  # KMS
    with pytest.raises(RefusedError, match="cannot be read"):
        is_there(Answer(500, b"Internal error"), "x")
