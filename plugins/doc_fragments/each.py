"""Documentation fragment: several resources of one kind in one task."""

from __future__ import annotations


class ModuleDocFragment:
    """``extends_documentation_fragment: clickstream.aws.each``; for modules with ``several=True``."""

    DOCUMENTATION = r"""
options:
  each:
    description:
      - Several resources in one task. Each entry has the options of one; those of the task hold for all.
      - A loop starts a Python process for every item, which costs a second each; this starts one.
    type: list
    elements: dict
"""
