"""Random requests to the collector, valid and broken ones, that a seed reproduces."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contract.validation import Limits
from ingest.collect import Moment, collect
from ingest.raw import StoredObject
from ingest.settings import Compression, DoNotTrack, Settings, SourceIp

MOMENT = Moment(datetime(2025, 12, 6, 5, 59, 59, tzinfo=UTC), "0f0f0f0f-0000-4000-8000-000000000000")
SETTINGS = Settings(
    "raw", max_events=8, max_event_bytes=400, max_rejected_bytes=100_000, limits=Limits(5, 60)
)
NAMES = [
    "eventName",
    "event_name",
    "eventId",
    "event_id",
    "eventTimestamp",
    "sentAt",
    "pageUrl",
    "referrer",
    "userId",
    "userLoginState",
    "identitySource",
    "clientId",
    "sessionId",
    "isFirstVisit",
    "product",
    "element",
    "price",
    "discountPrice",
    "id",
    "urlPath",
    "events",
    "_ingest",
    "consent",
    "x",
]
NOBODY = "nobody-shall-know"
"""Who denied consent."""
PERSONAL = {"userId", "userLoginState", "identitySource", "clientId", "sessionId"}
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**30, 10**400, "", " ", "x", "\0", "\ud800", "😀", "a" * 70,
    "page_view", "purchase", "guest", "2025-12-06T05:59:58Z", "9999-12-31T23:59:59-14:00", "0001-01-01",
    "2f1c6a3e-7d5b-4a43-9c1e-0a2b3c4d5e6f", "00000000-0000-0000-0000-000000000000", "-0.5", "12.50",
]  # fmt: skip
BROKEN = [
    b"",
    b" ",
    b"{",
    b"[" * 10_000,
    b"NaN",
    b'{"eventName": 1e999}',
    b"\xff\xfe",
    b"null",
    b'"x"',
    b"[]",
]


def value(random_: random.Random, depth: int) -> Any:
    """Any JSON value."""
    kind = random_.random()
    if kind < 0.7 or depth == 0:
        return random_.choice(ODD)
    if kind < 0.8:
        return [value(random_, depth - 1) for _ in range(random_.randrange(4))]
    return {random_.choice(NAMES): value(random_, depth - 1) for _ in range(random_.randrange(5))}


def event(random_: random.Random) -> Any:
    """Mostly an event."""
    if random_.random() < 0.1:
        return value(random_, 2)
    made = {random_.choice(NAMES): value(random_, 2) for _ in range(random_.randrange(4))}
    if random_.random() < 0.1:
        made["consent"] = random_.choice([False, "denied", 0, True, "granted", None])
        if objects(made):
            made["userId"] = NOBODY
    return {"eventName": "page_view", "clientId": "c"} | made


def body(random_: random.Random) -> tuple[bytes, int | None]:
    """A body, and how many events it holds, or None if that is not certain."""
    kind = random_.random()
    if kind < 0.05:
        return random_.choice(BROKEN), None
    if kind < 0.08:
        return random_.randbytes(random_.randrange(40)), None
    if kind < 0.4:
        sent = event(random_)
        return json.dumps(sent).encode(), 1 if isinstance(sent, dict) and "events" not in sent else None
    batch = [event(random_) for _ in range(random_.randrange(10))]
    count = len(batch) if 0 < len(batch) <= SETTINGS.max_events else None
    whole: Any = batch if kind < 0.7 else {"events": batch}
    if kind > 0.95:
        whole["consent"] = random_.choice([False, True])
        if not whole["consent"]:
            whole["clientId"] = NOBODY
    elif kind > 0.9:
        # Two mistakes: an event instead of an array, and an envelope that is too large.
        whole = {"events": batch[0]} if batch and random_.random() < 0.5 else {"events": batch, "x": "a" * 70}
        count = None
    return json.dumps(whole).encode(), count


def request(random_: random.Random) -> tuple[dict[str, Any], int | None]:
    """A request of the gateway, and how many events it holds, or None if that is not certain."""
    data, count = body(random_)
    content_type = random_.choice(["application/json"] * 6 + ["text/plain", "application/gzip", "image/png"])
    method = random_.choice(["POST"] * 20 + ["GET"])
    packed = random_.random() < 0.2
    if packed:
        data = gzip.compress(data, 1)
        if random_.random() < 0.2:
            data = data[: random_.randrange(len(data))]
            count = None
    elif content_type == "application/gzip":
        count = None
    headers = {"content-type": content_type}
    if random_.random() < 0.1:
        headers[random_.choice(["dnt", "sec-gpc", "DNT"])] = random_.choice(["1", "1", "0"])
    route = random_.choice(["/clickstream", "/clickstream", "/clickstream/me"])
    http = {"method": method, "path": route, "sourceIp": "203.0.113.7", "userAgent": "Firefox"}
    context: dict[str, Any] = {"requestId": "r", "http": http}
    has_token = random_.random() < 0.8
    if route.endswith("/me") and has_token:
        context["authorizer"] = {"jwt": {"claims": {"sub": "who"}}}
    if method != "POST" or content_type == "image/png" or (route.endswith("/me") and not has_token):
        count = None
    if packed or random_.random() < 0.2:
        text, as_base64 = base64.b64encode(data).decode(), True
    else:
        text, as_base64 = data.decode("utf-8", "replace"), False
    return {
        "routeKey": f"POST {route}",
        "headers": headers,
        "requestContext": context,
        "body": text,
        "isBase64Encoded": as_base64,
    }, count


def options(random_: random.Random) -> Settings:
    """Random settings of the collector."""
    return replace(
        SETTINGS,
        do_not_track=random_.choice(list(DoNotTrack)),
        compression=random_.choice(list(Compression)),
        source_ip=random_.choice(list(SourceIp)),
    )


def fuzz(count: int, seed: int) -> Counter[int]:
    """Send `count` requests to the collector and check each response; return how often each status came."""
    random_ = random.Random(seed)  # noqa: S311
    statuses: Counter[int] = Counter()
    for number in range(count):
        sent, events = request(random_)
        settings = options(random_)
        stored: list[StoredObject] = []
        place = f"seed {seed}, request {number}: {sent!r} to {settings}"
        outcome = collect(sent, settings, MOMENT, stored.append)
        status = outcome.response["statusCode"]
        reply = json.loads(outcome.response["body"])
        assert status in (200, 400, 401, 405, 413, 415), place
        assert reply["success"] is (status == 200), place
        assert (reply["accepted"], len(reply["rejected"])) == (outcome.accepted, outcome.rejected), place
        kept = [read(item) for item in stored]
        assert len({item.key for item in stored}) == len(stored), place
        assert sum(len(item.get("events", ())) for item in kept) == outcome.accepted, place
        refused = sum(len(item.get("rejected", ())) for item in kept)
        assert refused <= max(outcome.rejected, status == 400), place
        if settings.do_not_track is DoNotTrack.IGNORE:
            assert (status == 200) is (outcome.accepted > 0), place
            assert not outcome.rejected or refused == outcome.rejected, place
        else:
            for item in kept:
                heeds(sent, item, settings.do_not_track, place)
        if events is not None and outcome.accepted + outcome.rejected:
            assert outcome.accepted + outcome.rejected == events, place
        elif events is not None:
            # The whole request is refused because of its envelope, with an error.
            assert status == 400 and reply["error"], place
        statuses[status] += 1
    return statuses


def read(stored: StoredObject) -> dict[str, Any]:
    """Return what an object holds."""
    packed = stored.content_encoding == "gzip"
    held: dict[str, Any] = json.loads(gzip.decompress(stored.body) if packed else stored.body)
    return held


def heeds(sent: dict[str, Any], held: dict[str, Any], rule: DoNotTrack, place: str) -> None:
    """Check that an object holds no event of senders who object, or under `anonymise` not who they are."""
    assert NOBODY not in json.dumps(held), place
    by_header = any(sent["headers"].get(name) == "1" for name in ("dnt", "sec-gpc", "DNT"))
    everybody = by_header or objects(held)
    refused = [entry.get("event") for entry in held.get("rejected", ())]
    assert not (everybody and refused), place
    assert not any(objects(event) for event in refused), place
    objecting = [event for event in held.get("events", ()) if everybody or objects(event)]
    if not objecting:
        return
    assert rule is DoNotTrack.ANONYMISE, place
    assert len(objecting) == len(held["events"]), place
    assert held["_ingest"]["sourceIp"] is held["_ingest"]["userAgent"] is None, place
    assert "identity" not in held["_ingest"], place
    assert not any(PERSONAL & event.keys() for event in objecting), place


def objects(event: object) -> bool:
    """Whether an event or an envelope denies consent: says anything else than yes or nothing."""
    return isinstance(event, dict) and event.get("consent") not in (None, True, "granted", "", " ")
