"""Labels that anybody can name, and the rows in which they count as "(other)". Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from contract.names import NAMES
from etl.copytext import NULL, TAB, copy_cell, copy_value

EVENT_NAME: Final = 1
PRODUCT: Final = 2
CATEGORY: Final = 4
BRAND: Final = 8
ITEM: Final = 16
"""Kinds, as bits of `clickstream_events.folded`; `ITEM` where an item of the order has a folded
label, and then the item itself says which (`folded`, in `order_details`)."""
_COLUMNS: Final = {EVENT_NAME: 2, PRODUCT: 9, CATEGORY: 11, BRAND: 12}
_LAST_COLUMN: Final = max(_COLUMNS.values())
_ITEM_LABELS: Final = {PRODUCT: "id", CATEGORY: "category", BRAND: "brand"}
_ITEMS: Final = '"items":['
"""What COPY text of a row has if there are items in its order: it escapes no quotes."""
_FROM_THE_END: Final = 7
"""The place of `order_details`, counted from the end of a row."""


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """How many new labels of a kind count under their own name, per day of receipt (UTC)."""

    products: int = 50_000
    categories: int = 1_000
    brands: int = 2_000
    event_names: int = 100

    def by_kind(self) -> list[tuple[int, int]]:
        """Return each kind with its limit."""
        limits = {
            EVENT_NAME: self.event_names,
            PRODUCT: self.products,
            CATEGORY: self.categories,
            BRAND: self.brands,
        }
        return list(limits.items())


class Label(NamedTuple):
    """What an event names, and the day on which it was received; `value` is COPY text."""

    kind: int
    day: str
    value: str


class Place(NamedTuple):
    """Key of a raw object and index of an event in it, as COPY text."""

    source_object: str
    position: str


def labels_of(lines: Iterable[str]) -> dict[Label, Place]:
    """Return the labels of rows, each with the first of its places; the rows are in the order of places.

    Bots count nowhere, and the platform's own event names are no strangers'.
    """
    found: dict[Label, Place] = {}
    seen = set()
    for line in lines:
        # Most rows name what another one has named.
        cells, is_bot, day, place = _cells(line)
        if _ITEMS in line:
            for item in _items(line):
                for label in _item_labels(item, is_bot, day):
                    found.setdefault(label, place)
        if (cells, is_bot, day) in seen:
            continue
        seen.add((cells, is_bot, day))
        for label in _labels(cells, is_bot, day):
            found.setdefault(label, place)
    return found


class Folded(NamedTuple):
    """What rows have labels that count as "(other)", by event id."""

    bits: dict[str, int]
    lines: dict[str, str]
    """The rows whose orders have such items, with these marked."""


def fold(lines: Mapping[str, str], folded: Collection[Label]) -> Folded:
    """Return the bits of those rows that have labels among `folded`, and mark their items."""
    bits: dict[str, int] = {}
    marked: dict[str, str] = {}
    for event_id, line in lines.items():
        cells, is_bot, day, _ = _cells(line)
        own = sum(label.kind for label in _labels(cells, is_bot, day) if label in folded)
        if _ITEMS in line:
            items = _items(line)
            for item in items:
                among = sum(label.kind for label in _item_labels(item, is_bot, day) if label in folded)
                if among:
                    item["folded"] = str(among)
                    own |= ITEM
            if own & ITEM:
                marked[event_id] = _with_items(line, items)
        if own:
            bits[event_id] = own
    return Folded(bits, marked)


def _items(line: str) -> list[dict[str, str]]:
    """Return the items of a row's order."""
    found = _details(line).get("items")
    return found if isinstance(found, list) else []


def _details(line: str) -> dict[str, Any]:
    text = copy_cell(line.rsplit(TAB, _FROM_THE_END)[1])
    read = json.loads(text) if text else {}
    return read if isinstance(read, dict) else {}


def _with_items(line: str, items: list[dict[str, str]]) -> str:
    head, _, *rest = line.rsplit(TAB, _FROM_THE_END)
    details = json.dumps({**_details(line), "items": items}, ensure_ascii=False, separators=(",", ":"))
    return TAB.join([head, copy_value(details), *rest])


def _item_labels(item: Mapping[str, str], is_bot: str, day: str) -> Iterable[Label]:
    if is_bot == "f":
        for kind, name in _ITEM_LABELS.items():
            if item.get(name):
                yield Label(kind, day, copy_value(item[name]))


def _cells(line: str) -> tuple[tuple[str, ...], str, str, Place]:
    """Return what may be labels, `is_bot`, the day of receipt, and the place of a row."""
    head, is_bot, received_at, source_object, position = line.rsplit(TAB, 4)
    cells = head.split(TAB, _LAST_COLUMN + 1)
    return (
        tuple(cells[column] for column in _COLUMNS.values()),
        is_bot,
        received_at[:10],
        Place(source_object, position[:-1]),
    )


def _labels(cells: tuple[str, ...], is_bot: str, day: str) -> Iterable[Label]:
    if is_bot == "f":
        for kind, value in zip(_COLUMNS, cells, strict=True):
            if value != NULL and not (kind == EVENT_NAME and value in NAMES):
                yield Label(kind, day, value)
