"""What the modules outside EC2 share: reading several properties at once, finding a few parents by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.resource import Missing, ignore_absent


def together(**reads: Callable[[], Any]) -> dict[str, Any]:
    """The answers of independent API reads, made side by side (clients may be shared by threads).

    A resource of ten properties takes ten calls; one after another, on a slow line, they are what a run waits
    for. The first error is raised.
    """
    with ThreadPoolExecutor(max_workers=len(reads)) as pool:
        answers = {key: pool.submit(read) for key, read in reads.items()}
        return {key: answer.result() for key, answer in answers.items()}


def function_arn(client: Any, name: str) -> str:
    """The ARN of the Lambda function called ``name``; raises Missing."""
    found = ignore_absent(
        lambda: client.get_function_configuration(FunctionName=name), "ResourceNotFoundException"
    )
    if found is None:
        raise Missing("Lambda function", name)
    return str(found["FunctionArn"])


def log_group(client: Any, name: str) -> dict[str, Any] | None:
    """CloudWatch's description of the log group called ``name``, or None."""
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    groups = (group for page in pages for group in page["logGroups"])
    return next((group for group in groups if group["logGroupName"] == name), None)


def tag_changes(current: Mapping[str, str], desired: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What to set, and the keys to remove, so that ``current`` becomes ``desired``."""
    to_set = {key: value for key, value in desired.items() if current.get(key) != value}
    return to_set, sorted(current.keys() - desired.keys())


def text_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """The task's tags with every value as the string that AWS will answer."""
    return {str(key): str(value) for key, value in tags.items()}
