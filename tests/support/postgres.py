"""A PostgreSQL server for tests: fresh, private, gone afterwards.

The binaries are those of this machine (Debian's `postgresql` or what PATH has), found at run time.
The server listens on a Unix socket in its own directory and, where a port is asked for, on 127.0.0.1.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

PROJECT = Path(__file__).parents[2]
sys.path.append(str(PROJECT / "collections"))  # the benchmarks run without pytest's path

from ansible_collections.clickstream.aws.plugins.action.warehouse_schema import read_schema  # noqa: E402
from ansible_collections.clickstream.aws.plugins.module_utils.warehouse_schema import (  # noqa: E402
    Changes,
    bring_up_to_date,
)

SCHEMA = PROJECT / "files" / "warehouse"
DATABASE = "clickstream_dw"
OWNER = "clickstream_owner"
LOADER = "clickstream_loader"
READER = "clickstream_reader"
SUPERUSER = "postgres"
PASSWORD = "loader-password"


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, or None."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Server:
    """A PostgreSQL server that holds a warehouse."""

    def connect(self, user: str = SUPERUSER, database: str = DATABASE, **options: Any) -> Any:
        """Connect; as superuser, where no other is named."""
        raise NotImplementedError

    def execute(self, sql: str, parameters: Any = None, database: str = DATABASE) -> list[Any]:
        """Run SQL as superuser and return its rows."""
        connection = self.connect(database=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@dataclass
class ThrowawayPostgres(Server):
    """A running server; `directory` holds its data and socket."""

    binaries: Path
    directory: Path
    port: int = 5432
    settings: dict[str, str] = field(default_factory=dict)

    def connect(self, user: str = SUPERUSER, database: str = DATABASE, **options: Any) -> Any:
        """Connect over the socket; the server trusts everyone there."""
        return psycopg2.connect(
            host=str(self.directory), port=self.port, user=user, dbname=database, **options
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {"unix_socket_directories": str(self.directory), "port": str(self.port)}
        options |= {"listen_addresses": "", "fsync": "off", **self.settings}
        flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.directory / "log"), "-o", flags)

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server; `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def create_database(self, name: str = DATABASE, schema: Path | None = SCHEMA) -> None:
        """Make an empty warehouse: roles, database, and the schema of these files (None: no schema)."""
        for role, login in ((OWNER, "NOLOGIN"), (LOADER, "LOGIN"), (READER, "LOGIN")):
            if not self.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,), SUPERUSER):
                self.execute(f"CREATE ROLE {role} {login} PASSWORD '{PASSWORD}'", database=SUPERUSER)
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", database=SUPERUSER)
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}", database=SUPERUSER)
        # As the role warehouse has it.
        private = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
        self.execute(private, database=name)
        if schema is not None:
            self.apply_schema(schema, name)

    def apply_schema(self, schema: Path = SCHEMA, name: str = DATABASE, check_mode: bool = False) -> Changes:
        """Bring the schema up to date as the module warehouse_schema does, and return what differed."""
        connection = self.connect(database=name)
        try:
            return bring_up_to_date(connection, **read_schema(schema), owner=OWNER, check_mode=check_mode)
        finally:
            connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.directory / "data"), *arguments]
        # A file, not a pipe: the server inherits it, so a pipe would stay open.
        with Path(f"{self.directory}.log").open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self.directory, **_as_user())


def _as_user() -> dict[str, Any]:
    """Return who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def throwaway_postgres(**settings: str) -> Iterator[ThrowawayPostgres]:
    """Yield a running server, and remove it afterwards. `settings` go to its command line."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed. Fix: apt-get install postgresql"
    directory = Path(tempfile.mkdtemp(prefix="clickstream-pg-"))
    identity = _as_user()
    if identity:
        os.chown(directory, identity["user"], identity["group"])
    server = ThrowawayPostgres(binaries, directory, settings=settings)
    try:
        server._run("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        Path(f"{directory}.log").unlink(missing_ok=True)
