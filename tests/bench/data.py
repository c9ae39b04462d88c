"""Raw objects as the collector stores them: a shop's events, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from contract.names import NAMES

START = datetime(2025, 12, 1, 5, tzinfo=UTC)
_NAMES = sorted(NAMES)
_PRODUCT = (
    ',"product":{"id":"%d","name":"Laptop Dell XPS 13 Màn hình","category":"laptop","brand":"Dell",'
    '"price":32990000,"discountPrice":30990000,"urlPath":"/laptop/dell-xps-13"}'
)
_OTHER_EVERY = 5
"""One object in this many comes from a tracker that sends less of a product and more of an order."""
_NO_DISCOUNT = _PRODUCT.replace('"discountPrice":30990000', '"discountPrice":0')
_POOR = ',"product":{"id":"%d","name":"Laptop Dell XPS 13 Màn hình"}'
_ITEM = (
    '{"id":"%d","name":"Laptop Dell XPS 13 Màn hình","category":"laptop","brand":"Dell","price":32990000,'
    '"quantity":1}'
)
_ORDER = f',"order":{{"id":"DH-%d-%d","total":65980000,"currency":"VND","items":[{_ITEM},{_ITEM}]}}'
_ELEMENT = (
    ',"element":{"tag":"button","id":"buy","role":"button","text":"Mua ngay","dataset":{"track":"buy"}}'
)
_EVENT = (
    '{"eventName":"%s","eventId":"%s","eventTimestamp":"%s",'
    '"pageUrl":"https://shop.example/laptop/dell-xps-13-%d?utm_source=mail","referrer":"https://shop.example/",'
    '"userLoginState":"anonymous","identitySource":"local_storage","clientId":"%s","sessionId":"%s",'
    '"isFirstVisit":false%s}'
)


def raw_objects(count: int, events: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield `count` objects of `events` events each: key and content. All are of one hour."""
    random_ = random.Random(seed)  # noqa: S311 - the same data in every run
    orders = 0
    for number in range(count):
        moment = START + timedelta(seconds=3599 * number / count)
        stamp = moment.isoformat(timespec="milliseconds")[:-6] + "Z"
        client, session = _uuid(random_), _uuid(random_)
        other = number % _OTHER_EVERY == _OTHER_EVERY - 1
        texts = []
        for _ in range(events):
            name = random_.choice(_NAMES)
            more = _ELEMENT if name == "click" else ""
            if "product" in name or "cart" in name:
                product = (_POOR if "cart" in name else _NO_DISCOUNT) if other else _PRODUCT
                more = product % random_.randrange(5000)
            elif name == "checkout_complete" and other:
                # Each id comes twice: a success page is loaded again.
                places = random_.randrange(5000), random_.randrange(5000)
                more = _ORDER % (seed, orders // 2, *places)
                orders += 1
            texts.append(
                _EVENT % (name, _uuid(random_), stamp, random_.randrange(2000), client, session, more)
            )
        content = (
            f'{{"events":[{",".join(texts)}],"sentAt":"{stamp}","_ingest":{{"receivedAt":"{stamp}",'
            '"sourceIp":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",'
            f'"requestId":"r{number}","apiId":"a","stage":"$default","traceId":"Root=1","method":"POST",'
            '"path":"/clickstream"}}'
        )
        yield f"{moment:events/%Y/%m/%d/%H}/event-{seed:04}{number:08}.json", content.encode()


def _uuid(random_: random.Random) -> str:
    digits = f"{random_.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
