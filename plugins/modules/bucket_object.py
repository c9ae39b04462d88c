#!/usr/bin/python
"""Ansible module: a file in an S3 bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bucket_object
short_description: A file in an S3 bucket
description:
  - Puts a file of the controller into a bucket under O(key), repairs or removes it.
  - Unlike M(amazon.aws.s3_object), it also repairs how the object is served, its media type for one.
  - It is for small files in buckets with SSE-S3, where an object's ETag is the MD5 of its content.
  - An object has no tags of its own here; O(tags) must be empty.
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  key:
    description: Key of the object.
    type: str
    required: true
  src:
    description: Path of the file on the controller. Required where O(state=present).
    type: path
  content_type:
    description: Media type with which it is served. Required where O(state=present).
    type: str
  cache_control:
    description: How long browsers and CDNs may keep it, as in the header C(Cache-Control).
    type: str
    default: no-cache
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Publish a script under a name that no other content will have
  clickstream.aws.bucket_object:
    bucket: clickstream-s3-sbw
    key: tracker/tracker-1.0.0-0123456789ab.js
    src: files/tracker/dist/tracker.js
    content_type: text/javascript; charset=utf-8
    cache_control: public, max-age=31536000, immutable
"""

RETURN = r"""
exists:
  description: Whether the object exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The object after the task; in check mode as it would be. Empty where it does not exist.
  returned: unless pending
  type: dict
  contains:
    md5:
      description: MD5 of its content.
      type: str
    content_type:
      description: Media type with which it is served.
      type: str
    cache_control:
      description: Its header C(Cache-Control).
      type: str
pending:
  description: Name of the bucket, where it does not exist yet.
  returned: in check mode, where the bucket is missing
  type: str
"""

import hashlib
from pathlib import Path

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Missing,
    Resource,
    State,
    ignore_absent,
    run_module,
)


class BucketObject(Resource):
    """An object, by its bucket and key."""

    kind = "object"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.s3 = module.client("s3")
        self.place = {"Bucket": self.params["bucket"], "Key": self.params["key"]}

    @property
    def name(self) -> str:
        """As it is named on the command line."""
        return f"s3://{self.place['Bucket']}/{self.place['Key']}"

    def read(self) -> State | None:
        """md5, content_type and cache_control."""
        bucket = self.place["Bucket"]
        if ignore_absent(lambda: self.s3.head_bucket(Bucket=bucket), "404") is None:
            raise Missing("bucket", bucket)
        found = ignore_absent(lambda: self.s3.head_object(**self.place), "404")
        if found is None:
            return None
        return {
            "md5": found["ETag"].strip('"'),
            "content_type": found.get("ContentType", ""),
            "cache_control": found.get("CacheControl", ""),
        }

    def desired(self) -> State:
        """As the file and the task say."""
        if self.params["tags"]:
            raise InvalidInput("an object has no tags of its own", "leave tags out")
        return {
            "md5": hashlib.md5(self.content(), usedforsecurity=False).hexdigest(),
            "content_type": self.params["content_type"],
            "cache_control": self.params["cache_control"],
        }

    def content(self) -> bytes:
        """The file's bytes."""
        try:
            return Path(self.params["src"]).read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"{self.params['src']} cannot be read: {error.strerror}", "name a file"
            ) from None

    def create(self, desired: State) -> None:
        """Put it."""
        self.s3.put_object(
            **self.place,
            Body=self.content(),
            ContentType=desired["content_type"],
            CacheControl=desired["cache_control"],
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Put it again: S3 changes no object, nor how it is served."""
        self.create(desired)

    def delete(self, current: State) -> None:
        """Remove it."""
        self.s3.delete_object(**self.place)


def main() -> None:
    """Run the module."""
    run_module(
        BucketObject,
        {
            "bucket": {"required": True},
            "key": {"required": True, "no_log": False},
            "src": {"type": "path"},
            "content_type": {},
            "cache_control": {"default": "no-cache"},
        },
        required_if_present=("src", "content_type"),
    )


if __name__ == "__main__":
    main()
