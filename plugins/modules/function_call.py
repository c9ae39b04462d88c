#!/usr/bin/python
"""Ansible module: call a Lambda function and wait for its answer, for as long as a function may run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: function_call
short_description: Call a Lambda function and wait for its answer, for as long as a function may run
description:
  - Calls the function once, whatever happens to the connection. A second call would find the first at work.
  - Unlike with amazon.aws.lambda_execute, the connection survives a silence of 15 minutes behind a NAT or
    firewall that forgets idle connections (many after 350 seconds), by TCP keep-alive every minute.
    The option C(tcp_keepalive) of boto3 alone begins after the operating system's two hours.
options:
  name:
    description: Name of the function.
    type: str
    required: true
  payload:
    description: What the function is given.
    type: dict
    default: {}
  timeout:
    description: Seconds to wait for the answer. The function's time limit and a little more.
    type: int
    default: 930
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Load what has arrived
  clickstream.aws.function_call:
    name: SBW_Lamda_ETL
    payload: {reprocess: true}
"""

RETURN = r"""
output:
  description: What the function has answered.
  type: dict
  returned: when it was called, which check mode does not
"""

import json
import socket
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

IDLE_OPTION = getattr(socket, "TCP_KEEPIDLE", None) or socket.TCP_KEEPALIVE  # type: ignore[attr-defined]
"""Linux's name, or macOS's."""

KEEP_ALIVE = [(socket.IPPROTO_TCP, IDLE_OPTION, 60), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60)]


def connection(timeout: int) -> Config:
    """Waits for one answer, and repeats nothing."""
    return Config(
        connect_timeout=10, read_timeout=timeout, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )


def keep_alive(client: Any) -> None:
    """Begin with TCP keep-alive after a minute. botocore has no option for it (boto/botocore#2916)."""
    client._endpoint.http_session._socket_options.extend(KEEP_ALIVE)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"required": True},
            "payload": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 930},
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        client = module.client("lambda", config=connection(params["timeout"]))
        keep_alive(client)
        answer = client.invoke(FunctionName=params["name"], Payload=json.dumps(params["payload"]))
        output = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"function {params['name']}")
    if "FunctionError" in answer:
        module.fail_json(
            msg=f"The function {params['name']} failed: "
            f"{output.get('errorType')}: {output.get('errorMessage')} "
            f"Fix: read its log, /aws/lambda/{params['name']}.",
            output=output,
        )
    module.exit_json(changed=True, output=output)


if __name__ == "__main__":
    main()
