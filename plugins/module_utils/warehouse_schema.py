"""What a database's schema is, what its files say, and how the one becomes the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import driver
from ansible_collections.clickstream.aws.plugins.module_utils.schema_catalog import CATALOG

Tables = Mapping[str, Any]
"""A numbered file: version (int, from 1), name, sql."""
Object = Mapping[str, Any]
"""A file of one function, view or trigger: kind, name, sql."""
Key = tuple[str, str]
"""Kind and name of an object."""

LOCK_KEY = 0x5C4E3A
"""Key of the advisory lock that keeps two runs from changing the schema at once."""
LOCK_TIMEOUT = "60s"
"""How long a run waits for another one, and for tables that the ETL holds."""
AFTERWARDS = "warehouse_schema.afterwards"
"""Setting by which a table file names a statement that runs at the end, with all functions in place."""

OLD_HISTORY = "SELECT to_regclass('public.schema_version') IS NOT NULL"
HISTORY_EXISTS = "SELECT to_regclass('migrations.tables') IS NOT NULL"
HISTORY = "SELECT version, name, checksum FROM migrations.tables ORDER BY version"
CREATE_HISTORY = """
CREATE SCHEMA migrations;
CREATE TABLE migrations.tables (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE migrations.objects (
    kind text NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    definition text NOT NULL,
    postgresql_major integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE migrations.tables IS 'Files of tables that were applied.';
COMMENT ON TABLE migrations.objects IS 'Functions, views and triggers that were applied.';
COMMENT ON COLUMN migrations.objects.source IS 'The text of the file.';
COMMENT ON COLUMN migrations.objects.definition IS
    'What the catalog said after the file was applied, as PostgreSQL of that major version writes it.';
"""
RECORD_TABLES = "INSERT INTO migrations.tables (version, name, checksum) VALUES (%s, %s, %s)"
RECORDS = "SELECT kind, name, source, definition, postgresql_major FROM migrations.objects"
RECORD_OBJECT = """
INSERT INTO migrations.objects (kind, name, source, definition, postgresql_major)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (kind, name) DO UPDATE
SET source = excluded.source, definition = excluded.definition,
    postgresql_major = excluded.postgresql_major, applied_at = now()
"""
FORGET_OBJECT = "DELETE FROM migrations.objects WHERE (kind, name) = (%s, %s)"
MAJOR = "SELECT current_setting('server_version_num')::integer / 10000"

NOUNS = {"function": "ROUTINE", "view": "VIEW", "trigger": "TRIGGER"}
"""Kind of an object -> what DROP and COMMENT call it."""


class Refused(Exception):
    """The files and the database contradict each other; the text says how to go on."""


class Found(NamedTuple):
    """An object as the database has it."""

    kind: str
    name: str
    identity: str
    """How SQL names it in ALTER, DROP and GRANT."""
    row_version: str
    """Changes whenever the object is written, even with the same content."""
    definition: str
    """All that a file can say: code, settings, owner, privileges, whether a trigger is enabled, comment."""
    grantees: Sequence[str]
    """Roles other than the owner that have privileges."""


class Record(NamedTuple):
    """What was applied last: the file's text, the definition that came of it, and under which PostgreSQL."""

    source: str
    definition: str
    major: int


class Difference(NamedTuple):
    """An object that is not what its file says."""

    kind: str
    name: str
    reason: str
    declared: Object | None
    """The file; None where there is none, and the object is to be dropped."""
    before: str = ""
    after: str = ""
    """What a diff shows; both empty where it would show nothing that the files do not."""

    @property
    def label(self) -> str:
        """As it is reported."""
        return f"{self.kind} {self.name}: {self.reason}"


@dataclass(frozen=True)
class State:
    """What the database holds, and what is on record about it."""

    history: list[tuple[int, str, str]]
    """(version, name, checksum) of the table files that were applied, in order."""
    found: list[Found]
    records: dict[Key, Record]
    major: int


@dataclass
class Changes:
    """What differs, or was changed."""

    tables: list[Tables] = field(default_factory=list)
    objects: list[Difference] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tables or self.objects)

    def add(self, differences: Sequence[Difference]) -> None:
        """Add those that are not there yet."""
        known = {(one.kind, one.name) for one in self.objects}
        self.objects += [one for one in differences if (one.kind, one.name) not in known]


def checksum(text: str) -> str:
    """SHA-256 of a file's text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def label(tables: Tables) -> str:
    """The file's name without its ending."""
    return f"{tables['version']:04d}_{tables['name']}"


def path(declared: Object) -> str:
    """The object's file, under the directory of the schema."""
    return f"{declared['kind']}s/{declared['name']}.sql"


def pending_tables(files: Sequence[Tables], history: Sequence[tuple[int, str, str]]) -> list[Tables]:
    """The table files that are not applied; raises :class:`Refused`.

    ``history`` holds (version, name, checksum) in order.
    """
    for (version, name, digest), tables in zip(history, files, strict=False):
        recorded = f"{version:04d}_{name}"
        if recorded != label(tables):
            raise Refused(
                f"The database has applied {recorded} where the files have {label(tables)}. "
                "Fix: give the file its old number and name back; new files go to the end."
            )
        if digest != checksum(tables["sql"]):
            raise Refused(
                f"{recorded}.sql was changed after it was applied. "
                "Fix: restore it (git log shows it), and put the change into a new file at the end."
            )
    if len(history) > len(files):
        raise Refused(
            f"The database is at version {history[-1][0]}, the files end at {len(files)}. "
            "Fix: use the checkout that the database was migrated with, or a newer one."
        )
    return list(files[len(history) :])


def differences(objects: Sequence[Object], state: State) -> list[Difference]:
    """The objects that are not what the files say, those that no file declares last."""
    found: dict[Key, list[Found]] = {}
    for one in state.found:
        found.setdefault((one.kind, one.name), []).append(one)
    declared = {(one["kind"], one["name"]): one for one in objects}
    compared = [
        compare(file, found.get(key, []), state.records.get(key), state.major)
        for key, file in declared.items()
    ]
    return [one for one in compared if one is not None] + [
        Difference(
            kind,
            name,
            "its file is gone" if (kind, name) in state.records else "no file declares it",
            None,
            before="\n".join(one.definition for one in ones),
        )
        for (kind, name), ones in found.items()
        if (kind, name) not in declared
    ]


def compare(file: Object, found: Sequence[Found], record: Record | None, major: int) -> Difference | None:
    """How an object differs from its file, if it does.

    What the database holds is compared with what it held after the file was applied, not with the file: only
    PostgreSQL knows what a file means. Another major version may write the same object otherwise, so after an
    upgrade there is nothing to compare with, and the file is applied again.
    """

    def differs(reason: str, before: str = "", after: str = "") -> Difference:
        return Difference(file["kind"], file["name"], reason, file, before, after)

    if not found:
        return differs("is not in the database" if record is None else "was dropped from the database")
    if record is None:
        return differs("is in the database, but did not come from its file", found[0].definition, file["sql"])
    if record.source != file["sql"]:
        return differs("its file has changed", record.source, file["sql"])
    if record.major != major:
        return differs(f"was applied under PostgreSQL {record.major}, this is {major}")
    if [one.definition for one in found] != [record.definition]:
        held = "\n".join(one.definition for one in found)
        return differs("was changed in the database", held, record.definition)
    return None


def find(cursor: Any, kind: str, name: str | None = None) -> list[Found]:
    """The objects of a kind, or those of them that have a name."""
    # So that the definitions name everything with its schema.
    cursor.execute("SET LOCAL search_path = pg_catalog")
    cursor.execute(CATALOG[kind], (name,))
    return [Found(kind, *row) for row in cursor.fetchall()]


def read_state(cursor: Any) -> State:
    """What the database holds; raises :class:`Refused` where an older release made it."""
    cursor.execute(OLD_HISTORY)
    if cursor.fetchone()[0]:
        raise Refused(
            "The warehouse was made by an older release (it has the table schema_version), and there is "
            "no migration from it to this one. Nothing was changed. Fix: make it anew from the raw bucket "
            "with `ansible-playbook playbooks/rebuild_warehouse.yml`, which asks first."
        )
    cursor.execute(MAJOR)
    major = int(cursor.fetchone()[0])
    found = [one for kind in CATALOG for one in find(cursor, kind)]
    cursor.execute(HISTORY_EXISTS)
    if not cursor.fetchone()[0]:
        return State([], found, {}, major)
    cursor.execute(HISTORY)
    history = [(int(version), str(name), str(digest)) for version, name, digest in cursor.fetchall()]
    cursor.execute(RECORDS)
    records = {(kind, name): Record(*rest) for kind, name, *rest in cursor.fetchall()}
    return State(history, found, records, major)


def error_line(text: str, position: str | None) -> int:
    """The line of an SQL text on which PostgreSQL's 1-based character position lies."""
    return text.count("\n", 0, max(int(position or 1) - 1, 0)) + 1


def message(error: Any) -> str:
    """What PostgreSQL says of an error, as one sentence."""
    diagnosis = error.diag
    detail = f" ({'; '.join(diagnosis.message_detail.splitlines())})" if diagnosis.message_detail else ""
    return f"{str(diagnosis.message_primary or error).strip()}{detail}."


def failure(name: str, sql: str, error: Any) -> Refused:
    """What to say of a file that PostgreSQL refused."""
    line = error_line(sql, error.diag.statement_position)
    fix = "run the playbook again" if held_up(error) else "correct the file, and run the playbook again"
    return Refused(f"{name}, line {line}: {message(error)} Nothing was changed. Fix: {fix}.")


def held_up(error: Any) -> bool:
    """Whether others held what was needed: the same will do another time."""
    errors = driver().errors
    return isinstance(error, (errors.LockNotAvailable, errors.DeadlockDetected))


class Applier:
    """Makes a database what the files say, in the transaction of a superuser's cursor."""

    def __init__(self, cursor: Any, tables: Sequence[Tables], objects: Sequence[Object], owner: str) -> None:
        self.cursor = cursor
        self.tables = tables
        self.objects = objects
        self.owner = owner

    def changes(self) -> Changes:
        """What differs; raises :class:`Refused`."""
        state = read_state(self.cursor)
        return Changes(pending_tables(self.tables, state.history), differences(self.objects, state))

    def apply(self) -> Changes:
        """Make the database what the files say, and return what that took; raises :class:`Refused`.

        Where tables are pending, functions come before them, because an index or a statement of a table file
        may use a function. A function may need a new table in turn: what fails before the tables is tried
        again after them.
        """
        changes = self.changes()
        if not changes:
            return changes
        self.cursor.execute(HISTORY_EXISTS)
        if not self.cursor.fetchone()[0]:
            self._run_as_owner(CREATE_HISTORY)
        if changes.tables:
            self._prepare(changes.objects)
        for tables in changes.tables:
            self._apply_tables(tables)
        self._settle(changes)
        self._finish()
        return changes

    def _prepare(self, objects: Sequence[Difference]) -> None:
        """Before the tables: apply functions, and drop what goes, as far as that is possible already."""
        # Bodies may speak of tables to come: _settle() applies the files again, and checks them.
        self.cursor.execute("SET LOCAL check_function_bodies = off")
        for one in objects:
            if one.declared is None or one.kind == "function":
                self._try(one)
        self.cursor.execute("SET LOCAL check_function_bodies = on")

    def _apply_tables(self, tables: Tables) -> None:
        try:
            self._run_as_owner(tables["sql"])
        except driver().Error as error:
            raise failure(f"tables/{label(tables)}.sql", tables["sql"], error) from error
        record = (tables["version"], tables["name"], checksum(tables["sql"]))
        self.cursor.execute(RECORD_TABLES, record)

    def _settle(self, changes: Changes) -> None:
        """Apply and drop until nothing differs: an object may need another one, or take it along."""
        todo: list[Difference] = []
        for _ in range(len(self.objects) + 2):
            state = read_state(self.cursor)
            todo = differences(self.objects, state)
            if not todo:
                return
            changes.add(todo)
            failures = [error for one in todo if (error := self._try(one, state.major)) is not None]
            if len(failures) == len(todo):
                raise failures[0]
        raise Refused(
            f"{' and '.join(one.label for one in todo)}, again and again. Nothing was changed. "
            "Fix: a file declares one object, and not that of another file."
        )

    def _finish(self) -> None:
        """Run what a table file asked for."""
        self.cursor.execute("SELECT nullif(current_setting(%s, true), '')", (AFTERWARDS,))
        statement = self.cursor.fetchone()[0]
        if statement is None:
            return
        try:
            self._run_as_owner(statement)
        except driver().Error as error:
            raise failure(AFTERWARDS, statement, error) from error

    def _try(self, one: Difference, major: int | None = None) -> Refused | None:
        """Apply or drop an object; what went wrong, if anything did. With a ``major`` it is put on record."""
        try:
            with self._savepoint():
                if one.declared is None:
                    self._drop(one.kind, find(self.cursor, one.kind, one.name))
                    self.cursor.execute(FORGET_OBJECT, (one.kind, one.name))
                else:
                    made = self._make(one.declared)
                    if major is not None:
                        record = (one.kind, one.name, one.declared["sql"], made.definition, major)
                        self.cursor.execute(RECORD_OBJECT, record)
        except Refused as refusal:
            return refusal
        except driver().Error as error:
            reason = self._why(one, error)
            if held_up(error):
                raise reason from error
            return reason
        return None

    def _why(self, one: Difference, error: Any) -> Refused:
        if one.declared is not None:
            return failure(path(one.declared), one.declared["sql"], error)
        return Refused(
            f"{one.label}, but it cannot be dropped: {message(error)} Nothing was changed. "
            "Fix: drop what needs it, or give it a file."
        )

    def _make(self, file: Object) -> Found:
        """Run an object's file; what the database holds then."""
        kind, name = file["kind"], file["name"]
        errors = driver().errors
        before = find(self.cursor, kind, name)
        if before:
            self._reset(before)
            before = find(self.cursor, kind, name)
        try:
            with self._savepoint():
                self._run_as_owner(file["sql"])
        except (
            errors.AmbiguousFunction,
            errors.InvalidFunctionDefinition,
            errors.InvalidTableDefinition,
            errors.WrongObjectType,
        ) as refused:
            # CREATE OR REPLACE changes neither the type of a result nor the names of parameters and columns.
            # And beside a function of other parameters, a GRANT that names none does not know which is meant.
            try:
                self._drop(kind, before)
            except errors.DependentObjectsStillExist as error:
                raise Refused(
                    f"{path(file)}: {message(refused)} And it cannot be dropped: {message(error)} "
                    "Nothing was changed. Fix: drop what needs it in a new file in tables/; "
                    "what has a file is made again by itself."
                ) from error
            before = []
            self._run_as_owner(file["sql"])
        # A function of other parameters, or a trigger on another table, stands beside the one it replaces.
        present = find(self.cursor, kind, name)
        made = [one for one in present if one.row_version not in {old.row_version for old in before}]
        self._drop(kind, [one for one in present if one not in made])
        if len(made) != 1:
            raise Refused(
                f"{path(file)} made {len(made)} {kind}s with the name {name}. Nothing was changed. "
                f"Fix: the file declares public.{name} with CREATE OR REPLACE, and nothing else."
            )
        return made[0]

    def _reset(self, found: Sequence[Found]) -> None:
        """Make comment, owner and privileges those of a new object: its file says what goes beyond."""
        sql = driver().sql
        for one in found:
            self.cursor.execute(f"COMMENT ON {NOUNS[one.kind]} {one.identity} IS NULL")
            if one.kind == "trigger":
                continue
            target = sql.SQL(f"{NOUNS[one.kind]} {one.identity}" if one.kind == "function" else one.identity)
            for role in one.grantees:
                self.cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {} CASCADE").format(target, sql.SQL(role)))
            self.cursor.execute(
                sql.SQL("ALTER {} {} OWNER TO {owner}; GRANT ALL ON {} TO {owner}").format(
                    sql.SQL(NOUNS[one.kind]), sql.SQL(one.identity), target, owner=sql.Identifier(self.owner)
                )
            )

    def _drop(self, kind: str, found: Sequence[Found]) -> None:
        for one in found:
            self.cursor.execute(f"DROP {NOUNS[kind]} {one.identity}")

    def _run_as_owner(self, statements: str) -> None:
        """Run SQL of a file as the owner."""
        sql = driver().sql
        self.cursor.execute("SET LOCAL search_path = public")
        self.cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self.owner)))
        self.cursor.execute(statements)
        self.cursor.execute("SET LOCAL ROLE NONE")

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        """Undo what the block did if it fails."""
        self.cursor.execute("SAVEPOINT object")
        try:
            yield
        except BaseException:
            self.cursor.execute("ROLLBACK TO SAVEPOINT object")
            self.cursor.execute("RELEASE SAVEPOINT object")
            raise
        self.cursor.execute("RELEASE SAVEPOINT object")


def bring_up_to_date(
    connection: Any, tables: Sequence[Tables], objects: Sequence[Object], owner: str, check_mode: bool = False
) -> Changes:
    """Make the database what the files say (outside check mode), in one transaction; what differed.

    ``connection`` is a superuser's. Raises :class:`Refused`; nothing is changed then.
    """
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            applier = Applier(cursor, tables, objects, owner)
            if check_mode:
                return applier.changes()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
            changes = applier.apply()
        connection.commit()
        return changes
    except driver().Error as error:
        if not held_up(error):
            raise
        raise Refused(
            f"Another run, or somebody who holds a table, did not let this one go on: {message(error)} "
            "Nothing was changed. Fix: run the playbook again."
        ) from error
    finally:
        connection.rollback()
        connection.autocommit = True
