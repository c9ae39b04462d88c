"""The modules of storage, identity, functions and API on a local cloud: create, repair, remove, each as
check → apply → repeat.

What a module did is read back with boto3, never taken from its own answer. Every drift is one line of a
table: what somebody changed in the console.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.services import Cloud, emulated_cloud

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
TAGS = {"Project": "clickstream"}
Act = Callable[[Cloud], Any]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with emulated_cloud() as made:
        yield made


def gone(read: Callable[[], Any]) -> bool:
    """Whether AWS says that there is no such thing."""
    try:
        read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert any(word in code for word in ("404", "NoSuch", "NotFound", "InvalidDocument")), code
        return True
    return False


def tag_map(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


# --- bucket ------------------------------------------------------------------------------------------------

BUCKET = {
    "name": "services-raw",
    "versioning": True,
    "lifecycle_rules": [
        {"id": "rejected", "prefix": "rejected/", "expire_days": 90},
        {"id": "tidy", "expire_noncurrent_days": 30, "abort_multipart_days": 1},
    ],
    "cors_rules": [{"allowed_origins": ["https://shop.example.com"], "allowed_methods": ["GET"]}],
    "policy_statements": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::services-raw/*",
        }
    ],
    "tags": TAGS,
}
NAME = {"Bucket": "services-raw"}


@pytest.fixture
def bucket(cloud: Cloud) -> Cloud:
    cloud.ok("bucket", **BUCKET)
    return cloud


def bucket_policy(cloud: Cloud) -> list[dict[str, Any]]:
    return list(json.loads(cloud.s3.get_bucket_policy(**NAME)["Policy"])["Statement"])


def test_a_bucket_is_created_private(cloud: Cloud) -> None:
    cloud.converge("bucket", **BUCKET)
    s3 = cloud.s3
    assert s3.get_bucket_location(**NAME)["LocationConstraint"] == REGION
    assert s3.get_bucket_versioning(**NAME)["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(**NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(s3.get_public_access_block(**NAME)["PublicAccessBlockConfiguration"].values()) == {True}
    owners = s3.get_bucket_ownership_controls(**NAME)["OwnershipControls"]["Rules"]
    assert owners == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    deny, read = bucket_policy(cloud)
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert deny["Resource"] == ["arn:aws:s3:::services-raw", "arn:aws:s3:::services-raw/*"]
    assert read["Sid"] == "Read"
    lifecycle = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(**NAME)["Rules"]}
    assert lifecycle["rejected"]["Filter"] == {"Prefix": "rejected/"}
    assert lifecycle["rejected"]["Expiration"] == {"Days": 90}
    assert lifecycle["tidy"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert lifecycle["tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert s3.get_bucket_cors(**NAME)["CORSRules"][0]["AllowedOrigins"] == ["https://shop.example.com"]
    assert tag_map(s3.get_bucket_tagging(**NAME)["TagSet"]) == TAGS


BUCKET_DRIFT: dict[str, Act] = {
    "versioning is suspended": lambda c: c.s3.put_bucket_versioning(
        **NAME, VersioningConfiguration={"Status": "Suspended"}
    ),
    "encryption is KMS's": lambda c: c.s3.put_bucket_encryption(
        **NAME,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    ),
    "public access is open": lambda c: c.s3.delete_public_access_block(**NAME),
    "public access is half open": lambda c: c.s3.put_public_access_block(
        **NAME,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    ),
    "ACLs are on": lambda c: c.s3.put_bucket_ownership_controls(
        **NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    ),
    "the policy is gone": lambda c: c.s3.delete_bucket_policy(**NAME),
    "the policy is another": lambda c: c.s3.put_bucket_policy(
        **NAME,
        Policy=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**bucket_policy(c)[0], "Action": "s3:PutObject"}]}
        ),
    ),
    "the lifecycle is gone": lambda c: c.s3.delete_bucket_lifecycle(**NAME),
    "the lifecycle removes events": lambda c: c.s3.put_bucket_lifecycle_configuration(
        **NAME,
        LifecycleConfiguration={
            "Rules": [
                {"ID": "x", "Filter": {"Prefix": "events/"}, "Status": "Enabled", "Expiration": {"Days": 1}}
            ]
        },
    ),
    "CORS is gone": lambda c: c.s3.delete_bucket_cors(**NAME),
    "CORS admits all": lambda c: c.s3.put_bucket_cors(
        **NAME, CORSConfiguration={"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}
    ),
    "tags are others": lambda c: c.s3.put_bucket_tagging(
        **NAME, Tagging={"TagSet": [{"Key": "Owner", "Value": "x"}]}
    ),
}


def algorithm(cloud: Cloud) -> dict[str, str]:
    rules = cloud.s3.get_bucket_encryption(**NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    return {"algorithm": rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]}


def everything_of_the_bucket(cloud: Cloud) -> list[Any]:
    s3 = cloud.s3
    answers = [
        s3.get_bucket_versioning(**NAME),
        algorithm(cloud),
        s3.get_public_access_block(**NAME),
        s3.get_bucket_ownership_controls(**NAME),
        json.loads(s3.get_bucket_policy(**NAME)["Policy"]),
        s3.get_bucket_lifecycle_configuration(**NAME),
        s3.get_bucket_cors(**NAME),
        s3.get_bucket_tagging(**NAME),
    ]
    return [{key: value for key, value in answer.items() if key != "ResponseMetadata"} for answer in answers]


@pytest.mark.parametrize("drift", BUCKET_DRIFT)
def test_a_bucket_is_repaired(bucket: Cloud, drift: str) -> None:
    before = everything_of_the_bucket(bucket)
    BUCKET_DRIFT[drift](bucket)
    bucket.converge("bucket", **BUCKET)
    assert everything_of_the_bucket(bucket) == before


def test_a_bucket_loses_what_its_task_no_longer_has(bucket: Cloud) -> None:
    bucket.converge("bucket", name="services-raw", versioning=True)
    assert len(bucket_policy(bucket)) == 1
    assert gone(lambda: bucket.s3.get_bucket_lifecycle_configuration(**NAME))
    assert gone(lambda: bucket.s3.get_bucket_cors(**NAME))
    assert gone(lambda: bucket.s3.get_bucket_tagging(**NAME))


@pytest.mark.parametrize("check", [True, False])
def test_a_bucket_of_somebody_else_is_one_clear_error(cloud: Cloud, check: bool) -> None:
    result = cloud.run("bucket", check=check, name="shop-owned-by-somebody-else")
    assert result["failed"] and "platform_bucket_suffix" in result["msg"] and "Fix:" in result["msg"]
    absent = cloud.ok("bucket", check=check, name="shop-owned-by-somebody-else", state="absent", force=True)
    assert absent["changed"] is False


def test_a_bucket_goes_only_by_force_where_it_holds_anything(bucket: Cloud) -> None:
    bucket.s3.put_object(**NAME, Key="events/a", Body=b"1")
    bucket.s3.put_object(**NAME, Key="events/a", Body=b"2")
    bucket.s3.delete_object(**NAME, Key="events/a")
    bucket.s3.create_multipart_upload(**NAME, Key="events/b")
    refused = bucket.run("bucket", name="services-raw", state="absent")
    assert refused["failed"] and "force: true" in refused["msg"]
    bucket.converge("bucket", name="services-raw", state="absent", force=True)
    assert gone(lambda: bucket.s3.head_bucket(**NAME))


# --- IAM role ----------------------------------------------------------------------------------------------


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(action: str, resource: str = "arn:aws:s3:::a/*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
LOGS = "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"
ROLE = {
    "name": "services-host",
    "trust": trust("ec2.amazonaws.com"),
    "inline_policies": {"store": allow("s3:PutObject"), "read": allow("s3:GetObject")},
    "managed_policies": [LOGS],
    "instance_profile": True,
    "description": "The host",
    "tags": TAGS,
}
BY_ROLE = {"RoleName": "services-host"}
BY_PROFILE = {"InstanceProfileName": "services-host"}


@pytest.fixture
def role(cloud: Cloud) -> Cloud:
    cloud.ok("iam_role", **ROLE)
    return cloud


def assert_role(cloud: Cloud) -> None:
    iam = cloud.iam
    found = iam.get_role(**BY_ROLE)["Role"]
    assert found["AssumeRolePolicyDocument"] == trust("ec2.amazonaws.com")
    assert (found["Description"], found["MaxSessionDuration"]) == ("The host", 3600)
    assert tag_map(found["Tags"]) == TAGS
    policies = {
        name: iam.get_role_policy(**BY_ROLE, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(**BY_ROLE)["PolicyNames"]
    }
    assert policies == ROLE["inline_policies"]
    attached = iam.list_attached_role_policies(**BY_ROLE)["AttachedPolicies"]
    assert [item["PolicyArn"] for item in attached] == [LOGS]
    profile = iam.get_instance_profile(**BY_PROFILE)["InstanceProfile"]
    assert [item["RoleName"] for item in profile["Roles"]] == ["services-host"]


def test_a_role_is_created_with_its_profile(cloud: Cloud) -> None:
    cloud.converge("iam_role", **ROLE)
    assert_role(cloud)


def hold_another_role(cloud: Cloud) -> None:
    cloud.iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust("ec2.amazonaws.com")))
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    cloud.iam.add_role_to_instance_profile(**BY_PROFILE, RoleName="other")


def lose_the_profile(cloud: Cloud) -> None:
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    cloud.iam.delete_instance_profile(**BY_PROFILE)


def lose_the_role(cloud: Cloud) -> None:
    """The profile stays, empty: half of a removal."""
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    for name in ROLE["inline_policies"]:
        cloud.iam.delete_role_policy(**BY_ROLE, PolicyName=name)
    cloud.iam.detach_role_policy(**BY_ROLE, PolicyArn=LOGS)
    cloud.iam.delete_role(**BY_ROLE)


ROLE_DRIFT: dict[str, Act] = {
    "somebody else may assume it": lambda c: c.iam.update_assume_role_policy(
        **BY_ROLE, PolicyDocument=json.dumps(trust("lambda.amazonaws.com"))
    ),
    "an inline policy is extra": lambda c: c.iam.put_role_policy(
        **BY_ROLE, PolicyName="console", PolicyDocument=json.dumps(allow("*", "*"))
    ),
    "an inline policy allows more": lambda c: c.iam.put_role_policy(
        **BY_ROLE, PolicyName="read", PolicyDocument=json.dumps(allow("s3:*"))
    ),
    "an inline policy is gone": lambda c: c.iam.delete_role_policy(**BY_ROLE, PolicyName="read"),
    "a managed policy is extra": lambda c: c.iam.attach_role_policy(**BY_ROLE, PolicyArn=READ_ONLY),
    "the managed policy is gone": lambda c: c.iam.detach_role_policy(**BY_ROLE, PolicyArn=LOGS),
    "sessions last longer": lambda c: c.iam.update_role(
        **BY_ROLE, Description="The host", MaxSessionDuration=7200
    ),
    "the description is another": lambda c: c.iam.update_role(**BY_ROLE, Description="?"),
    "a tag is extra": lambda c: c.iam.tag_role(**BY_ROLE, Tags=[{"Key": "x", "Value": "y"}]),
    "a tag is gone": lambda c: c.iam.untag_role(**BY_ROLE, TagKeys=["Project"]),
    "the profile is gone": lose_the_profile,
    "the profile is empty": lambda c: c.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE),
    "the profile holds another role": hold_another_role,
    "only an empty profile is left": lose_the_role,
}


@pytest.mark.parametrize("drift", ROLE_DRIFT)
def test_a_role_is_repaired(role: Cloud, drift: str) -> None:
    ROLE_DRIFT[drift](role)
    role.converge("iam_role", **ROLE)
    assert_role(role)


def test_the_order_in_a_policy_and_lists_of_one_are_no_drift(role: Cloud) -> None:
    document = {
        "Statement": [{"Resource": ["arn:aws:s3:::a/*"], "Action": ["s3:GetObject"], "Effect": "Allow"}]
    }
    role.iam.put_role_policy(
        **BY_ROLE, PolicyName="read", PolicyDocument=json.dumps({**document, "Version": "2012-10-17"})
    )
    assert role.ok("iam_role", **ROLE)["changed"] is False


def test_a_role_loses_the_profile_that_it_is_not_to_have(role: Cloud) -> None:
    role.converge("iam_role", **{**ROLE, "instance_profile": False})
    assert gone(lambda: role.iam.get_instance_profile(**BY_PROFILE))


def test_a_role_goes_with_all_that_hangs_on_it(role: Cloud) -> None:
    role.iam.attach_role_policy(**BY_ROLE, PolicyArn=READ_ONLY)
    role.converge("iam_role", name="services-host", state="absent")
    assert gone(lambda: role.iam.get_role(**BY_ROLE))
    assert gone(lambda: role.iam.get_instance_profile(**BY_PROFILE))


# --- secret parameter --------------------------------------------------------------------------------------

GENERATED = {
    "name": "/services/password",
    "generate": {"length": 32},
    "description": "A password",
    "tags": TAGS,
}
GIVEN = {"name": "/services/key", "value": "-----BEGIN KEY-----\nc2VjcmV0\n", "tags": TAGS}


def stored(cloud: Cloud, name: str) -> dict[str, Any]:
    return dict(cloud.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"])


def description(cloud: Cloud, name: str) -> dict[str, Any]:
    by = [{"Key": "Name", "Values": [name]}]
    [found] = cloud.ssm.describe_parameters(ParameterFilters=by)["Parameters"]
    return dict(found)


def parameter_tags(cloud: Cloud, name: str) -> dict[str, str]:
    return tag_map(cloud.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


def test_a_secret_is_made_once_and_never_shown(cloud: Cloud) -> None:
    told = cloud.ok("secret_parameter", check=True, **GENERATED)
    done = cloud.converge("secret_parameter", **GENERATED)
    found = stored(cloud, "/services/password")
    assert found["Type"] == "SecureString" and len(found["Value"]) == 32 and found["Value"].isalnum()
    assert found["Value"] not in json.dumps([told, done])
    assert "(secret)" in json.dumps(told["diff"]) and "value" not in done["resource"]
    assert description(cloud, "/services/password")["Description"] == "A password"
    assert parameter_tags(cloud, "/services/password") == TAGS
    cloud.ok("secret_parameter", **{**GENERATED, "generate": {"length": 50}})
    assert stored(cloud, "/services/password") == found, "a secret that exists is kept"


def test_a_given_secret_is_stored_and_repaired(cloud: Cloud) -> None:
    cloud.converge("secret_parameter", **GIVEN)
    assert stored(cloud, "/services/key")["Value"] == GIVEN["value"]
    cloud.ssm.put_parameter(Name="/services/key", Value="other", Type="SecureString", Overwrite=True)
    done = cloud.converge("secret_parameter", **GIVEN)
    assert stored(cloud, "/services/key")["Value"] == GIVEN["value"]
    assert "other" not in json.dumps(done) and "c2VjcmV0" not in json.dumps(done)


@pytest.mark.parametrize(
    "arguments", [GENERATED, {"name": "/services/password", "description": "A password", "tags": TAGS}]
)
def test_description_and_tags_of_a_secret_are_repaired(cloud: Cloud, arguments: dict[str, Any]) -> None:
    cloud.ok("secret_parameter", **GENERATED)
    value = stored(cloud, "/services/password")["Value"]
    cloud.ssm.put_parameter(
        Name="/services/password", Value=value, Type="SecureString", Overwrite=True, Description="?"
    )
    cloud.ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/services/password", Tags=[{"Key": "x", "Value": "y"}]
    )
    cloud.ssm.remove_tags_from_resource(
        ResourceType="Parameter", ResourceId="/services/password", TagKeys=["Project"]
    )
    cloud.converge("secret_parameter", **arguments)
    assert stored(cloud, "/services/password")["Value"] == value
    assert description(cloud, "/services/password")["Description"] == "A password"
    assert parameter_tags(cloud, "/services/password") == TAGS


def test_a_parameter_in_clear_text_is_an_error_with_the_fix(cloud: Cloud) -> None:
    cloud.ssm.put_parameter(Name="/services/clear", Value="x", Type="String")
    result = cloud.run("secret_parameter", name="/services/clear", generate={"length": 20})
    assert result["failed"] and "aws ssm delete-parameter --name /services/clear" in result["msg"]


def test_a_secret_without_a_value_must_exist(cloud: Cloud) -> None:
    assert cloud.ok("secret_parameter", check=True, name="/services/none")["exists"] is False
    result = cloud.run("secret_parameter", name="/services/none")
    assert result["failed"] and "Fix:" in result["msg"]


def test_a_secret_goes(cloud: Cloud) -> None:
    cloud.ok("secret_parameter", **GENERATED)
    cloud.converge("secret_parameter", name="/services/password", state="absent")
    assert gone(lambda: stored(cloud, "/services/password"))


# --- log group ---------------------------------------------------------------------------------------------

GROUP = {"name": "/services/log", "retention_days": 30, "tags": TAGS}


def log_group(cloud: Cloud) -> dict[str, Any] | None:
    groups = cloud.logs.describe_log_groups(logGroupNamePrefix="/services/log")["logGroups"]
    return next((group for group in groups if group["logGroupName"] == "/services/log"), None)


def log_arn() -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/services/log"


def assert_log_group(cloud: Cloud) -> None:
    found = log_group(cloud)
    assert found is not None and found["retentionInDays"] == 30
    assert cloud.logs.list_tags_for_resource(resourceArn=log_arn())["tags"] == TAGS


def test_a_log_group_is_created(cloud: Cloud) -> None:
    cloud.logs.create_log_group(logGroupName="/services/log-of-another-name")
    cloud.converge("log_group", **GROUP)
    assert_log_group(cloud)


LOG_DRIFT: dict[str, Act] = {
    "kept for ever": lambda c: c.logs.delete_retention_policy(logGroupName="/services/log"),
    "kept for a day": lambda c: c.logs.put_retention_policy(logGroupName="/services/log", retentionInDays=1),
    "a tag is extra": lambda c: c.logs.tag_resource(resourceArn=log_arn(), tags={"x": "y"}),
    "a tag is gone": lambda c: c.logs.untag_resource(resourceArn=log_arn(), tagKeys=["Project"]),
}


@pytest.mark.parametrize("drift", LOG_DRIFT)
def test_a_log_group_is_repaired(cloud: Cloud, drift: str) -> None:
    cloud.ok("log_group", **GROUP)
    LOG_DRIFT[drift](cloud)
    cloud.converge("log_group", **GROUP)
    assert_log_group(cloud)


def test_a_log_group_goes(cloud: Cloud) -> None:
    cloud.ok("log_group", **GROUP)
    cloud.converge("log_group", name="/services/log", state="absent")
    assert log_group(cloud) is None


# --- Lambda function ---------------------------------------------------------------------------------------

CODE = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event.get("rawPath"))}
"""
BY_FUNCTION = {"FunctionName": "services-function"}
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/services-rule"


def zip_of(code: str) -> bytes:
    """A zip that is the same for the same code."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), code)
    return file.getvalue()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "app.zip"
    path.write_bytes(zip_of(CODE))
    return path


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
    return {"services-subnet": subnet, "services-group": group}


@pytest.fixture
def arguments(cloud: Cloud, package: Path, network: dict[str, str]) -> dict[str, Any]:
    """A task's arguments; its role and its network exist."""
    cloud.ok("iam_role", name="services-role", trust=trust("lambda.amazonaws.com"))
    return {
        "name": "services-function",
        "zip": str(package),
        "handler": "app.handler",
        "runtime": "python3.13",
        "role": "services-role",
        "memory": 512,
        "timeout": 60,
        "environment": {"RAW_BUCKET": "services-raw", "DWH_PORT": 5432},
        "vpc": "services-vpc",
        "subnets": ["services-subnet"],
        "security_groups": ["services-group"],
        "reserved_concurrency": 2,
        "permissions": [{"sid": "schedule", "principal": "events.amazonaws.com", "source_arn": RULE_ARN}],
        "foreign_permissions": ["http-api"],
        "asynchronous": {"max_retries": 1, "max_age_seconds": 3600},
        "description": "Tests",
        "tags": TAGS,
    }


@pytest.fixture
def function(cloud: Cloud, arguments: dict[str, Any]) -> Cloud:
    """The function as its task wants it, whatever the test before did to it."""
    cloud.ok("lambda_function", **arguments)
    return cloud


def permissions(cloud: Cloud) -> dict[str, Any]:
    try:
        answer = cloud.functions.get_policy(**BY_FUNCTION)
    except ClientError:
        return {}
    return {item["Sid"]: item for item in json.loads(answer["Policy"])["Statement"]}


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


def test_a_function_goes(cloud: Cloud, arguments: dict[str, Any]) -> None:
    cloud.ok("lambda_function", **arguments)
    cloud.converge("lambda_function", name="services-function", state="absent")
    assert gone(lambda: cloud.functions.get_function(**BY_FUNCTION))


# --- EventBridge rule --------------------------------------------------------------------------------------

RULE = {
    "name": "services-rule",
    "schedule": "rate(1 hour)",
    "function": "services-function",
    "input": {"prefix": "events/"},
    "description": "Hourly",
    "tags": TAGS,
}
BY_RULE = {"Name": "services-rule"}
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:services-function"


@pytest.fixture(scope="module")
def some_function(cloud: Cloud, package: Path, network: dict[str, str]) -> Cloud:
    """The function, whatever it is like: rule and API only call it."""
    cloud.ok("iam_role", name="services-role", trust=trust("lambda.amazonaws.com"))
    cloud.ok(
        "lambda_function",
        name="services-function",
        zip=str(package),
        handler="app.handler",
        runtime="python3.13",
        role="services-role",
        foreign_permissions=["http-api"],
    )
    return cloud


@pytest.fixture
def rule(some_function: Cloud) -> Cloud:
    some_function.ok("event_rule", **RULE)
    return some_function


def assert_rule(cloud: Cloud) -> None:
    found = cloud.events.describe_rule(**BY_RULE)
    assert (found["ScheduleExpression"], found["State"], found["Description"]) == (
        "rate(1 hour)",
        "ENABLED",
        "Hourly",
    )
    assert not found.get("EventPattern")
    [target] = cloud.events.list_targets_by_rule(Rule="services-rule")["Targets"]
    assert (target["Arn"], json.loads(target["Input"])) == (FUNCTION_ARN, {"prefix": "events/"})
    assert tag_map(cloud.events.list_tags_for_resource(ResourceARN=RULE_ARN)["Tags"]) == TAGS


def test_a_rule_is_created(some_function: Cloud) -> None:
    some_function.converge("event_rule", **RULE)
    assert_rule(some_function)
    some_function.converge("event_rule", name="services-rule", state="absent")
    assert gone(lambda: some_function.events.describe_rule(**BY_RULE))


def put_target(**what: Any) -> Act:
    target = {"Id": "function", "Arn": FUNCTION_ARN, "Input": '{"prefix": "events/"}', **what}
    return lambda cloud: cloud.events.put_targets(Rule="services-rule", Targets=[target])


RULE_DRIFT: dict[str, Act] = {
    "disabled": lambda c: c.events.disable_rule(**BY_RULE),
    "another schedule": lambda c: c.events.put_rule(**BY_RULE, ScheduleExpression="rate(1 day)"),
    "another description": lambda c: c.events.put_rule(
        **BY_RULE, ScheduleExpression="rate(1 hour)", Description="?"
    ),
    "no target": lambda c: c.events.remove_targets(Rule="services-rule", Ids=["function"]),
    "the same target twice": put_target(Id="again"),
    "another function": put_target(Arn=f"{FUNCTION_ARN}-other"),
    "another input": put_target(Input="{}"),
    "fewer retries": put_target(RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}),
    "an extra tag": lambda c: c.events.tag_resource(ResourceARN=RULE_ARN, Tags=[{"Key": "x", "Value": "y"}]),
    "a missing tag": lambda c: c.events.untag_resource(ResourceARN=RULE_ARN, TagKeys=["Project"]),
}


@pytest.mark.parametrize("drift", RULE_DRIFT)
def test_a_rule_is_repaired(rule: Cloud, drift: str) -> None:
    RULE_DRIFT[drift](rule)
    rule.converge("event_rule", **RULE)
    assert_rule(rule)


def test_a_rule_waits_for_its_function(cloud: Cloud) -> None:
    cloud.pending("event_rule", **{**RULE, "name": "services-other", "function": "nobody", "needs": "nobody"})


# --- HTTP API ----------------------------------------------------------------------------------------------

ORIGIN = "https://shop.example.com"
JWT = {"issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_abc", "audience": ["client"]}
API = {
    "name": "services-api",
    "function": "services-function",
    "routes": [{"key": "POST /clickstream"}, {"key": "POST /clickstream/me", "jwt": True}],
    "jwt": JWT,
    "cors": {"allow_origins": [ORIGIN]},
    "access_log_group": "/services/access",
    "description": "Collector",
    "tags": TAGS,
}


@pytest.fixture(scope="module")
def access_log(some_function: Cloud) -> Cloud:
    some_function.ok("log_group", name="/services/access")
    return some_function


@pytest.fixture
def api(access_log: Cloud) -> Cloud:
    access_log.ok("http_api", **API)
    return access_log


def find_api(cloud: Cloud) -> dict[str, Any]:
    [found] = [item for item in cloud.gateway.get_apis()["Items"] if item["Name"] == "services-api"]
    return dict(found)


def by_api(cloud: Cloud) -> dict[str, str]:
    return {"ApiId": find_api(cloud)["ApiId"]}


def parts(cloud: Cloud, kind: str) -> list[dict[str, Any]]:
    return list(getattr(cloud.gateway, f"get_{kind}s")(**by_api(cloud))["Items"])


def only(cloud: Cloud, kind: str) -> dict[str, Any]:
    [found] = parts(cloud, kind)
    return found


def route(cloud: Cloud, key: str) -> dict[str, Any]:
    return next(item for item in parts(cloud, "route") if item["RouteKey"] == key)


def assert_api(cloud: Cloud) -> None:
    api = find_api(cloud)
    assert (api["ProtocolType"], api["Description"], api["Tags"]) == ("HTTP", "Collector", TAGS)
    assert not api.get("DisableExecuteApiEndpoint")
    cors = api["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"], cors["MaxAge"]) == ([ORIGIN], ["POST"], 3600)
    assert set(cors["AllowHeaders"]) == {"content-type", "authorization"}
    integration = only(cloud, "integration")
    assert (integration["IntegrationType"], integration["IntegrationUri"]) == ("AWS_PROXY", FUNCTION_ARN)
    assert (integration["PayloadFormatVersion"], integration["TimeoutInMillis"]) == ("2.0", 30000)
    assert not integration.get("RequestParameters")
    authorizer = only(cloud, "authorizer")
    assert authorizer["JwtConfiguration"] == {"Issuer": JWT["issuer"], "Audience": ["client"]}
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    target = f"integrations/{integration['IntegrationId']}"
    open_route, own_route = route(cloud, "POST /clickstream"), route(cloud, "POST /clickstream/me")
    assert len(parts(cloud, "route")) == 2
    assert (open_route["AuthorizationType"], open_route["Target"]) == ("NONE", target)
    assert (own_route["AuthorizationType"], own_route["Target"]) == ("JWT", target)
    assert own_route["AuthorizerId"] == authorizer["AuthorizerId"]
    stage = only(cloud, "stage")
    assert (stage["StageName"], stage["AutoDeploy"], stage["Tags"]) == ("$default", True, TAGS)
    limits = stage["DefaultRouteSettings"]
    assert (limits["ThrottlingBurstLimit"], limits["ThrottlingRateLimit"]) == (200, 100.0)
    assert limits["DetailedMetricsEnabled"] is True
    log = stage["AccessLogSettings"]
    assert log["DestinationArn"].removesuffix(":*").endswith(":log-group:/services/access")
    assert json.loads(log["Format"])["status"] == "$context.status"
    assert not stage.get("RouteSettings") and not stage.get("StageVariables")
    permission = permissions(cloud)["http-api"]
    assert permission["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert f":{ACCOUNT}:{api['ApiId']}/*" in json.dumps(permission["Condition"])


def test_an_api_is_created_with_all_its_parts(access_log: Cloud) -> None:
    done = access_log.converge("http_api", **API)
    assert_api(access_log)
    assert done["resource"]["api_endpoint"] == find_api(access_log)["ApiEndpoint"]
    access_log.converge("http_api", name="services-api", function="services-function", state="absent")
    assert "services-api" not in [item["Name"] for item in access_log.gateway.get_apis()["Items"]]
    assert "http-api" not in permissions(access_log)


def test_without_a_pool_there_is_no_route_that_promises_an_identity(api: Cloud) -> None:
    api.converge("http_api", **{key: value for key, value in API.items() if key != "jwt"})
    assert only(api, "route")["RouteKey"] == "POST /clickstream"
    assert parts(api, "authorizer") == []


def test_an_api_without_cors_admits_no_other_origin(api: Cloud) -> None:
    api.converge("http_api", **{key: value for key, value in API.items() if key != "cors"})
    assert not find_api(api).get("CorsConfiguration", {}).get("AllowOrigins")


def test_the_api_answers_and_its_preflight_is_right(api: Cloud) -> None:
    url = f"{find_api(api)['ApiEndpoint']}/clickstream"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", method="POST")) as answer:  # noqa: S310
        assert answer.status == 200 and json.loads(answer.read()) == "/clickstream"
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = urllib.request.Request(url, method="OPTIONS", headers=asked)  # noqa: S310
    with urllib.request.urlopen(preflight) as answer:  # noqa: S310
        headers = {key.lower(): value for key, value in answer.headers.items()}
    assert headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in headers["access-control-allow-headers"]
    assert headers["access-control-max-age"] == "3600"


def update_cors(**what: Any) -> Act:
    return lambda cloud: cloud.gateway.update_api(
        **by_api(cloud), CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["POST"], **what}
    )


def update_stage(**what: Any) -> Act:
    return lambda cloud: cloud.gateway.update_stage(**by_api(cloud), StageName="$default", **what)


def update_only(kind: str, **what: Any) -> Act:
    def act(cloud: Cloud) -> None:
        key = f"{kind.capitalize()}Id"
        getattr(cloud.gateway, f"update_{kind}")(**by_api(cloud), **{key: only(cloud, kind)[key]}, **what)

    return act


def open_own_route(cloud: Cloud) -> None:
    route_id = route(cloud, "POST /clickstream/me")["RouteId"]
    cloud.gateway.update_route(**by_api(cloud), RouteId=route_id, AuthorizationType="NONE")


def lose_integration(cloud: Cloud) -> None:
    for item in parts(cloud, "route"):
        cloud.gateway.delete_route(**by_api(cloud), RouteId=item["RouteId"])
    cloud.gateway.delete_integration(
        **by_api(cloud), IntegrationId=only(cloud, "integration")["IntegrationId"]
    )


def elsewhere(cloud: Cloud) -> None:
    """A second integration, and the open route points to it."""
    made = cloud.gateway.create_integration(
        **by_api(cloud),
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri="https://elsewhere.example.com",
        PayloadFormatVersion="1.0",
    )
    cloud.gateway.update_route(
        **by_api(cloud),
        RouteId=route(cloud, "POST /clickstream")["RouteId"],
        Target=f"integrations/{made['IntegrationId']}",
    )


def double(cloud: Cloud) -> None:
    """The same integration twice, and the open route uses the second."""
    made = cloud.gateway.create_integration(
        **by_api(cloud),
        IntegrationType="AWS_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=FUNCTION_ARN,
        PayloadFormatVersion="2.0",
        TimeoutInMillis=30000,
    )
    cloud.gateway.update_route(
        **by_api(cloud),
        RouteId=route(cloud, "POST /clickstream")["RouteId"],
        Target=f"integrations/{made['IntegrationId']}",
    )


def tag(path: str = "") -> Act:
    def act(cloud: Cloud) -> None:
        arn = f"arn:aws:apigateway:{REGION}::/apis/{find_api(cloud)['ApiId']}{path}"
        cloud.gateway.tag_resource(ResourceArn=arn, Tags={"x": "y"})

    return act


API_DRIFT: dict[str, Act] = {
    "description": lambda c: c.gateway.update_api(**by_api(c), Description="?"),
    "endpoint disabled": lambda c: c.gateway.update_api(**by_api(c), DisableExecuteApiEndpoint=True),
    "CORS admits all": update_cors(),
    "CORS admits cookies": update_cors(AllowOrigins=[ORIGIN], AllowCredentials=True),
    "CORS without authorization": update_cors(
        AllowOrigins=[ORIGIN], AllowHeaders=["content-type"], MaxAge=3600
    ),
    "CORS is gone": lambda c: c.gateway.delete_cors_configuration(**by_api(c)),
    "an extra tag": tag(),
    "another payload": update_only("integration", PayloadFormatVersion="1.0"),
    "another timeout": update_only("integration", TimeoutInMillis=1000),
    "another function": update_only("integration", IntegrationUri=f"{FUNCTION_ARN}-other"),
    "a parameter mapping": update_only("integration", RequestParameters={"append:header.x": "y"}),
    "no integration": lose_integration,
    "a route that goes elsewhere": elsewhere,
    "the integration twice": double,
    "another issuer": update_only(
        "authorizer", JwtConfiguration={"Issuer": "https://evil.example.com", "Audience": ["client"]}
    ),
    "another audience": update_only(
        "authorizer", JwtConfiguration={"Issuer": JWT["issuer"], "Audience": ["client", "other"]}
    ),
    "another token source": update_only("authorizer", IdentitySource=["$request.querystring.token"]),
    "an extra authorizer": lambda c: c.gateway.create_authorizer(
        **by_api(c),
        Name="other",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": JWT["issuer"], "Audience": ["x"]},
    ),
    "the route to oneself is open": open_own_route,
    "an extra route": lambda c: c.gateway.create_route(
        **by_api(c), RouteKey="GET /debug", Target=f"integrations/{only(c, 'integration')['IntegrationId']}"
    ),
    "a route that is gone": lambda c: c.gateway.delete_route(
        **by_api(c), RouteId=route(c, "POST /clickstream")["RouteId"]
    ),
    "no stage": lambda c: c.gateway.delete_stage(**by_api(c), StageName="$default"),
    "an extra stage": lambda c: c.gateway.create_stage(**by_api(c), StageName="dev", AutoDeploy=True),
    "no deployment by itself": update_stage(AutoDeploy=False),
    "other limits": update_stage(
        DefaultRouteSettings={
            "ThrottlingBurstLimit": 1,
            "ThrottlingRateLimit": 1.0,
            "DetailedMetricsEnabled": False,
        }
    ),
    "limits of one route": update_stage(
        RouteSettings={"POST /clickstream": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0}}
    ),
    "stage variables": update_stage(StageVariables={"x": "y"}),
    "another access log": update_stage(
        AccessLogSettings={
            "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other",
            "Format": "$context.requestId",
        }
    ),
    "no access log": lambda c: c.gateway.delete_access_log_settings(**by_api(c), StageName="$default"),
    "an extra tag of the stage": tag("/stages/$default"),
    "no permission": lambda c: c.functions.remove_permission(**BY_FUNCTION, StatementId="http-api"),
}


@pytest.mark.parametrize("drift", API_DRIFT)
def test_an_api_is_repaired(api: Cloud, drift: str) -> None:
    API_DRIFT[drift](api)
    api.converge("http_api", **API)
    assert_api(api)


def test_two_apis_of_one_name_are_an_error(api: Cloud) -> None:
    second = api.gateway.create_api(Name="services-api", ProtocolType="HTTP")["ApiId"]
    result = api.run("http_api", **API)
    assert result["failed"] and second in result["msg"] and "Fix:" in result["msg"]
    api.gateway.delete_api(ApiId=second)


def test_an_api_waits_for_its_parents(cloud: Cloud, some_function: Cloud) -> None:
    other = {**API, "name": "services-other"}
    cloud.pending("http_api", **{**other, "function": "nobody", "needs": "nobody"})
    cloud.pending("http_api", **{**other, "access_log_group": "/nowhere", "needs": "/nowhere"})


# --- session document --------------------------------------------------------------------------------------

DOCUMENT = {
    "name": "services-session",
    "log_bucket": "services-logs",
    "shell_profile": "exec bash -l",
    "tags": TAGS,
}
BY_DOCUMENT = {"Name": "services-session"}


def session_inputs(cloud: Cloud) -> dict[str, Any]:
    document = cloud.ssm.get_document(**BY_DOCUMENT)
    assert (document["DocumentType"], document["DocumentFormat"]) == ("Session", "JSON")
    return dict(json.loads(document["Content"])["inputs"])


def assert_document(cloud: Cloud) -> None:
    inputs = session_inputs(cloud)
    assert (inputs["s3BucketName"], inputs["s3KeyPrefix"]) == ("services-logs", "sessions")
    assert (inputs["s3EncryptionEnabled"], inputs["runAsEnabled"]) == (True, False)
    assert (inputs["idleSessionTimeout"], inputs["maxSessionDuration"]) == ("20", "480")
    assert inputs["shellProfile"]["linux"] == "exec bash -l"
    by = {"ResourceType": "Document", "ResourceId": "services-session"}
    assert tag_map(cloud.ssm.list_tags_for_resource(**by)["TagList"]) == TAGS


def test_a_session_document_is_created_and_removed(cloud: Cloud) -> None:
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.converge("session_document", name="services-session", state="absent")
    assert gone(lambda: cloud.ssm.get_document(**BY_DOCUMENT))


def without_transcript(cloud: Cloud) -> None:
    """A newer version is the default one, and logs nothing."""
    content = json.loads(cloud.ssm.get_document(**BY_DOCUMENT)["Content"])
    content["inputs"]["s3BucketName"] = ""
    made = cloud.ssm.update_document(
        **BY_DOCUMENT, Content=json.dumps(content), DocumentVersion="$LATEST", DocumentFormat="JSON"
    )
    version = made["DocumentDescription"]["DocumentVersion"]
    cloud.ssm.update_document_default_version(**BY_DOCUMENT, DocumentVersion=version)


def back_to_the_first(cloud: Cloud) -> None:
    """The newest version is right, but an older one is the default."""
    without_transcript(cloud)
    cloud.ok("session_document", **DOCUMENT)
    versions = cloud.ssm.list_document_versions(**BY_DOCUMENT)["DocumentVersions"]
    bad = [
        item["DocumentVersion"]
        for item in versions
        if not json.loads(
            cloud.ssm.get_document(**BY_DOCUMENT, DocumentVersion=item["DocumentVersion"])["Content"]
        )["inputs"]["s3BucketName"]
    ]
    cloud.ssm.update_document_default_version(**BY_DOCUMENT, DocumentVersion=bad[0])


@pytest.mark.parametrize("drift", [without_transcript, back_to_the_first])
def test_a_session_document_is_repaired(cloud: Cloud, drift: Act) -> None:
    cloud.ok("session_document", **DOCUMENT)
    drift(cloud)
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.ok("session_document", name="services-session", state="absent")


def test_tags_of_a_session_document_are_repaired(cloud: Cloud) -> None:
    cloud.ok("session_document", **DOCUMENT)
    by = {"ResourceType": "Document", "ResourceId": "services-session"}
    cloud.ssm.add_tags_to_resource(**by, Tags=[{"Key": "x", "Value": "y"}])
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.ok("session_document", name="services-session", state="absent")


# --- an empty account --------------------------------------------------------------------------------------


def test_on_an_empty_account_check_mode_names_everything_and_writes_nothing() -> None:
    with emulated_cloud() as empty:
        wanted: list[tuple[str, dict[str, Any], str | None]] = [
            ("bucket", BUCKET, None),
            ("iam_role", ROLE, None),
            ("secret_parameter", GENERATED, None),
            ("log_group", GROUP, None),
            ("session_document", DOCUMENT, None),
            (
                "lambda_function",
                {"name": "f", "zip": "/nowhere.zip", "handler": "a.b", "runtime": "python3.13", "role": "r"},
                "r",
            ),
            ("event_rule", RULE, "services-function"),
            ("http_api", API, "services-function"),
        ]
        for module, given, needs in wanted:
            told = empty.ok(module, check=True, **given)
            assert (told["changed"], told.get("pending")) == (True, needs), module
            assert told["diff"]["after"], module
            removed = empty.ok(module, check=True, name=given["name"], state="absent")
            assert removed["changed"] is False, module
        assert empty.writes == []
