"""The module bucket: S3's answers in one of their equal forms; other regions and owners."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest

from ansible_collections.clickstream.aws.plugins.modules.bucket import (
    Bucket,
    cors_rule,
    described_rule,
    lifecycle_rule,
    tls_only,
)
from ansible_collections.clickstream.aws.plugins.modules.bucket import (
    described_cors as described_cors_rule,
)
from tests.support.fakes import FailedError, Module, error


@pytest.mark.parametrize("everything", [{"Filter": {}}, {"Filter": {"Prefix": ""}}, {}])
def test_a_rule_for_everything_has_one_form(everything: dict[str, Any]) -> None:
    described = described_rule({"ID": "a", "Status": "Enabled", "Expiration": {"Days": 1}, **everything})
    options = {"expire_days": 1, "expire_noncurrent_days": None, "abort_multipart_days": None}
    assert described == lifecycle_rule({"id": "a", "prefix": "", **options})


def test_a_disabled_rule_is_drift() -> None:
    options = {"expire_days": 1, "expire_noncurrent_days": None, "abort_multipart_days": None}
    wanted = lifecycle_rule({"id": "a", "prefix": "x/", **options})
    assert described_rule({**wanted, "Status": "Disabled"}) != wanted


def test_the_order_of_origins_is_no_drift() -> None:
    options = {
        "allowed_origins": ["https://b", "https://a"],
        "allowed_methods": ["GET"],
        "allowed_headers": [],
        "expose_headers": [],
        "max_age_seconds": None,
    }
    answer = {"AllowedOrigins": ["https://b", "https://a"], "AllowedMethods": ["GET"], "ExposeHeaders": []}
    assert described_cors_rule(answer) == cors_rule(options)


def test_tls_is_required_for_the_bucket_and_its_objects() -> None:
    assert tls_only("arn:aws:s3:::a")["Resource"] == ["arn:aws:s3:::a", "arn:aws:s3:::a/*"]


def s3(**answers: Any) -> Any:
    client = mock.Mock()
    client.head_bucket.return_value = {}
    for call, answer in answers.items():
        getattr(client, call).side_effect = answer
    return client


def test_a_bucket_in_the_oldest_region_names_no_region() -> None:
    client = s3()
    bucket = Bucket(Module(client, region="us-east-1"))
    with mock.patch.object(bucket, "read", return_value={}), mock.patch.object(bucket, "update"):
        bucket.create({})
    client.create_bucket.assert_called_once_with(Bucket="a", ObjectOwnership="BucketOwnerEnforced")


def test_a_bucket_elsewhere_names_its_region() -> None:
    client = s3()
    bucket = Bucket(Module(client, region="eu-central-1"))
    with mock.patch.object(bucket, "read", return_value={}), mock.patch.object(bucket, "update"):
        bucket.create({})
    place = client.create_bucket.call_args.kwargs["CreateBucketConfiguration"]
    assert place == {"LocationConstraint": "eu-central-1"}


def test_a_bucket_of_ours_in_another_region_is_an_error_with_the_fix() -> None:
    client = s3()
    client.head_bucket.return_value = {"BucketRegion": "eu-west-1"}
    with pytest.raises(FailedError, match=r"in region eu-west-1.*Fix: set platform_region"):
        Bucket(Module(client)).read()


@pytest.mark.parametrize("code", ["403", "AccessDenied"])
def test_a_name_that_is_taken_is_an_error_with_the_fix(code: str) -> None:
    with pytest.raises(FailedError, match="platform_bucket_suffix"):
        Bucket(Module(s3(head_bucket=error(code)))).read()
    assert Bucket(Module(s3(head_bucket=error(code)), state="absent")).read() is None


def test_a_name_that_is_taken_while_we_look_is_the_same_error() -> None:
    with pytest.raises(FailedError, match="platform_bucket_suffix"):
        Bucket(Module(s3(create_bucket=error("BucketAlreadyExists")))).create({})


def test_an_object_that_cannot_be_removed_is_told() -> None:
    client = s3()
    pages = [{"Versions": [{"Key": "k", "VersionId": "1"}]}]
    client.get_paginator.return_value.paginate.return_value = pages
    client.delete_objects.return_value = {"Errors": [{"Key": "k", "Message": "object lock"}]}
    with pytest.raises(FailedError, match="object k: object lock"):
        Bucket(Module(client, force=True)).empty()


@pytest.mark.parametrize("not_yet", ["OperationAborted", "NoSuchBucket"])
def test_a_change_that_s3_cannot_take_yet_is_sent_again(
    not_yet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes one change of a bucket at a time, and a new bucket is not known everywhere at once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    client = s3(put_public_access_block=[error(not_yet), error(not_yet), {}])
    bucket = Bucket(Module(client, tags={}))
    bucket.update({}, {"public_access": {}}, frozenset({"public_access"}))
    assert client.put_public_access_block.call_count == 3
