"""Role storage: the platform's buckets."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import ACCOUNT, OF_ACCOUNT, REGION, TAGS, absent, client, tags

TIDY = {"tidy": ("", None, 30)}
LOGS = f"clickstream-s3-logs{OF_ACCOUNT}"
BUCKETS: dict[str, dict[str, tuple[str, int | None, int | None]]] = {
    LOGS: {**TIDY, "logs": ("", 90, None)},
    f"clickstream-s3-ingest{OF_ACCOUNT}": {**TIDY, "rejected": ("rejected/", 90, None)},
    f"clickstream-s3-sbw{OF_ACCOUNT}": TIDY,
    f"clickstream-s3-transfer{OF_ACCOUNT}": {"transfer": ("", 1, None)},
    f"clickstream-s3-backup{OF_ACCOUNT}": TIDY,
    f"clickstream-s3-session-logs{OF_ACCOUNT}": {"tidy": ("", None, 365), "transcripts": ("", 365, None)},
}
"""Bucket → lifecycle rule → prefix, days until objects expire, days until versions do."""
MADE = [f"bucket {name}" for name in BUCKETS]
BROKEN = [
    f"bucket {LOGS}: policy",
    f"bucket clickstream-s3-ingest{OF_ACCOUNT}: access_log, lifecycle, versioning",
    f"bucket clickstream-s3-sbw{OF_ACCOUNT}: policy, public_access",
]


ACCESS_LOGS = {
    f"clickstream-s3-ingest{OF_ACCOUNT}": "access/raw/",
    f"clickstream-s3-session-logs{OF_ACCOUNT}": "access/session-logs/",
}
"""Bucket whose access is logged → prefix in the log bucket."""
OF_US = {"aws:SourceAccount": ACCOUNT}
OF_LOGS = {"StringEquals": OF_US, "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"}}
OF_BUCKETS = {
    "StringEquals": OF_US,
    "ArnLike": {"aws:SourceArn": [f"arn:aws:s3:::{one}" for one in ACCESS_LOGS]},
}
WRITERS = [
    (
        "delivery.logs.amazonaws.com",
        "s3:PutObject",
        f"arn:aws:s3:::{LOGS}/flow-logs/AWSLogs/{ACCOUNT}/*",
        OF_LOGS,
    ),
    ("delivery.logs.amazonaws.com", ["s3:GetBucketAcl", "s3:ListBucket"], f"arn:aws:s3:::{LOGS}", OF_LOGS),
    ("logging.s3.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::{LOGS}/access/*", OF_BUCKETS),
]
"""Who else may do what in the log bucket: services of AWS, on behalf of the account alone."""


def lifecycle(bucket: str) -> dict[str, tuple[str, int | None, int | None]]:
    """The rules of a bucket, as in BUCKETS; each is on and clears up uploads that were broken off."""
    rules = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert all(
        (rule["Status"], rule.get("AbortIncompleteMultipartUpload", {"DaysAfterInitiation": 1}))
        == ("Enabled", {"DaysAfterInitiation": 1})
        for rule in rules
    )
    return {
        rule["ID"]: (
            rule["Filter"].get("Prefix", ""),
            rule.get("Expiration", {}).get("Days"),
            rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        )
        for rule in rules
    }


def policy(bucket: str) -> list[dict[str, Any]]:
    """The statements of a bucket's policy."""
    return list(json.loads(client("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"])


def verify() -> None:
    """Every bucket is private, encrypted and TLS-only; all but the transfer bucket keep versions."""
    s3 = client("s3")
    assert sorted(one["Name"] for one in s3.list_buckets()["Buckets"]) == sorted(BUCKETS)
    for name, rules in BUCKETS.items():
        by = {"Bucket": name}
        assert s3.get_bucket_location(**by)["LocationConstraint"] == REGION
        versions = s3.get_bucket_versioning(**by).get("Status")
        assert (versions == "Enabled") == (name != f"clickstream-s3-transfer{OF_ACCOUNT}"), name
        [rule] = s3.get_bucket_encryption(**by)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert set(s3.get_public_access_block(**by)["PublicAccessBlockConfiguration"].values()) == {True}
        owners = s3.get_bucket_ownership_controls(**by)["OwnershipControls"]["Rules"]
        assert owners == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        deny, *writers = policy(name)
        assert [
            (one["Principal"]["Service"], one["Action"], one["Resource"], one["Condition"]) for one in writers
        ] == (WRITERS if name == LOGS else [])
        log = s3.get_bucket_logging(**by).get("LoggingEnabled", {})
        prefix = ACCESS_LOGS.get(name)
        assert (log.get("TargetBucket"), log.get("TargetPrefix")) == (prefix and LOGS, prefix)
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert sorted(deny["Resource"]) == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        assert lifecycle(name) == rules
        assert absent(lambda by=by: s3.get_bucket_cors(**by))
        assert tags(s3.get_bucket_tagging(**by)) == TAGS


def break_by_hand() -> None:
    """Raw events, of which there is one, expire, keep no versions and are read by nobody knows whom.

    Any account's logs may be written into ours, and the media bucket is everybody's.
    """
    s3 = client("s3")
    raw, media = (
        {"Bucket": f"clickstream-s3-ingest{OF_ACCOUNT}"},
        {"Bucket": f"clickstream-s3-sbw{OF_ACCOUNT}"},
    )
    expire = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    s3.put_object(**raw, Key="events/2026/01/01/00/one.json", Body=b"{}")
    s3.put_bucket_lifecycle_configuration(**raw, LifecycleConfiguration={"Rules": [expire]})
    s3.put_bucket_versioning(**raw, VersioningConfiguration={"Status": "Suspended"})
    s3.put_bucket_logging(**raw, BucketLoggingStatus={})
    anybody = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
    }
    document = {"Version": "2012-10-17", "Statement": [{**anybody, "Resource": f"arn:aws:s3:::{LOGS}/*"}]}
    s3.put_bucket_policy(Bucket=LOGS, Policy=json.dumps(document))
    s3.delete_public_access_block(**media)
    s3.delete_bucket_policy(**media)
