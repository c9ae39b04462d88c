"""What makes a JSON value a valid event.

Validated are the shape (an object, within limits) and the fields that the warehouse stores. Other fields are
allowed and stay in the raw object. Each event is validated alone, whatever else its batch holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from contract.fields import (
    EVENT_FIELDS,
    EVENT_NAME,
    ITEM_FIELDS,
    ORDER,
    ORDER_FIELDS,
    ORDER_ITEMS,
    PRODUCT,
    PRODUCT_FIELDS,
    PRODUCT_QUANTITY,
    Field,
    Kind,
    field_value,
)
from contract.timestamps import clock_time

LOGIN_STATES: Final = frozenset({"logged_in", "anonymous", "guest"})
MAX_NAME: Final = 200
"""Longest event name, in characters."""
MAX_PRICE: Final = 10**13
"""Prices below this fit the warehouse's numeric(16,2), also where it rounds them up."""

MAX_QUANTITY: Final = 10**7
MAX_ITEMS: Final = 100
"""Most items of an order."""

_UNLIMITED: Final = frozenset({int, bool, type(None)})
_DECIMAL: Final = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value is not a valid event: a `code` for metrics and a `reason` for people."""

    code: str
    reason: str


class _Check(NamedTuple):
    """A field, its spellings, the type of which it may hold any value, and whether it may hold one."""

    field: Field
    camel: str
    snake: str
    plain: type | None
    holds: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one event: nesting `depth` and characters per `string`."""

    depth: int = 16
    string: int = 16_384


DEFAULT_LIMITS: Final = Limits()


def event_problem(event: object, limits: Limits = DEFAULT_LIMITS) -> Problem | None:
    """Return why `event` (any parsed JSON value) is not a valid event, or None if it is one."""
    if not isinstance(event, dict):
        return Problem("not_an_object", f"an event is an object, not {json_type(event)}")
    return shape_problem(event, limits) or _fields_problem(event, _EVENT, "") or _product_problem(event)


def field_problem(source: Mapping[str, object], field: Field, prefix: str = "") -> Problem | None:
    """Return why a field of `source` does not hold what it must, or None; `prefix` goes before its name."""
    return _fields_problem(source, _checks(field), prefix)


def order_problem(event: Mapping[str, object]) -> Problem | None:
    """Return why what a valid event says was bought is not valid, or None.

    The collector asks this, and the loader does not: it also reads events of before there were these fields.
    """
    product = event.get(PRODUCT.camel)
    problem = _fields_problem(product, _QUANTITY, "product.") if isinstance(product, dict) else None
    problem = problem or _fields_problem(event, _ORDERED, "")
    order = event.get(ORDER.camel)
    if problem is not None or not isinstance(order, dict):
        return problem
    items = order.get(ORDER_ITEMS.camel)
    if isinstance(items, list) and len(items) > MAX_ITEMS:
        return Problem("too_many_order_items", f"order.items has more than {MAX_ITEMS} items")
    return _fields_problem(order, _ORDER, "order.") or next(
        filter(None, (_fields_problem(item, _ITEM, "order.items.") for item in items or ())), None
    )


def held_value(source: Mapping[str, object], field: Field) -> object:
    """Return the value of `field`; None if it has none, or one that it may not hold."""
    value = field_value(source, field)
    return value if value is not None and _HOLDS[field.kind](value) else None


def json_type(value: object) -> str:
    """Return what JSON calls the type of `value`, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def shape_problem(value: object, limits: Limits = DEFAULT_LIMITS) -> Problem | None:
    """Return the first limit that `value` (any parsed JSON value) exceeds, or None."""
    return _walk(value, limits.depth, limits)


def _walk(value: object, depth: int, limits: Limits) -> Problem | None:
    # Recursion ends at the depth limit.
    if isinstance(value, str):
        if len(value) > limits.string:
            return Problem("string_too_long", f"a string is longer than {limits.string} characters")
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return Problem("number_out_of_range", "a number is out of range")
        return None
    if isinstance(value, dict):
        children: Iterable[object] = value.values()
        if max(map(len, value), default=0) > limits.string:
            return Problem("string_too_long", f"a name is longer than {limits.string} characters")
    elif isinstance(value, list):
        children = value
    else:
        return None
    if depth == 0:
        return Problem("too_deep", f"nested more than {limits.depth} levels deep")
    longest = limits.string
    for child in children:
        # Most values are short strings, and others without a limit: a call for each would cost too much.
        kind = type(child)
        if (kind is str and len(child) <= longest) or kind in _UNLIMITED:  # type: ignore[arg-type]
            continue
        problem = _walk(child, depth - 1, limits)
        if problem is not None:
            return problem
    return None


def _product_problem(event: Mapping[str, object]) -> Problem | None:
    product = event.get(PRODUCT.camel)
    if not isinstance(product, dict):
        return None
    return _fields_problem(product, _PRODUCT, "product.")


def _fields_problem(source: Mapping[str, object], checks: Iterable[_Check], prefix: str) -> Problem | None:
    get = source.get
    for field, camel, snake, plain, holds in checks:
        value = get(camel)
        if value is not None:
            # Most values are plain, and any such will do.
            if type(value) is plain:
                continue
        elif get(snake) is None and field is not EVENT_NAME:
            continue
        # What older spellings hold was accepted before they were read.
        value = field_value(source, field, older=False)
        if value is None:
            if field is EVENT_NAME:
                return Problem("no_event_name", "eventName is missing")
            continue
        if not holds(value):
            code = f"invalid_{prefix}{field.snake}".replace(".", "_")
            return Problem(code, f"{prefix}{field.camel} must be {field.kind.value}")
    return None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_identifier(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    return clock_time(value) is not None


def _is_login_state(value: object) -> bool:
    return isinstance(value, str) and value in LOGIN_STATES


def _is_price(value: object) -> bool:
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_PRICE


def _is_quantity(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch("[0-9]{1,7}", value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < MAX_QUANTITY and value == int(value)


def _is_currency(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Za-z]{3}", value) is not None


def _is_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_HOLDS: Final[dict[Kind, Callable[[object], bool]]] = {
    Kind.NAME: _is_name,
    Kind.TEXT: _is_text,
    Kind.IDENTIFIER: _is_identifier,
    Kind.BOOLEAN: _is_boolean,
    Kind.TIME: _is_time,
    Kind.LOGIN_STATE: _is_login_state,
    Kind.PRICE: _is_price,
    Kind.QUANTITY: _is_quantity,
    Kind.CURRENCY: _is_currency,
    Kind.OBJECTS: _is_objects,
    Kind.OBJECT: _is_object,
}
_PLAIN: Final[dict[Kind, type]] = {
    Kind.TEXT: str,
    Kind.IDENTIFIER: str,
    Kind.BOOLEAN: bool,
    Kind.OBJECT: dict,
}


def _checks(*fields: Field) -> tuple[_Check, ...]:
    return tuple(
        _Check(field, field.camel, field.snake, _PLAIN.get(field.kind), _HOLDS[field.kind])
        for field in fields
    )


# Made once: each event is checked with all of them.
_EVENT: Final = _checks(*EVENT_FIELDS)
_PRODUCT: Final = _checks(*PRODUCT_FIELDS)
_QUANTITY: Final = _checks(PRODUCT_QUANTITY)
_ORDERED: Final = _checks(ORDER)
_ORDER: Final = _checks(*ORDER_FIELDS)
_ITEM: Final = _checks(*ITEM_FIELDS)
