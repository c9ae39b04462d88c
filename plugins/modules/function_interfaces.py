#!/usr/bin/python
"""Ansible module: the network interfaces that deleted Lambda functions leave in a VPC."""

from __future__ import annotations

DOCUMENTATION = r"""
module: function_interfaces
short_description: The network interfaces that deleted Lambda functions leave in a VPC
description:
  - Lambda keeps the network interfaces of a function in a VPC for 20 to 45 minutes after the function has
    been deleted, at times for over an hour. Until then they hold its subnets and security groups, and Lambda
    needs the function's role to let them go.
  - Names them, and removes those that Lambda has let go. Those of functions that are there are left alone.
  - With C(until) a task waits for them and shows that it does.
options:
  vpc:
    description: Name tag of the VPC.
    type: str
    required: true
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Wait until Lambda has let go of the subnets
  clickstream.aws.function_interfaces:
    vpc: SBW_Project-vpc
  register: interfaces
  until: interfaces['left'] | length == 0
  retries: 240
  delay: 30
"""

RETURN = r"""
left:
  description: Ids of the network interfaces that are still there.
  returned: always
  type: list
  elements: str
  sample: [eni-0123456789abcdef0]
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import Finder
from ansible_collections.clickstream.aws.plugins.module_utils.resource import Missing
from ansible_collections.clickstream.aws.plugins.module_utils.users import Users, is_lambdas


def left_behind(users: Users, vpc_id: str) -> list[dict[str, Any]]:
    """EC2's descriptions of Lambda's network interfaces in the VPC whose function has been deleted."""
    ours = filter(is_lambdas, users.interfaces(vpc_id=vpc_id))
    return [interface for interface in ours if users.function_of(interface) is None]


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(argument_spec={"vpc": {"required": True}}, supports_check_mode=True)
    ec2 = module.client("ec2")
    users = Users(ec2, module.client("lambda"), look_only=module.check_mode)
    try:
        found = left_behind(users, Finder(module, ec2).vpc(module.params["vpc"]))
        left = [interface["NetworkInterfaceId"] for interface in found if not users.release(interface)]
    except Missing:
        found = left = []
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"network interfaces in VPC {module.params['vpc']}")
    module.exit_json(changed=len(left) < len(found), left=sorted(left))


if __name__ == "__main__":
    main()
