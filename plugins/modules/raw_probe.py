#!/usr/bin/python
"""Ansible module: what a verification's requests have become in the raw bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: raw_probe
short_description: Find a verification's events in the raw bucket, or remove them
description:
  - Reads the raw objects that arrived since O(since) and finds the events of the run O(run_id).
  - With O(state=absent), removes the objects that hold no other events, and what of the run was rejected.
options:
  bucket:
    description: The raw bucket.
    type: str
    required: true
  run_id:
    description: What marks the run's client ids and its User-Agent.
    type: str
    required: true
  since:
    description: When the events began to be sent, ISO 8601 with its offset.
    type: str
    required: true
  state:
    description: Whether to find the events or to remove them.
    choices: [found, absent]
    default: found
    type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Find the events of this run
  clickstream.aws.raw_probe:
    bucket: clickstream-s3-ingest
    run_id: 20261121t060000
    since: "2026-11-21T06:00:00+00:00"
"""

RETURN = r"""
objects:
  description: Keys of the objects with events of this run.
  type: list
  elements: str
  returned: always
event_ids:
  description: The distinct event ids in them.
  type: list
  elements: str
  returned: always
rejected:
  description: Keys of the objects under C(rejected/) that requests of this run made.
  type: list
  elements: str
  returned: always
"""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils import traffic

READERS = 16
"""Objects read at once."""


class Found(NamedTuple):
    """One raw object: its key, the ids of this run's events in it, and whether there are others."""

    key: str
    event_ids: list[str]
    others: bool


def hours(since: datetime, until: datetime) -> list[str]:
    """The hour prefixes ``YYYY/MM/DD/HH/`` (UTC) from the one of ``since`` to the one of ``until``."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    steps = int((until - hour) // timedelta(hours=1)) + 1
    return [f"{hour + timedelta(hours=step):%Y/%m/%d/%H/}" for step in range(steps)]


def events_of(document: Any) -> list[dict[str, Any]]:
    """The events in any of the three raw forms."""
    if isinstance(document, list):
        return [event for event in document if isinstance(event, dict)]
    events = document.get("events", document)
    return events_of(events) if isinstance(events, list) else [events]


def client_of(event: dict[str, Any]) -> str:
    """The client id under either of its names."""
    return str(event.get("clientId") or event.get("client_id") or "")


def made_by(document: Any, user_agent: str) -> bool:
    """Whether a raw or rejected object comes from a request with that User-Agent."""
    ingest = document.get("_ingest", {}) if isinstance(document, dict) else {}
    return bool(ingest.get("userAgent") == user_agent)


class RawBucket:
    """The raw bucket, read by hour."""

    def __init__(self, s3: Any, bucket: str, since: datetime) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.since = since

    def keys(self, root: str) -> Iterator[str]:
        """Keys under ``<root>/`` that arrived since the run began."""
        pages = self.s3.get_paginator("list_objects_v2")
        for hour in hours(self.since, datetime.now(UTC)):
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{root}/{hour}"):
                for item in page.get("Contents", []):
                    if item["LastModified"] >= self.since.replace(microsecond=0):
                        yield item["Key"]

    def document(self, key: str) -> Any:
        """An object's JSON, unpacked where it is gzip."""
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)

    def found(self, key: str, client_prefix: str) -> Found:
        """What one object holds of this run."""
        document = self.document(key)
        mine = [event for event in events_of(document) if client_of(event).startswith(client_prefix)]
        ids = [str(event.get("eventId") or event.get("event_id")) for event in mine]
        return Found(key, ids, len(mine) < len(events_of(document)))

    def remove(self, keys: list[str]) -> None:
        """Remove objects, a thousand at a call (S3's limit)."""
        for start in range(0, len(keys), 1000):
            doomed = [{"Key": key} for key in keys[start : start + 1000]]
            self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": doomed, "Quiet": True})


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "bucket": {"required": True},
            "run_id": {"required": True},
            "since": {"required": True},
            "state": {"choices": ["found", "absent"], "default": "found"},
        },
        supports_check_mode=True,
    )
    params = module.params
    prefix, agent = traffic.client_prefix(params["run_id"]), traffic.user_agent(params["run_id"])
    raw = RawBucket(module.client("s3"), params["bucket"], datetime.fromisoformat(params["since"]))
    try:
        with ThreadPoolExecutor(READERS) as pool:
            every = pool.map(lambda key: raw.found(key, prefix), raw.keys("events"))
            objects = [found for found in every if found.event_ids]
            rejected = list(raw.keys("rejected"))
            documents = zip(rejected, pool.map(raw.document, rejected), strict=True)
            mine = [key for key, document in documents if made_by(document, agent)]
        doomed = [found.key for found in objects if not found.others] + mine
        if params["state"] == "absent" and not module.check_mode:
            raw.remove(doomed)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"raw bucket {params['bucket']}")
    module.exit_json(
        changed=params["state"] == "absent" and bool(doomed),
        objects=[found.key for found in objects],
        event_ids=sorted({event_id for found in objects for event_id in found.event_ids}),
        rejected=mine,
    )


if __name__ == "__main__":
    main()
