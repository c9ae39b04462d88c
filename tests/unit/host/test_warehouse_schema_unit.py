"""What the module warehouse_schema finds to do, and when it refuses: everything that needs no database."""

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.action.warehouse_schema import read_schema, read_tables
from ansible_collections.clickstream.aws.plugins.module_utils.warehouse_schema import (
    Changes,
    Found,
    Record,
    Refused,
    State,
    checksum,
    differences,
    error_line,
    label,
    pending_tables,
)
from ansible_collections.clickstream.aws.plugins.modules.warehouse_schema import diffs


def migration(version: int, name: str = "a", sql: str = "SELECT 1") -> dict[str, Any]:
    return {"version": version, "name": name, "sql": sql}


def applied(*migrations: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(m["version"], m["name"], checksum(m["sql"])) for m in migrations]


def test_everything_is_pending_at_first() -> None:
    files = [migration(1), migration(2)]
    assert pending_tables(files, []) == files


def test_only_new_files_are_pending() -> None:
    files = [migration(1), migration(2), migration(3)]
    assert [label(m) for m in pending_tables(files, applied(*files[:2]))] == ["0003_a"]


def test_nothing_is_pending_when_up_to_date() -> None:
    files = [migration(1)]
    assert pending_tables(files, applied(*files)) == []


def test_an_edited_file_is_refused() -> None:
    history = applied(migration(1))
    with pytest.raises(Refused, match=r"0001_a\.sql was changed after it was applied.*Fix: restore it"):
        pending_tables([migration(1, sql="SELECT 2")], history)


def test_a_renamed_file_is_refused() -> None:
    with pytest.raises(Refused, match="applied 0001_a where the files have 0001_b"):
        pending_tables([migration(1, "b")], applied(migration(1)))


def test_an_older_checkout_is_refused() -> None:
    files = [migration(1), migration(2)]
    with pytest.raises(Refused, match="database is at version 2, the files end at 1"):
        pending_tables(files[:1], applied(*files))


@pytest.mark.parametrize(("position", "line"), [(None, 1), ("1", 1), ("9", 1), ("10", 2), ("11", 3)])
def test_the_line_of_an_error(position: str | None, line: int) -> None:
    assert error_line("SELECT 1\n\nSELECT", position) == line


def test_files_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "0002_more.sql").write_text("SELECT 2")
    (tmp_path / "0001_first.sql").write_text("SELECT 'đ'")
    (tmp_path / "README.md").write_text("not SQL")
    assert read_tables(tmp_path) == [
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
        read_tables(tmp_path)


def test_files_are_read_by_kind(tmp_path: Path) -> None:
    for folder, name in [("tables", "0001_a"), ("functions", "f"), ("views", "v"), ("triggers", "t_1")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.sql").write_text(f"SELECT '{name}'")
    (tmp_path / "README.md").write_text("not SQL")
    assert read_schema(tmp_path) == {
        "tables": [migration(1, "a", "SELECT '0001_a'")],
        "objects": [
            {"kind": "function", "name": "f", "sql": "SELECT 'f'"},
            {"kind": "view", "name": "v", "sql": "SELECT 'v'"},
            {"kind": "trigger", "name": "t_1", "sql": "SELECT 't_1'"},
        ],
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("0001_a.sql", "0001_a.sql lies outside of tables/, functions/, views/ and triggers/"),
        ("functions/F.sql", "functions/F.sql is not named after a function"),
        ("triggers/0001_t.sql", "triggers/0001_t.sql is not named after a trigger"),
        ("functions/f.sql", "there is no file in tables/"),
    ],
)
def test_misplaced_and_missing_files_are_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "functions").mkdir()
    (tmp_path / "triggers").mkdir()
    if "there is no file" not in message:
        (tmp_path / "tables" / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match=message):
        read_schema(tmp_path)


FILE = {"kind": "function", "name": "f", "sql": "new"}
HELD = Found("function", "f", "public.f()", "1(0,1)", "f as it is held", [])


def state(*found: Found, record: Record | None = None, major: int = 18) -> State:
    return State([], list(found), {} if record is None else {("function", "f"): record}, major)


@pytest.mark.parametrize(
    ("present", "reasons"),
    [
        (state(HELD, record=Record("new", "f as it is held", 18)), []),
        (state(), ["function f: is not in the database"]),
        (
            state(record=Record("new", "f as it is held", 18)),
            ["function f: was dropped from the database"],
        ),
        (state(HELD), ["function f: is in the database, but did not come from its file"]),
        (state(HELD, record=Record("old", "f as it is held", 18)), ["function f: its file has changed"]),
        (state(HELD, record=Record("new", "f as it was", 18)), ["function f: was changed in the database"]),
        (
            state(HELD, HELD, record=Record("new", "f as it is held", 18)),
            ["function f: was changed in the database"],
        ),
        (
            state(HELD, record=Record("new", "f as 17 writes it", 17)),
            ["function f: was applied under PostgreSQL 17, this is 18"],
        ),
    ],
)
def test_an_object_is_applied_where_it_is_not_what_its_file_made(present: State, reasons: list[str]) -> None:
    assert [one.label for one in differences([FILE], present)] == reasons


def test_what_no_file_declares_is_dropped() -> None:
    other = Found("view", "f", "public.f", "1(0,1)", "a view of the same name", [])
    present = state(HELD, other, record=Record("new", "f as it is held", 18))
    assert [(one.label, one.declared) for one in differences([], present)] == [
        ("function f: its file is gone", None),
        ("view f: no file declares it", None),
    ]


def test_a_diff_has_every_name_and_the_texts_that_are_replaced() -> None:
    edited = differences([FILE], state(HELD, record=Record("new", "f as it was", 18)))
    made = differences([{**FILE, "name": "g"}], state())
    assert diffs(Changes([migration(1)], edited + made)) == [
        {
            "before": "",
            "after": "0001_a\nfunction f: was changed in the database\nfunction g: is not in the database\n",
        },
        {
            "before_header": "function f: was changed in the database",
            "after_header": "function f: was changed in the database",
            "before": "f as it is held\n",
            "after": "f as it was\n",
        },
    ]
    assert diffs(Changes()) == []
