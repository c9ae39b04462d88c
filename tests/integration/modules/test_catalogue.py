"""The shop's catalogue: what of a CSV file is refused, and the table that becomes the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg2
import pytest

from ansible_collections.clickstream.aws.plugins.action.catalogue import read_catalogue
from ansible_collections.clickstream.aws.plugins.module_utils.catalogue import (
    Changes,
    Refused,
    bring_up_to_date,
)
from ansible_collections.clickstream.aws.plugins.modules.catalogue import lines
from tests.support.postgres import OWNER, ThrowawayPostgres, find_binaries, throwaway_postgres

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

HEADER = "id,name,category,brand,price,discount_price,cost\n"
FILE = f"""{HEADER}lap-1,Laptop 14,laptops,Acme,899,849.00,610.5
cable-3,"Cable, 1 m",,,,,
"""


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        ("a,,,,,,", ["a", None, None, None, None, None, None]),
        (' a\xa0,"Ba\u0300n\n",,\u200b,1,0.00,', ["a", "B\xe0n", None, None, "1", None, None]),
        ('a,"say ""hi""",,,1.50,,0', ["a", 'say "hi"', None, None, "1.50", None, "0"]),
    ],
)
def test_a_cell_is_what_events_have_of_it(rows: str, read: list[str | None]) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        assert read_catalogue((HEADER + rows).encode(encoding)) == [read]


def test_columns_may_be_fewer_and_in_another_order() -> None:
    assert read_catalogue(b"price,id\r\n899,lap-1\r\n\r\n") == [
        ["lap-1", None, None, None, "899", None, None]
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "it is empty"),
        (HEADER, "it would empty the catalogue"),
        ("id;name\na;b\n", "row 1: no column is called 'id;name'"),
        ("id,title\na,b\n", "row 1: no column is called 'title'"),
        ("name\nb\n", "row 1: a column id is needed"),
        ("id,id\na,b\n", "row 1: a column id is needed, and each column once"),
        ("id,name\na,b\nc\n", "row 3: 1 cells instead of 2"),
        ("id,name\n,b\n", "row 2: the id is missing"),
        ("id\na\n\nb\na \n", "row 5: id a is in row 2 already"),
        (f"id\n{'x' * 201}\n", "row 2: id is longer than 200 characters"),
        ("id,price\na,12 000\n", "row 2: price '12 000' is no number such as 899 or 899.50"),
        ("id,price\na,-1\nb,1.234\n", "row 2: price '-1' is no number such as 899 or 899.50; row 3: price"),
        ("id,cost\na,12345678901234\n", "row 2: cost '12345678901234' is no number"),
        ("id,price,discount_price\na,9,9\n", "row 2: discount_price 9 is not below price 9"),
        ("id,price,discount_price\na,,9\n", "row 2: discount_price needs a price"),
        ('id,name\na,"b\n', "row that ends in line 2: unexpected end of data"),
        (HEADER.encode() + b"a,\xff,,,,,\n", "row 2: it is no UTF-8"),
        ("id,price\n" + "a,x\n" * 20, "and 29 more"),
    ],
)
def test_a_fault_is_told_with_its_row(content: str | bytes, fault: str) -> None:
    with pytest.raises(ValueError) as told:
        read_catalogue(content if isinstance(content, bytes) else content.encode())
    assert fault in str(told.value)


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as postgres:
        postgres.create_database()
        postgres.execute(
            "INSERT INTO clickstream_events (event_id, event_timestamp, event_name, context_product_id, "
            "context_product_name, context_product_price, event_timestamp_source, received_at, loaded_at, "
            "source_object, source_position, is_bot) "
            "VALUES (gen_random_uuid(), %(at)s, 'product_view', 'lap-1', 'Cheap', 1, 'client', %(at)s, "
            "%(at)s, 'o', 0, false)",
            {"at": datetime(2025, 11, 1, tzinfo=UTC)},
        )
        yield postgres


def take(server: ThrowawayPostgres, file: str, check_mode: bool = False) -> Changes:
    connection = server.connect()
    try:
        return bring_up_to_date(connection, read_catalogue(file.encode()), OWNER, check_mode)
    finally:
        connection.close()


def numbers(changes: Changes) -> tuple[int, int, int]:
    return len(changes.added), len(changes.updated), len(changes.removed)


PRODUCTS = "SELECT product_id, name, price::int, discount_price::int FROM products ORDER BY product_id"


def test_check_apply_repeat_change_remove(server: ThrowawayPostgres) -> None:
    before = [("lap-1", "Cheap", 1, None)]
    assert numbers(take(server, FILE, check_mode=True)) == (2, 0, 0)
    assert server.execute("SELECT count(*) FROM catalogue") == [(0,)]
    assert server.execute(PRODUCTS) == before
    assert numbers(take(server, FILE)) == (2, 0, 0)
    own = [("cable-3", "Cable, 1 m", None, None), ("lap-1", "Laptop 14", 899, 849)]
    assert server.execute(PRODUCTS) == own
    for check_mode in (True, False):
        assert numbers(take(server, FILE, check_mode)) == (0, 0, 0)
    dearer = FILE.replace("899", "999.00")
    for check_mode in (True, False):
        changes = take(server, dearer, check_mode)
        assert numbers(changes) == (0, 1, 0)
        assert lines(changes.before) == "lap-1,Laptop 14,laptops,Acme,899.00,849.00,610.50\n"
        assert lines(changes.after) == "lap-1,Laptop 14,laptops,Acme,999.00,849.00,610.50\n"
    assert server.execute(PRODUCTS)[1] == ("lap-1", "Laptop 14", 999, 849)
    assert numbers(take(server, HEADER + "cable-3,Cable,,,,,\n")) == (0, 1, 1)
    assert server.execute(PRODUCTS) == [("cable-3", "Cable", None, None), *before]


def test_what_postgresql_refuses_changes_nothing(server: ThrowawayPostgres) -> None:
    take(server, FILE)
    connection = server.connect()
    bad = ["bad", None, None, None, "1", "2", None]
    with pytest.raises(psycopg2.errors.CheckViolation):
        bring_up_to_date(connection, [["new", *[None] * 6], bad], OWNER, check_mode=False)
    connection.close()
    assert server.execute("SELECT id FROM catalogue ORDER BY id") == [("cable-3",), ("lap-1",)]


def test_a_warehouse_without_the_table_is_told(server: ThrowawayPostgres) -> None:
    connection = server.connect(database="postgres")
    with pytest.raises(Refused, match=r"no table catalogue. Fix: run playbooks/analytics_host.yml"):
        bring_up_to_date(connection, [["a", *[None] * 6]], OWNER, True)
    connection.close()
