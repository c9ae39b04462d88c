"""All policies of the project: those in docs/, and those that the running cloud has, read back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

Policy = dict[str, Any]
Client = Callable[[str], Any]


def in_files(docs: Path) -> dict[str, Policy]:
    """The policies that an administrator makes."""
    files = [
        *docs.glob("deployer/*.json"),
        docs / "role-boundary.json",
        docs / "dashboard-viewer-policy.json",
    ]
    return {str(file.relative_to(docs)): json.loads(file.read_text()) for file in sorted(files)}


def of_roles(aws: Client) -> Iterator[tuple[str, Policy]]:
    """What each of the platform's roles may do."""
    iam = aws("iam")
    for role in iam.get_paginator("list_roles").paginate().search("Roles"):
        name = role["RoleName"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            yield (
                f"role {name} {policy}",
                iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"],
            )


def of_resources(aws: Client) -> Iterator[tuple[str, Policy]]:
    """Who may do what with a thing: trust of roles, buckets, endpoints, functions, topics, queues, keys."""
    for role in aws("iam").list_roles()["Roles"]:
        yield f"trust {role['RoleName']}", role["AssumeRolePolicyDocument"]
    for endpoint in aws("ec2").describe_vpc_endpoints()["VpcEndpoints"]:
        name = endpoint["ServiceName"].rsplit(".", 1)[-1]
        yield f"endpoint {name}", json.loads(endpoint["PolicyDocument"])
    for bucket in aws("s3").list_buckets()["Buckets"]:
        with contextlib.suppress(ClientError):  # it has none
            policy = aws("s3").get_bucket_policy(Bucket=bucket["Name"])["Policy"]
            yield f"bucket {bucket['Name']}", json.loads(policy)
    for function in aws("lambda").list_functions()["Functions"]:
        with contextlib.suppress(ClientError):
            policy = aws("lambda").get_policy(FunctionName=function["FunctionName"])["Policy"]
            yield f"function {function['FunctionName']}", json.loads(policy)
    for topic in aws("sns").list_topics().get("Topics", []):
        attributes = aws("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        yield f"topic {topic['TopicArn'].rsplit(':', 1)[-1]}", json.loads(attributes["Policy"])
    for url in aws("sqs").list_queues().get("QueueUrls", []):
        attributes = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        if policy := attributes.get("Attributes", {}).get("Policy"):
            yield f"queue {url.rsplit('/', 1)[-1]}", json.loads(policy)
    for alias in aws("kms").list_aliases()["Aliases"]:
        if not alias["AliasName"].startswith("alias/aws/") and "TargetKeyId" in alias:
            policy = aws("kms").get_key_policy(KeyId=alias["TargetKeyId"], PolicyName="default")["Policy"]
            yield f"key {alias['AliasName']}", json.loads(policy)


def names(aws: Client) -> dict[str, str]:
    """The name of each thing of EC2 by its id."""
    tags = aws("ec2").describe_tags(Filters=[{"Name": "key", "Values": ["Name"]}])["Tags"]
    groups = aws("ec2").describe_security_groups()["SecurityGroups"]
    return {one["ResourceId"]: one["Value"] for one in tags} | {
        one["GroupId"]: one["GroupName"] for one in groups
    }
