#!/usr/bin/python
"""Ansible module: a port of a private instance on this machine, through Session Manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_forward
short_description: A port of a private instance on this machine, through Session Manager
description:
  - Starts (or stops) a C(AWS-StartPortForwardingSession) session in the background, as
    C(aws ssm start-session) does in the foreground. Needs the C(session-manager-plugin) executable.
  - A remembered session that leads elsewhere (the instance was replaced, another port is wanted) or nowhere
    is replaced.
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
    description: The file that remembers the session, so that it can be stopped again.
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
  description: Where the port is on this machine.
  type: str
  returned: always
  sample: http://localhost:3838
"""

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import wait_for

DOCUMENT = "AWS-StartPortForwardingSession"


def answers(port: int) -> bool:
    """Whether something on this machine accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def runs(record: dict[str, Any]) -> bool:
    """Whether the recorded process is still the session it was (and no later process with its number)."""
    command = Path(f"/proc/{record['pid']}/cmdline")
    return command.exists() and record["session_id"].encode() in command.read_bytes()


def request_of(params: dict[str, Any]) -> dict[str, Any]:
    """StartSession's parameters for what is asked."""
    ports = {"portNumber": [str(params["port"])], "localPortNumber": [str(params["local_port"])]}
    return {"Target": params["instance_id"], "DocumentName": DOCUMENT, "Parameters": ports}


def leads_there(record: dict[str, Any], params: dict[str, Any]) -> bool:
    """Whether the recorded session leads to where it is asked to."""
    return runs(record) and record.get("request") == request_of(params) and answers(params["local_port"])


def start(module: AnsibleAWSModule, ssm: Any, executable: str) -> None:
    """Start the session, remember it, and wait until the port answers."""
    params = module.params
    request = request_of(params)
    session = ssm.start_session(**request)
    session.pop("ResponseMetadata", None)
    arguments = [json.dumps(session), ssm.meta.region_name, "StartSession", params["profile"] or ""]
    log = Path(params["record"]).with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [executable, *arguments, json.dumps(request), ssm.meta.endpoint_url],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    record = {"pid": process.pid, "session_id": session["SessionId"], "request": request}
    Path(params["record"]).write_text(json.dumps(record))

    def ready() -> bool:
        if process.poll() is not None:
            module.fail_json(
                msg=f"The session to {params['instance_id']} ended at once: {log.read_text()[-500:]} "
                "Fix: look at the instance in Session Manager's fleet list."
            )
        return answers(params["local_port"])

    wait_for(ready, f"an answer on port {params['local_port']}", params["timeout"], 0.1)


def stop(ssm: Any, record: dict[str, Any]) -> None:
    """End the recorded session and its process, which runs."""
    os.killpg(record["pid"], signal.SIGTERM)
    wait_for(lambda: not runs(record), "the end of the session's process", 10, 0.05)
    ssm.terminate_session(SessionId=record["session_id"])


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
    record = json.loads(file.read_text()) if file.exists() else None
    there = record is not None and runs(record)
    started = module.params["state"] != "stopped"  # the action plugin waits where it is to be held
    changed = not (record and leads_there(record, module.params)) if started else there
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
        if record is not None and there:
            stop(ssm, record)
            file.unlink()
        if started and answers(module.params["local_port"]):
            module.fail_json(
                msg=f"Port {module.params['local_port']} is taken on this machine. Fix: choose another."
            )
        if started:
            start(module, ssm, str(executable))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"session to {module.params['instance_id']}")
    except TimeoutError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, url=url)


if __name__ == "__main__":
    main()
