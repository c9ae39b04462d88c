"""Filter: one checksum for a directory of the controller."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

DOCUMENTATION = r"""
name: tree_checksum
short_description: One checksum for a directory of the controller
description:
  - SHA-256 over the relative paths and the contents of all files, in hex. Times and modes do not count.
options:
  _input:
    description: The directory.
    type: path
    required: true
author: The clickstream platform's founders
"""

EXAMPLES = r"""
version: "{{ 'files/dashboard' | clickstream.aws.tree_checksum }}"
"""

RETURN = r"""
_value:
  description: The checksum.
  type: str
"""


def tree_checksum(directory: str) -> str:
    """The checksum; that of an empty directory where there is none."""
    total = hashlib.sha256()
    root = Path(directory)
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters by name."""
        return {"tree_checksum": tree_checksum}
