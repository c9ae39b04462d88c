"""Documentation fragment: how a module reaches AWS (credentials, endpoint, region).

It is the three fragments of amazon.aws that every module would have to name, in one: fragments cannot extend
each other.
"""

from __future__ import annotations

from ansible.module_utils.common.yaml import yaml_dump, yaml_load
from ansible_collections.amazon.aws.plugins.doc_fragments import boto3, common, region


def merged(*fragments: str) -> str:
    """The options, notes and requirements of several fragments as one fragment, in YAML."""
    parts = [yaml_load(fragment) for fragment in fragments]
    return str(
        yaml_dump(
            {
                "options": {name: option for part in parts for name, option in part["options"].items()},
                "notes": [note for part in parts for note in part.get("notes", [])],
                "requirements": [need for part in parts for need in part.get("requirements", [])],
            }
        )
    )


class ModuleDocFragment:
    """``extends_documentation_fragment: clickstream.aws.connection``."""

    DOCUMENTATION = merged(
        common.ModuleDocFragment.MODULES,
        region.ModuleDocFragment.MODULES,
        boto3.ModuleDocFragment().DOCUMENTATION,
    )
