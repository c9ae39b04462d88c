"""One event -> one row of `clickstream_events`. Pure.

This is the general path: it takes every event and defines what a row is. `fast_path` makes the same rows of
usual events in a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contract.fields import (
    CLIENT_ID,
    ELEMENT,
    EVENT_NAME,
    EVENT_TIMESTAMP,
    IDENTITY_SOURCE,
    IS_FIRST_VISIT,
    PAGE_URL,
    PRODUCT,
    PRODUCT_BRAND,
    PRODUCT_CATEGORY,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_ID,
    PRODUCT_NAME,
    PRODUCT_PRICE,
    PRODUCT_URL_PATH,
    REFERRER,
    SENT_AT,
    SESSION_ID,
    USER_ID,
    USER_LOGIN_STATE,
    Field,
    field_value,
)
from contract.identity import client_event_id, made_event_id
from contract.jsontext import canonical_json
from contract.names import canonical_name
from contract.orders import decimal, discount_price, quantity, read_order
from contract.text import storable_json
from contract.timestamps import EPOCH, ClockRules, clock_text, clock_time, event_time, parse_time
from contract.validation import Limits, held_value
from etl.bots import names_bot
from etl.copytext import copy_line, copy_values
from etl.orders import details

LIMITS: Final = Limits(depth=64, string=1_000_000)
"""Limits of an event. They are wide: the collector's own limits decide, and a variable may raise those."""


class Row(NamedTuple):
    """A row of `clickstream_events`, ready for COPY: column names, texts, None for NULL."""

    event_id: str
    event_timestamp: str
    event_name: str
    user_id: str | None
    user_login_state: str | None
    identity_source: str | None
    client_id: str | None
    session_id: str | None
    is_first_visit: str | None
    context_product_id: str | None
    context_product_name: str | None
    context_product_category: str | None
    context_product_brand: str | None
    context_product_price: str | None
    context_product_discount_price: str | None
    context_product_url_path: str | None
    page_url: str | None
    referrer: str | None
    element: str | None
    context_product_quantity: str | None
    order_id: str | None
    order_details: str | None
    identity_verified: str
    event_timestamp_source: str
    is_bot: str
    received_at: str
    source_object: str
    source_position: str

    @classmethod
    def of_line(cls, line: str) -> Row:
        """Return the row that a line of COPY text holds."""
        return cls(*copy_values(line))  # type: ignore[arg-type]  # NOT NULL columns are texts

    def rank(self) -> tuple[str, str, int]:
        """Return the sort key of several copies of an event: the lowest was accepted first."""
        return self.received_at, self.source_object, int(self.source_position)


@dataclass(frozen=True, slots=True)
class Source:
    """What all events of a request have in common."""

    key: str
    """The raw object's key."""
    received_at: timedelta
    request_id: str
    sent_at: timedelta | None
    """When the client sent the request, by the client's clock. Both are times since 1970."""
    identity: tuple[str | None, ...] | None
    """Verified user id, login state and identity source; None for requests to the open route."""
    is_bot: str
    end: str
    """The row's last columns but the position, as COPY text."""
    rules: ClockRules


def read_source(holder: Mapping[str, object], key: str, last_modified: datetime, rules: ClockRules) -> Source:
    """Return what `holder`, a raw object or a bare event, says of its request.

    `key` and `last_modified` are the raw object's. `last_modified` is the time of receipt where `_ingest` has
    none.
    """
    ingest = mapping(holder.get("_ingest"))
    received_at = (parse_time(ingest.get("receivedAt")) or last_modified) - EPOCH
    request_id = ingest.get("requestId")
    identity = mapping(ingest.get("identity"))
    agent = ingest.get("userAgent")
    is_bot = "t" if isinstance(agent, str) and names_bot(agent) else "f"
    verified = None
    if identity.get("verified") is True:
        verified = tuple(_text(identity, item) for item in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE))
    return Source(
        key=key,
        received_at=received_at,
        # Without a request id the key identifies the request: it is the same whenever the object is read.
        request_id=request_id if isinstance(request_id, str) and request_id else key,
        sent_at=clock_time(field_value(holder, SENT_AT)),
        identity=verified,
        is_bot=is_bot,
        end=copy_line((is_bot, clock_text(received_at), key, ""))[:-1],
        # The collector puts `_ingest` into what strangers send; only the owner puts objects there without it.
        rules=rules.for_anybody() if verified is None and "_ingest" in holder else rules,
    )


def make_row(event: Mapping[str, object], position: int, index: int, source: Source) -> Row:
    """Return the row of a valid event.

    `position` is the event's place in its raw object, `index` its place in the request that it came with.
    """
    product = mapping(held_value(event, PRODUCT))
    discounted = discount_price(decimal(product, PRODUCT_PRICE), decimal(product, PRODUCT_DISCOUNT_PRICE))
    sent_at = field_value(event, SENT_AT)
    moment, time_source = event_time(
        clock_time(field_value(event, EVENT_TIMESTAMP)),
        source.sent_at if sent_at is None else clock_time(sent_at),
        source.received_at,
        source.rules,
    )
    identity = source.identity or tuple(
        _text(event, item) for item in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE)
    )
    first_visit = field_value(event, IS_FIRST_VISIT)
    order = read_order(event)
    return Row(
        event_id=client_event_id(event)
        or made_event_id(event, canonical_json(event), index, source.request_id),
        event_timestamp=clock_text(moment),
        event_name=canonical_name(str(field_value(event, EVENT_NAME))),
        user_id=identity[0],
        user_login_state=identity[1],
        identity_source=identity[2],
        client_id=_text(event, CLIENT_ID),
        session_id=_text(event, SESSION_ID),
        is_first_visit=None if first_visit is None else "t" if first_visit else "f",
        context_product_id=_text(product, PRODUCT_ID),
        context_product_name=_text(product, PRODUCT_NAME),
        context_product_category=_text(product, PRODUCT_CATEGORY),
        context_product_brand=_text(product, PRODUCT_BRAND),
        context_product_price=_text(product, PRODUCT_PRICE),
        context_product_discount_price=None if discounted is None else _text(product, PRODUCT_DISCOUNT_PRICE),
        context_product_url_path=_text(product, PRODUCT_URL_PATH),
        page_url=_text(event, PAGE_URL),
        referrer=_text(event, REFERRER),
        element=_element(event),
        context_product_quantity=_count(product),
        order_id=None if order is None else order["id"],
        order_details=details(order),
        identity_verified="f" if source.identity is None else "t",
        event_timestamp_source=time_source.value,
        is_bot=source.is_bot,
        received_at=clock_text(source.received_at),
        source_object=source.key,
        source_position=str(position),
    )


def mapping(value: object) -> Mapping[str, object]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _text(source: Mapping[str, object], field: Field) -> str | None:
    """Return a field as text; an absent field is NULL."""
    value = held_value(source, field)
    return None if value is None else str(value)


def _count(product: Mapping[str, object]) -> str | None:
    number = quantity(product)
    return None if number is None else str(number)


def _element(event: Mapping[str, object]) -> str | None:
    element = field_value(event, ELEMENT)
    if not isinstance(element, dict) or not element:
        return None
    return canonical_json(storable_json(element)).decode("utf-8")
