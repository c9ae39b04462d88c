"""Role tracker: the built files in the media bucket."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from tests.support.molecule.account import OF_ACCOUNT, REGION, client

MEDIA = f"clickstream-s3-sbw{OF_ACCOUNT}"
BUILT = Path(__file__).parents[2] / "files/tracker/dist"
FOR_EVER = "public, max-age=31536000, immutable"
PUBLISHED = json.loads((BUILT / "published.json").read_text(encoding="utf-8"))
SCRIPT, MODULE = (f"tracker/{PUBLISHED[name]['key']}" for name in ("tracker.js", "tracker.mjs"))
OLD = "tracker/tracker-0.9.0-0123456789ab.js"
MADE = [f"object s3://{MEDIA}/{key}" for key in (SCRIPT, MODULE)]
BROKEN = [f"object s3://{MEDIA}/{SCRIPT}: cache_control, content_type, md5", f"object s3://{MEDIA}/{MODULE}"]


def prepare() -> None:
    """The media bucket, with an older release that pages still name."""
    s3 = client("s3")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=MEDIA, CreateBucketConfiguration=where, BucketNamespace="account-regional")
    s3.put_object(Bucket=MEDIA, Key=OLD, Body=b"old")


def objects() -> set[str]:
    return {one["Key"] for one in client("s3").list_objects_v2(Bucket=MEDIA)["Contents"]}


def verify() -> None:
    """Both files, as they were built, under names and with the hash that published.json says."""
    assert objects() == {SCRIPT, MODULE, OLD}
    for key, name in ((SCRIPT, "tracker.js"), (MODULE, "tracker.mjs")):
        found = client("s3").get_object(Bucket=MEDIA, Key=key)
        content = found["Body"].read()
        digest = hashlib.sha384(content).digest()
        assert content == (BUILT / name).read_bytes()
        assert PUBLISHED[name]["integrity"] == f"sha384-{base64.b64encode(digest).decode()}"
        assert key.rpartition("-")[2].partition(".")[0] == digest.hex()[:12]
        assert found["ContentType"] == "text/javascript; charset=utf-8"
        assert found["CacheControl"] == FOR_EVER


def break_by_hand() -> None:
    """Somebody edits the script in the console, which makes it a file to download; the module is deleted."""
    client("s3").put_object(Bucket=MEDIA, Key=SCRIPT, Body=b"alert(1)")
    client("s3").delete_object(Bucket=MEDIA, Key=MODULE)


def removed() -> None:
    """The older release stays with its bucket."""
    assert objects() == {OLD}
