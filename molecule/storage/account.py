"""Role storage: the platform's buckets."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import OF_ACCOUNT, REGION, TAGS, absent, client, tags

TIDY = {"tidy": ("", None, 30)}
BUCKETS: dict[str, dict[str, tuple[str, int | None, int | None]]] = {
    f"clickstream-s3-ingest{OF_ACCOUNT}": {**TIDY, "rejected": ("rejected/", 90, None)},
    f"clickstream-s3-sbw{OF_ACCOUNT}": TIDY,
    f"clickstream-s3-transfer{OF_ACCOUNT}": {"transfer": ("", 1, None)},
    f"clickstream-s3-backup{OF_ACCOUNT}": TIDY,
    f"clickstream-s3-session-logs{OF_ACCOUNT}": {"tidy": ("", None, 365), "transcripts": ("", 365, None)},
}
"""Bucket → lifecycle rule → prefix, days until objects expire, days until versions do."""
MADE = [f"bucket {name}" for name in BUCKETS]
BROKEN = [
    f"bucket clickstream-s3-ingest{OF_ACCOUNT}: lifecycle, versioning",
    f"bucket clickstream-s3-sbw{OF_ACCOUNT}: policy, public_access",
]


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
        [deny] = policy(name)
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert sorted(deny["Resource"]) == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        assert lifecycle(name) == rules
        assert absent(lambda by=by: s3.get_bucket_cors(**by))
        assert tags(s3.get_bucket_tagging(**by)) == TAGS


def break_by_hand() -> None:
    """Raw events, of which there is one, expire and keep no versions; the media bucket is everybody's."""
    s3 = client("s3")
    raw, media = (
        {"Bucket": f"clickstream-s3-ingest{OF_ACCOUNT}"},
        {"Bucket": f"clickstream-s3-sbw{OF_ACCOUNT}"},
    )
    expire = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    s3.put_object(**raw, Key="events/2026/01/01/00/one.json", Body=b"{}")
    s3.put_bucket_lifecycle_configuration(**raw, LifecycleConfiguration={"Rules": [expire]})
    s3.put_bucket_versioning(**raw, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(**media)
    s3.delete_bucket_policy(**media)
