"""Documentation fragment: what every module on module_utils/resource.py takes, beside its own options."""

from __future__ import annotations

from ansible_collections.clickstream.aws.plugins.doc_fragments import connection

OPTIONS = r"""
options:
  state:
    description: Whether the resource exists after the task.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description:
      - All tags of the resource. A tag that is not named here is removed.
      - EC2 resources also get the tag C(Name), which needs no entry here.
    type: dict
    default: {}
    aliases: [resource_tags]
"""


class ModuleDocFragment:
    """``extends_documentation_fragment: clickstream.aws.resource``; includes the fragment connection."""

    DOCUMENTATION = connection.merged(OPTIONS, connection.ModuleDocFragment.DOCUMENTATION)
