"""The machine images that the emulated EC2 offers."""

from __future__ import annotations

import json
import platform

DEBIAN_OWNER = "136693071363"
"""Account that publishes Debian's official images on AWS."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Name of this computer's architecture in ``uname`` → in Debian."""

_EC2_NAMES = {"amd64": "x86_64", "arm64": "arm64"}


def debian_architecture() -> str:
    """Return this computer's architecture as Debian names it; empty when it is not supported."""
    return ARCHITECTURES.get(platform.machine(), "")


def images_json() -> str:
    """Return Debian 13's images of two dates and both architectures, in moto's form.

    There are two dates, so that tests see whether the newest image is chosen.
    """
    images = []
    for number, (date, serial) in enumerate((("20260901", "2222"), ("20261110", "2290"))):
        for architecture, ec2_name in _EC2_NAMES.items():
            images.append(
                {
                    "ami_id": f"ami-0debian13{architecture}{number}",
                    "name": f"debian-13-{architecture}-{date}-{serial}",
                    "description": f"Debian 13 ({date}-{serial})",
                    "owner_id": DEBIAN_OWNER,
                    "public": True,
                    "virtualization_type": "hvm",
                    "architecture": ec2_name,
                    "state": "available",
                    "platform": None,
                    "image_type": "machine",
                    "hypervisor": "xen",
                    "root_device_name": "/dev/xvda",
                    "root_device_type": "ebs",
                    "sriov": "simple",
                    "creation_date": f"{date[:4]}-{date[4:6]}-{date[6:]}T00:00:00.000Z",
                    "tags": {},
                }
            )
    return json.dumps(images, indent=1)
