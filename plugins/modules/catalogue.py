#!/usr/bin/python
"""Ansible module: make the warehouse's catalogue what a CSV file says."""

from __future__ import annotations

DOCUMENTATION = r"""
module: catalogue
short_description: Make the warehouse's catalogue what a CSV file says
description:
  - Reads O(src) on the controller, and refuses it with all its faults before anything is touched.
  - Makes the table C(public.catalogue) the same in one transaction, as O(owner). Products that are not in the
    file are removed. What the dashboard shows of products follows in the same transaction.
  - The file is UTF-8 with commas. Its first row names the columns, in any order, C(id), C(name), C(category),
    C(brand), C(price), C(discount_price) and C(cost); only C(id) is required. An empty cell says nothing, and
    what events say stands; beside a price, no discount price means that there is none.
options:
  src:
    description: The CSV file, on the controller.
    type: path
    required: true
  database:
    description: The warehouse's database.
    type: str
    required: true
  owner:
    description: Role that owns the table.
    type: str
    required: true
  port:
    description: The server's port.
    type: int
    default: 5432
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Take the shop's products
  clickstream.aws.catalogue:
    src: products.csv
    database: clickstream_dw
    owner: clickstream_owner
"""

RETURN = r"""
products:
  description: How many products the file has.
  returned: unless pending
  type: int
added:
  description: How many of them are new (or would be).
  returned: unless pending
  type: int
updated:
  description: How many of them are others than before (or would be).
  returned: unless pending
  type: int
removed:
  description: How many products are in the file no more, and go (or would go).
  returned: unless pending
  type: int
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.catalogue import (
    COLUMNS,
    Refused,
    Row,
    bring_up_to_date,
)
from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import (
    CONNECTION_ARGUMENTS,
    Unavailable,
    connect,
    driver,
    report_unavailable,
)


def lines(products: Mapping[str, Row]) -> str:
    """Products as ``--diff`` shows them: as in the file, in the order of their ids."""
    text = io.StringIO()
    rows: Iterable[Row] = (products[key] for key in sorted(products))
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def main() -> None:
    """Run the module."""
    required: dict[str, Any] = {"required": True}
    module = AnsibleModule(
        argument_spec={
            # In the order of COLUMNS; numbers as text.
            "products": {"type": "list", "elements": "list", "required": True},
            "database": required,
            "owner": required,
            **CONNECTION_ARGUMENTS,
        },
        supports_check_mode=True,
        no_log=True,  # of the arguments, in the host's journal: they are long
    )
    products = module.params["products"]
    try:
        connection = connect(module.params["database"], module.params["port"])
        changes = bring_up_to_date(connection, products, module.params["owner"], module.check_mode)
    except Unavailable as reason:
        report_unavailable(module, "the catalogue", reason)
    except Refused as refusal:
        module.fail_json(msg=str(refusal))
    except driver().Error as error:
        said = str(error.diag.message_primary or error).strip()
        module.fail_json(
            msg=f"The catalogue was not changed: {said}. Fix: correct it, and run the playbook again."
        )
    header = ",".join(COLUMNS)
    module.exit_json(
        changed=bool(changes.before or changes.after),
        products=len(products),
        added=len(changes.added),
        updated=len(changes.updated),
        removed=len(changes.removed),
        diff={
            "before_header": header,
            "after_header": header,
            "before": lines(changes.before),
            "after": lines(changes.after),
        }
        if changes.before or changes.after
        else {},
    )


if __name__ == "__main__":
    main()
