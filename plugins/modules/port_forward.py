#!/usr/bin/python
"""Ansible module: forward a port of a private instance to this machine, through Session Manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_forward
short_description: Forward a port of a private instance to this machine, through Session Manager
description:
  - Starts (or stops) a C(AWS-StartPortForwardingSession) session in the background, as
    C(aws ssm start-session) does in the foreground. Needs the C(session-manager-plugin) executable.
  - A recorded session that has ended, or leads to another instance or port, is replaced.
options:
  instance_id:
    description: The instance. Required unless O(state=stopped).
    type: str
  port:
    description: The port on the instance. Required unless O(state=stopped).
    type: int
  local_port:
    description: The port on this machine, on 127.0.0.1.
    type: int
    required: true
  path:
    description: What to open at the port; V(held) says it.
    type: str
    default: ""
  plugin:
    description: The C(session-manager-plugin) executable.
    type: str
    default: session-manager-plugin
  record:
    description: File that records the session, so that a later task can stop it.
    type: path
    required: true
  timeout:
    description: Seconds within which the port must answer.
    type: int
    default: 30
  state:
    description:
      - Whether the port is to be there. V(held) opens it, waits until somebody presses Enter or, without a
        terminal, until the run is interrupted (SIGINT, SIGTERM, or the end of its process), and closes it.
    choices: [started, held, stopped]
    default: started
    type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Open the dashboard's port
  clickstream.aws.port_forward:
    instance_id: i-0123456789abcdef0
    port: 3838
    local_port: 3838
    record: .ansible/dashboard.json
"""

RETURN = r"""
url:
  description: URL of the port on this machine.
  type: str
  returned: always
  sample: http://localhost:3838
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import wait_for
from ansible_collections.clickstream.aws.plugins.module_utils.sessions import (
    end_session,
    plugin_command,
    start_session,
)

DOCUMENT = "AWS-StartPortForwardingSession"


def answers(port: int) -> bool:
    """Whether something on this machine accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def runs(record: Path) -> bool:
    """Whether the recorded session's process is there.

    It inherits the lock on the record, and so holds it until it has ended, also as a zombie. A number of a
    process would not say that on a system without /proc.
    """
    try:
        with record.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def request_of(params: dict[str, Any]) -> dict[str, Any]:
    """StartSession's parameters for the task."""
    ports = {"portNumber": [str(params["port"])], "localPortNumber": [str(params["local_port"])]}
    return {"Target": params["instance_id"], "DocumentName": DOCUMENT, "Parameters": ports}


def recorded(record: Path) -> dict[str, Any] | None:
    """The session that was recorded, if its process is there."""
    text = record.read_text() if runs(record) else ""
    return json.loads(text) if text else None


def leads_there(session: dict[str, Any], params: dict[str, Any]) -> bool:
    """Whether the session that runs leads to the instance and port of the task."""
    return session.get("request") == request_of(params) and answers(params["local_port"])


def start(module: AnsibleAWSModule, ssm: Any, executable: str) -> None:
    """Start the session, record it, and wait until the port answers; nothing stays where it does not."""
    params = module.params
    request = request_of(params)
    session = start_session(ssm, request)
    recorded = {"pid": None, "session_id": session["SessionId"], "request": request}
    file = Path(params["record"])
    log = file.with_suffix(".log")
    file.unlink(missing_ok=True)
    try:
        with log.open("wb") as output, file.open("w") as record:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                plugin_command(executable, session, request, ssm, params["profile"]),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[record.fileno()],
            )
            recorded["pid"] = process.pid
            json.dump(recorded, record)

        def ready() -> bool:
            if process.poll() is not None:
                module.fail_json(
                    msg=f"The session to {params['instance_id']} ended at once: {log.read_text()[-500:]} "
                    "Fix: look at the instance in Session Manager's fleet list."
                )
            return answers(params["local_port"])

        wait_for(ready, f"an answer on port {params['local_port']}", params["timeout"], 0.1)
    except BaseException:
        stop(module, ssm, recorded)
        raise


def stop(module: AnsibleAWSModule, ssm: Any, session: dict[str, Any]) -> None:
    """End the recorded session, and its process if it runs."""
    record = Path(module.params["record"])
    for number in (signal.SIGTERM, signal.SIGKILL):
        if runs(record):
            os.killpg(session["pid"], number)
            with suppress(TimeoutError):
                wait_for(lambda: not runs(record), "the end of the session's process", 10, 0.05)
    record.unlink(missing_ok=True)
    end_session(module, ssm, session["session_id"])


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {},
            "port": {"type": "int"},
            "local_port": {"type": "int", "required": True},
            "path": {"default": ""},
            "plugin": {"default": "session-manager-plugin"},
            "record": {"type": "path", "required": True},
            "timeout": {"type": "int", "default": 30},
            "state": {"choices": ["started", "held", "stopped"], "default": "started"},
        },
        required_if=[("state", state, ("instance_id", "port")) for state in ("started", "held")],
        supports_check_mode=True,
    )
    file = Path(module.params["record"])
    file.parent.mkdir(parents=True, exist_ok=True)
    running = recorded(file)
    started = module.params["state"] != "stopped"  # the action plugin waits where it is to be held
    changed = not (running and leads_there(running, module.params)) if started else running is not None
    url = f"http://localhost:{module.params['local_port']}"
    if not changed or module.check_mode:
        module.exit_json(changed=changed, url=url)
    executable = shutil.which(module.params["plugin"])
    if started and executable is None:
        module.fail_json(
            msg=f"{module.params['plugin']} is not on this machine. "
            "Fix: install the Session Manager plugin for the AWS CLI."
        )
    try:
        ssm = module.client("ssm")
        if running is not None:
            stop(module, ssm, running)
        if started and answers(module.params["local_port"]):
            module.fail_json(
                msg=f"Port {module.params['local_port']} is in use on this machine. "
                "Fix: stop what listens on it, or choose another."
            )
        if started:
            start(module, ssm, str(executable))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"session to {module.params['instance_id']}")
    except TimeoutError as error:
        log = file.with_suffix(".log")
        module.fail_json(
            msg=f"session to {module.params['instance_id']}: {error}. "
            f"The plugin said: {log.read_text()[-500:]} "
            "Fix: look whether the instance listens on the port, and whether you may open sessions with it."
        )
    module.exit_json(changed=True, url=url)


if __name__ == "__main__":
    main()
