"""The module lambda_function: create, repair, remove."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import tasks
from tests.support.modules import Act
from tests.support.services import Cloud, gone, permissions
from tests.support.tasks import ACCOUNT, BY_FUNCTION, CODE, REGION, RULE_ARN, TAGS, in_a_vpc, trust, zip_of

ROLE = {"name": "services-role", "trust": trust("lambda.amazonaws.com")}


@pytest.fixture(scope="module")
def network(cloud: Cloud) -> dict[str, str]:
    """A VPC with one subnet and one group; their ids by name."""

    def named(kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]

    ec2 = cloud.ec2
    vpc = ec2.create_vpc(CidrBlock="10.66.0.0/16", TagSpecifications=named("vpc", "services-vpc"))["Vpc"][
        "VpcId"
    ]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.66.1.0/24", TagSpecifications=named("subnet", "services-subnet")
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="services-group", Description="x", VpcId=vpc)["GroupId"]
    return {"services-vpc": vpc, "services-subnet": subnet, "services-group": group}


@pytest.fixture
def arguments(cloud: Cloud, package: Path, network: dict[str, str]) -> dict[str, Any]:
    """A task's arguments; its role and its network exist."""
    cloud.ok("iam_role", **in_a_vpc("services-role"))
    return tasks.function(
        package,
        memory=512,
        timeout=60,
        environment={"RAW_BUCKET": "services-raw", "DWH_PORT": 5432},
        vpc="services-vpc",
        subnets=["services-subnet"],
        security_groups=["services-group"],
        reserved_concurrency=2,
        permissions=[{"sid": "schedule", "principal": "events.amazonaws.com", "source_arn": RULE_ARN}],
        foreign_permissions=["http-api"],
        asynchronous={"max_retries": 1, "max_age_seconds": 3600},
        description="Tests",
        tags=TAGS,
    )


@pytest.fixture
def function(cloud: Cloud, arguments: dict[str, Any]) -> Cloud:
    """The function as its task wants it, whatever the test before did to it."""
    cloud.ok("lambda_function", **arguments)
    return cloud


def assert_function(cloud: Cloud, network: dict[str, str]) -> None:
    answer = cloud.functions.get_function(**BY_FUNCTION)
    found = answer["Configuration"]
    digest = base64.b64encode(hashlib.sha256(zip_of(CODE)).digest()).decode()
    assert (found["CodeSha256"], found["Architectures"]) == (digest, ["arm64"])
    assert (found["Handler"], found["Runtime"], found["Description"]) == (
        "app.handler",
        "python3.13",
        "Tests",
    )
    assert (found["MemorySize"], found["Timeout"], found["EphemeralStorage"]["Size"]) == (512, 60, 512)
    assert found["Environment"]["Variables"] == {"RAW_BUCKET": "services-raw", "DWH_PORT": "5432"}
    assert found["Role"] == f"arn:aws:iam::{ACCOUNT}:role/services-role"
    assert found["VpcConfig"]["VpcId"] == network["services-vpc"]
    assert found["VpcConfig"]["SubnetIds"] == [network["services-subnet"]]
    assert found["VpcConfig"]["SecurityGroupIds"] == [network["services-group"]]
    assert found["TracingConfig"]["Mode"] == "PassThrough"
    assert not found.get("Layers")
    assert found["LoggingConfig"]["LogFormat"] == "JSON"
    assert found["LoggingConfig"]["LogGroup"] == "/aws/lambda/services-function"
    assert answer["Tags"] == TAGS
    assert answer["Concurrency"]["ReservedConcurrentExecutions"] == 2
    [schedule] = [item for sid, item in permissions(cloud).items() if sid != "http-api"]
    assert schedule["Principal"] == {"Service": "events.amazonaws.com"}
    assert schedule["Action"] == "lambda:InvokeFunction"
    assert RULE_ARN in json.dumps(schedule["Condition"])
    calls = cloud.functions.get_function_event_invoke_config(**BY_FUNCTION)
    assert (calls["MaximumRetryAttempts"], calls["MaximumEventAgeInSeconds"]) == (1, 3600)


def test_a_function_is_created(cloud: Cloud, arguments: dict[str, Any], network: dict[str, str]) -> None:
    cloud.ok("lambda_function", name="services-function", state="absent")
    cloud.converge("lambda_function", **arguments)
    assert_function(cloud, network)


def call_anybody(cloud: Cloud, sid: str = "console") -> Any:
    return cloud.functions.add_permission(
        **BY_FUNCTION, StatementId=sid, Action="lambda:InvokeFunction", Principal="*"
    )


def set_configuration(**what: Any) -> Act:
    return lambda cloud: cloud.functions.update_function_configuration(**BY_FUNCTION, **what)


def replace_permission(cloud: Cloud) -> None:
    cloud.functions.remove_permission(**BY_FUNCTION, StatementId="schedule")
    call_anybody(cloud, "schedule")


FUNCTION_DRIFT: dict[str, Act] = {
    "code": lambda c: c.functions.update_function_code(**BY_FUNCTION, ZipFile=zip_of("# other\n")),
    "architecture": lambda c: c.functions.update_function_code(
        **BY_FUNCTION, ZipFile=zip_of(CODE), Architectures=["x86_64"]
    ),
    "handler": set_configuration(Handler="app.other"),
    "runtime": set_configuration(Runtime="python3.12"),
    "memory": set_configuration(MemorySize=128),
    "timeout": set_configuration(Timeout=3),
    "description": set_configuration(Description="?"),
    "storage": set_configuration(EphemeralStorage={"Size": 1024}),
    "environment": set_configuration(Environment={"Variables": {"RAW_BUCKET": "other", "EXTRA": "x"}}),
    "no environment": set_configuration(Environment={"Variables": {}}),
    "network": set_configuration(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}),
    "tracing": set_configuration(TracingConfig={"Mode": "Active"}),
    "log format": set_configuration(LoggingConfig={"LogFormat": "Text"}),
    "log group": set_configuration(LoggingConfig={"LogFormat": "JSON", "LogGroup": "/other"}),
    "log level": set_configuration(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "ERROR"}),
    "no concurrency": lambda c: c.functions.delete_function_concurrency(**BY_FUNCTION),
    "less concurrency": lambda c: c.functions.put_function_concurrency(
        **BY_FUNCTION, ReservedConcurrentExecutions=0
    ),
    "an extra permission": call_anybody,
    "a permission that is gone": lambda c: c.functions.remove_permission(
        **BY_FUNCTION, StatementId="schedule"
    ),
    "a permission for everybody": replace_permission,
    "no rule for failed calls": lambda c: c.functions.delete_function_event_invoke_config(**BY_FUNCTION),
    "another rule for failed calls": lambda c: c.functions.put_function_event_invoke_config(
        **BY_FUNCTION, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
    ),
    "an extra tag": lambda c: c.functions.tag_resource(
        Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:services-function", Tags={"x": "y"}
    ),
    "a missing tag": lambda c: c.functions.untag_resource(
        Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:services-function", TagKeys=["Project"]
    ),
}


@pytest.mark.parametrize("drift", FUNCTION_DRIFT)
def test_a_function_is_repaired(
    function: Cloud, arguments: dict[str, Any], network: dict[str, str], drift: str
) -> None:
    FUNCTION_DRIFT[drift](function)
    function.converge("lambda_function", **arguments)
    assert_function(function, network)


def test_another_roles_permission_is_left_alone(
    function: Cloud, arguments: dict[str, Any], network: dict[str, str]
) -> None:
    call_anybody(function, "http-api")
    assert function.ok("lambda_function", **arguments)["changed"] is False
    assert "http-api" in permissions(function)


def test_code_is_uploaded_only_where_it_differs(function: Cloud, arguments: dict[str, Any]) -> None:
    wrote = len(function.writes)
    function.ok("lambda_function", **{**arguments, "memory": 256})
    assert function.writes[wrote:] == ["UpdateFunctionConfiguration"]


def test_a_function_leaves_its_vpc_and_its_extras(function: Cloud, arguments: dict[str, Any]) -> None:
    kept = ("name", "zip", "handler", "runtime", "role")
    function.converge("lambda_function", **{key: arguments[key] for key in kept})
    answer = function.functions.get_function(**BY_FUNCTION)
    assert not answer["Configuration"].get("VpcConfig", {}).get("SubnetIds")
    assert "Concurrency" not in answer or not answer["Concurrency"]
    assert permissions(function) == {}


def test_a_name_given_twice_and_an_empty_value_are_no_drift(
    function: Cloud, arguments: dict[str, Any]
) -> None:
    permission = {**arguments["permissions"][0], "source_account": ""}
    same = {
        "subnets": arguments["subnets"] * 2,
        "security_groups": arguments["security_groups"] * 2,
        "permissions": [permission],
        "asynchronous": {**arguments["asynchronous"], "on_failure": ""},
    }
    assert function.ok("lambda_function", **{**arguments, **same})["changed"] is False


def reserved(cloud: Cloud, name: str) -> int | None:
    found = cloud.functions.get_function_concurrency(FunctionName=name)
    return found.get("ReservedConcurrentExecutions")


def test_what_the_account_has_left_is_reserved_and_stays_so(
    function: Cloud, arguments: dict[str, Any]
) -> None:
    """An account has 1,000, of which Lambda keeps 100."""
    kept = ("name", "zip", "handler", "runtime", "role")
    plain = {key: arguments[key] for key in kept}
    other = {**plain, "name": "services-other"}
    function.ok("lambda_function", **other, reserved_concurrency=800)
    try:
        function.ok("lambda_function", **plain)
        function.converge("lambda_function", **plain, reserve_if_possible=100)
        assert reserved(function, plain["name"]) == 100
        function.ok("lambda_function", **plain)
        wanted = {**plain, "reserve_if_possible": 101}
        assert function.ok("lambda_function", **wanted)["changed"] is False
        assert reserved(function, plain["name"]) is None
        failed = function.run("lambda_function", **plain, reserved_concurrency=101)
        assert failed["failed"] and "100 left" in failed["msg"] and "Fix:" in failed["msg"]
        with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
            function.functions.put_function_concurrency(**BY_FUNCTION, ReservedConcurrentExecutions=101)
    finally:
        function.ok("lambda_function", name="services-other", state="absent")


def test_a_function_waits_for_its_parents(cloud: Cloud, arguments: dict[str, Any]) -> None:
    new = {**arguments, "name": "services-new"}
    for option, value, needs in (
        ("role", "no-role", "no-role"),
        ("zip", "/nowhere/app.zip", "/nowhere/app.zip"),
        ("vpc", "no-vpc", "no-vpc"),
        ("subnets", ["no-subnet"], "no-subnet"),
        ("security_groups", ["no-group"], "no-group"),
    ):
        cloud.pending("lambda_function", **{**new, option: value, "needs": needs})


NETWORK_INTERFACES = {
    "Effect": "Allow",
    "Action": [
        *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
    ],
    "Resource": "*",
}
DELETE = {"Effect": "Allow", "Action": "ec2:DeleteNetworkInterface"}


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([], "CreateNetworkInterface"),
        # what role iam gave the ETL before: limited to this account's interfaces, or to a region
        (
            [
                {**NETWORK_INTERFACES, "Action": NETWORK_INTERFACES["Action"][:2]},
                {**DELETE, "Resource": f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*"},
                {**NETWORK_INTERFACES, "Action": NETWORK_INTERFACES["Action"][3:]},
            ],
            "DeleteNetworkInterface",
        ),
        (
            [{**NETWORK_INTERFACES, "Condition": {"StringEquals": {"ec2:Region": REGION}}}],
            "CreateNetworkInterface",
        ),
        ([NETWORK_INTERFACES, {**DELETE, "Effect": "Deny", "Resource": "*"}], "DeleteNetworkInterface"),
    ],
    ids=["none", "a narrower resource", "a condition", "a denial"],
)
def test_lambda_refuses_a_vpc_to_a_role_that_may_not_make_interfaces(
    cloud: Cloud, arguments: dict[str, Any], statements: list[dict[str, Any]], missing: str
) -> None:
    cloud.ok("lambda_function", name="services-function", state="absent")
    policy = {"Version": "2012-10-17", "Statement": statements}
    cloud.ok("iam_role", **ROLE, inline_policies={"needs": policy} if statements else {})
    failed = cloud.run("lambda_function", **arguments)
    assert failed["failed"] and f"permissions to call {missing} on EC2" in failed["msg"]


def test_lambda_refuses_a_vpc_to_a_role_whose_boundary_has_no_interfaces(
    cloud: Cloud, arguments: dict[str, Any]
) -> None:
    cloud.ok("lambda_function", name="services-function", state="absent")
    needs = {"needs": {"Version": "2012-10-17", "Statement": [NETWORK_INTERFACES]}}
    narrow = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    cloud.ok("iam_role", **ROLE, inline_policies=needs, permissions_boundary=narrow)
    failed = cloud.run("lambda_function", **arguments)
    assert failed["failed"] and "permissions to call CreateNetworkInterface on EC2" in failed["msg"]
    ours = "arn:aws:iam::123456789012:policy/clickstream-role-boundary"
    cloud.ok("iam_role", **ROLE, inline_policies=needs, permissions_boundary=ours)
    cloud.ok("lambda_function", **arguments)


def test_lambda_lets_code_be_denied_what_its_role_needs(cloud: Cloud, arguments: dict[str, Any]) -> None:
    """With AWS's condition for calls of the code itself: Lambda's own have no such key."""
    itself = {"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:::function:x"}}
    denial = {**NETWORK_INTERFACES, "Effect": "Deny", "Condition": itself}
    policy = {"Version": "2012-10-17", "Statement": [NETWORK_INTERFACES, denial]}
    cloud.ok("iam_role", **ROLE, inline_policies={"needs": policy})
    cloud.ok("lambda_function", **arguments)


def test_a_function_whose_role_was_made_anew_is_made_anew(
    cloud: Cloud, function: Cloud, arguments: dict[str, Any]
) -> None:
    """Lambda could not read its environment variables: their key is granted to the role that is no more."""
    cloud.functions.add_permission(
        **BY_FUNCTION,
        StatementId="http-api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    before = permissions(cloud)
    cloud.ok("iam_role", name="services-role", state="absent")
    cloud.ok("iam_role", **in_a_vpc("services-role"))
    cloud.writes.clear()
    cloud.converge("lambda_function", **arguments)
    assert [call for call in cloud.writes if call in ("DeleteFunction", "CreateFunction")] == [
        "DeleteFunction",
        "CreateFunction",
    ]
    assert permissions(cloud) == before


def test_a_function_goes(cloud: Cloud, arguments: dict[str, Any]) -> None:
    cloud.ok("lambda_function", **arguments)
    cloud.converge("lambda_function", name="services-function", state="absent")
    assert gone(lambda: cloud.functions.get_function(**BY_FUNCTION))
