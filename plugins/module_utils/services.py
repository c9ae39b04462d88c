"""What the modules outside EC2 share: reads side by side, parents by name, tags, a function's permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.config import Config

from ansible_collections.clickstream.aws.plugins.module_utils.resource import Missing, ignore_absent

IMPATIENT = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
"""An endpoint that does not answer is reported within seconds."""


def together(**reads: Callable[[], Any]) -> dict[str, Any]:
    """The answers of independent API reads, made side by side (clients may be shared by threads).

    A resource of ten properties takes ten calls: made one after another on a slow line, most of a run's time.
    The first error is raised.
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


def repair_tags(
    current: Mapping[str, str],
    desired: Mapping[str, str],
    set_tags: Callable[[dict[str, str]], Any],
    remove_tags: Callable[[list[str]], Any],
) -> None:
    """Remove the tags that ``desired`` does not have (by key), set those that are missing or different."""
    extra = sorted(current.keys() - desired.keys())
    changed = {key: value for key, value in desired.items() if current.get(key) != value}
    if extra:
        remove_tags(extra)
    if changed:
        set_tags(changed)


def map_tags(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags of a service that answers them as a map, without AWS's own (``aws:…``)."""
    return {key: value for key, value in (tags or {}).items() if not key.startswith("aws:")}


def text_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """The task's tags with every value as the string that AWS will answer."""
    return {str(key): str(value) for key, value in tags.items()}


def function_permissions(client: Any, name: str) -> dict[str, dict[str, Any]]:
    """Who may call the Lambda function, by statement id; empty where there is no policy or no function."""
    answer = ignore_absent(lambda: client.get_policy(FunctionName=name), "ResourceNotFoundException")
    statements = json.loads(answer["Policy"])["Statement"] if answer else []
    return {statement["Sid"]: _described_permission(statement) for statement in statements}


def function_permission(
    principal: str, source_arn: str | None = None, source_account: str | None = None
) -> dict[str, Any]:
    """A permission to call a function, in the form of :func:`function_permissions`."""
    state = {
        "principal": principal,
        "source_arn": source_arn or None,
        "source_account": source_account or None,
    }
    return {**state, "action": "lambda:InvokeFunction"}


def repair_function_permissions(
    client: Any, name: str, current: Mapping[str, Any], desired: Mapping[str, Any]
) -> None:
    """Remove the permissions that are extra or different, add those that are missing."""
    for sid in (sid for sid in current if current[sid] != desired.get(sid)):
        client.remove_permission(FunctionName=name, StatementId=sid)
    for sid, wanted in desired.items():
        if current.get(sid) != wanted:
            conditions = {"SourceArn": wanted["source_arn"], "SourceAccount": wanted["source_account"]}
            client.add_permission(
                FunctionName=name,
                StatementId=sid,
                Action=wanted["action"],
                Principal=wanted["principal"],
                **{key: value for key, value in conditions.items() if value},
            )


def _described_permission(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement of a function's policy; conditions that no task can set are kept, and so show as drift."""
    principal = statement["Principal"]
    conditions = {
        key.lower(): value
        for operator in statement.get("Condition", {}).values()
        for key, value in operator.items()
    }
    state = {
        "principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
        "source_arn": conditions.pop("aws:sourcearn", None),
        "source_account": conditions.pop("aws:sourceaccount", None),
        "action": statement["Action"],
    }
    return {**state, "conditions": conditions} if conditions else state
