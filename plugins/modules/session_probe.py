#!/usr/bin/python
"""Ansible module: open one session with an instance, and say within a minute why there is none."""

from __future__ import annotations

DOCUMENTATION = r"""
module: session_probe
short_description: Open one session with an instance, and say within a minute why there is none
description:
  - Opens a session as the connection plugin C(amazon.aws.aws_ssm) does, runs one command in it, and ends it.
  - A session that cannot open makes C(session-manager-plugin) wait without a word, or print why and end. The
    connection plugin passes neither on; this module fails with what the executable has printed.
options:
  instance_id:
    description: Id of the instance.
    type: str
    required: true
  document:
    description: Name of the session document.
    type: str
    required: true
  plugin:
    description: The C(session-manager-plugin) executable, on the PATH or with its path.
    type: str
    default: session-manager-plugin
  timeout:
    description: Seconds within which the command must have answered.
    type: int
    default: 60
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Look whether sessions open
  clickstream.aws.session_probe:
    instance_id: i-0123456789abcdef0
    document: clickstream-ansible
"""

RETURN = r"""
plugin:
  description: Path of the executable.
  type: str
  returned: always
  sample: /usr/local/bin/session-manager-plugin
"""

import shutil
import subprocess
import tempfile
from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import retrying
from ansible_collections.clickstream.aws.plugins.module_utils.sessions import (
    end_session,
    plugin_command,
    plugin_fault,
    start_session,
)

COMMANDS = b"echo session-$((6 * 7)) answers\nexit\n"
ANSWER = "session-42 answers"
"""The executable says that it starts a session before it has one, and a terminal repeats what is typed."""

FIX = (
    "Fix: look (1) whether your identity may ssmmessages:OpenDataChannel, (2) whether this machine reaches "
    "ssmmessages in the region (a proxy, a firewall), (3) whether the instance's endpoint ssmmessages is "
    "available and its security group admits 443."
)


def talk(command: list[str], seconds: float) -> tuple[str, str]:
    """What the executable printed, and how it ended."""
    # Its input stays open until it has ended, and what children it has may hold its output open for longer.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
        assert process.stdin  # noqa: S101 - for the type checker
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(COMMANDS)
                process.stdin.flush()
            ending = f"it ended with code {process.wait(seconds)}"
        except subprocess.TimeoutExpired:
            ending = f"it still waited after {seconds:.0f} s"
            process.kill()
            process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
        output.seek(0)
        return output.read().decode(errors="replace"), ending


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {"required": True},
            "document": {"required": True},
            "plugin": {"default": "session-manager-plugin"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    params = module.params
    executable = shutil.which(params["plugin"])
    if executable is None:
        module.fail_json(msg=plugin_fault(params["plugin"]))
    request = {"Target": params["instance_id"], "DocumentName": params["document"]}
    try:
        ssm = module.client("ssm")
        # an agent that has just come online is not connected yet
        session = retrying(lambda: start_session(ssm, request), "TargetNotConnected", retries=6)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"no session with {params['instance_id']}")
    printed, ending = talk(
        plugin_command(str(executable), session, request, ssm, params["profile"]), params["timeout"]
    )
    end_session(module, ssm, session["SessionId"])
    if ANSWER not in printed:
        module.fail_json(
            msg=f"No session with {params['instance_id']} opens: {executable} printed "
            f"{printed.strip()[-1000:]!r}, and {ending}. {FIX}"
        )
    module.exit_json(changed=False, plugin=executable)


if __name__ == "__main__":
    main()
