#!/usr/bin/python
"""Ansible module: the SSM agent that AWS publishes, its version and checksum."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_agent_info
short_description: Version and SHA-256 of the SSM agent's Debian package
description:
  - Asks the bucket of AWS which version is the latest, fetches its package over TLS, and counts its SHA-256.
  - Checks the package's signature where O(key) is given.
  - Writes nothing.
options:
  url:
    description:
      - Where AWS publishes the agent, C(https://s3.<region>.amazonaws.com/amazon-ssm-<region>).
      - Plain HTTP is taken from this machine only.
    type: str
    required: true
  architecture:
    description: Architecture of the package, as Debian calls it.
    type: str
    choices: [amd64, arm64]
    required: true
  version:
    description: The version whose checksum is wanted; by default the latest.
    type: str
    default: ""
  key:
    description:
      - File with AWS's public key, which signs the packages (Systems Manager User Guide, "Verifying the
        signature of SSM Agent"). Needs C(gpg).
      - Without it TLS alone says that the package is AWS's.
    type: path
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Find the agent
  clickstream.aws.ssm_agent_info:
    url: https://s3.ap-southeast-1.amazonaws.com/amazon-ssm-ap-southeast-1
    architecture: arm64
  register: agent
"""

RETURN = r"""
version:
  description: Version of the package.
  type: str
  returned: success
  sample: 3.3.3050.0
sha256:
  description: SHA-256 of the package, in hexadecimal digits.
  type: str
  returned: success
signed:
  description: Whether the signature was checked, and is one of O(key).
  type: bool
  returned: success
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
import urllib.request
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

VERSION = re.compile(r"\d+(\.\d+){3}")
LARGEST_PACKAGE = 200_000_000
"""Bytes; the agent's has some 30 million."""


class LookupFailedError(Exception):
    """A sentence with its fix."""


def trusted(url: str) -> bool:
    """Whether what the address answers is from where it says: over TLS, or of this machine."""
    place = urlsplit(url)
    return place.scheme == "https" or (place.scheme == "http" and place.hostname == "127.0.0.1")


def fetch(url: str) -> bytes:
    """What is at an address, which AWS must have without redirecting elsewhere."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - see trusted()
            if not trusted(answer.url):
                raise LookupFailedError(
                    f"{url} leads to {answer.url}, which is not TLS. Fix: look at the network."
                )
            body: bytes = answer.read(LARGEST_PACKAGE + 1)
            if len(body) > LARGEST_PACKAGE:
                raise LookupFailedError(f"{url} is no package: it is too large. Fix: look at the network.")
            if answer.length:  # what is still to come; read() with a size says nothing of it
                raise IncompleteRead(body, answer.length)
            return body
    except (OSError, HTTPException) as error:
        raise LookupFailedError(
            f"{url} cannot be fetched: {error}. Fix: check network and platform_region, or set "
            "analytics_instance_agent_version and analytics_instance_agent_sha256 by hand."
        ) from error


def latest(url: str) -> str:
    """The latest version that is published."""
    version = fetch(f"{url}/latest/VERSION").decode(errors="replace").strip()
    if not VERSION.fullmatch(version):
        raise LookupFailedError(
            f"{url}/latest/VERSION says {version[:40]!r}, which is no version. "
            "Fix: set analytics_instance_agent_version and analytics_instance_agent_sha256 by hand."
        )
    return version


def require_signature(package: bytes, signature: bytes, key: str) -> None:
    """Raise where the signature is not one of the key; a key that has expired or is not readable is none."""
    if shutil.which("gpg") is None:
        raise LookupFailedError("gpg is not on this machine. Fix: install gnupg, or set no key.")
    with tempfile.TemporaryDirectory() as home:
        files = {name: Path(home, name) for name in ("package", "signature")}
        files["package"].write_bytes(package)
        files["signature"].write_bytes(signature)
        gpg = ["gpg", "--homedir", home, "--batch", "--status-fd", "1"]
        subprocess.run([*gpg, "--import", key], capture_output=True, check=False)
        verify = [*gpg, "--verify", str(files["signature"]), str(files["package"])]
        said = subprocess.run(verify, capture_output=True, text=True, check=False)
    if said.returncode != 0 or "[GNUPG:] GOODSIG " not in said.stdout:
        raise LookupFailedError(
            f"The SSM agent's package is not signed with {key}: {said.stderr.strip().splitlines()[-1:]}. "
            "Fix: take AWS's present key from the Systems Manager User Guide; install nothing until it is."
        )


def find(url: str, architecture: str, version: str, key: str | None) -> dict[str, object]:
    """Version, checksum and whether the signature was checked."""
    if not trusted(url):
        raise LookupFailedError(f"{url} is not https, so anybody could answer. Fix: write https://.")
    version = version or latest(url)
    place = f"{url}/{version}/debian_{architecture}/amazon-ssm-agent.deb"
    package = fetch(place)
    if key:
        require_signature(package, fetch(f"{place}.sig"), key)
    return {"version": version, "sha256": hashlib.sha256(package).hexdigest(), "signed": bool(key)}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"required": True},
            "architecture": {"choices": ["amd64", "arm64"], "required": True},
            "version": {"default": ""},
            "key": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        found = find(**module.params)
    except LookupFailedError as error:
        module.fail_json(msg=str(error))
    module.exit_json(version=found["version"], sha256=found["sha256"], signed=found["signed"])


if __name__ == "__main__":
    main()
