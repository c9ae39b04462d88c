"""CIS's checks of a running PostgreSQL, from postgres.yml."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from local_cloud.settings import PROJECT
from tests.audit.compare import NOT_READ, Finding
from tests.bench.deployed import Deployment

CHECKS: list[dict[str, str]] = yaml.safe_load(Path(__file__).with_name("postgres.yml").read_text())
WHERE = "warehouse"
Ask = Callable[[str], list[str]]


def findings(host: Deployment) -> list[Finding]:
    """What is at fault with the server on this host."""
    connection = host.server.connect()
    connection.autocommit = True

    def sql(question: str) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return [str(row[0]) for row in cursor]

    [data], [hba] = sql("SHOW data_directory"), sql("SHOW hba_file")
    [server] = sql("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
    preface = f"data={data} hba={hba} server={server}\n"

    def shell(question: str) -> list[str]:
        command: list[Any] = [PROJECT / "local_cloud/bin/enter-machine", host.place / "root", "/bin/sh", "-c"]
        done = subprocess.run(
            [*command, preface + question], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.stderr:
            raise OSError(done.stderr.strip())
        return done.stdout.splitlines()

    try:
        return [one for check in CHECKS for one in answers(check, sql, shell)]
    finally:
        connection.close()


def answers(check: dict[str, str], sql: Ask, shell: Ask) -> Iterator[Finding]:
    """The findings of one check; one that cannot be asked is not read."""
    name = check["check"]
    if "person" in check:
        yield Finding(NOT_READ, "postgresql", WHERE, name, check["person"])
        return
    try:
        faults = sql(check["sql"]) if "sql" in check else shell(check["shell"])
    except (psycopg2.Error, OSError) as error:
        yield Finding(NOT_READ, "postgresql", WHERE, name, str(error).strip())
        return
    yield from (Finding("postgresql", name, WHERE, fault.replace(",", " ")) for fault in faults)
