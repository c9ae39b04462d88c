"""PostgreSQL's log holds nothing of an event, whatever is slow and whatever fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.etl import event, key, raw, run_etl
from tests.support.postgres import LOADER, find_binaries, throwaway_postgres
from tests.support.raw_store import RawStore

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")
MARK = "marked-personal-data"
ROLE = Path(__file__).parents[3] / "roles" / "warehouse" / "vars" / "main.yml"


def loader_settings() -> str:
    """What role warehouse sets for the loader, so that it leaves nothing in the log."""
    states = yaml.safe_load(ROLE.read_text(encoding="utf-8"))["__warehouse_states"]
    [statement] = [one["statement"] for one in states if "no statement" in one["name"]]
    return str(statement).replace("{loader}", LOADER)


def test_no_event_is_in_the_log_of_a_server_that_logs_everything() -> None:
    with throwaway_postgres(log_min_duration_statement="0", log_statement="all") as postgres:
        postgres.create_database()
        postgres.execute(loader_settings())
        # A row that PostgreSQL refuses: the error's context would have it.
        postgres.execute(
            "ALTER TABLE clickstream_events ADD CONSTRAINT no_page CHECK (page_url NOT LIKE '%refused%')"
        )
        store = RawStore()
        store.put(
            key(1),
            raw(
                event(1, userId=MARK),
                {"eventName": 7, "userId": MARK},
                event(2, pageUrl=f"refused {MARK}"),
            ),
        )
        run_etl(postgres, store)
        refused = postgres.execute("SELECT code FROM rejected_events ORDER BY code")
        assert [code for (code,) in refused] == ["invalid_event_name", "refused_by_database"]
        log = (postgres.directory / "log").read_text(encoding="utf-8")
        assert "no_page" in log  # it does log
        assert MARK not in log
