"""The made-up shop in a throw-away warehouse."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.bench.fill import fill
from tests.bench.shop import Shop
from tests.support.plain_model import check_model
from tests.support.postgres import find_binaries, throwaway_postgres


@pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")
def test_every_row_is_in_its_week_its_id_in_the_table_of_ids_and_all_are_counted() -> None:
    shop = Shop(sessions=150, seed=3, end=date.today() - timedelta(days=2), days=20)
    lines = "".join(shop.rows()).splitlines()
    with throwaway_postgres() as server:
        server.create_database()
        fill(server, shop, processes=2)
        check_model(server)
        counts = server.execute(
            """
            SELECT (SELECT count(*) FROM clickstream_events),
                   (SELECT count(*) FROM clickstream_events_other),
                   (SELECT count(*) FROM clickstream_event_ids),
                   (SELECT count(*) FROM clickstream_event_ids JOIN clickstream_events
                    USING (event_id, received_at))
            """
        )
        names = dict(server.execute("SELECT event_name, count(*) FROM clickstream_events GROUP BY 1"))
        # Nobody can take an id twice.
        keys = server.execute(
            """
            SELECT indisvalid FROM pg_index
            WHERE indrelid = 'clickstream_event_ids'::regclass AND indisprimary
            """
        )
    assert counts == [(len(lines), 0, len(lines), len(lines))]
    assert names["page_view"] == sum("\tpage_view\t" in line for line in lines)
    assert keys == [(True,)]
