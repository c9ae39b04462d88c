#!/usr/bin/python
"""Documentation of the action plugin clickstream.aws.pending, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pending
short_description: Report what cannot be configured yet
description:
  - In check mode reports a change, with one line C(pending) per resource that waits for O(needs).
  - Otherwise fails with O(fix).
  - The AWS modules of this collection report missing parents themselves. This module is for tasks of hosts
    and of other collections.
options:
  needs:
    description: Name of what does not exist yet.
    type: str
    required: true
  resources:
    description: What cannot be configured without it.
    type: list
    elements: str
    required: true
  fix:
    description: How to make what is missing, for the error outside check mode.
    type: str
    default: run site.yml, which creates everything in order
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Report what waits for the instance
  clickstream.aws.pending:
    needs: SBW_EC2_ShinyDWH
    resources: [PostgreSQL, Shiny Server]
  when: __instance_connection_instances | length == 0
"""

RETURN = r"""
pending:
  description: What is missing.
  returned: in check mode
  type: str
  sample: SBW_EC2_ShinyDWH
"""
