#!/usr/bin/python
"""Ansible module: wait until Session Manager reaches an instance."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_instance_info
short_description: Wait until Session Manager reaches an instance
description:
  - Asks C(ssm:DescribeInstanceInformation) for the agent of an instance until it is online.
  - (community.aws.ssm_inventory_info answers from the inventory, which exists only after the first inventory
    association has run on an instance that is online.)
  - When the limit is over, the error quotes the end of the instance's console output, where the boot
    script reports, and says what else to look at.
options:
  instance_id:
    description: Id of the instance.
    type: str
    required: true
  wait_timeout:
    description: Seconds to wait until the agent is online; 0 only asks.
    type: int
    default: 300
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Wait until the agent of the instance is online
  clickstream.aws.ssm_instance_info:
    instance_id: i-0123456789abcdef0
    wait_timeout: 600
"""

RETURN = r"""
online:
  description: Whether the agent answers.
  returned: always
  type: bool
agent_version:
  description: Version of the agent; empty where it has never registered.
  returned: always
  type: str
  sample: 3.3.987.0
"""

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

POLL_SECONDS = 3.0
CONSOLE_LINES = 15


def instance_information(ssm: Any, instance_id: str) -> dict[str, Any]:
    """What Session Manager knows about the instance; empty where its agent has never registered."""
    answer = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [instance_id]}])
    found = answer["InstanceInformationList"]
    return dict(found[0]) if found else {}


def is_online(information: dict[str, Any]) -> bool:
    """Whether the agent has answered lately."""
    return information.get("PingStatus") == "Online"


def wait_until_online(ssm: Any, instance_id: str, seconds: float) -> dict[str, Any]:
    """The instance's information, asked for until it is online or ``seconds`` are over."""
    limit = time.monotonic() + seconds
    information = instance_information(ssm, instance_id)
    while not is_online(information) and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
        information = instance_information(ssm, instance_id)
    return information


def latest_console_output(ec2: Any, instance_id: str) -> str:
    """The console's output of now where the type can give it (Nitro), else what EC2 buffered after boot."""
    try:
        answer = ec2.get_console_output(InstanceId=instance_id, Latest=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnsupportedOperation":
            raise
        answer = ec2.get_console_output(InstanceId=instance_id)
    return str(answer.get("Output") or "")


def console_end(ec2: Any, instance_id: str) -> str:
    """The last lines of the console output, or why there are none."""
    try:
        output = latest_console_output(ec2, instance_id)
    except (BotoCoreError, ClientError) as error:
        return f"(no console output: {error})"
    return "\n".join(output.splitlines()[-CONSOLE_LINES:]) or "(no console output yet)"


def unreachable(instance_id: str, seconds: float, status: str, console: str) -> str:
    """The message for an instance that does not come online."""
    return (
        f"The SSM agent of {instance_id} is not online after {seconds:.0f} s (state: {status}). "
        "Fix: look (1) at the end of the console output below for the boot script's own message, "
        "(2) whether its instance profile is attached, with a role that may reach Systems Manager, "
        "(3) whether the interface endpoints ssm and ssmmessages are available and their security group "
        "admits 443 from the instance, (4) whether the S3 endpoint's policy admits the amazon-ssm bucket "
        "of the region; "
        f"then run the playbook again.\n--- console output ---\n{console}"
    )


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {"required": True},
            "wait_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    instance_id, seconds = module.params["instance_id"], module.params["wait_timeout"]
    try:
        information = wait_until_online(module.client("ssm"), instance_id, seconds)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Session Manager's state of {instance_id}")
    if seconds and not is_online(information):
        status = information.get("PingStatus", "never registered")
        console = console_end(module.client("ec2"), instance_id)
        module.fail_json(msg=unreachable(instance_id, seconds, status, console))
    module.exit_json(
        changed=False,
        online=is_online(information),
        agent_version=information.get("AgentVersion", ""),
    )


if __name__ == "__main__":
    main()
