"""The module bucket: create, repair, remove."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Act
from tests.support.services import Cloud, gone, tag_map
from tests.support.tasks import ACCOUNT, BUCKET, REGION, TAGS

NAME = {"Bucket": "services-raw"}


@pytest.fixture(autouse=True)
def log_target(cloud: Cloud) -> None:
    """The bucket of the access log."""
    cloud.ok("bucket", name=BUCKET["access_log"]["bucket"])


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
    log = s3.get_bucket_logging(**NAME)["LoggingEnabled"]
    assert (log["TargetBucket"], log["TargetPrefix"]) == ("services-log-target", "access/raw/")
    assert tag_map(s3.get_bucket_tagging(**NAME)["TagSet"]) == TAGS


def test_a_policy_in_another_form_is_no_drift(bucket: Cloud) -> None:
    deny, read = bucket_policy(bucket)
    read["Principal"] = {"AWS": [ACCOUNT]}
    document = {"Version": "2012-10-17", "Statement": [read, {**deny, "Action": ["s3:*"]}]}
    bucket.s3.put_bucket_policy(**NAME, Policy=json.dumps(document))
    assert bucket.ok("bucket", **BUCKET)["changed"] is False
    bucket.s3.put_bucket_policy(**NAME, Policy=json.dumps({**document, "Version": "2008-10-17"}))
    bucket.converge("bucket", **BUCKET)


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
    "nobody logs who reads it": lambda c: c.s3.put_bucket_logging(**NAME, BucketLoggingStatus={}),
    "the log goes into the bucket itself": lambda c: c.s3.put_bucket_logging(
        **NAME,
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": NAME["Bucket"], "TargetPrefix": "events/"}},
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
        s3.get_bucket_logging(**NAME),
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
    assert "LoggingEnabled" not in bucket.s3.get_bucket_logging(**NAME)


def test_an_access_log_into_a_bucket_that_is_not_there_is_refused(cloud: Cloud) -> None:
    target = {"bucket": "services-no-target", "prefix": "x/"}
    failed = cloud.run("bucket", **{**BUCKET, "access_log": target})
    assert failed["failed"] and "InvalidTargetBucketForLogging" in failed["msg"]


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


OF_ACCOUNT = f"services-123456789012-{REGION}-an"


def test_a_name_of_the_account_s_namespace_is_created_there(cloud: Cloud) -> None:
    cloud.converge("bucket", name=OF_ACCOUNT)
    assert OF_ACCOUNT in [one["Name"] for one in cloud.s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("name", "namespace", "code"),
    [
        (OF_ACCOUNT, {}, "MissingNamespaceHeader"),
        ("services-raw-an", {}, "MissingNamespaceHeader"),
        ("services-raw", {"BucketNamespace": "account-regional"}, "InvalidBucketNamespace"),
        (
            f"services-210987654321-{REGION}-an",
            {"BucketNamespace": "account-regional"},
            "InvalidBucketNamespace",
        ),
        (
            "services-123456789012-eu-west-1-an",
            {"BucketNamespace": "account-regional"},
            "InvalidBucketNamespace",
        ),
    ],
)
def test_the_endpoint_refuses_what_is_in_the_wrong_namespace(
    cloud: Cloud, name: str, namespace: dict[str, str], code: str
) -> None:
    place = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    with pytest.raises(ClientError) as refused:
        cloud.s3.create_bucket(Bucket=name, **place, **namespace)
    assert refused.value.response["Error"]["Code"] == code


def test_a_name_of_another_account_s_namespace_is_an_error_with_the_fix(cloud: Cloud) -> None:
    result = cloud.run("bucket", name=f"services-210987654321-{REGION}-an")
    assert result["failed"] and "platform_bucket_suffix" in result["msg"] and "Fix:" in result["msg"]
