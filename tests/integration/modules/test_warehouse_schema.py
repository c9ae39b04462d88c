"""The module warehouse_schema on a PostgreSQL: drift of functions, views, triggers, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from ansible_collections.clickstream.aws.plugins.module_utils import warehouse_schema
from ansible_collections.clickstream.aws.plugins.module_utils.warehouse_schema import LOCK_KEY, Refused
from tests.support.postgres import (
    DATABASE,
    LOADER,
    OWNER,
    READER,
    SCHEMA,
    SUPERUSER,
    ThrowawayPostgres,
    find_binaries,
    throwaway_postgres,
)

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

FILES = {
    "tables/0001_things": "CREATE TABLE things (id integer PRIMARY KEY, name text);"
    "CREATE INDEX things_short_idx ON things (short(name)); CREATE TABLE others ()",
    "functions/short": "CREATE OR REPLACE FUNCTION public.short(text) RETURNS text "
    "LANGUAGE sql IMMUTABLE RETURN left($1, 9);\n"
    f"GRANT EXECUTE ON FUNCTION public.short TO {LOADER}",
    # In the order of their names the one that needs the other comes first.
    "functions/all_things": "CREATE OR REPLACE FUNCTION public.all_things() RETURNS SETOF public.things "
    "LANGUAGE sql AS 'SELECT * FROM public.things WHERE public.is_thing(id)'",
    "functions/is_thing": "CREATE OR REPLACE FUNCTION public.is_thing(id integer) RETURNS boolean "
    "LANGUAGE plpgsql AS $$ BEGIN RETURN id > 0; END $$",
    "functions/note": "CREATE OR REPLACE FUNCTION public.note() RETURNS trigger "
    "LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "views/names": "CREATE OR REPLACE VIEW public.names AS SELECT short(name) AS name FROM things;\n"
    "GRANT SELECT ON public.names TO clickstream_reader",
    "triggers/noted": "CREATE OR REPLACE TRIGGER noted AFTER INSERT ON public.things "
    "FOR EACH STATEMENT EXECUTE FUNCTION public.note()",
}


class Warehouse:
    """A database and the files of its schema."""

    def __init__(self, server: ThrowawayPostgres, directory: Path) -> None:
        self.server = server
        self.directory = directory

    def write(self, name: str, sql: str) -> None:
        path = self.directory / f"{name}.sql"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(sql)

    def remove(self, name: str) -> None:
        (self.directory / f"{name}.sql").unlink()

    def apply(self, check_mode: bool = False) -> list[str]:
        changes = self.server.apply_schema(self.directory, check_mode=check_mode)
        return [*map(warehouse_schema.label, changes.tables), *(one.label for one in changes.objects)]

    def execute(self, sql: str) -> list[tuple]:
        return self.server.execute(sql)


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as postgres:
        postgres.create_database(schema=None)
        yield postgres


@pytest.fixture
def warehouse(server: ThrowawayPostgres, tmp_path: Path) -> Warehouse:
    server.create_database(schema=None)
    warehouse = Warehouse(server, tmp_path)
    for name, sql in FILES.items():
        warehouse.write(name, sql)
    warehouse.apply()
    return warehouse


def test_a_new_database_is_announced_made_and_then_as_the_files_say(
    warehouse: Warehouse,
) -> None:
    warehouse.server.create_database(schema=None)
    announced = warehouse.apply(check_mode=True)
    assert announced == ["0001_things"] + [
        f"{label}: is not in the database"
        for label in (
            *("function all_things", "function is_thing", "function note", "function short"),
            *("view names", "trigger noted"),
        )
    ]
    assert warehouse.execute("SELECT to_regclass('public.things'), to_regclass('migrations.objects')") == [
        (None, None)
    ]
    assert warehouse.apply() == announced
    assert warehouse.apply(check_mode=True) == warehouse.apply() == []


EDITED = "was changed in the database"


@pytest.mark.parametrize(
    ("edit", "label", "question", "right"),
    [
        (
            "CREATE OR REPLACE FUNCTION short(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN left($1, 3)",
            f"function short: {EDITED}",
            "SELECT short('abcdefghijk')",
            "abcdefghi",
        ),
        (
            "ALTER FUNCTION is_thing SET search_path = public",
            f"function is_thing: {EDITED}",
            "SELECT proconfig FROM pg_proc WHERE proname = 'is_thing'",
            None,
        ),
        (
            f"GRANT EXECUTE ON FUNCTION is_thing TO {LOADER}",
            f"function is_thing: {EDITED}",
            f"SELECT has_function_privilege('{LOADER}', 'is_thing(integer)', 'EXECUTE')",
            False,
        ),
        (
            "GRANT EXECUTE ON FUNCTION is_thing TO PUBLIC",
            f"function is_thing: {EDITED}",
            f"SELECT has_function_privilege('{READER}', 'is_thing(integer)', 'EXECUTE')",
            False,
        ),
        (
            f"REVOKE EXECUTE ON FUNCTION short FROM {LOADER}",
            f"function short: {EDITED}",
            f"SELECT has_function_privilege('{LOADER}', 'short(text)', 'EXECUTE')",
            True,
        ),
        (
            f"REVOKE EXECUTE ON FUNCTION note FROM {OWNER}",
            f"function note: {EDITED}",
            f"SELECT has_function_privilege('{OWNER}', 'note()', 'EXECUTE')",
            True,
        ),
        (
            f"ALTER FUNCTION note OWNER TO {SUPERUSER}",
            f"function note: {EDITED}",
            "SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'note'",
            OWNER,
        ),
        (
            "COMMENT ON FUNCTION note() IS 'mine'",
            f"function note: {EDITED}",
            "SELECT obj_description('note()'::regprocedure, 'pg_proc')",
            None,
        ),
        (
            "COMMENT ON TRIGGER noted ON things IS 'mine'",
            f"trigger noted: {EDITED}",
            "SELECT obj_description(oid, 'pg_trigger') FROM pg_trigger WHERE tgname = 'noted'",
            None,
        ),
        (
            "COMMENT ON VIEW names IS 'mine'",
            f"view names: {EDITED}",
            "SELECT obj_description('names'::regclass, 'pg_class')",
            None,
        ),
        (
            "DROP FUNCTION is_thing",
            "function is_thing: was dropped from the database",
            "SELECT is_thing(1)",
            True,
        ),
        (
            "CREATE FUNCTION is_thing(text) RETURNS boolean LANGUAGE sql RETURN true",
            f"function is_thing: {EDITED}",
            "SELECT count(*) FROM pg_proc WHERE proname = 'is_thing'",
            1,
        ),
        (
            "ALTER TABLE things DISABLE TRIGGER noted",
            f"trigger noted: {EDITED}",
            "SELECT tgenabled FROM pg_trigger WHERE tgname = 'noted'",
            "O",
        ),
        (
            "DROP TRIGGER noted ON things",
            "trigger noted: was dropped from the database",
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'noted'",
            1,
        ),
        (
            "CREATE OR REPLACE TRIGGER noted AFTER DELETE ON things "
            "FOR EACH STATEMENT EXECUTE FUNCTION note()",
            f"trigger noted: {EDITED}",
            "SELECT pg_get_triggerdef(oid) LIKE '%% AFTER INSERT %%' FROM pg_trigger WHERE tgname = 'noted'",
            True,
        ),
        (
            "CREATE OR REPLACE VIEW names AS SELECT name FROM things WHERE false",
            f"view names: {EDITED}",
            "SELECT pg_get_viewdef('names'::regclass) LIKE '%%short%%'",
            True,
        ),
        (
            f"GRANT INSERT ON names TO {READER}",
            f"view names: {EDITED}",
            f"SELECT has_table_privilege('{READER}', 'names', 'INSERT') "
            f"OR NOT has_table_privilege('{READER}', 'names', 'SELECT')",
            False,
        ),
        (
            f"ALTER VIEW names OWNER TO {SUPERUSER}",
            f"view names: {EDITED}",
            "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'names'",
            OWNER,
        ),
        (
            "DROP VIEW names",
            "view names: was dropped from the database",
            "SELECT count(*) FROM pg_class WHERE relname = 'names'",
            1,
        ),
        (
            "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1",
            "function mine: no file declares it",
            "SELECT count(*) FROM pg_proc WHERE proname = 'mine'",
            0,
        ),
        (
            "CREATE AGGREGATE mine (integer) (SFUNC = int4pl, STYPE = integer)",
            "function mine: no file declares it",
            "SELECT count(*) FROM pg_proc WHERE proname = 'mine'",
            0,
        ),
        (
            "CREATE PROCEDURE mine() LANGUAGE sql AS 'SELECT 1'",
            "function mine: no file declares it",
            "SELECT count(*) FROM pg_proc WHERE proname = 'mine'",
            0,
        ),
        (
            "CREATE VIEW mine AS SELECT 1 AS one",
            "view mine: no file declares it",
            "SELECT count(*) FROM pg_class WHERE relname = 'mine'",
            0,
        ),
        (
            "CREATE TRIGGER mine BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION note()",
            "trigger mine: no file declares it",
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'mine'",
            0,
        ),
    ],
)
def test_an_edit_in_the_database_is_reported_and_undone(
    warehouse: Warehouse, edit: str, label: str, question: str, right: object
) -> None:
    warehouse.execute(edit)
    edited = None if "is_thing(1)" in question else warehouse.execute(question)
    assert edited != [(right,)]
    assert warehouse.apply(check_mode=True) == [label]
    assert warehouse.apply() == [label]
    assert warehouse.execute(question) == [(right,)]
    assert warehouse.apply() == []


def test_undeclared_objects_that_need_each_other_are_all_dropped(warehouse: Warehouse) -> None:
    warehouse.execute("CREATE FUNCTION a() RETURNS integer LANGUAGE sql RETURN 1")
    warehouse.execute("CREATE FUNCTION b() RETURNS integer LANGUAGE sql RETURN a()")
    warehouse.execute("CREATE VIEW c AS SELECT b() AS b")
    labels = [f"{name}: no file declares it" for name in ("function a", "function b", "view c")]
    assert warehouse.apply(check_mode=True) == warehouse.apply() == labels
    assert warehouse.apply() == []


def test_an_undeclared_object_that_others_need_is_named_and_nothing_changes(warehouse: Warehouse) -> None:
    warehouse.execute("CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1")
    warehouse.execute("CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.v AS SELECT public.mine() AS mine")
    warehouse.execute("DROP VIEW names")
    says = r"function mine: no file declares it, but it cannot be dropped: .*view elsewhere\.v depends"
    with pytest.raises(Refused, match=says):
        warehouse.apply()
    assert warehouse.execute("SELECT to_regclass('public.names')") == [(None,)]


def test_what_belongs_to_an_extension_stays(warehouse: Warehouse) -> None:
    try:
        warehouse.execute("CREATE EXTENSION pg_stat_statements")
    except psycopg2.Error:
        pytest.skip("this PostgreSQL has no extension pg_stat_statements")
    assert warehouse.execute("SELECT count(*) > 0 FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                             "AND proname LIKE 'pg_stat_statements%'") == [(True,)]  # fmt: skip
    assert warehouse.apply() == []
    assert warehouse.execute("SELECT to_regclass('public.pg_stat_statements') IS NULL") == [(False,)]


def test_a_row_triggers_copies_on_partitions_are_not_objects_of_their_own(warehouse: Warehouse) -> None:
    warehouse.write(
        "tables/0002_parts",
        "CREATE TABLE parts (id integer) PARTITION BY RANGE (id); "
        "CREATE TABLE parts_one PARTITION OF parts FOR VALUES FROM (1) TO (2)",
    )
    warehouse.write(
        "triggers/each_part",
        "CREATE OR REPLACE TRIGGER each_part AFTER INSERT ON public.parts FOR EACH ROW "
        "EXECUTE FUNCTION public.note()",
    )
    assert warehouse.apply() == ["0002_parts", "trigger each_part: is not in the database"]
    assert warehouse.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'each_part'") == [(2,)]
    assert warehouse.apply() == []


@pytest.mark.parametrize(
    ("name", "sql", "question", "answer"),
    [
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(id integer) RETURNS boolean "
            "LANGUAGE sql RETURN id > 5",
            "SELECT is_thing(5)",
            False,
        ),
        # What CREATE OR REPLACE refuses: a parameter of another name, a result of another type
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(number integer) RETURNS boolean "
            "LANGUAGE sql RETURN number > 5",
            "SELECT is_thing(number => 5)",
            False,
        ),
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(id integer) RETURNS text LANGUAGE sql RETURN id > 5",
            "SELECT is_thing(5)",
            "false",
        ),
        (
            "functions/is_thing",
            "CREATE OR REPLACE PROCEDURE public.is_thing(id integer) LANGUAGE sql AS 'SELECT 1'",
            "SELECT prokind FROM pg_proc WHERE proname = 'is_thing'",
            "p",
        ),
        # and what it takes for something else: parameters of other types, a trigger on another table
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(id numeric) RETURNS boolean "
            "LANGUAGE sql RETURN id > 5",
            "SELECT pg_get_function_arguments(oid) FROM pg_proc WHERE proname = 'is_thing'",
            "id numeric",
        ),
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(id integer, most integer) RETURNS boolean "
            "LANGUAGE sql RETURN id < most; REVOKE ALL ON FUNCTION public.is_thing FROM PUBLIC",
            "SELECT pg_get_function_arguments(oid) FROM pg_proc WHERE proname = 'is_thing'",
            "id integer, most integer",
        ),
        (
            "triggers/noted",
            "CREATE OR REPLACE TRIGGER noted AFTER INSERT ON public.others "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.note()",
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'noted'",
            "others",
        ),
        (
            "views/names",
            "CREATE OR REPLACE VIEW public.names AS SELECT id, name FROM things",
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'names'",
            2,
        ),
    ],
)
def test_an_edited_file_is_applied(
    warehouse: Warehouse, name: str, sql: str, question: str, answer: object
) -> None:
    kind, _, object_name = name.partition("s/")
    warehouse.write(name, sql)
    label = f"{kind} {object_name}: its file has changed"
    assert warehouse.apply(check_mode=True) == warehouse.apply() == [label]
    assert warehouse.execute(question) == [(answer,)]
    assert warehouse.apply() == []


def test_a_function_that_an_index_needs_is_refused_with_the_fix(warehouse: Warehouse) -> None:
    warehouse.write(
        "functions/short",
        "CREATE OR REPLACE FUNCTION public.short(name text) RETURNS varchar "
        "LANGUAGE sql IMMUTABLE RETURN left(name, 4)",
    )
    says = (
        r"functions/short\.sql: cannot change .* And it cannot be dropped: .*index public.things_short_idx "
        r"depends.*"
        r"Nothing was changed\. Fix: drop what needs it in a new file in tables/"
    )
    with pytest.raises(Refused, match=says):
        warehouse.apply()
    assert warehouse.execute("SELECT short('abcdefghijk')") == [("abcdefghi",)]
    warehouse.write("tables/0002_index", "DROP VIEW names; DROP INDEX things_short_idx")
    labels = [
        "0002_index",
        "function short: its file has changed",
        "view names: was dropped from the database",
    ]
    assert warehouse.apply() == labels
    assert warehouse.execute("SELECT short('abcdefghijk')") == [("abcd",)]
    assert warehouse.apply() == []


def test_a_table_file_may_use_the_new_functions_in_its_tables_and_at_the_end(warehouse: Warehouse) -> None:
    warehouse.execute("INSERT INTO things VALUES (1, 'one'), (7, 'seven')")
    warehouse.write(
        "tables/0002_counts",
        "CREATE TABLE counts (things bigint); "
        "SET LOCAL warehouse_schema.afterwards = 'SELECT count_things()'",
    )
    # This one needs a column of the file after it.
    warehouse.write("tables/0003_more", "ALTER TABLE counts ADD COLUMN more bigint")
    warehouse.write(
        "functions/count_things",
        "CREATE OR REPLACE FUNCTION public.count_things() RETURNS void LANGUAGE sql "
        "AS 'INSERT INTO public.counts (things, more) SELECT count(*), 0 FROM public.all_things()'",
    )
    warehouse.write("functions/is_thing", FILES["functions/is_thing"].replace("> 0", "> 5"))
    warehouse.apply()
    assert warehouse.execute("SELECT things FROM counts") == [(1,)]
    assert warehouse.apply() == []
    assert warehouse.execute("SELECT things FROM counts") == [(1,)]


def test_an_object_whose_file_is_gone_is_dropped_before_a_column_that_it_needs(warehouse: Warehouse) -> None:
    warehouse.remove("views/names")
    warehouse.write(
        "tables/0002_anonymous", "DROP INDEX things_short_idx; ALTER TABLE things DROP COLUMN name"
    )
    assert warehouse.apply() == ["0002_anonymous", "view names: its file is gone"]
    assert warehouse.apply() == []


@pytest.mark.parametrize(
    ("name", "sql", "says"),
    [
        (
            "functions/is_thing",
            "CREATE OR REPLACE FUNCTION public.is_thing(id integer) RETURNS boolean LANGUAGE plpgsql AS $$\n"
            "BEGIN RETURN id >; END $$",
            r"functions/is_thing\.sql, line 2: syntax error at end of input",
        ),
        (
            "functions/all_things",
            "CREATE OR REPLACE FUNCTION public.all_things() RETURNS SETOF public.things LANGUAGE sql\n"
            "AS 'SELECT * FROM public.nothings'",
            r"functions/all_things\.sql, line \d: relation \"public.nothings\" does not exist",
        ),
        ("views/names", "CREATE TABLE other ()", r"views/names\.sql made 0 views with the name names"),
        (
            "views/names",
            "CREATE OR REPLACE VIEW public.other AS SELECT 1 AS one",
            r"views/names\.sql made 0 views with the name names\. .*Fix: the file declares public\.names",
        ),
        ("tables/0002_wrong", "SELECT 1;\nSELECT wrong", r"tables/0002_wrong\.sql, line 2: column \"wrong\""),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_nothing_is_kept(
    warehouse: Warehouse, name: str, sql: str, says: str
) -> None:
    warehouse.write("tables/0002_more", "CREATE TABLE more ()")
    if name == "tables/0002_wrong":
        warehouse.remove("tables/0002_more")
    warehouse.write("functions/is_thing", FILES["functions/is_thing"].replace("> 0", "> 5"))
    warehouse.write(name, sql)
    with pytest.raises(Refused, match=says) as refusal:
        warehouse.apply()
    assert "Nothing was changed" in str(refusal.value)
    assert warehouse.execute("SELECT to_regclass('public.more'), is_thing(1)") == [(None, True)]


def test_two_files_that_undo_each_other_are_told(warehouse: Warehouse) -> None:
    name, other = (FILES[f"functions/{name}"] for name in ("is_thing", "note"))
    warehouse.write("functions/is_thing", f"{other.replace('RETURN NULL', 'RETURN NEW')};\n{name}")
    warehouse.write("functions/note", f"{name.replace('> 0', '> 1')};\n{other}")
    says = (
        "function (is_thing|note): was changed in the database.*, again and again.*Fix: a file declares one"
    )
    with pytest.raises(Refused, match=says):
        warehouse.apply()


def test_a_new_table_and_functions_of_its_type_come_together(warehouse: Warehouse) -> None:
    warehouse.write("tables/0002_pairs", "CREATE TABLE pairs (a integer, b integer)")
    warehouse.write(
        "functions/pair_sum",
        "CREATE OR REPLACE FUNCTION public.pair_sum(pair public.pairs) RETURNS integer "
        "LANGUAGE sql RETURN pair.a + pair.b",
    )
    assert warehouse.apply() == ["0002_pairs", "function pair_sum: is not in the database"]
    assert warehouse.apply() == []


def test_a_dump_restored_elsewhere_is_no_drift(warehouse: Warehouse) -> None:
    server = warehouse.server
    where = ["-h", str(server.directory), "-p", str(server.port), "-U", SUPERUSER]
    dump = subprocess.run(
        [server.binaries / "pg_dump", *where, DATABASE], capture_output=True, check=True, timeout=60
    ).stdout
    server.create_database(schema=None)
    server.execute("ALTER DEFAULT PRIVILEGES FOR ROLE clickstream_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
    subprocess.run(
        [server.binaries / "psql", *where, "-qX", "-v", "ON_ERROR_STOP=1", DATABASE],
        input=dump,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert warehouse.apply(check_mode=True) == []


def test_after_an_upgrade_of_postgresql_all_files_are_applied_once_more(warehouse: Warehouse) -> None:
    """Another major version may write a definition otherwise, so there is nothing to compare with."""
    warehouse.execute("UPDATE migrations.objects SET postgresql_major = 9, definition = 'as 9 wrote it'")
    warehouse.execute(
        "CREATE OR REPLACE FUNCTION is_thing(id integer) RETURNS boolean LANGUAGE sql RETURN false"
    )
    labels = warehouse.apply(check_mode=True)
    assert len(labels) == len(FILES) - 1
    assert all("was applied under PostgreSQL 9, this is " in label for label in labels)
    assert warehouse.apply() == labels
    assert warehouse.execute("SELECT is_thing(1)") == [(True,)]
    assert warehouse.apply() == []


def test_a_warehouse_of_an_older_release_is_refused_and_stays_as_it_is(server: ThrowawayPostgres) -> None:
    server.create_database(schema=None)
    server.execute(
        "CREATE TABLE schema_version (version integer, name text, checksum text, applied_at timestamptz); "
        "INSERT INTO schema_version VALUES (20, 'event_id_index', 'x', now()); "
        "CREATE TABLE clickstream_events (event_id uuid); "
        "CREATE FUNCTION label(text) RETURNS text LANGUAGE sql RETURN $1"
    )
    relations, routines = "SELECT oid, xmin::text FROM pg_class", "SELECT oid, xmin::text FROM pg_proc"
    before = set(server.execute(relations) + server.execute(routines))
    for check_mode in (True, False):
        with pytest.raises(
            Refused, match=r"older release.*Nothing was changed\. Fix: .*rebuild_warehouse\.yml"
        ):
            server.apply_schema(check_mode=check_mode)
    assert set(server.execute(relations) + server.execute(routines)) == before


def test_two_runs_at_once_take_turns(warehouse: Warehouse) -> None:
    other = warehouse.server.connect()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
    warehouse.execute("DROP VIEW names")
    results: list[list[str]] = []
    runs = [threading.Thread(target=lambda: results.append(warehouse.apply())) for _ in range(2)]
    for run in runs:
        run.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    wait_until(lambda: warehouse.execute(waiting) == [(2,)])
    other.close()
    for run in runs:
        run.join(timeout=30)
    assert sorted(results) == [[], ["view names: was dropped from the database"]]


def test_a_run_gives_up_where_another_takes_too_long(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse_schema, "LOCK_TIMEOUT", "100ms")
    other = warehouse.server.connect()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        with pytest.raises(Refused, match=r"Another run, .*lock timeout.* Fix: run the playbook again\."):
            warehouse.apply()
        warehouse.execute("UPDATE migrations.objects SET source = '' WHERE name = 'noted'")
        cursor.execute("SELECT pg_advisory_unlock_all(); BEGIN; LOCK TABLE things IN SHARE MODE")
        says = r"triggers/noted\.sql, line 1: .*lock timeout.*Fix: run the playbook again\."
        with pytest.raises(Refused, match=says):
            warehouse.apply()
    other.close()
    assert warehouse.apply() == ["trigger noted: its file has changed"]


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come about in time")


def test_each_file_of_the_warehouse_makes_the_object_that_it_is_named_after(
    server: ThrowawayPostgres, tmp_path: Path
) -> None:
    """And nothing besides: what else it made would be dropped again. PostgreSQL warns of nothing in it."""
    server.create_database(schema=None)
    server.execute(f"ALTER DATABASE {DATABASE} SET plpgsql.extra_errors = 'all'")
    server.apply_schema()
    names = {(path.parent.name, path.stem) for path in SCHEMA.glob("*/*.sql") if path.parent.name != "tables"}
    held = server.execute("SELECT kind || 's', name FROM migrations.objects")
    assert set(held) == names
    assert server.apply_schema().objects == []
    # Somebody's change of any of them is found.
    copy = tmp_path / "warehouse"
    shutil.copytree(SCHEMA, copy)
    for folder, name in sorted(names):
        path = copy / folder / f"{name}.sql"
        path.write_text(path.read_text() + "-- tuned\n")
    changes = server.apply_schema(copy, check_mode=True)
    assert {(f"{one.kind}s", one.name) for one in changes.objects} == names
