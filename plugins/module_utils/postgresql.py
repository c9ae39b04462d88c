"""What the modules that run on the warehouse's host share: a superuser's connection over the socket."""

from __future__ import annotations

import importlib
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

SUPERUSER = "postgres"
SOCKET_DIRECTORY = "/var/run/postgresql"

CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {"port": {"type": "int", "default": 5432}}


class Unavailable(Exception):
    """PostgreSQL, its driver or the database does not exist (yet); the text says which."""


def driver() -> Any:
    """The package psycopg2; raises :class:`Unavailable`, as in check mode, on a host without the package."""
    try:
        importlib.import_module("psycopg2.sql")
        return importlib.import_module("psycopg2")
    except ImportError as error:
        raise Unavailable("python3-psycopg2") from error


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Be that OS user inside the block: peer authentication asks the kernel who connects.

    Ansible's ``become_user`` would do, but from one unprivileged user to another it needs ACLs on the
    module's files, and one round trip more.
    """
    if os.geteuid() != 0:
        yield
        return
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise Unavailable("PostgreSQL's packages") from error
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def connect(database: str, port: int) -> Any:
    """A psycopg2 connection as the superuser, in autocommit; raises :class:`Unavailable`."""
    psycopg2 = driver()
    try:
        with acting_as(SUPERUSER):
            connection = psycopg2.connect(
                dbname=database, user=SUPERUSER, host=SOCKET_DIRECTORY, port=port, connect_timeout=10
            )
    except psycopg2.OperationalError as error:
        what = f"database {database}" if f'"{database}" does not exist' in str(error) else "PostgreSQL"
        raise Unavailable(f"{what} (port {port}: {str(error).strip()})") from error
    connection.autocommit = True
    with connection.cursor() as cursor:
        # A password's verifier or a migration's data must not get into the server's log.
        cursor.execute(
            "SET log_statement = 'none'; SET log_min_duration_statement = -1; "
            "SET log_min_error_statement = 'panic'"
        )
    return connection


def report_unavailable(module: AnsibleModule, what: str, reason: Unavailable) -> NoReturn:
    """End the module: a pending change in check mode, an error otherwise."""
    if not module.check_mode:
        module.fail_json(msg=f"{what} needs {reason}. Fix: run the roles host_packages and postgresql first.")
    line = f"pending: {what} needs {str(reason).partition(' (')[0]}"
    module.exit_json(
        changed=True,
        pending=str(reason),
        msg=line,
        diff={"before": "", "after": f"{line}\n"},
    )
    raise AssertionError("exit_json does not return")
