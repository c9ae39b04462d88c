"""Sessions of Session Manager, carried by AWS's executable ``session-manager-plugin``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

OLDEST_PLUGIN = (1, 2, 764)
"""The oldest one that AWS supports: from this version on it signs OpenDataChannel (its version history)."""


def plugin_fault(name: str) -> str:
    """What is wrong with the executable on this machine, with its fix; empty where nothing is."""
    executable = shutil.which(name)
    fix = "Fix: install AWS's Session Manager plugin, or name its path in platform_session_manager_plugin."
    if executable is None:
        return f"{name} is not on this machine, and nothing else reaches the private host. {fix}"
    oldest = ".".join(map(str, OLDEST_PLUGIN))
    try:
        done = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{executable} does not say its version: {error}. {fix}"
    said = done.stdout.strip()
    if not re.fullmatch(r"\d+(\.\d+)+", said):
        return f"{executable} does not say its version, but {(said or done.stderr)[-200:]!r}. {fix}"
    if tuple(map(int, said.split("."))) < OLDEST_PLUGIN:
        return (
            f"{executable} is version {said}, and Session Manager needs {oldest} or later. "
            "Fix: install the latest Session Manager plugin."
        )
    return ""


def start_session(ssm: Any, request: dict[str, Any]) -> dict[str, Any]:
    """StartSession's answer, without what is only of the request."""
    session: dict[str, Any] = ssm.start_session(**request)
    session.pop("ResponseMetadata", None)
    return session


def plugin_command(
    executable: str, session: dict[str, Any], request: dict[str, Any], ssm: Any, profile: str | None
) -> list[str]:
    """The command line that AWS's own command line would give the executable."""
    answer, parameters = json.dumps(session), json.dumps(request)
    place = (ssm.meta.region_name, "StartSession", profile or "")
    return [executable, answer, *place, parameters, ssm.meta.endpoint_url]


def end_session(module: AnsibleAWSModule, ssm: Any, session_id: str) -> None:
    """End a session whose process is gone already; it is none of the caller's failures if AWS does not.

    It has ended by itself, or credentials have run out meanwhile, or the identity may not: a session of an
    assumed role has the role's session name in its ARN, which a policy can hardly name.
    """
    try:
        ssm.terminate_session(SessionId=session_id)
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code != "DoesNotExistException":
            module.warn(f"Session Manager did not end {session_id}, which ends when it is idle: {error}")
