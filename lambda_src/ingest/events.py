"""The body's text -> valid events and refused events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from contract.fields import EVENT_ID, SENT_AT
from contract.identity import client_event_id, made_event_id
from contract.jsontext import NotJson, canonical_json, parse_json
from contract.validation import (
    Problem,
    event_problem,
    field_problem,
    json_type,
    order_problem,
    shape_problem,
)
from ingest.answer import Refusal, RequestProblem
from ingest.privacy import OBJECTION, anonymous, any_objects, objects
from ingest.settings import DoNotTrack, Settings

BATCH_KEY: Final = "events"
INGEST_KEY: Final = "_ingest"

_SHAPES_HINT: Final = 'Send one event, an array of events, or {"events": [ ... ]}.'


@dataclass(frozen=True, slots=True)
class Batch:
    """A request's content: `values`, its events before validation, and `envelope`, the other keys.

    `warnings` say what of the envelope cannot be heeded; it is stored all the same.
    """

    values: list[object]
    envelope: dict[str, object]
    warnings: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Kept:
    """Events that are stored together.

    `texts` has each event as JSON text, with its id. `replaced_ids` has, by index in `texts`, the values of
    `event_id` that were not a UUID and were replaced by a generated id.
    """

    texts: list[bytes] = field(default_factory=list)
    replaced_ids: dict[int, object] = field(default_factory=dict)


@dataclass(slots=True)
class Sorted:
    """A batch sorted into events, events of senders who object to being tracked, and refusals."""

    named: Kept = field(default_factory=Kept)
    anonymous: Kept = field(default_factory=Kept)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """How many events are stored."""
        return len(self.named.texts) + len(self.anonymous.texts)


def read_batch(text: str, settings: Settings) -> Batch:
    """Return the events of a body, before validation. Raises RequestProblem."""
    try:
        body = parse_json(text)
    except NotJson as error:
        raise RequestProblem(
            400, "not_json", f"the body is not JSON: {error}", _SHAPES_HINT, body=text
        ) from None
    envelope: dict[str, object] = {}
    if isinstance(body, list):
        values = body
    elif isinstance(body, dict) and BATCH_KEY in body:
        batch = body[BATCH_KEY]
        if not isinstance(batch, list):
            raise RequestProblem(
                400,
                "events_not_an_array",
                f"'events' is {json_type(batch)}, not an array",
                _SHAPES_HINT,
                body=None if any_objects(body, settings.do_not_track) else text,
            )
        values = batch
        # `_ingest` is for the collector alone: the loader would trust a client's.
        envelope = {key: value for key, value in body.items() if key not in (BATCH_KEY, INGEST_KEY)}
        _check_envelope(envelope, None if any_objects(body, settings.do_not_track) else text, settings)
    elif isinstance(body, dict):
        values = [body]
    else:
        raise RequestProblem(
            400, "no_event", f"the body is {json_type(body)}, not an event", _SHAPES_HINT, body=text
        )
    if not values:
        raise RequestProblem(400, "empty_batch", "the batch holds no event", _SHAPES_HINT)
    if len(values) > settings.max_events:
        raise RequestProblem(
            413,
            "too_many_events",
            f"{len(values)} events in one request",
            f"Send at most {settings.max_events} events at a time.",
        )
    warning = field_problem(envelope, SENT_AT)
    return Batch(values, envelope, [warning] if warning else [])


def sort_events(values: list[object], request_id: str, settings: Settings, objected: bool = False) -> Sorted:
    """Sort the events of a request into kept and refused ones, and give ids to those without.

    `objected`: the sender of all of them objects to being tracked.
    """
    result = Sorted()
    rule = settings.do_not_track
    for index, value in enumerate(values):
        problem = event_problem(value, settings.limits)
        if problem is None and isinstance(value, dict):
            problem = order_problem(value)
        if problem is None and isinstance(value, dict):
            if not (objected or objects(value, rule)):
                problem = _keep(value, index, request_id, settings, result.named, anonymised=False)
            elif rule is DoNotTrack.DROP:
                problem = OBJECTION
            else:
                problem = _keep(value, index, request_id, settings, result.anonymous, anonymised=True)
        if problem is not None:
            result.refusals.append(Refusal(index, problem))
    return result


def _keep(
    event: dict[str, object], index: int, request_id: str, settings: Settings, kept: Kept, *, anonymised: bool
) -> Problem | None:
    """Add `event`, with its id, to the kept ones; or return why it is refused."""
    text = canonical_json(event)
    if len(text) > settings.max_event_bytes:
        return Problem("event_too_large", f"larger than {settings.max_event_bytes} bytes")
    made = None
    if client_event_id(event) is None:
        made = made_event_id(event, text, index, request_id)
    if anonymised:
        event = anonymous(event)
        text = canonical_json(event)
    if made is not None:
        if EVENT_ID.snake in event:
            kept.replaced_ids[len(kept.texts)] = event[EVENT_ID.snake]
            text = canonical_json({**event, EVENT_ID.snake: made})
        else:
            # The same as serialising the event again with its id first, at a tenth of the cost.
            text = b'{"%s":"%s",' % (EVENT_ID.snake.encode(), made.encode()) + text[1:]
    kept.texts.append(text)
    return None


def _check_envelope(envelope: dict[str, object], body: str | None, settings: Settings) -> None:
    """Check the keys beside `events`, which are stored too, against the limits of an event.

    Raises RequestProblem, with `body` as the body to store.
    """
    problem = shape_problem(envelope, settings.limits)
    if problem is None and len(canonical_json(envelope)) > settings.max_event_bytes:
        problem = Problem("envelope_too_large", "too large")
    if problem is not None:
        raise RequestProblem(400, problem.code, f"the keys beside 'events': {problem.reason}", body=body)
