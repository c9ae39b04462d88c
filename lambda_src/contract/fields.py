"""The fields of an event, each with its two spellings."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """What a field may hold. `null` and an empty text count as an absent field."""

    NAME = "a name: text that is not blank, of 200 characters at most"
    TEXT = "text"
    IDENTIFIER = "text or a whole number"
    BOOLEAN = "true or false"
    TIME = "an ISO 8601 date and time, or milliseconds since 1970"
    LOGIN_STATE = "logged_in, anonymous or guest"
    PRICE = "a number that is not negative, of 13 digits at most before the point"
    OBJECT = "an object"


class Field(NamedTuple):
    """One field: its spellings in camelCase and snake_case, and what it may hold."""

    camel: str
    snake: str
    kind: Kind


EVENT_NAME: Final = Field("eventName", "event_name", Kind.NAME)
EVENT_ID: Final = Field("eventId", "event_id", Kind.TEXT)
EVENT_TIMESTAMP: Final = Field("eventTimestamp", "event_timestamp", Kind.TIME)
SENT_AT: Final = Field("sentAt", "sent_at", Kind.TIME)
PAGE_URL: Final = Field("pageUrl", "page_url", Kind.TEXT)
REFERRER: Final = Field("referrer", "referrer", Kind.TEXT)
USER_ID: Final = Field("userId", "user_id", Kind.IDENTIFIER)
USER_LOGIN_STATE: Final = Field("userLoginState", "user_login_state", Kind.LOGIN_STATE)
IDENTITY_SOURCE: Final = Field("identitySource", "identity_source", Kind.TEXT)
CLIENT_ID: Final = Field("clientId", "client_id", Kind.IDENTIFIER)
SESSION_ID: Final = Field("sessionId", "session_id", Kind.IDENTIFIER)
IS_FIRST_VISIT: Final = Field("isFirstVisit", "is_first_visit", Kind.BOOLEAN)
PRODUCT: Final = Field("product", "product", Kind.OBJECT)
ELEMENT: Final = Field("element", "element", Kind.OBJECT)

EVENT_FIELDS: Final[tuple[Field, ...]] = (
    EVENT_NAME,
    EVENT_TIMESTAMP,
    SENT_AT,
    PAGE_URL,
    REFERRER,
    USER_ID,
    USER_LOGIN_STATE,
    IDENTITY_SOURCE,
    CLIENT_ID,
    SESSION_ID,
    IS_FIRST_VISIT,
    PRODUCT,
    ELEMENT,
)
"""The fields of an event that are validated. `eventId` is not: an id that is not a UUID is replaced."""

PRODUCT_ID: Final = Field("id", "id", Kind.IDENTIFIER)
PRODUCT_NAME: Final = Field("name", "name", Kind.TEXT)
PRODUCT_CATEGORY: Final = Field("category", "category", Kind.TEXT)
PRODUCT_BRAND: Final = Field("brand", "brand", Kind.TEXT)
PRODUCT_PRICE: Final = Field("price", "price", Kind.PRICE)
PRODUCT_DISCOUNT_PRICE: Final = Field("discountPrice", "discount_price", Kind.PRICE)
PRODUCT_URL_PATH: Final = Field("urlPath", "url_path", Kind.TEXT)

PRODUCT_FIELDS: Final[tuple[Field, ...]] = (
    PRODUCT_ID,
    PRODUCT_NAME,
    PRODUCT_CATEGORY,
    PRODUCT_BRAND,
    PRODUCT_PRICE,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_URL_PATH,
)
"""The fields of an event's `product` that are validated."""


def field_value(source: Mapping[str, object], field: Field) -> object:
    """Return the value of `field`, camelCase first; None if neither spelling has a value."""
    value = source.get(field.camel)
    if value is None or value == "":
        value = source.get(field.snake)
    return None if value == "" else value
