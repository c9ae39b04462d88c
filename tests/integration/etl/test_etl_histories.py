"""The ETL against a real PostgreSQL: any history of objects, runs and faults ends with the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.connection import Busy
from tests.support.etl import check_sums, check_warehouse, empty, event, key, raw, run_etl, time_for_calls
from tests.support.faults import Faults, Killed
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore

EVENT = st.builds(
    lambda number, name, session: event(number, eventName=name, sessionId=session),
    st.integers(0, 12),
    st.sampled_from(["page_view", "purchase", "", "own"]),
    st.sampled_from(["s", "\x00", "\ud800", "tab\t"]),
)

OBJECT = st.builds(
    lambda events, second: raw(*events, received=f"2025-12-06T05:00:{second:02}Z"),
    st.lists(EVENT | st.just(5), max_size=5),
    st.integers(0, 59),
) | st.sampled_from([b"", b"[]", b"{}", b"null"])

PAYLOADS: list[dict[str, Any]] = [{}, {"reprocess": True}, {"prefix": "events/2025/12/06/"}]

STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 9), OBJECT),
    st.tuples(
        st.just("run"),
        st.just(0),
        st.sampled_from(PAYLOADS),
    ),
    st.tuples(st.just("fault"), st.integers(1, 60), st.sampled_from(["lost", "unknown", "killed"])),
    st.tuples(st.just("stop"), st.integers(1, 6), st.just({})),
    st.tuples(st.just("two"), st.just(0), st.tuples(st.sampled_from(PAYLOADS), st.sampled_from(PAYLOADS))),
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, max_size=14))
def test_any_history_ends_with_the_rows_of_a_plain_model(
    postgres: ThrowawayPostgres, steps: list[tuple[str, int, Any]]
) -> None:
    empty(postgres)
    store = RawStore()
    for action, number, detail in steps:
        if action == "put":
            # An object may be replaced, as a repair does.
            store.put(key(number), detail)
        elif action == "run":
            check_sums(run_etl(postgres, store, detail))
        elif action == "fault":
            with suppress(Killed, psycopg2.OperationalError):
                run_etl(postgres, store, connect=Faults(postgres, number, detail).connect)
        elif action == "stop":
            check_sums(run_etl(postgres, store, seconds_left=time_for_calls(number)))
        elif action == "two":
            run_at_once(postgres, store, detail)
    final = run_etl(postgres, store)
    check_sums(final)
    assert final["status"] == "complete"
    check_warehouse(postgres, store)


def run_at_once(server: ThrowawayPostgres, store: RawStore, payloads: Sequence[dict[str, Any]]) -> None:
    """Runs that begin together: one loads, the other leaves, or loads after it."""

    def attempt(payload: dict[str, Any]) -> str:
        try:
            answer = run_etl(server, store, payload)
        except Busy:
            return "busy"
        check_sums(answer)
        return answer["status"]

    with ThreadPoolExecutor(len(payloads)) as pool:
        statuses = list(pool.map(attempt, payloads))
    assert "complete" in statuses
    assert set(statuses) <= {"complete", "busy"}
