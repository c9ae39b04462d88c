#!/usr/bin/python
"""Ansible module: a Session Manager document for operators' shells."""

from __future__ import annotations

DOCUMENTATION = r"""
module: session_document
short_description: A Session Manager document for operators' shells
description:
  - Creates, repairs or removes the session document called O(name), for shells with a transcript in a bucket
    or without one.
  - The module compares and sets the default version, which C(aws ssm start-session --document-name) uses.
options:
  name:
    description:
      - Name of the document. V(SSM-SessionManagerRunShell) is the account's own preferences.
      - Required, here or in O(each).
    type: str
  log_bucket:
    description: Bucket that transcripts are written to; empty for none.
    type: str
    default: ""
  log_prefix:
    description: Prefix of transcripts in O(log_bucket).
    type: str
    default: sessions
  idle_minutes:
    description: Minutes after which an idle session ends, 1 to 60.
    type: int
    default: 20
  max_minutes:
    description: Minutes after which every session ends, 1 to 1440.
    type: int
    default: 480
  shell_profile:
    description: Shell commands that a Linux session starts with.
    type: str
    default: ""
  description:
    description: What the document is for.
    type: str
    default: Shell with a transcript
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Let operators open shells that leave a transcript
  clickstream.aws.session_document:
    name: clickstream-session
    log_bucket: clickstream-s3-session-logs
    shell_profile: exec bash -l
"""

RETURN = r"""
exists:
  description: Whether the document exists after the task; in check mode, whether it exists now.
  returned: without O(each)
  type: bool
resource:
  description:
    - The document after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the document does not exist.
  returned: without O(each)
  type: dict
  contains:
    version:
      description: Number of its default version.
      type: str
      sample: "1"
    content:
      description: The default version, in Session Manager's words.
      type: dict
    tags:
      description: All tags.
      type: dict
resources:
  description: With O(each), C(exists) and C(resource) of each entry, in their order.
  returned: with O(each)
  type: list
  elements: dict
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    canonical,
    ignore_absent,
    run_module,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import repair_tags, text_tags

ABSENT = "InvalidDocument"


class SessionDocument(Resource):
    """A document of type Session, by its name."""

    kind = "session document"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.ssm = module.client("ssm")
        self.by = {"ResourceType": "Document", "ResourceId": self.name}

    def read(self) -> State | None:
        """content of the default version, tags, and version."""
        document = ignore_absent(lambda: self.ssm.get_document(Name=self.name), ABSENT)
        return document and {
            "version": document["DocumentVersion"],
            "content": canonical(document["Content"]),
            "tags": tag_dict(self.ssm.list_tags_for_resource(**self.by)["TagList"]),
        }

    def desired(self) -> State:
        """As the task says."""
        return {"content": canonical(self.content()), "tags": text_tags(self.params["tags"])}

    def content(self) -> dict[str, Any]:
        """The document in Session Manager's words."""
        return {
            "schemaVersion": "1.0",
            "description": self.params["description"],
            "sessionType": "Standard_Stream",
            "inputs": {
                "s3BucketName": self.params["log_bucket"],
                "s3KeyPrefix": self.params["log_prefix"] if self.params["log_bucket"] else "",
                # The agent then refuses to write to a bucket without encryption.
                "s3EncryptionEnabled": True,
                "cloudWatchLogGroupName": "",
                "cloudWatchEncryptionEnabled": True,
                "cloudWatchStreamingEnabled": False,
                "kmsKeyId": "",
                "runAsEnabled": False,
                "runAsDefaultUser": "",
                "idleSessionTimeout": str(self.params["idle_minutes"]),
                "maxSessionDuration": str(self.params["max_minutes"]),
                "shellProfile": {"linux": self.params["shell_profile"], "windows": ""},
            },
        }

    def create(self, desired: State) -> None:
        """Make the document; its first version is the default."""
        self.ssm.create_document(
            Name=self.name,
            Content=json.dumps(self.content()),
            DocumentType="Session",
            DocumentFormat="JSON",
            Tags=tag_list(desired["tags"]),
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Make the wanted content the default version; repair tags."""
        if "content" in changes:
            self.ssm.update_document_default_version(Name=self.name, DocumentVersion=self.new_version())
        if "tags" in changes:
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.ssm.add_tags_to_resource(**self.by, Tags=tag_list(tags)),
                lambda keys: self.ssm.remove_tags_from_resource(**self.by, TagKeys=keys),
            )

    def new_version(self) -> str:
        """A version with the wanted content: a new one, or the one that had it before."""
        try:
            made = self.ssm.update_document(
                Name=self.name,
                Content=json.dumps(self.content()),
                DocumentFormat="JSON",
                DocumentVersion="$LATEST",
            )
            return str(made["DocumentDescription"]["DocumentVersion"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "DuplicateDocumentContent":
                raise
            return next(version for version in self.versions() if self.has_content(version))

    def versions(self) -> list[str]:
        """All versions of the document, the newest first."""
        pages = self.ssm.get_paginator("list_document_versions").paginate(Name=self.name)
        numbers = [item["DocumentVersion"] for page in pages for item in page["DocumentVersions"]]
        return sorted(numbers, key=int, reverse=True)

    def has_content(self, version: str) -> bool:
        """Whether a version has the wanted content."""
        document = self.ssm.get_document(Name=self.name, DocumentVersion=version)
        return bool(canonical(document["Content"]) == canonical(self.content()))

    def delete(self, current: State) -> None:
        """Remove it with all its versions."""
        self.ssm.delete_document(Name=self.name)


def main() -> None:
    """Run the module."""
    run_module(
        SessionDocument,
        {
            "name": {"required": True},
            "log_bucket": {"default": ""},
            "log_prefix": {"default": "sessions"},
            "idle_minutes": {"type": "int", "default": 20},
            "max_minutes": {"type": "int", "default": 480},
            "shell_profile": {"default": ""},
            "description": {"default": "Shell with a transcript"},
        },
        several=True,
    )


if __name__ == "__main__":
    main()
