"""Which migrations are applied, and when the module refuses."""

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.action.warehouse_schema import read_migrations
from ansible_collections.clickstream.aws.plugins.modules.warehouse_schema import (
    Refused,
    checksum,
    error_line,
    label,
    pending_migrations,
)


def migration(version: int, name: str = "a", sql: str = "SELECT 1") -> dict[str, Any]:
    return {"version": version, "name": name, "sql": sql}


def applied(*migrations: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(m["version"], m["name"], checksum(m["sql"])) for m in migrations]


def test_everything_is_pending_at_first() -> None:
    files = [migration(1), migration(2)]
    assert pending_migrations(files, []) == files


def test_only_new_files_are_pending() -> None:
    files = [migration(1), migration(2), migration(3)]
    assert [label(m) for m in pending_migrations(files, applied(*files[:2]))] == ["0003_a"]


def test_nothing_is_pending_when_up_to_date() -> None:
    files = [migration(1)]
    assert pending_migrations(files, applied(*files)) == []


def test_an_edited_file_is_refused() -> None:
    history = applied(migration(1))
    with pytest.raises(Refused, match=r"0001_a\.sql was changed after it was applied.*Fix: restore it"):
        pending_migrations([migration(1, sql="SELECT 2")], history)


def test_a_renamed_file_is_refused() -> None:
    with pytest.raises(Refused, match="applied 0001_a where the files have 0001_b"):
        pending_migrations([migration(1, "b")], applied(migration(1)))


def test_an_older_checkout_is_refused() -> None:
    files = [migration(1), migration(2)]
    with pytest.raises(Refused, match="database is at version 2, the files end at 1"):
        pending_migrations(files[:1], applied(*files))


@pytest.mark.parametrize(("position", "line"), [(None, 1), ("1", 1), ("9", 1), ("10", 2), ("11", 3)])
def test_the_line_of_an_error(position: str | None, line: int) -> None:
    assert error_line("SELECT 1\n\nSELECT", position) == line


def test_files_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "0002_more.sql").write_text("SELECT 2")
    (tmp_path / "0001_first.sql").write_text("SELECT 'đ'")
    (tmp_path / "README.md").write_text("not SQL")
    assert read_migrations(tmp_path) == [
        migration(1, "first", "SELECT 'đ'"),
        migration(2, "more", "SELECT 2"),
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], "0003_c.sql stands where number 0002 belongs"),
        (["0001_a.sql", "0001_b.sql"], "0001_b.sql stands where number 0002 belongs"),
        (["0002_a.sql"], "0002_a.sql stands where number 0001 belongs"),
        (["1_a.sql"], "1_a.sql is not named NNNN_name.sql"),
        (["0001_A-b.sql"], "is not named NNNN_name.sql"),
    ],
)
def test_gaps_repetitions_and_names_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match=message):
        read_migrations(tmp_path)
