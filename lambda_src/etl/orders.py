"""An order, as its row has it. Pure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from contract.orders import Order
from contract.validation import MAX_ITEMS


def details(order: Order | None) -> str | None:
    """Return an order without its id as JSON; numbers are text, money has two places."""
    if order is None:
        return None
    kept: dict[str, Any] = _known({"total": order["total"], "currency": order["currency"]})
    if order["items"]:
        kept["items"] = [_known({**item}) for item in order["items"][:MAX_ITEMS]]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _known(values: dict[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    return str(round(value, 2)) if isinstance(value, Decimal) else str(value)
