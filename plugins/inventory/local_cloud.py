"""Inventory plugin: point every AWS client of a run at the local cloud."""

from __future__ import annotations

DOCUMENTATION = r"""
name: local_cloud
short_description: Point every AWS client of a run at the local cloud
description:
  - Adds no host and no variable. It sets the environment of the controller process, which botocore reads in
    every module, lookup and connection plugin that the run starts, so that a run with this inventory talks to
    the local cloud and can never reach a real account by mistake.
  - It is an inventory plugin because the inventory chooses between local cloud and AWS, and because the
    environment must be set before anything else runs. The keyword C(environment) of a play reaches modules
    only, neither lookups nor the connection plugin C(amazon.aws.aws_ssm).
  - Whatever the shell says about AWS (a profile, an endpoint, credentials) is overruled for the run.
author:
  - The clickstream platform's founders
options:
  plugin:
    description: Marks a file as this plugin's.
    required: true
    choices: [clickstream.aws.local_cloud]
  name:
    description: Name of the local cloud, which role C(local_cloud) starts.
    type: str
    default: clickstream
  endpoint_port:
    description: Port of its endpoint on 127.0.0.1.
    type: int
    default: 4566
  region:
    description: Region for clients that are told none.
    type: str
    default: ap-southeast-1
"""

EXAMPLES = r"""
# inventories/local/local_cloud.yml
plugin: clickstream.aws.local_cloud
name: clickstream
endpoint_port: 4566
"""

import os  # noqa: E402 - Ansible wants the documentation first
from collections.abc import Mapping, MutableMapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.plugins.inventory import BaseInventoryPlugin  # noqa: E402

DROPPED_PREFIXES = ("AWS_ENDPOINT_URL_",)
DROPPED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_CA_BUNDLE",
    "AWS_URL",
    "EC2_URL",
    "S3_URL",
)


def local_environment(name: str, endpoint_port: int, region: str) -> dict[str, str]:
    """Return the variables that point an AWS client at a local cloud."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{endpoint_port}",
        "AWS_ACCESS_KEY_ID": "local",
        # Ansible masks this value wherever it occurs in output, so it must not be part of another word.
        "AWS_SECRET_ACCESS_KEY": "everybody-knows-it",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Neither a profile of the user nor a role of this machine may be found.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # For the role that starts the cloud.
        "LOCAL_CLOUD_NAME": name,
        "LOCAL_CLOUD_ENDPOINT_PORT": str(endpoint_port),
    }


def apply_environment(environ: MutableMapping[str, str], wanted: Mapping[str, str]) -> None:
    """Change an environment so that it says what is wanted and nothing else about AWS."""
    for key in list(environ):
        if key in DROPPED or key.startswith(DROPPED_PREFIXES):
            del environ[key]
    environ.update(wanted)
    # A proxy for the Internet must not be asked for addresses of this machine.
    for key in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environ.get(key, "").split(",") if host]
        environ[key] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc]
    """See DOCUMENTATION."""

    NAME = "clickstream.aws.local_cloud"

    def verify_file(self, path: str) -> bool:
        """Take files named local_cloud.yml only, so that other sources are not even read."""
        return bool(super().verify_file(path)) and path.endswith(("local_cloud.yml", "local_cloud.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Set the environment of this process and of all that it starts."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        wanted = local_environment(
            self.get_option("name"), self.get_option("endpoint_port"), self.get_option("region")
        )
        apply_environment(os.environ, wanted)
