#!/usr/bin/python
"""Ansible module: a private S3 bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bucket
short_description: A private S3 bucket, by name
description:
  - Creates, repairs or removes the bucket called O(name).
  - Every bucket of this module is private (all four blocks of public access), without ACLs, encrypted with
    SSE-S3, and answers over TLS only. No option changes that.
  - The bucket policy, the lifecycle rules and the CORS rules are exactly those of the task.
  - A name that ends with C(-an) is in S3's account regional namespace, where only the account can make
    buckets; it must end with C(-<account>-<region>-an). All others are global.
  - A name that another account owns is an error with the fix, in check mode too.
options:
  name:
    description: Name of the bucket. Required, here or in O(each).
    type: str
  versioning:
    description: Whether S3 keeps what is overwritten or deleted.
    type: bool
    default: false
  policy_statements:
    description: Statements of the bucket policy, next to the one that denies requests without TLS.
    type: list
    elements: dict
    default: []
  lifecycle_rules:
    description: Lifecycle rules, which say what S3 removes by itself.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Name of the rule.
        type: str
        required: true
      prefix:
        description: Prefix of the objects; by default all objects.
        type: str
        default: ""
      expire_days:
        description: Days after which an object is removed (in a versioned bucket, becomes noncurrent).
        type: int
      expire_noncurrent_days:
        description: Days after which a version that is no longer current is removed.
        type: int
      abort_multipart_days:
        description: Days after which an unfinished upload is removed.
        type: int
  access_log:
    description:
      - Where S3 writes who asked what of the bucket. By default nowhere.
      - The other bucket must exist, in the same region and account, and its policy must let
        V(logging.s3.amazonaws.com) write under the prefix.
    type: dict
    suboptions:
      bucket:
        description: Name of the other bucket.
        type: str
        required: true
      prefix:
        description: What the keys of the log's objects begin with.
        type: str
        required: true
  cors_rules:
    description: CORS rules, which say which browser origins may call the bucket.
    type: list
    elements: dict
    default: []
    suboptions:
      allowed_origins:
        description: Origins, such as V(https://shop.example.com).
        type: list
        elements: str
        required: true
      allowed_methods:
        description: HTTP methods.
        type: list
        elements: str
        required: true
      allowed_headers:
        description: Request headers.
        type: list
        elements: str
        default: []
      expose_headers:
        description: Response headers that a page may read.
        type: list
        elements: str
        default: []
      max_age_seconds:
        description: Seconds that a browser remembers the answer to a preflight request.
        type: int
  force:
    description: Whether O(state=absent) removes all objects and their versions first.
    type: bool
    default: false
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Create the raw bucket
  clickstream.aws.bucket:
    name: clickstream-s3-ingest-myshop
    versioning: true
    lifecycle_rules:
      - id: rejected
        prefix: rejected/
        expire_days: 90

- name: Remove it with everything in it
  clickstream.aws.bucket:
    name: clickstream-s3-ingest-myshop
    state: absent
    force: true
"""

RETURN = r"""
exists:
  description: Whether the bucket exists after the task; in check mode, whether it exists now.
  returned: without O(each)
  type: bool
resource:
  description:
    - The bucket after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the bucket does not exist.
  returned: without O(each)
  type: dict
  contains:
    arn:
      description: ARN of the bucket.
      type: str
      sample: arn:aws:s3:::clickstream-s3-ingest-myshop
    versioning:
      description: Whether S3 keeps what is overwritten or deleted.
      type: bool
    encryption:
      description: Algorithm that new objects are encrypted with.
      type: str
      sample: AES256
    public_access:
      description: The four blocks of public access, in S3's words.
      type: dict
    ownership:
      description: Who owns new objects; V(BucketOwnerEnforced) means that ACLs are off.
      type: str
    policy:
      description: The bucket policy.
      type: dict
    lifecycle:
      description: Lifecycle rules in S3's words.
      type: list
      elements: dict
    cors:
      description: CORS rules in S3's words.
      type: list
      elements: dict
    access_log:
      description: Bucket and prefix of the access log; null where there is none.
      type: dict
      contains:
        bucket:
          description: Name of the other bucket.
          type: str
        prefix:
          description: What the keys of the log's objects begin with.
          type: str
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
from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    canonical_list,
    differences,
    ignore_absent,
    policy,
    retrying,
    run_module,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import text_tags, together

PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
OWNERSHIP = "BucketOwnerEnforced"
ENCRYPTION = "AES256"
NAMESPACE = "-an"
"""How names in an account regional namespace end, and no others (S3 User Guide, "Bucket naming rules")."""

LIFECYCLE_OPTIONS = {
    "id": {"required": True},
    "prefix": {"default": ""},
    "expire_days": {"type": "int"},
    "expire_noncurrent_days": {"type": "int"},
    "abort_multipart_days": {"type": "int"},
}
ACCESS_LOG_OPTIONS = {"bucket": {"required": True}, "prefix": {"required": True}}
CORS_OPTIONS = {
    "allowed_origins": {"type": "list", "elements": "str", "required": True},
    "allowed_methods": {"type": "list", "elements": "str", "required": True},
    "allowed_headers": {"type": "list", "elements": "str", "default": []},
    "expose_headers": {"type": "list", "elements": "str", "default": []},
    "max_age_seconds": {"type": "int"},
}


def lifecycle_rule(options: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule of the task in S3's words."""
    days = {
        "Expiration": ("Days", options["expire_days"]),
        "NoncurrentVersionExpiration": ("NoncurrentDays", options["expire_noncurrent_days"]),
        "AbortIncompleteMultipartUpload": ("DaysAfterInitiation", options["abort_multipart_days"]),
    }
    actions = {action: {key: value} for action, (key, value) in days.items() if value is not None}
    return {"ID": options["id"], "Filter": {"Prefix": options["prefix"]}, "Status": "Enabled", **actions}


def described_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as S3 answers it, in the form of :func:`lifecycle_rule` (no prefix means all)."""
    return {**rule, "Filter": rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}}


def cors_rule(options: dict[str, Any]) -> dict[str, Any]:
    """A CORS rule of the task in S3's words, without the options that it leaves out."""
    words = {
        "AllowedOrigins": sorted(options["allowed_origins"]),
        "AllowedMethods": sorted(options["allowed_methods"]),
        "AllowedHeaders": sorted(options["allowed_headers"]),
        "ExposeHeaders": sorted(options["expose_headers"]),
        "MaxAgeSeconds": options["max_age_seconds"],
    }
    return {key: value for key, value in words.items() if value not in ([], None)}


def described_cors(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as S3 answers it, in the form of :func:`cors_rule`."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in rule.items() if value}


def described_access_log(answer: dict[str, Any]) -> dict[str, str] | None:
    """Where the access log goes, in the form of the task's option."""
    enabled = answer.get("LoggingEnabled")
    return enabled and {"bucket": enabled["TargetBucket"], "prefix": enabled.get("TargetPrefix", "")}


def tls_only(arn: str) -> dict[str, Any]:
    """The policy statement that denies every request without TLS."""
    return {
        "Sid": "DenyWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


class Bucket(Resource):
    """A bucket, by its global name."""

    kind = "bucket"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.s3 = module.client("s3")
        self.arn = f"arn:{'aws-cn' if str(module.region).startswith('cn-') else 'aws'}:s3:::{self.name}"

    def head(self) -> dict[str, Any] | None:
        """S3's answer about a bucket of this account, or None; an error where another account has it."""
        try:
            return dict(self.s3.head_bucket(Bucket=self.name))
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code in ("404", "NoSuchBucket", "NotFound"):
                return None
            if code not in ("403", "AccessDenied", "Forbidden"):
                raise
            if self.params["state"] != "absent":  # else there is none of this account to remove
                self.taken()
            return None

    def taken(self) -> None:
        """End the module: another account has the name."""
        self.module.fail_json(
            msg=f"bucket {self.name} belongs to another AWS account, or this identity may not see it. "
            "Fix: leave platform_bucket_suffix away in inventories/<inventory>/group_vars/all/platform.yml "
            "(names that end with account, region and -an are this account's), or set it to something of "
            "your own, such as -myshop."
        )

    def read(self) -> State | None:
        """All that :meth:`desired` names, and arn."""
        head = self.head()
        if head is None:
            return None
        region = head.get("BucketRegion") or self.module.region
        if region != self.module.region:
            self.module.fail_json(
                msg=f"bucket {self.name} is in region {region}, not in {self.module.region}, and a bucket "
                "cannot move. Fix: set platform_region, or another platform_bucket_suffix."
            )
        s3, name = self.s3, self.name

        def answer(call: Any, *codes: str) -> Any:
            return lambda: ignore_absent(lambda: call(Bucket=name), *codes) or {}

        found = together(
            versioning=answer(s3.get_bucket_versioning),
            encryption=answer(s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
            access=answer(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
            ownership=answer(s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError"),
            policy=answer(s3.get_bucket_policy, "NoSuchBucketPolicy"),
            lifecycle=answer(s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
            cors=answer(s3.get_bucket_cors, "NoSuchCORSConfiguration"),
            access_log=answer(s3.get_bucket_logging),
            tags=answer(s3.get_bucket_tagging, "NoSuchTagSet"),
        )
        encryption = found["encryption"].get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        owners = found["ownership"].get("OwnershipControls", {}).get("Rules", [])
        return {
            "arn": self.arn,
            "versioning": found["versioning"].get("Status") == "Enabled",
            "encryption": next(
                (
                    rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm")
                    for rule in encryption
                ),
                None,
            ),
            "public_access": found["access"].get("PublicAccessBlockConfiguration", {}),
            "ownership": next((rule["ObjectOwnership"] for rule in owners), None),
            "policy": policy(found["policy"].get("Policy", {})),
            "lifecycle": canonical_list(map(described_rule, found["lifecycle"].get("Rules", []))),
            "cors": canonical_list(map(described_cors, found["cors"].get("CORSRules", []))),
            "access_log": described_access_log(found["access_log"]),
            "tags": tag_dict(found["tags"].get("TagSet")),
        }

    def document(self) -> dict[str, Any]:
        """The whole bucket policy."""
        statements = [tls_only(self.arn), *self.params["policy_statements"]]
        return {"Version": "2012-10-17", "Statement": statements}

    def desired(self) -> State:
        """As the task says; always private, encrypted and over TLS only."""
        return {
            "versioning": self.params["versioning"],
            "encryption": ENCRYPTION,
            "public_access": PRIVATE,
            "ownership": OWNERSHIP,
            "policy": policy(self.document()),
            "lifecycle": canonical_list(map(lifecycle_rule, self.params["lifecycle_rules"])),
            "cors": canonical_list(map(cors_rule, self.params["cors_rules"])),
            "access_log": self.params["access_log"] or None,
            "tags": text_tags(self.params["tags"]),
        }

    def create(self, desired: State) -> None:
        """Make the bucket, then set what a new one lacks."""
        place: dict[str, Any] = {}
        if self.name.endswith(NAMESPACE):
            place["BucketNamespace"] = "account-regional"
        if self.module.region != "us-east-1":  # the one region that S3 refuses to see named
            place["CreateBucketConfiguration"] = {"LocationConstraint": self.module.region}
        try:
            # S3 takes a while to free the name of a bucket that was just removed.
            retrying(
                lambda: self.s3.create_bucket(Bucket=self.name, ObjectOwnership=OWNERSHIP, **place),
                "OperationAborted",
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "BucketAlreadyExists":
                self.taken()
            if code in ("InvalidBucketNamespace", "MissingNamespaceHeader"):
                self.module.fail_json(
                    msg=f"bucket {self.name} cannot be in this account's regional namespace: "
                    f"{error.response['Error'].get('Message', code)} Fix: leave platform_bucket_suffix away, "
                    "or end it with anything but -an."
                )
            raise
        self.s3.get_waiter("bucket_exists").wait(Bucket=self.name)
        current = self.read() or {}
        self.update(current, desired, differences(current, desired))

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Put what differs; private before anything else."""
        apply: dict[str, Callable[[Any], None]] = {
            "public_access": self.put_public_access,
            "ownership": self.put_ownership,
            "encryption": self.put_encryption,
            "policy": self.put_policy,
            "versioning": self.put_versioning,
            "lifecycle": self.put_lifecycle,
            "cors": self.put_cors,
            "access_log": self.put_access_log,
            "tags": self.put_tags,
        }
        for key, put in apply.items():
            if key in changes:
                # S3 takes one change of a bucket at a time, and not every server knows a new one at once.
                retrying(partial(put, desired[key]), "OperationAborted", "NoSuchBucket")

    def put_public_access(self, blocks: dict[str, bool]) -> None:
        """Block public access."""
        self.s3.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=blocks)

    def put_ownership(self, ownership: str) -> None:
        """Switch ACLs off."""
        rules = {"Rules": [{"ObjectOwnership": ownership}]}
        self.s3.put_bucket_ownership_controls(Bucket=self.name, OwnershipControls=rules)

    def put_encryption(self, algorithm: str) -> None:
        """Encrypt what is stored from now on."""
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]}
        self.s3.put_bucket_encryption(Bucket=self.name, ServerSideEncryptionConfiguration=rules)

    def put_policy(self, _: dict[str, Any]) -> None:
        """Replace the bucket policy, in the task's own form (the normalised one is for comparison)."""
        self.s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps(self.document()))

    def put_versioning(self, versioning: bool) -> None:
        """Switch versioning on, or suspend it (it can never be off again)."""
        status = {"Status": "Enabled" if versioning else "Suspended"}
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration=status)

    def put_lifecycle(self, rules: list[dict[str, Any]]) -> None:
        """Replace all lifecycle rules."""
        if rules:
            rule_set = {"Rules": rules}
            self.s3.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration=rule_set)
        else:
            self.s3.delete_bucket_lifecycle(Bucket=self.name)

    def put_cors(self, rules: list[dict[str, Any]]) -> None:
        """Replace all CORS rules."""
        if rules:
            self.s3.put_bucket_cors(Bucket=self.name, CORSConfiguration={"CORSRules": rules})
        else:
            self.s3.delete_bucket_cors(Bucket=self.name)

    def put_access_log(self, log: dict[str, str] | None) -> None:
        """Log who asks what, or nothing."""
        target = {"TargetBucket": log["bucket"], "TargetPrefix": log["prefix"]} if log else None
        status = {"LoggingEnabled": target} if target else {}
        self.s3.put_bucket_logging(Bucket=self.name, BucketLoggingStatus=status)

    def put_tags(self, tags: dict[str, str]) -> None:
        """Replace all tags."""
        if tags:
            self.s3.put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": tag_list(tags)})
        else:
            self.s3.delete_bucket_tagging(Bucket=self.name)

    def delete(self, current: State) -> None:
        """Remove it; with ``force`` everything in it first, and what AWS delivers meanwhile (logs, say)."""
        for last in (False, False, True) if self.params["force"] else (True,):
            if self.params["force"]:
                self.empty()
            try:
                self.s3.delete_bucket(Bucket=self.name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "BucketNotEmpty":
                    raise
                if last:
                    self.module.fail_json(
                        msg=f"bucket {self.name} holds objects. Fix: keep the bucket, or set force: true."
                    )
            else:
                break
        self.s3.get_waiter("bucket_not_exists").wait(Bucket=self.name)

    def empty(self) -> None:
        """Remove every object, version, delete marker and unfinished upload."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            items = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in items]
            if keys:
                answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": keys, "Quiet": True})
                for error in answer.get("Errors", [])[:1]:
                    self.module.fail_json(
                        msg=f"bucket {self.name}, object {error['Key']}: {error['Message']}. "
                        "Fix: remove what protects the object, or keep the bucket."
                    )
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name):
            for upload in page.get("Uploads", []):
                self.s3.abort_multipart_upload(
                    Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
                )


def main() -> None:
    """Run the module."""
    run_module(
        Bucket,
        {
            "name": {"required": True},
            "versioning": {"type": "bool", "default": False},
            "policy_statements": {"type": "list", "elements": "dict", "default": []},
            "lifecycle_rules": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": LIFECYCLE_OPTIONS,
            },
            "cors_rules": {"type": "list", "elements": "dict", "default": [], "options": CORS_OPTIONS},
            "access_log": {"type": "dict", "options": ACCESS_LOG_OPTIONS},
            "force": {"type": "bool", "default": False},
        },
        several=True,
    )


if __name__ == "__main__":
    main()
