"""Random requests get responses of the contract; `make bench` sends five times as many."""

from tests.support.ingest_fuzz import fuzz


def test_random_requests_are_answered_and_all_their_events_accounted_for() -> None:
    statuses = fuzz(20_000, seed=20251206)
    assert set(statuses) == {200, 400, 401, 405, 413, 415} and statuses[200] > 5_000
