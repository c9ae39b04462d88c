"""The ETL against a real PostgreSQL: weekly partitions and retention."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.etl import SMALL, check_warehouse, event, key, places, raw, run_etl
from tests.support.postgres import READER, ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_an_event_id_is_unique_across_weeks(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(2), raw(event(1), received="2025-12-06T05:00:00Z"))
    run_etl(postgres, store)
    # The first copy was received weeks ago and is loaded now: the row moves to its week.
    store.put(key(1, "2025/12/06/05"), raw(event(1), received="2025-11-10T05:00:00Z"))
    answer = run_etl(postgres, store)
    assert answer["events"] == {"read": 1, "loaded": 0, "duplicate": 1, "rejected": 0}
    [(week,)] = postgres.execute("SELECT tableoid::regclass::text FROM clickstream_events")
    assert week == "clickstream_events_20251110"
    check_warehouse(postgres, store)


def test_rows_outside_every_weekly_partition_are_in_the_default_one(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number, received in enumerate(
        ["0001-01-01T00:00:00Z", "1999-05-05T00:00:00Z", "9999-12-31T23:59:59Z"]
    ):
        store.put(key(number), raw(event(number), received=received))
    run_etl(postgres, store)
    assert postgres.execute("SELECT count(*) FROM clickstream_events_other") == [(3,)]
    check_warehouse(postgres, store, counts=False)  # Python has no such years in every time zone


def test_retention_drops_weeks_and_forgets_their_ids(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    now = datetime.now(UTC)
    for number, days in enumerate([0, 20, 80]):
        moment = now - timedelta(days=days)
        name = f"{moment:events/%Y/%m/%d/%H}/event-{number}.json"
        store.put(name, raw(event(number), received=moment.isoformat()))
    store.put(key("x"), raw(event(9), received="1999-05-05T00:00:00Z"))
    store.put(key("y"), raw({"eventName": 1}, {"eventName": 2}))
    run_etl(postgres, store, now=now)
    weeks = partitions(postgres)
    postgres.execute("UPDATE rejected_events SET rejected_at = now() - interval '31 days' WHERE position = 0")
    run_etl(postgres, store, tuning=replace(SMALL, retention_days=30), now=now)
    assert len(places(postgres)) == 2
    assert postgres.execute("SELECT count(*) FROM clickstream_event_ids") == [(2,)]
    assert postgres.execute("SELECT position FROM rejected_events") == [(1,)]
    expired = f"clickstream_events_{now - timedelta(days=80 + (now - timedelta(days=80)).weekday()):%Y%m%d}"
    assert expired in weeks and expired not in partitions(postgres)
    # The raw objects are still there: loading them again ends with what is kept.
    run_etl(postgres, store, {"reprocess": True}, tuning=replace(SMALL, retention_days=30), now=now)
    assert len(places(postgres)) == 2


def test_a_week_that_is_being_read_is_dropped_next_time(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1)))
    run_etl(postgres, store)
    reader = postgres.connect(READER)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clickstream_events")
        run_etl(postgres, store, tuning=replace(SMALL, retention_days=1))
    reader.close()
    assert len(places(postgres)) == 1
    run_etl(postgres, store, tuning=replace(SMALL, retention_days=1))
    assert len(places(postgres)) == 0


def partitions(server: ThrowawayPostgres) -> list[str]:
    """The weeks that exist."""
    found = server.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = 'clickstream_events'::regclass AND relname <> 'clickstream_events_other' "
        "ORDER BY 1"
    )
    return [name for (name,) in found]
