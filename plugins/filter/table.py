"""Filter: a list of dicts as the lines of a plain table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: table
short_description: A list of dicts as the lines of a plain table
description: Columns as wide as their widest value, a heading, and a tick or a cross for booleans.
positional: columns
options:
  _input:
    description: The rows.
    type: list
    elements: dict
    required: true
  columns:
    description: Which keys to show, in which order.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ [{'station': 'raw bucket', 'ok': true}] | clickstream.aws.table(['station', 'ok']) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """The table's lines: a heading, and one line for each row; a missing key is an empty cell."""
    cells = [list(columns), *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return str(value)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"table": table}
