#!/usr/bin/python
"""Ansible module: whether the AWS account can take the platform, before anything is created."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Whether the AWS account can take the platform
description:
  - Asks AWS who is calling, who owns the bucket names, and whether the region has the image and the instance
    type. Writes nothing.
  - Looks for the executable that carries Session Manager's sessions, and at its version.
options:
  buckets:
    description: Names of the buckets that the platform needs.
    type: list
    elements: str
    required: true
  image_owner:
    description: Account that owns the image.
    type: str
    required: true
  image_name:
    description: Name of the image; C(*) stands for anything.
    type: str
    required: true
  instance_type:
    description: Type of the instance, which must have the architecture O(architecture).
    type: str
    required: true
  architecture:
    description: Architecture of the image, as Debian calls it.
    choices: [amd64, arm64]
    type: str
    required: true
  session_manager_plugin:
    description: The C(session-manager-plugin) executable.
    type: str
    default: session-manager-plugin
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Ask AWS
  clickstream.aws.preflight_info:
    buckets: [clickstream-s3-ingest-myshop]
    image_owner: "136693071363"
    image_name: debian-13-arm64-*
    instance_type: t4g.medium
    architecture: arm64
"""

RETURN = r"""
account:
  description: The account's id.
  type: str
  returned: when AWS answers
errors:
  description: What must be mended first, each with its fix.
  type: list
  elements: str
  returned: always
"""

from collections.abc import Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from ansible_collections.clickstream.aws.plugins.module_utils.sessions import plugin_fault

EC2_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
"""EC2's names of Debian's architectures."""

IMPATIENT = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
"""An endpoint that does not answer is reported within seconds."""


def unreachable(error: Exception) -> str:
    """What to do about an AWS that did not say who is calling."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound() | TokenRetrievalError():
            return f"No credentials for AWS: {error}. Fix: run `aws sso login` or set AWS_PROFILE."
        case ConnectionError() | HTTPClientError():
            return f"AWS cannot be reached: {error}. Fix: check the network and AWS_ENDPOINT_URL."
        case _:
            return f"AWS refused to say who is calling: {error}. Fix: renew the credentials."


def executable_errors(executable: str) -> Iterator[str]:
    """A sentence where this machine does not have the executable, or one that is too old."""
    if fault := plugin_fault(executable):
        yield fault


def bucket_errors(s3: Any, names: list[str]) -> Iterator[str]:
    """A sentence for each name that another account has (S3 answers 403 for these, 404 for free ones)."""
    for name in names:
        try:
            s3.head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
                yield (
                    f"The bucket {name} belongs to another AWS account, or you may not see it. "
                    "Fix: set platform_bucket_suffix to something of your own."
                )


def image_errors(ec2: Any, owner: str, name: str) -> Iterator[str]:
    """A sentence where the region has no such image."""
    filters = [{"Name": "name", "Values": [name]}, {"Name": "state", "Values": ["available"]}]
    if not ec2.describe_images(Owners=[owner], Filters=filters)["Images"]:
        yield (
            f"The region {ec2.meta.region_name} has no image {name} of account {owner}. "
            "Fix: choose another platform_region, or set the image's owner and name."
        )


def type_errors(ec2: Any, instance_type: str, architecture: str) -> Iterator[str]:
    """A sentence where the region has no such instance type, or where it is of another architecture."""
    filters = [{"Name": "instance-type", "Values": [instance_type]}]
    found = ec2.describe_instance_types(Filters=filters)["InstanceTypes"]
    if not found:
        yield (
            f"The region {ec2.meta.region_name} has no instance type {instance_type}. "
            "Fix: set platform_analytics_instance_type to one that it has."
        )
    elif EC2_ARCHITECTURES[architecture] not in found[0]["ProcessorInfo"]["SupportedArchitectures"]:
        yield (
            f"The instance type {instance_type} is not {architecture}. "
            "Fix: make platform_analytics_instance_type and platform_analytics_architecture agree."
        )


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "buckets": {"type": "list", "elements": "str", "required": True},
            "image_owner": {"required": True},
            "image_name": {"required": True},
            "instance_type": {"required": True},
            "architecture": {"choices": sorted(EC2_ARCHITECTURES), "required": True},
            "session_manager_plugin": {"default": "session-manager-plugin"},
        },
        supports_check_mode=True,
    )
    params = module.params
    missing = list(executable_errors(params["session_manager_plugin"]))
    try:
        account = module.client("sts", config=IMPATIENT).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        module.exit_json(errors=[*missing, unreachable(error)])
    ec2 = module.client("ec2")
    try:
        errors = [
            *missing,
            *bucket_errors(module.client("s3", config=IMPATIENT), params["buckets"]),
            *image_errors(ec2, params["image_owner"], params["image_name"]),
            *type_errors(ec2, params["instance_type"], params["architecture"]),
        ]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="AWS cannot be asked about buckets and images")
    module.exit_json(account=account, errors=errors)


if __name__ == "__main__":
    main()
