"""Action plugin: read the shop's products from a CSV file and hand them to module catalogue."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import normalize

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.clickstream.aws.plugins.module_utils.catalogue import COLUMNS, NUMBERS

LONGEST = 200
"""Characters of an id or a name: the warehouse tells no more apart."""
SHOWN = 10
"""How many faults are told at once."""
NUMBER = re.compile(r"\d{1,13}(\.\d{1,2})?")
_AROUND = re.compile(r"^[\s\u180e\u200b\u2060\ufeff]+|[\s\u180e\u200b\u2060\ufeff]+$")

Cells = dict[str, str | None]


def read_catalogue(content: bytes) -> list[list[str | None]]:
    """The file's products in the order of `COLUMNS`, empty cells as None.

    Text becomes what it is in the warehouse's events too: without white space around it, in NFC.
    Raises ValueError with all faults, each with its row; the first row, of the columns' names, is 1.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"row {line}: it is no UTF-8. Save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(place, cells) for place, cells in enumerate(reader, start=1) if any(map(clean, cells))]
    except csv.Error as error:
        raise ValueError(f"row that ends in line {reader.line_num}: {error}") from error
    if not numbered:
        raise ValueError("it is empty")
    names = [clean(name) or "" for name in numbered[0][1]]
    check_columns(names)
    products: dict[str | None, tuple[int, list[str | None]]] = {}
    faults = []
    for number, row in numbered[1:]:
        if len(row) != len(names):
            faults.append(f"row {number}: {len(row)} cells instead of {len(names)}")
            continue
        product: Cells = {**dict.fromkeys(COLUMNS), **dict(zip(names, map(clean, row), strict=True))}
        faults += [f"row {number}: {fault}" for fault in faults_of(product)]
        if not (product["discount_price"] or "").strip("0."):
            product["discount_price"] = None  # as in events: 0 is no discount
        if product["id"] and product["id"] in products:
            faults.append(f"row {number}: id {product['id']} is in row {products[product['id']][0]} already")
        products.setdefault(product["id"], (number, [product[name] for name in COLUMNS]))
    if faults:
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise ValueError("; ".join(faults[:SHOWN] + more))
    if not products:
        raise ValueError("there is no product in it, and it would empty the catalogue")
    return [row for _, row in products.values()]


def check_columns(names: Sequence[str]) -> None:
    """Raise ValueError unless these are the columns."""
    strangers = [name for name in names if name not in COLUMNS]
    if strangers:
        raise ValueError(
            f"row 1: no column is called {', '.join(map(repr, strangers))}; the columns, between commas, are "
            f"{', '.join(COLUMNS)}"
        )
    if "id" not in names or len(set(names)) < len(names):
        raise ValueError("row 1: a column id is needed, and each column once")


def clean(cell: str) -> str | None:
    """A cell's text as events have it in the warehouse, or None."""
    return _AROUND.sub("", normalize("NFC", cell)) or None


def faults_of(cells: Mapping[str, str | None]) -> list[str]:
    """What is wrong with a row."""
    faults = [] if cells["id"] else ["the id is missing"]
    for name in COLUMNS[: -len(NUMBERS)]:
        value = cells[name] or ""
        if len(value) > LONGEST or "\0" in value:
            faults.append(f"{name} is longer than {LONGEST} characters, or has a character NUL")
    wrong = [name for name in NUMBERS if cells[name] and not NUMBER.fullmatch(cells[name] or "")]
    faults += [f"{name} {cells[name]!r} is no number such as 899 or 899.50" for name in wrong]
    price, discount = cells["price"], cells["discount_price"]
    if discount and not wrong:
        if price is None:
            faults.append("discount_price needs a price beside it")
        elif Decimal(discount) and Decimal(discount) >= Decimal(price):
            faults.append(f"discount_price {discount} is not below price {price} (empty if there is none)")
    return faults


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Replaces ``src`` by ``products``; the module does the rest on the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        path = Path(str(args.pop("src", "") or "")).expanduser()
        if not path.is_file():
            raise AnsibleActionFail(
                f"catalogue: {str(path)!r} is no file here. Fix: name one, -e catalogue_file=products.csv."
            )
        try:
            args["products"] = read_catalogue(path.read_bytes())
        except ValueError as error:
            raise AnsibleActionFail(f"{path}: {error}. Nothing was changed. Fix: correct the file.") from None
        module = self._execute_module(
            module_name="clickstream.aws.catalogue", module_args=args, task_vars=task_vars
        )
        return {**result, **module}
