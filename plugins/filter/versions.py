"""Filter: the installed versions of what the project requires, beside the required ones."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

DOCUMENTATION = r"""
name: versions
short_description: The installed versions of what the project requires, beside the required ones
description:
  - Looks at the Python that runs Ansible. Of a pinned version a later one of the same major version is right
    too; a range means what it says.
  - A requirement for another Python than this one is left out.
positional: collections
options:
  _input:
    description: The text of a requirements.in with pinned versions.
    type: str
    required: true
  collections:
    description: The C(collections) of a requirements.yml, each with name and version, or a range of versions.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the versions
  ansible.builtin.debug:
    msg: "{{ 'boto3==1.44.5' | clickstream.aws.versions([{'name': 'amazon.aws', 'version': '10.1.2'}]) }}"
"""

RETURN = r"""
_value:
  description: One dictionary for each requirement, with name, needed, found (V(none) if missing) and ok.
  type: list
  elements: dict
"""


def versions(requirements: str, collections: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each requirement as name, needed, found and ok, the Python packages first."""
    found = [(name, needed, installed_package(name)) for name, needed in pinned(requirements)]
    for collection in collections:
        name, needed = str(collection["name"]), str(collection["version"])
        found.append((f"collection {name}", needed, installed_collection(name)))
    return [
        {"name": name, "needed": needed, "found": version or "none", "ok": fits(version, needed)}
        for name, needed, version in found
    ]


def pinned(requirements: str) -> Iterator[tuple[str, str]]:
    """Name and version of each line ``name==version`` of a requirements.in that holds for this Python."""
    for line in requirements.splitlines():
        try:
            requirement = Requirement(line.split("#")[0].strip())
        except InvalidRequirement:  # an empty line, a comment or an option of pip
            continue
        if requirement.marker and not requirement.marker.evaluate():
            continue
        for specifier in requirement.specifier:
            if specifier.operator == "==":
                yield requirement.name, specifier.version


def installed_package(name: str) -> str | None:
    """The version of a Python package that this process can import, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def installed_collection(name: str) -> str | None:
    """The version of a collection that Ansible finds, or None."""
    try:
        package = importlib.import_module(f"ansible_collections.{name}")
        manifest = json.loads((Path(next(iter(package.__path__))) / "MANIFEST.json").read_text())
    except (ImportError, OSError, ValueError):
        return None
    return str(manifest["collection_info"]["version"])


def fits(found: str | None, needed: str) -> bool:
    """Whether a version is in the range ``needed``; a lone one stands for it and later ones of its major."""
    with contextlib.suppress(InvalidVersion):
        needed = f">={Version(needed)},<{Version(needed).major + 1}"
    try:
        return Version(found or "") in SpecifierSet(needed)
    except InvalidVersion:
        return False


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"versions": versions}
