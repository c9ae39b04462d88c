"""The fields of an event, their spellings, and how one becomes a value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from contract.text import clean_text, is_no_id


class Kind(Enum):
    """What a field may hold. `null` and a text of white space count as an absent field."""

    NAME = "a name: text that is not blank, of 200 characters at most"
    TEXT = "text"
    IDENTIFIER = "text or a whole number"
    BOOLEAN = "true or false"
    TIME = "an ISO 8601 date and time, or milliseconds since 1970"
    LOGIN_STATE = "logged_in, anonymous or guest"
    PRICE = "a number that is not negative, of 13 digits at most before the point"
    QUANTITY = "a whole number that is not negative, of 7 digits at most"
    CURRENCY = "a currency's code, of three letters"
    OBJECTS = "an array of objects"
    OBJECT = "an object"


class Field(NamedTuple):
    """One field: its spellings in camelCase and snake_case, and what it may hold."""

    camel: str
    snake: str
    kind: Kind
    older: tuple[str, ...] = ()
    """Spellings of older trackers."""
    names_one: bool = False
    """Whether it tells one from all others, so that a stand-in such as `undefined` counts as absent."""

    def spellings(self) -> tuple[str, ...]:
        """Return its names, the one that counts first before the others."""
        return (self.camel, self.snake, *self.older)


EVENT_NAME: Final = Field("eventName", "event_name", Kind.NAME)
EVENT_ID: Final = Field("eventId", "event_id", Kind.TEXT, names_one=True)
EVENT_TIMESTAMP: Final = Field("eventTimestamp", "event_timestamp", Kind.TIME)
SENT_AT: Final = Field("sentAt", "sent_at", Kind.TIME)
PAGE_URL: Final = Field("pageUrl", "page_url", Kind.TEXT)
REFERRER: Final = Field("referrer", "referrer", Kind.TEXT)
USER_ID: Final = Field("userId", "user_id", Kind.IDENTIFIER, names_one=True)
USER_LOGIN_STATE: Final = Field("userLoginState", "user_login_state", Kind.LOGIN_STATE)
IDENTITY_SOURCE: Final = Field("identitySource", "identity_source", Kind.TEXT)
CLIENT_ID: Final = Field("clientId", "client_id", Kind.IDENTIFIER, names_one=True)
SESSION_ID: Final = Field("sessionId", "session_id", Kind.IDENTIFIER, names_one=True)
IS_FIRST_VISIT: Final = Field("isFirstVisit", "is_first_visit", Kind.BOOLEAN)
PRODUCT: Final = Field("product", "product", Kind.OBJECT, ("context_product", "contextProduct"))
ELEMENT: Final = Field("element", "element", Kind.OBJECT)
ORDER: Final = Field("order", "order", Kind.OBJECT)

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

PRODUCT_ID: Final = Field("id", "id", Kind.IDENTIFIER, ("product_id", "productId"))
PRODUCT_NAME: Final = Field("name", "name", Kind.TEXT, ("product_name", "productName"))
PRODUCT_CATEGORY: Final = Field("category", "category", Kind.TEXT, ("category_name", "categoryName"))
PRODUCT_BRAND: Final = Field("brand", "brand", Kind.TEXT, ("brand_name", "brandName"))
PRODUCT_PRICE: Final = Field("price", "price", Kind.PRICE)
PRODUCT_DISCOUNT_PRICE: Final = Field("discountPrice", "discount_price", Kind.PRICE)
PRODUCT_URL_PATH: Final = Field("urlPath", "url_path", Kind.TEXT)
PRODUCT_QUANTITY: Final = Field("quantity", "quantity", Kind.QUANTITY)

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

ORDER_ID: Final = Field("id", "id", Kind.IDENTIFIER, ("order_id", "orderId"), names_one=True)
ORDER_TOTAL: Final = Field("total", "total", Kind.PRICE)
ORDER_CURRENCY: Final = Field("currency", "currency", Kind.CURRENCY)
ORDER_ITEMS: Final = Field("items", "items", Kind.OBJECTS)

ORDER_FIELDS: Final[tuple[Field, ...]] = (ORDER_ID, ORDER_TOTAL, ORDER_CURRENCY, ORDER_ITEMS)
"""The fields of an event's `order`, which the collector validates."""

ITEM_FIELDS: Final[tuple[Field, ...]] = (
    PRODUCT_ID,
    PRODUCT_NAME,
    PRODUCT_CATEGORY,
    PRODUCT_BRAND,
    PRODUCT_PRICE,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_QUANTITY,
)
"""The fields of an order's item, which the collector validates."""


def field_value(source: Mapping[str, object], field: Field, older: bool = True) -> object:
    """Return the value of `field`, by the first of its spellings that has one; None if none has.

    This is where a field becomes a value: a text is clean, and what stands for nothing is absent. Without
    `older`, the spellings of older trackers do not count.
    """
    value = source.get(field.camel)
    if value is not None and (value := _value(value, field)) is not None:
        return value
    value = source.get(field.snake)
    if value is not None and (value := _value(value, field)) is not None:
        return value
    if older:
        for name in field.older:
            if (value := _value(source.get(name), field)) is not None:
                return value
    return None


def _value(value: object, field: Field) -> object:
    """Return the value that one spelling of a field has, or None."""
    if isinstance(value, str):
        value = clean_text(value)
    return None if value == "" or (field.names_one and is_no_id(value)) else value
