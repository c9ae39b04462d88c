#!/usr/bin/python
"""Ansible module: where an HTTP API answers, by its name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_api_info
short_description: Where an HTTP API of API Gateway v2 answers, by its name
description:
  - Looks an HTTP API up. An API that does not exist is no error; C(exists) tells.
options:
  name:
    description: Name of the API.
    type: str
    required: true
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.connection
"""

EXAMPLES = r"""
- name: Find the collector
  clickstream.aws.http_api_info:
    name: clickstream-http-api
"""

RETURN = r"""
exists:
  description: Whether there is such an API.
  type: bool
  returned: always
api_id:
  description: Its id; empty where it does not exist.
  type: str
  returned: always
api_endpoint:
  description: The URL of its default stage; empty where it does not exist.
  type: str
  returned: always
  sample: https://abc123.execute-api.ap-southeast-1.amazonaws.com
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(argument_spec={"name": {"required": True}}, supports_check_mode=True)
    try:
        pages = module.client("apigatewayv2").get_paginator("get_apis").paginate()
        apis = [api for page in pages for api in page["Items"] if api["Name"] == module.params["name"]]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"HTTP API {module.params['name']}")
    if len(apis) > 1:
        module.fail_json(
            msg=f"{len(apis)} HTTP APIs are called {module.params['name']}. Fix: remove all but one of them."
        )
    api = apis[0] if apis else {}
    module.exit_json(exists=bool(apis), api_id=api.get("ApiId", ""), api_endpoint=api.get("ApiEndpoint", ""))


if __name__ == "__main__":
    main()
