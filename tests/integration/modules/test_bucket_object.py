"""The module bucket_object: create, repair, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Act
from tests.support.services import Cloud
from tests.support.tasks import BUCKET

PLACE = {"Bucket": "services-raw", "Key": "tracker/a.js"}
NAMED = {"bucket": "services-raw", "key": "tracker/a.js"}
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def task(cloud: Cloud, tmp_path: Path) -> dict[str, Any]:
    cloud.ok("bucket", **BUCKET)
    (tmp_path / "a.js").write_text("let a", encoding="utf-8")
    return {
        **NAMED,
        "src": str(tmp_path / "a.js"),
        "content_type": "text/javascript",
        "cache_control": FOR_EVER,
    }


def assert_published(cloud: Cloud) -> None:
    found = cloud.s3.get_object(**PLACE)
    assert found["Body"].read() == b"let a"
    assert (found["ContentType"], found["CacheControl"]) == ("text/javascript", FOR_EVER)


def test_an_object_is_created(cloud: Cloud, task: dict[str, Any]) -> None:
    cloud.converge("bucket_object", **task)
    assert_published(cloud)


def put(cloud: Cloud, body: str, **how: str) -> None:
    cloud.s3.put_object(**PLACE, Body=body.encode(), **{"ContentType": "text/javascript", **how})


DRIFT: dict[str, Act] = {
    "it says something else": lambda c: put(c, "let b", CacheControl=FOR_EVER),
    "it may be kept for a minute": lambda c: put(c, "let a", CacheControl="max-age=60"),
    "it is no script": lambda c: put(c, "let a", CacheControl=FOR_EVER, ContentType="text/plain"),
    "it is gone": lambda c: c.s3.delete_object(**PLACE),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_an_object_is_repaired(cloud: Cloud, task: dict[str, Any], drift: str) -> None:
    cloud.ok("bucket_object", **task)
    DRIFT[drift](cloud)
    cloud.converge("bucket_object", **task)
    assert_published(cloud)


def test_an_object_goes(cloud: Cloud, task: dict[str, Any]) -> None:
    cloud.ok("bucket_object", **task)
    cloud.converge("bucket_object", **NAMED, state="absent")
    with pytest.raises(ClientError, match="404"):
        cloud.s3.head_object(**PLACE)


def test_without_its_bucket_it_is_pending(cloud: Cloud, task: dict[str, Any]) -> None:
    cloud.pending("bucket_object", needs="nobodys", **{**task, "bucket": "nobodys"})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"src": "/nowhere/a.js"}, "cannot be read"), ({"tags": {"a": "b"}}, "no tags of its own")],
)
def test_bad_input_is_reported_with_its_fix(
    cloud: Cloud, task: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    failed = cloud.run("bucket_object", **{**task, **wrong})
    assert failed["failed"] and says in failed["msg"] and "Fix:" in failed["msg"]
