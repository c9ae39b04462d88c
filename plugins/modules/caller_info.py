#!/usr/bin/python
"""Ansible module: who calls AWS, in which account and region."""

from __future__ import annotations

DOCUMENTATION = r"""
module: caller_info
short_description: Who calls AWS, in which account and region
description:
  - Asks AWS whose credentials these are. Writes nothing.
  - Fails with the fix where there are none, where AWS does not answer, and in a partition other than C(aws)
    (China, GovCloud, the European Sovereign Cloud), for which the platform is not written.
options: {}
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Ask AWS who is calling
  clickstream.aws.caller_info:
  register: caller
"""

RETURN = r"""
account:
  description: The account's id.
  type: str
  returned: success
arn:
  description: ARN of the caller, a user or the session of a role.
  type: str
  returned: success
  sample: arn:aws:sts::123456789012:assumed-role/deployer/alice
region:
  description: The region that was asked.
  type: str
  returned: success
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from ansible_collections.clickstream.aws.plugins.module_utils.services import IMPATIENT


def unreachable(error: Exception) -> str:
    """What to do about an AWS that did not say who is calling."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound() | TokenRetrievalError():
            return f"No credentials for AWS: {error}. Fix: run `aws sso login` or set AWS_PROFILE."
        case ConnectionError() | HTTPClientError():
            return f"AWS cannot be reached: {error}. Fix: check the network and AWS_ENDPOINT_URL."
        case _:
            return f"AWS refused to say who is calling: {error}. Fix: renew the credentials."


def partition_error(arn: str) -> str:
    """A sentence where the account is in another partition; empty where the platform works."""
    partition = arn.split(":")[1]
    if partition == "aws":
        return ""
    return (
        f"{arn} is in AWS's partition {partition}, and the platform's ARNs and endpoints are those of the "
        "partition aws. Fix: use an account of AWS's standard regions."
    )


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(argument_spec={}, supports_check_mode=True)
    try:
        caller = module.client("sts", config=IMPATIENT).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        module.fail_json(msg=unreachable(error))
    refused = partition_error(caller["Arn"])
    if refused:
        module.fail_json(msg=refused)
    module.exit_json(account=caller["Account"], arn=caller["Arn"], region=module.region)


if __name__ == "__main__":
    main()
