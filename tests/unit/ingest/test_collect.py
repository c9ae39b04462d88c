"""The collector, from the gateway's request to the response and the stored objects."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.validation import Limits
from ingest.collect import Moment, Outcome, StorageError, collect
from ingest.raw import StoredObject
from ingest.settings import Compression, DoNotTrack, Settings, SourceIp

RECEIVED = datetime(2025, 12, 6, 5, 59, 59, 123456, tzinfo=UTC)
MOMENT = Moment(RECEIVED, "0f0f0f0f-0000-4000-8000-000000000000", "Root=1-2-3")
SETTINGS = Settings("raw")
GOOD = {"eventName": "page_view", "eventTimestamp": "2025-12-06T05:59:58Z", "clientId": "c", "sessionId": "s"}


def request(
    body: object = None,
    content_type: str | None = "application/json",
    method: str = "POST",
    route: str = "POST /clickstream",
    claims: dict[str, str] | None = None,
    as_base64: bool = False,
) -> dict[str, Any]:
    """A request as API Gateway hands it over (payload format 2.0)."""
    if not isinstance(body, str | bytes) and body is not None:
        body = json.dumps(body)
    if isinstance(body, bytes) or as_base64:
        data = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
        body, as_base64 = base64.b64encode(data).decode(), True
    path = route.split()[-1]
    context: dict[str, Any] = {
        "requestId": "request-1",
        "apiId": "api",
        "stage": "$default",
        "http": {"method": method, "path": path, "sourceIp": "203.0.113.77", "userAgent": "Firefox"},
    }
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": claims}}
    headers = {} if content_type is None else {"content-type": content_type}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "headers": headers,
        "requestContext": context,
        "body": body,
        "isBase64Encoded": as_base64,
    }


class Collector:
    """Collects into a list."""

    def __init__(self, options: Settings = SETTINGS) -> None:
        self.settings = options
        self.stored: list[StoredObject] = []

    def __call__(self, event: dict[str, Any]) -> Outcome:
        return collect(event, self.settings, MOMENT, self.stored.append)

    def bodies(self) -> dict[str, Any]:
        return {stored.key.split("/")[0]: json.loads(stored.body) for stored in self.stored}


def answer(outcome: Outcome) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(outcome.response["body"])
    return body


# --- accepted requests -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain;charset=UTF-8",
        None,
        "Application/JSON",
        "application/json,application/json",
        "application/json; charset=utf-8, application/json",
    ],
)
@pytest.mark.parametrize("as_base64", [False, True])
@pytest.mark.parametrize("shape", [lambda e: e, lambda e: [e], lambda e: {"events": [e]}])
def test_every_body_shape_and_media_type_is_accepted(
    content_type: str | None, as_base64: bool, shape: Any
) -> None:
    collector = Collector()
    outcome = collector(request(shape(GOOD), content_type, as_base64=as_base64))
    assert outcome.response["statusCode"] == 200
    assert answer(outcome) == {"success": True, "accepted": 1, "rejected": []}
    [event] = collector.bodies()["events"]["events"]
    assert {name: event[name] for name in GOOD} == GOOD


@pytest.mark.parametrize("content_type", ["application/gzip", "application/x-gzip", "application/json"])
def test_gzip_is_known_by_its_first_bytes(content_type: str) -> None:
    collector = Collector()
    packed = gzip.compress(json.dumps([GOOD, GOOD]).encode())
    assert answer(collector(request(packed, content_type)))["accepted"] == 2


def test_the_raw_object_holds_the_events_as_sent_and_who_sent_them() -> None:
    collector = Collector()
    sent = {"eventName": "Tên lạ 😀", "unknown": {"kept": [1, None]}, "product": {"price": 1.5}}
    client_id = str(uuid.uuid4())
    batch = [sent, GOOD | {"eventId": client_id}]
    collector(request({"events": batch, "sentAt": "2025-12-06T05:59:59Z", "_ingest": {"sourceIp": "forged"}}))
    [stored] = collector.stored
    assert stored.key == f"events/2025/12/06/05/event-{MOMENT.object_id}.json"
    raw = json.loads(stored.body)
    made = raw["events"][0].pop("event_id")
    assert uuid.UUID(made).version == 5
    assert raw == {
        "events": [sent, GOOD | {"eventId": client_id}],
        "sentAt": "2025-12-06T05:59:59Z",
        "_ingest": {
            "receivedAt": "2025-12-06T05:59:59.123456Z",
            "sourceIp": "203.0.113.0",
            "userAgent": "Firefox",
            "requestId": "request-1",
            "apiId": "api",
            "stage": "$default",
            "traceId": "Root=1-2-3",
            "method": "POST",
            "path": "/clickstream",
        },
    }


def test_an_id_that_is_not_a_uuid_is_replaced_and_kept_in_ingest() -> None:
    collector = Collector()
    collector(request([GOOD, GOOD | {"event_id": "mine"}, GOOD | {"eventId": "yours"}]))
    raw = collector.bodies()["events"]
    assert all(uuid.UUID(event["event_id"]).version == 5 for event in raw["events"])
    assert raw["events"][2]["eventId"] == "yours"
    assert raw["_ingest"]["replacedEventIds"] == [{"index": 1, "value": "mine"}]


def test_a_repeated_request_gives_the_same_ids() -> None:
    first, second = Collector(), Collector()
    again = request([GOOD, GOOD])
    again["requestContext"]["requestId"] = "request-2"
    first(request([GOOD, GOOD]))
    second(again)
    ids = [[event["event_id"] for event in c.bodies()["events"]["events"]] for c in (first, second)]
    assert ids[0] == ids[1] and len(set(ids[0])) == 2


def test_events_with_ids_are_the_same_when_they_are_sent_again_in_another_grouping() -> None:
    """Ids A, B and then B, C are three events, as text and as UUIDs."""
    uuids = [str(uuid.uuid4()) for _ in range(3)]
    for names in (["A", "B", "C"], uuids):
        sent = [GOOD | {"eventId": name} for name in names]
        first, second = Collector(), Collector()
        first(request(sent[:2]))
        second(request({"events": sent[1:], "sentAt": "2025-12-06T06:00:00Z"}))
        ids = [
            event.get("event_id", event["eventId"])
            for collector in (first, second)
            for event in collector.bodies()["events"]["events"]
        ]
        assert len(ids) == 4 and len(set(ids)) == 3 and ids[1] == ids[2]


def test_raw_objects_may_be_compressed() -> None:
    collector = Collector(Settings("raw", compression=Compression.GZIP))
    collector(request(GOOD))
    [stored] = collector.stored
    assert stored.content_encoding == "gzip"
    assert json.loads(gzip.decompress(stored.body))["events"][0]["eventName"] == "page_view"


@pytest.mark.parametrize(
    ("keep", "address", "kept"),
    [
        (SourceIp.FULL, "203.0.113.77", "203.0.113.77"),
        (SourceIp.TRUNCATED, "203.0.113.77", "203.0.113.0"),
        (SourceIp.TRUNCATED, "2001:db8:1:2::5", "2001:db8:1::"),
        (SourceIp.TRUNCATED, "::ffff:203.0.113.77", "203.0.113.0"),
        (SourceIp.TRUNCATED, "::FFFF:cb00:714d", "203.0.113.0"),
        (SourceIp.FULL, "::ffff:203.0.113.77", "::ffff:203.0.113.77"),
        (SourceIp.TRUNCATED, "nonsense", None),
        (SourceIp.NONE, "203.0.113.77", None),
    ],
)
def test_the_setting_decides_how_much_of_the_address_is_kept(
    keep: SourceIp, address: str, kept: str | None
) -> None:
    collector = Collector(Settings("raw", source_ip=keep))
    event = request(GOOD)
    event["requestContext"]["http"]["sourceIp"] = address
    collector(event)
    assert collector.bodies()["events"]["_ingest"]["sourceIp"] == kept


def test_the_time_of_receipt_is_the_gateways() -> None:
    """Events of one tick keep their order, whatever the clocks of the functions that store them say."""
    collector = Collector()
    event = request(GOOD)
    event["requestContext"]["timeEpoch"] = 1765004399998
    collector(event)
    assert collector.stored[0].key.startswith("events/2025/12/06/06/")
    assert collector.bodies()["events"]["_ingest"]["receivedAt"] == "2025-12-06T06:59:59.998000Z"


@pytest.mark.parametrize("epoch", [None, "1765004399998", 10**30, True])
def test_the_time_of_receipt_is_the_functions_where_the_gateway_names_none(epoch: object) -> None:
    collector = Collector()
    event = request(GOOD)
    event["requestContext"]["timeEpoch"] = epoch
    collector(event)
    assert collector.bodies()["events"]["_ingest"]["receivedAt"] == "2025-12-06T05:59:59.123456Z"


@pytest.mark.parametrize("sent_at", ["now", [], True])
def test_a_time_of_sending_that_cannot_be_read_is_answered(sent_at: object) -> None:
    warning = {
        "code": "invalid_sent_at",
        "reason": "sentAt must be an ISO 8601 date and time, or milliseconds since 1970",
    }
    collector = Collector()
    outcome = collector(request({"events": [GOOD], "sentAt": sent_at}))
    assert answer(outcome) == {"success": True, "accepted": 1, "rejected": [], "warnings": [warning]}
    assert collector.bodies()["events"]["sentAt"] == sent_at
    assert answer(collector(request({"events": [{}], "sentAt": sent_at})))["warnings"] == [warning]
    for fine in (None, "", 1765000799000, "2025-12-06T05:59:59Z"):
        assert "warnings" not in answer(collector(request({"events": [GOOD], "sentAt": fine})))


# --- verified identity -------------------------------------------------------------------------------


def test_claims_give_the_identity_on_the_verified_route() -> None:
    collector = Collector()
    collector(request(GOOD | {"userId": "forged"}, route="POST /clickstream/me", claims={"sub": "user-1"}))
    raw = collector.bodies()["events"]
    assert raw["events"][0]["userId"] == "forged"
    assert raw["_ingest"]["identity"] == {
        "verified": True,
        "userId": "user-1",
        "userLoginState": "logged_in",
        "identitySource": "cognito",
    }


@pytest.mark.parametrize("claims", [None, {}, {"sub": ""}])
def test_the_verified_route_without_claims_is_refused(claims: dict[str, str] | None) -> None:
    collector = Collector()
    outcome = collector(request(GOOD, route="POST /clickstream/me", claims=claims))
    assert outcome.response["statusCode"] == 401 and not collector.stored


def test_claims_on_the_open_route_do_not_count() -> None:
    collector = Collector()
    collector(request(GOOD, claims={"sub": "user-1"}))
    assert "identity" not in collector.bodies()["events"]["_ingest"]


# --- batches with invalid events ----------------------------------------------------------------------


def test_good_events_are_kept_and_bad_ones_answered_and_stored() -> None:
    collector = Collector()
    bad = {"eventName": "x", "product": {"price": -5}}
    outcome = collector(request([GOOD, bad, 7, GOOD]))
    assert outcome.response["statusCode"] == 200
    body = answer(outcome)
    assert body["accepted"] == 2
    assert [(entry["index"], entry["code"]) for entry in body["rejected"]] == [
        (1, "invalid_product_price"),
        (2, "not_an_object"),
    ]
    # Refused events first: only they may be stored twice when a client repeats a request.
    assert [stored.key.split("/")[0] for stored in collector.stored] == ["rejected", "events"]
    refused = collector.bodies()["rejected"]
    assert [entry["event"] for entry in refused["rejected"]] == [bad, 7]
    assert refused["_ingest"]["requestId"] == "request-1"
    assert collector.stored[0].key.startswith("rejected/2025/12/06/05/rejected-")


def test_an_order_is_kept_as_sent_and_a_wrong_one_refused() -> None:
    order = {
        "id": 17,
        "total": "9290000",
        "currency": "VND",
        "items": [{"id": "7", "quantity": 2, "gift": True}],
    }
    collector = Collector()
    wrong = {"order": {"items": [{"quantity": "two"}]}}
    outcome = collector(request([GOOD | {"order": order}, GOOD | wrong]))
    assert [entry["code"] for entry in answer(outcome)["rejected"]] == ["invalid_order_items_quantity"]
    assert collector.bodies()["events"]["events"][0]["order"] == order


def test_a_request_without_a_good_event_is_400_and_stored() -> None:
    collector = Collector()
    outcome = collector(request({"eventTimestamp": "2025-12-06T05:59:58Z"}))
    assert outcome.response["statusCode"] == 400
    assert answer(outcome)["error"] == "no event was accepted: eventName is missing"
    assert answer(outcome)["rejected"][0]["index"] == 0
    assert list(collector.bodies()) == ["rejected"]


def test_a_refused_event_is_stored_up_to_a_limit() -> None:
    collector = Collector(Settings("raw", max_event_bytes=1_000, max_rejected_bytes=2_000))
    collector(request([GOOD | {"x": "y" * 1_000}, GOOD | {"x": "y" * 5_000}, GOOD | {"x": "é" * 100}]))
    first, second = collector.bodies()["rejected"]["rejected"]
    assert first["code"] == second["code"] == "event_too_large"
    assert first["event"]["x"] == "y" * 1_000
    assert second["truncated"] and len(second["text"]) < 1_000


def test_any_depth_is_answered_and_infinite_numbers_are_stored() -> None:
    for depth in (17, 100, 500, *range(880, 1010), 3_000, 9_000, 20_000):
        collector = Collector()
        nested = "[" * depth + "]" * depth
        outcome = collector(request('[{"eventName": "x", "deep": DEEP}, {}]'.replace("DEEP", nested)))
        assert outcome.response["statusCode"] in (200, 400)
        assert outcome.codes.keys() <= {"too_deep", "not_json", "no_event_name"}
        assert collector.stored[0].body.startswith(b'{"rejected":[{')
    collector = Collector()
    collector(request('{"eventName": "x", "n": 1e999}'))
    assert collector.bodies()["rejected"]["rejected"][0]["text"] == '{"eventName": "x", "n": Infinity}'


# --- requests that are refused as a whole ------------------------------------------------------------

LONG_BATCH = json.dumps([GOOD] * 501)


@pytest.mark.parametrize(
    ("event", "status", "hint"),
    [
        (request(GOOD, method="GET"), 405, ""),
        (request(GOOD, "application/x-www-form-urlencoded"), 415, "application/json"),
        (request(GOOD, "application/xml; charset=utf-8"), 415, "application/json"),
        (request(GOOD, "application/json, image/png"), 415, "application/json"),
        (request(GOOD, "application/json, application/json; charset=utf-16"), 415, "UTF-8"),
        ({"version": "1.0", "httpMethod": "POST", "path": "/clickstream", "body": "{}"}, 500, "2.0"),
        (request(GOOD, "application/json; charset=utf-16"), 415, "UTF-8"),
        (request(None), 400, "one event"),
        (request(""), 400, "one event"),
        (request(b"  \n"), 400, "one event"),
        (request("{"), 400, "events"),
        (request('"text"'), 400, "events"),
        (request("null"), 400, "events"),
        (request("[]"), 400, "events"),
        (request({"events": []}), 400, "events"),
        (request({"events": {}}), 400, "events"),
        (request('{"eventName": NaN}'), 400, "events"),
        (request("[" * 10_000 + "]" * 10_000), 400, "events"),
        (request('{"eventName": "x", "n": ' + "9" * 5_000 + "}"), 400, "events"),
        (request({"events": [GOOD], "beside": "x" * 20_000}), 400, ""),
        (request(b"\xff\xfe\x00"), 400, "UTF-8"),
        (request("\ud800"), 400, "UTF-8"),
        (request(LONG_BATCH), 413, "500"),
        (request(b"not gzip", "application/gzip"), 400, "application/gzip"),
        (request(gzip.compress(b"x")[:-4], "application/gzip"), 400, "application/gzip"),
        (request("\x1f\ufffd\x08\x00"), 400, "application/gzip"),
        (request("\x1f\x8b\x08\x00"), 400, "application/gzip"),
        (request(gzip.compress(b" " * 11_000_000), "application/gzip"), 413, "fewer"),
        (request(" " * 5_000_001), 413, "fewer"),
        (request("x", as_base64=True) | {"body": "&&&"}, 400, ""),
    ],
)
def test_refused_requests_say_why_and_what_to_do(event: dict[str, Any], status: int, hint: str) -> None:
    outcome = Collector()(event)
    body = answer(outcome)
    assert outcome.response["statusCode"] == status, body
    assert body["success"] is False and body["accepted"] == 0 and body["error"]
    assert hint in body.get("hint", "")


def test_method_not_allowed_names_the_method_that_is() -> None:
    assert Collector()(request(GOOD, method="PUT")).response["headers"]["allow"] == "POST"


@pytest.mark.parametrize(("body", "field"), [('{"eventName": "x"', "text"), (b"\xff\xfe", "base64")])
def test_a_body_that_cannot_be_read_is_kept(body: str | bytes, field: str) -> None:
    collector = Collector()
    collector(request(body))
    [entry] = collector.bodies()["rejected"]["rejected"]
    assert field in entry and "index" not in entry


@pytest.mark.parametrize("broken", [{}, {"requestContext": None}, {"headers": [], "body": 5}, {"body": None}])
def test_requests_that_no_gateway_sends_are_answered(broken: dict[str, Any]) -> None:
    assert 400 <= Collector()(broken).response["statusCode"] < 500


# --- senders who object to tracking ------------------------------------------------------------------


def objecting(body: object, **headers: str) -> dict[str, Any]:
    made = request(body, claims={"sub": "me"}, route="POST /clickstream/me")
    made["headers"].update(headers)
    return made


DENIED = [False, "false", " False", 0, "0", "denied", "no", "what?", 2, {}, {"ads": "denied"}, []]
"Consent that is denied, or cannot be read."


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ([GOOD], {"dnt": "1"}),
        ([GOOD], {"Sec-GPC": "1"}),
        ([GOOD], {"sec-gpc": "?1"}),
        ([GOOD], {"dnt": "1, 1"}),
        *(({"events": [GOOD], "consent": no}, {}) for no in DENIED),
    ],
)
def test_the_setting_decides_what_happens_to_events_of_senders_who_object(
    body: object, headers: dict[str, str]
) -> None:
    ignoring = Collector()
    ignoring(objecting(body, **headers))
    assert ignoring.bodies()["events"]["_ingest"]["identity"]["userId"] == "me"

    anonymous = Collector(Settings("raw", do_not_track=DoNotTrack.ANONYMISE))
    assert anonymous(objecting(body, **headers)).accepted == 1
    [stored] = anonymous.bodies().values()
    assert stored["events"][0].keys() == {"eventName", "eventTimestamp", "event_id"}
    assert stored["events"][0]["event_id"] == ignoring.bodies()["events"]["events"][0]["event_id"]
    assert stored["_ingest"]["sourceIp"] is stored["_ingest"]["userAgent"] is None
    assert "identity" not in stored["_ingest"]

    dropping = Collector(Settings("raw", do_not_track=DoNotTrack.DROP))
    outcome = dropping(objecting(body, **headers))
    assert outcome.response["statusCode"] == 200 and not dropping.stored
    assert [refusal["code"] for refusal in answer(outcome)["rejected"]] == ["do_not_track"]
    # Also if the batch has an invalid event.
    assert dropping(objecting([*events_of(body), {}], **headers | {"dnt": "1"})).response["statusCode"] == 200
    assert not dropping.stored


def events_of(body: Any) -> list[Any]:
    """The events of a batch in either form."""
    return list(body["events"] if isinstance(body, dict) else body)


def test_of_refused_events_those_are_counted_that_are_at_fault_and_those_that_fit_are_kept() -> None:
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.DROP, max_rejected_bytes=400))
    wrong = {"clientId": "x" * 200}
    collector(request([GOOD, GOOD | {"consent": False}, wrong, wrong, wrong]))
    bodies = collector.bodies()
    kept = len(bodies["rejected"]["rejected"])
    assert 0 < kept < 3
    assert bodies["events"]["_ingest"]["refusals"] == {"events": 3, "kept": kept}


@pytest.mark.parametrize("given", [True, 1, "true", " TRUE", "1", "granted", "accepted", None, "", " "])
def test_consent_that_is_given_or_not_asked_for_is_no_objection(given: object) -> None:
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.DROP))
    body = {"events": [GOOD | {"consent": given}], "consent": given}
    assert collector(objecting(body, dnt="0", **{"sec-gpc": "?0"})).accepted == 1


def test_the_envelope_of_anonymous_events_identifies_nobody() -> None:
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.ANONYMISE))
    collector(objecting({"events": [GOOD], "userId": "me", "client_id": "c", "shop": "x"}, dnt="1"))
    [stored] = collector.bodies().values()
    assert stored.keys() == {"events", "shop", "_ingest"}
    assert not stored["_ingest"]["requestId"] and not stored["_ingest"]["traceId"]


def test_one_event_of_a_batch_may_deny_consent() -> None:
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.DROP))
    outcome = collector(request([GOOD, GOOD | {"consent": False}, {}, {"consent": False, "userId": "me"}]))
    assert (outcome.accepted, outcome.rejected) == (1, 3)
    assert [entry["index"] for entry in collector.bodies()["rejected"]["rejected"]] == [2]


def test_an_event_without_consent_is_stored_apart_from_its_neighbours() -> None:
    """Its object identifies nobody; the other events keep their sender."""
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.ANONYMISE))
    outcome = collector(objecting([GOOD, GOOD | {"consent": False, "userId": "me"}, GOOD]))
    assert (outcome.accepted, outcome.rejected) == (3, 0)
    named, anonymous = (json.loads(stored.body) for stored in collector.stored)
    assert len({stored.key for stored in collector.stored}) == 2
    assert len(named["events"]) == 2 and named["_ingest"]["identity"]["userId"] == "me"
    [event] = anonymous["events"]
    assert event.keys() == {"eventName", "eventTimestamp", "event_id", "consent"}
    assert anonymous["_ingest"]["sourceIp"] is anonymous["_ingest"]["userAgent"] is None
    assert "identity" not in anonymous["_ingest"]
    again = Collector(collector.settings)
    again(objecting([GOOD, GOOD | {"consent": False, "userId": "me"}, GOOD]))
    assert [one.key for one in again.stored] == [one.key for one in collector.stored]


@pytest.mark.parametrize(
    "body",
    [
        {"events": 5, "consent": False},
        {"events": [GOOD], "consent": False, "x": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]},
    ],
)
def test_a_refused_batch_without_consent_is_not_stored(body: object) -> None:
    collector = Collector(Settings("raw", do_not_track=DoNotTrack.ANONYMISE))
    assert collector(request(body)).response["statusCode"] == 400
    assert not collector.stored


def test_refused_events_keep_their_envelope() -> None:
    """It has `sentAt`, without which a wrong clock cannot be corrected when they are loaded later."""
    collector = Collector()
    collector(request({"events": [{}, GOOD], "sentAt": "2024-12-06T05:59:58Z", "rejected": 5, "shop": "x"}))
    kept = collector.bodies()["rejected"]
    assert (kept["sentAt"], kept["shop"]) == ("2024-12-06T05:59:58Z", "x")
    assert [entry["index"] for entry in kept["rejected"]] == [0]


def test_the_counted_size_is_that_of_the_body_as_received() -> None:
    text = json.dumps(GOOD | {"x": "é" * 50}, ensure_ascii=False)
    assert Collector()(request(text)).body_bytes == len(text.encode())
    packed = gzip.compress(text.encode())
    assert Collector()(request(packed, "application/gzip")).body_bytes == len(packed)
    assert Collector()(request("{", "application/json")).body_bytes == 1


# --- storage -----------------------------------------------------------------------------------------


def test_a_storage_error_is_raised_and_nothing_is_acknowledged() -> None:
    def fail(_: StoredObject) -> None:
        raise StorageError("SlowDown")

    with pytest.raises(StorageError):
        collect(request(GOOD), SETTINGS, MOMENT, fail)


# --- any body ----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(categories=None), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | TEXT
    | st.sampled_from([GOOD["eventTimestamp"], "guest", str(uuid.UUID(int=5)), "\0", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "eventName",
                    "event_name",
                    "eventId",
                    "event_id",
                    "product",
                    "price",
                    "eventTimestamp",
                    "userLoginState",
                    "element",
                    "events",
                ]
            )
            | TEXT,
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
EVENTS = VALUES | st.fixed_dictionaries({"eventName": TEXT}, optional={"product": VALUES, "event_id": VALUES})
BODIES = (
    EVENTS.map(json.dumps)
    | st.lists(EVENTS, max_size=6).map(json.dumps)
    | st.lists(EVENTS, max_size=6).map(lambda events: json.dumps({"events": events}))
    | TEXT
    | st.binary(max_size=30)
)
STRICT = Settings("raw", max_events=5, max_event_bytes=300, max_rejected_bytes=100_000, limits=Limits(4, 40))


def sent_events(body: str | bytes) -> int | None:
    """Return how many events a body holds, read plainly; None if it holds none."""
    try:
        value = json.loads(body, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError, RecursionError):
        return None
    if isinstance(value, dict):
        value = value.get("events", [value])
    return len(value) if isinstance(value, list) and 0 < len(value) <= STRICT.max_events else None


@settings(max_examples=400)
@given(
    body=BODIES,
    pack=st.booleans(),
    content_type=st.sampled_from(["application/json", "text/plain", "application/gzip", "x"]),
)
def test_any_body_gets_a_response_of_the_contract(body: str | bytes, pack: bool, content_type: str) -> None:
    if pack:
        body = gzip.compress(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)
    collector = Collector(STRICT)
    outcome = collector(request(body, content_type))
    status, reply = outcome.response["statusCode"], answer(outcome)
    assert status in (200, 400, 413, 415)
    assert reply["success"] is (status == 200) and reply["accepted"] == outcome.accepted
    assert len(reply["rejected"]) == outcome.rejected
    assert (outcome.accepted > 0) == (status == 200)
    stored = collector.bodies()
    assert len(stored.get("events", {"events": []})["events"]) == outcome.accepted
    assert status != 200 or not outcome.rejected or len(stored["rejected"]["rejected"]) == outcome.rejected
    if not pack and content_type != "application/gzip" and content_type != "x":
        sent = sent_events(body)
        if outcome.accepted + outcome.rejected:
            assert outcome.accepted + outcome.rejected == sent


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 200),
        ("https://Shop.Example", 200),
        (None, 200),
        ("https://stranger.invalid", 403),
        ("null", 403),
    ],
)
def test_only_the_shops_pages_may_send_and_programs_without_an_origin(
    origin: str | None, status: int
) -> None:
    collector = Collector(Settings("raw", origins=frozenset({"https://shop.example"})))
    event = request(GOOD, "text/plain;charset=UTF-8")
    if origin is not None:
        event["headers"]["origin"] = origin
    outcome = collector(event)
    assert outcome.response["statusCode"] == status
    assert bool(collector.stored) == (status == 200)
    assert outcome.codes["origin"] == (status == 403)


def test_of_all_refused_events_of_a_request_so_much_is_kept() -> None:
    collector = Collector(Settings("raw", max_rejected_bytes=2_000))
    outcome = collector(request([{"n": "x" * 900}] * 50))
    assert outcome.rejected == 50
    assert len(collector.stored[0].body) < 4_000
