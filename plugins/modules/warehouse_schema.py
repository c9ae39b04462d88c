#!/usr/bin/python
"""Ansible module: bring a database's schema to what SQL files say."""

from __future__ import annotations

DOCUMENTATION = r"""
module: warehouse_schema
short_description: Bring a database's schema to what SQL files say
description:
  - Tables come from numbered files, C(tables/NNNN_name.sql) in O(directory). Each is applied once, in
    order. A file that was applied and has been edited is refused, and so is a database that is ahead of the
    files.
  - Functions, views and triggers come from C(functions/), C(views/) and C(triggers/), one object a file,
    named after it, with C(CREATE OR REPLACE) and the object's GRANTs. A file is applied whenever its text
    differs from what was applied, or the database holds something else than after that; another owner,
    another privilege and a disabled trigger count. A function of another signature takes the place of the
    one that was there.
  - A function, view or trigger in schema C(public) that no file declares is dropped, for the schema is the
    files' alone. What belongs to an extension stays.
  - Everything happens in one transaction. Files hold plain SQL, without psql's backslash commands and
    without C(BEGIN) and C(COMMIT), and run as O(owner).
  - Functions are there before pending tables are applied, so that indexes may use them. A table file that
    needs the new functions with all tables in place names a statement that runs at the end, C(SET LOCAL
    warehouse_schema.afterwards = 'SELECT ...').
  - After an upgrade of PostgreSQL to another major version, which may write the same object otherwise, all
    files of functions, views and triggers are applied once more.
options:
  directory:
    description: Directory with the folders of files, on the controller.
    type: path
    required: true
  database:
    description: The database.
    type: str
    required: true
  owner:
    description: Role that becomes the owner of what the files create; C(SET ROLE) makes it so.
    type: str
    required: true
  port:
    description: The server's port.
    type: int
    default: 5432
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Bring the schema up to date
  clickstream.aws.warehouse_schema:
    directory: "{{ playbook_dir }}/../files/warehouse"
    database: clickstream_dw
    owner: clickstream_owner
"""

RETURN = r"""
version:
  description: The number of the last table file that the database has (or would have).
  returned: unless pending
  type: int
applied:
  description: The table files that were applied (or would be).
  returned: unless pending
  type: list
  elements: str
  sample: [0003_sessions]
objects:
  description: The functions, views and triggers that were applied or dropped (or would be), and why.
  returned: unless pending
  type: list
  elements: str
  sample: ["function link_funnel: was changed in the database"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import (
    CONNECTION_ARGUMENTS,
    Unavailable,
    connect,
    report_unavailable,
)
from ansible_collections.clickstream.aws.plugins.module_utils.warehouse_schema import (
    Changes,
    Refused,
    bring_up_to_date,
    label,
)


def diffs(changes: Changes) -> list[dict[str, str]]:
    """What ``--diff`` shows: all changes by name, and the text of those that replace something."""
    names = [label(tables) for tables in changes.tables] + [one.label for one in changes.objects]

    def lines(text: str) -> str:
        return f"{text.rstrip()}\n" if text else ""

    return [{"before": "", "after": "".join(f"{name}\n" for name in names)}] * bool(names) + [
        {
            "before_header": one.label,
            "after_header": one.label,
            "before": lines(one.before),
            "after": lines(one.after),
        }
        for one in changes.objects
        if one.before
    ]


def main() -> None:
    """Run the module."""
    required: dict[str, Any] = {"required": True}
    module = AnsibleModule(
        argument_spec={
            "tables": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {"version": {"type": "int", "required": True}, "name": required, "sql": required},
            },
            "objects": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "kind": {"choices": ["function", "view", "trigger"], "required": True},
                    "name": required,
                    "sql": required,
                },
            },
            "database": required,
            "owner": required,
            **CONNECTION_ARGUMENTS,
        },
        supports_check_mode=True,
        no_log=True,  # of the arguments, in the host's journal: they are long
    )
    tables, objects = module.params["tables"], module.params["objects"]
    try:
        connection = connect(module.params["database"], module.params["port"])
        changes = bring_up_to_date(connection, tables, objects, module.params["owner"], module.check_mode)
    except Unavailable as reason:
        report_unavailable(module, "the warehouse's schema", reason)
    except Refused as refusal:
        module.fail_json(msg=str(refusal))
    module.exit_json(
        changed=bool(changes),
        version=len(tables),
        applied=[label(one) for one in changes.tables],
        objects=[one.label for one in changes.objects],
        diff=diffs(changes),
    )


if __name__ == "__main__":
    main()
