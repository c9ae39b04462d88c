#!/usr/bin/python
"""Ansible module: whether the AWS account can take the platform, before anything is created."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Whether the AWS account can take the platform
description:
  - Asks AWS who owns the bucket names, whether the account has the policy that bounds its roles, whether the
    region has the image and the zone the instance type, whether the account's plan and quotas let it start,
    and how many functions may run at a time.
  - Writes nothing.
  - What the caller may not ask is a warning.
  - Looks for the executable that carries Session Manager's sessions, and at its version.
options:
  buckets:
    description: Names of the buckets that the platform needs.
    type: list
    elements: str
    required: true
  role_boundary:
    description: ARN of the managed policy that bounds the platform's roles.
    type: str
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
  instance_name:
    description: Name tag of the instance. One that runs needs no more of the quota.
    type: str
    required: true
  zone:
    description: Availability zone of the instance.
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
    role_boundary: arn:aws:iam::123456789012:policy/clickstream-role-boundary
    image_owner: "136693071363"
    image_name: debian-13-arm64-*
    instance_type: t4g.medium
    instance_name: SBW_EC2_ShinyDWH
    zone: ap-southeast-1a
    architecture: arm64
"""

RETURN = r"""
errors:
  description: What must be mended first, each with its fix.
  type: list
  elements: str
  returned: success
advice:
  description: What works and will hurt, and what could not be asked; the task warns of it.
  type: list
  elements: str
  returned: success
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.services import IMPATIENT
from ansible_collections.clickstream.aws.plugins.module_utils.sessions import plugin_fault

EC2_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
"""EC2's names of Debian's architectures."""

STANDARD_FAMILIES = re.compile(r"(?!dl|hpc|inf|mac|trn)[acdhimrtz]")
"""EC2 User Guide, "On-Demand Instance quotas": the families that share the quota, by their first letters."""

VCPU_QUOTA, EXECUTIONS_QUOTA = "L-1216C47A", "L-B99A9384"
ENOUGH_EXECUTIONS = 100


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
                    "Fix: leave platform_bucket_suffix away (names that end with account, region and -an are "
                    "this account's), or set it to something of your own."
                )


def boundary_errors(iam: Any, arn: str) -> Iterator[str]:
    """A sentence where the policy is not there, or where the caller has not the rights of this release."""
    try:
        iam.get_policy(PolicyArn=arn)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("NoSuchEntity", "AccessDenied"):
            raise
        what = (
            "There is no policy"
            if code == "NoSuchEntity"
            else "You may not look (iam:GetPolicy) at the policy"
        )
        yield (
            f"{what} {arn}, which bounds what the platform's roles may do. Fix: have an administrator of the "
            "account run bin/deployer-policies (README, Deploy to AWS, step 1): it makes it from "
            "docs/role-boundary.json and brings the deployer's policies up to date."
        )


def image_errors(ec2: Any, owner: str, name: str) -> Iterator[str]:
    """A sentence where the region has no such image."""
    filters = [{"Name": "name", "Values": [name]}, {"Name": "state", "Values": ["available"]}]
    if not ec2.describe_images(Owners=[owner], Filters=filters)["Images"]:
        yield (
            f"The region {ec2.meta.region_name} has no image {name} of account {owner}. "
            "Fix: choose another platform_region, or set the image's owner and name."
        )


def described_type(ec2: Any, name: str) -> dict[str, Any]:
    """EC2's description of an instance type; empty where the region has none of that name."""
    filters = [{"Name": "instance-type", "Values": [name]}]
    found: list[dict[str, Any]] = ec2.describe_instance_types(Filters=filters)["InstanceTypes"]
    return found[0] if found else {}


def type_errors(ec2: Any, type_info: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
    """A sentence where the zone has no such instance type, or where it is of another architecture."""
    name, zone, architecture = params["instance_type"], params["zone"], params["architecture"]
    if not type_info:
        yield (
            f"The region {ec2.meta.region_name} has no instance type {name}. "
            "Fix: set platform_analytics_instance_type to one that it has."
        )
        return
    if EC2_ARCHITECTURES[architecture] not in type_info["ProcessorInfo"]["SupportedArchitectures"]:
        yield (
            f"The instance type {name} is not {architecture}. "
            "Fix: make platform_analytics_instance_type and platform_analytics_architecture agree."
        )
    offered = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [name]}]
    )["InstanceTypeOfferings"]
    zones = sorted(offer["Location"] for offer in offered)
    if zone not in zones:
        yield (
            f"The zone {zone} does not offer {name}; {', '.join(zones) or 'no zone'} does. "
            "Fix: set platform_zone to one of these, or another platform_analytics_instance_type."
        )


@dataclass
class Findings:
    """What stops the run, and what is only said."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


Client = Callable[..., Any]
"""AnsibleAWSModule's way to a client."""


def plan_findings(client: Client, type_info: Mapping[str, Any], params: Mapping[str, Any]) -> Findings:
    """An account on the Free plan starts eligible instance types only: RunInstances refuses all others."""
    # the service has one endpoint, in us-east-1
    free = client("freetier", region="us-east-1", config=IMPATIENT)
    try:
        plan = free.get_account_plan_state()["accountPlanType"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        plan = "PAID"  # an account of before July 2025 has no plan
    if plan != "FREE" or type_info.get("FreeTierEligible"):
        return Findings()
    return Findings(
        errors=[
            "This account is on AWS's Free plan, which does not start the instance type "
            f"{type_info['InstanceType']}. Fix: upgrade the plan in Billing and Cost Management, or set "
            "platform_analytics_instance_type to an eligible one (aws ec2 describe-instance-types --filters "
            "Name=free-tier-eligible,Values=true)."
        ]
    )


def vcpu_findings(client: Client, type_info: Mapping[str, Any], params: Mapping[str, Any]) -> Findings:
    """The instances of the standard families may have so many vCPUs together; new accounts have few."""
    if not STANDARD_FAMILIES.match(type_info["InstanceType"]):
        return Findings()
    answer = client("service-quotas", config=IMPATIENT).get_service_quota(
        ServiceCode="ec2", QuotaCode=VCPU_QUOTA
    )
    quota, needed = int(answer["Quota"]["Value"]), int(type_info["VCpuInfo"]["DefaultVCpus"])
    state = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    pages = client("ec2").get_paginator("describe_instances").paginate(Filters=state)
    running = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    if any({"Key": "Name", "Value": params["instance_name"]} in one.get("Tags", []) for one in running):
        return Findings()
    used = sum(
        one["CpuOptions"]["CoreCount"] * one["CpuOptions"]["ThreadsPerCore"]
        for one in running
        if STANDARD_FAMILIES.match(one["InstanceType"]) and "CpuOptions" in one
    )
    if used + needed <= quota:
        return Findings()
    return Findings(
        errors=[
            f"{type_info['InstanceType']} needs {needed} vCPUs, and of this account's {quota} for standard "
            f"on-demand instances {used} are in use. Fix: ask for more of the quota {VCPU_QUOTA} (Service "
            "Quotas, Amazon EC2, Running On-Demand Standard instances)."
        ]
    )


def concurrency_findings(client: Client, type_info: Mapping[str, Any], params: Mapping[str, Any]) -> Findings:
    """New accounts run ten functions at a time, collector and ETL together."""
    limit = client("lambda", config=IMPATIENT).get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit >= ENOUGH_EXECUTIONS:
        return Findings()
    return Findings(
        warnings=[
            f"Lambda runs {limit} functions at a time in this account and region; requests beyond that are "
            f"refused. Fix: ask for {ENOUGH_EXECUTIONS} or more of the quota {EXECUTIONS_QUOTA} (Service "
            "Quotas, AWS Lambda, Concurrent executions)."
        ]
    )


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "buckets": {"type": "list", "elements": "str", "required": True},
            "role_boundary": {"required": True},
            "image_owner": {"required": True},
            "image_name": {"required": True},
            "instance_type": {"required": True},
            "architecture": {"choices": sorted(EC2_ARCHITECTURES), "required": True},
            "instance_name": {"required": True},
            "zone": {"required": True},
            "session_manager_plugin": {"default": "session-manager-plugin"},
        },
        supports_check_mode=True,
    )
    params = module.params
    s3, ec2 = module.client("s3", config=IMPATIENT), module.client("ec2")
    try:
        type_info = described_type(ec2, params["instance_type"])
        errors = [
            *executable_errors(params["session_manager_plugin"]),
            *bucket_errors(s3, params["buckets"]),
            *boundary_errors(module.client("iam", config=IMPATIENT), params["role_boundary"]),
            *image_errors(ec2, params["image_owner"], params["image_name"]),
            *type_errors(ec2, type_info, params),
        ]
    except (BotoCoreError, ClientError) as error:
        module.fail_json(
            msg=f"AWS cannot be asked about buckets, policies and images: {error}. Fix: check the network, "
            "and have an administrator of the account run bin/deployer-policies (README, Deploy to AWS, "
            "step 1), which brings your rights up to date."
        )
    warnings: list[str] = []
    for what, action, find in (
        ("the account's plan", "freetier:GetAccountPlanState", plan_findings),
        ("the vCPU quota", "servicequotas:GetServiceQuota", vcpu_findings),
        ("Lambda's concurrent executions", "lambda:GetAccountSettings", concurrency_findings),
    ):
        try:
            found = find(module.client, type_info, params) if type_info else Findings()
        except (BotoCoreError, ClientError) as error:
            found = Findings(
                warnings=[f"AWS did not say {what} ({error}). Fix: allow {action}, or look it up."]
            )
        errors += found.errors
        warnings += found.warnings
    for warning in warnings:
        module.warn(warning)
    module.exit_json(errors=errors, advice=warnings)


if __name__ == "__main__":
    main()
