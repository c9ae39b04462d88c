"""The PostgreSQL server that the tests of the ETL share; each test begins with an empty warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.support.etl")

from tests.support.etl import empty  # noqa: E402
from tests.support.postgres import ThrowawayPostgres, find_binaries, throwaway_postgres  # noqa: E402


@pytest.fixture(scope="session")
def server() -> Iterator[ThrowawayPostgres]:
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with throwaway_postgres() as postgres:
        postgres.create_database()
        yield postgres


@pytest.fixture
def postgres(server: ThrowawayPostgres) -> ThrowawayPostgres:
    empty(server)
    return server
