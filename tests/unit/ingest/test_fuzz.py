"""Any body gets an answer of the contract; `make bench` throws five times as many."""

from tests.support.ingest_fuzz import fuzz


def test_any_request_gets_an_answer_and_accounts_for_its_events() -> None:
    statuses = fuzz(20_000, seed=20251206)
    assert set(statuses) == {200, 400, 401, 405, 413, 415} and statuses[200] > 5_000
