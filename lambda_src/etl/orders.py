"""What an event says of an order, as the warehouse keeps it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from contract.text import storable_text
from contract.validation import MAX_PRICE

MAX_QUANTITY: Final = 1_000_000
MAX_ITEMS: Final = 100
"""How many items of an order are kept."""
_TEXTS: Final = ("id", "name", "category", "brand")
_NUMBERS: Final = {"price": ("price",), "discount_price": ("discountPrice", "discount_price")}

Order = dict[str, Any]


def read_order(event: Mapping[str, object]) -> Order | None:
    """Return an event's order in its normal form, or None if it says nothing of one.

    What is of another type than it should be counts as absent.
    """
    order = event.get("order")
    if not isinstance(order, dict):
        return None
    sent = order.get("items")
    items = (
        [_item(item) for item in sent[:MAX_ITEMS] if isinstance(item, dict)] if isinstance(sent, list) else []
    )
    read: Order = {
        "id": text(order.get("id")),
        "total": number(order.get("total")),
        "currency": text(order.get("currency")),
        "items": [item for item in items if any(value is not None for value in item.values())],
    }
    return read if any(read.values()) or read["total"] is not None else None


def details(order: Order | None) -> str | None:
    """Return an order but for its id as JSON: what is not known left out, numbers as text."""
    if order is None:
        return None
    read = {"total": order["total"], "currency": (order["currency"] or "").upper() or None}
    kept = _known(read) | ({"items": [_known(item) for item in order["items"]]} if order["items"] else {})
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def quantity(value: object) -> int | None:
    """Return how many there are of a product."""
    amount = number(value)
    return int(amount) if amount is not None and 1 <= amount <= MAX_QUANTITY else None


def text(value: object) -> str | None:
    """Return a text or a whole number as text; a blank one is absent."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (storable_text(value).strip() or None) if isinstance(value, str) else None


def number(value: object) -> Decimal | None:
    """Return a number that is not negative, or its text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        read = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return round(read, 2) if read.is_finite() and 0 <= read < MAX_PRICE else None


def _item(item: Mapping[str, object]) -> dict[str, Any]:
    numbers = {
        name: next((found for key in keys if (found := number(item.get(key))) is not None), None)
        for name, keys in _NUMBERS.items()
    }
    return (
        {name: text(item.get(name)) for name in _TEXTS}
        | numbers
        | {"quantity": quantity(item.get("quantity"))}
    )


def _known(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
