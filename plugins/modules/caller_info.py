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

from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from ansible_collections.clickstream.aws.plugins.module_utils.services import IMPATIENT


def unreachable(error: Exception, region: str | None) -> str:
    """What to do about an AWS that did not say who is calling."""
    match error:
        case ClientError():
            return (
                f"AWS refused to say who is calling: {error}. Fix: renew the credentials. Where AWS does not "
                f"enable platform_region ({region}) by itself, it must be enabled in the account first."
            )
        case ConnectionError() | HTTPClientError() | ValueError():
            known = region in Session().get_available_regions("ec2")
            what = "" if known else f" {region} is no region that this botocore knows."
            return (
                f"AWS cannot be reached: {error}.{what} Fix: check platform_region, the network and "
                "AWS_ENDPOINT_URL."
            )
        case _:
            return (
                f"No credentials for AWS: {error}. Fix: run `aws sso login`, or set AWS_PROFILE, or "
                "AWS_ACCESS_KEY_ID together with AWS_SECRET_ACCESS_KEY."
            )


class CallerModule(AnsibleAWSModule):  # type: ignore[misc]  # amazon.aws has no types
    """One whose errors of AWS, those of a profile or key that cannot be used too, have their fix."""

    def fail_json_aws(self, exception: Exception, msg: str | None = None, **kwargs: Any) -> NoReturn:
        """End the module."""
        self.fail_json(msg=unreachable(exception, self.params["region"]))
        raise AssertionError("fail_json does not return")


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
    module = CallerModule(argument_spec={}, supports_check_mode=True)
    if module.params["profile"] and module.params["access_key"]:
        module.fail_json(
            msg=f"AWS_PROFILE ({module.params['profile']}) and AWS_ACCESS_KEY_ID are both set, and nobody "
            "can say which is meant. Fix: unset one of them."
        )
    try:
        caller = module.client("sts", config=IMPATIENT).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error)
    refused = partition_error(caller["Arn"])
    if refused:
        module.fail_json(msg=refused)
    module.exit_json(account=caller["Account"], arn=caller["Arn"], region=module.region)


if __name__ == "__main__":
    main()
