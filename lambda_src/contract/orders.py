"""What an event says was bought: its order with the items, and the quantity of its product.

A field that cannot be read is absent here. The collector refuses it; the loader also reads what was accepted
before there were these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypedDict

from contract.fields import (
    ORDER,
    ORDER_CURRENCY,
    ORDER_ID,
    ORDER_ITEMS,
    ORDER_TOTAL,
    PRODUCT_BRAND,
    PRODUCT_CATEGORY,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_ID,
    PRODUCT_NAME,
    PRODUCT_PRICE,
    PRODUCT_QUANTITY,
    Field,
)
from contract.validation import held_value


class Item(TypedDict):
    """A line of an order; what is not known is None."""

    id: str | None
    name: str | None
    category: str | None
    brand: str | None
    price: Decimal | None
    discount_price: Decimal | None
    quantity: int | None


class Order(TypedDict):
    """An order; what is not known is None."""

    id: str | None
    total: Decimal | None
    currency: str | None
    items: list[Item]


def read_order(event: Mapping[str, object]) -> Order | None:
    """Return an event's order, or None if it says nothing of one."""
    order = held_value(event, ORDER)
    return _order(order) if isinstance(order, dict) else None


def quantity(product: Mapping[str, object]) -> int | None:
    """Return how many there are of a product or item; 0 is no quantity."""
    value = held_value(product, PRODUCT_QUANTITY)
    return int(value) or None if isinstance(value, str | int | float) else None


def discount_price(price: Decimal | None, discounted: Decimal | None) -> Decimal | None:
    """Return the price after discount, or None if there is none: many trackers send 0, or the price."""
    if discounted is None or discounted == 0 or (price is not None and discounted >= price):
        return None
    return discounted


def decimal(source: Mapping[str, object], field: Field) -> Decimal | None:
    """Return a price or a total."""
    value = held_value(source, field)
    return None if value is None else Decimal(str(value))


def _order(order: Mapping[str, object]) -> Order | None:
    currency = _text(order, ORDER_CURRENCY)
    lines = held_value(order, ORDER_ITEMS)
    items = [_item(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    read: Order = {
        "id": _text(order, ORDER_ID),
        "total": decimal(order, ORDER_TOTAL),
        "currency": None if currency is None else currency.upper(),
        "items": [item for item in items if any(value is not None for value in item.values())],
    }
    return read if any(value not in (None, []) for value in read.values()) else None


def _item(line: Mapping[str, object]) -> Item:
    price = decimal(line, PRODUCT_PRICE)
    return {
        "id": _text(line, PRODUCT_ID),
        "name": _text(line, PRODUCT_NAME),
        "category": _text(line, PRODUCT_CATEGORY),
        "brand": _text(line, PRODUCT_BRAND),
        "price": price,
        "discount_price": discount_price(price, decimal(line, PRODUCT_DISCOUNT_PRICE)),
        "quantity": quantity(line),
    }


def _text(source: Mapping[str, object], field: Field) -> str | None:
    value = held_value(source, field)
    return None if value is None else str(value)
