"""The local deployment of this clone: its warehouse, processor time and port, as benchmarks use them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg2

from local_cloud import machines
from local_cloud.settings import PROJECT, Settings, saved
from tests.bench import fill
from tests.bench.shop import Shop
from tests.support.postgres import DATABASE, SUPERUSER, Server

NOT_THERE: Final = (
    "This clone has no running deployment{}. Fix: run 'make up', or with an inventory of your own (see "
    "tests/inventory) 'ansible-playbook -i inventories/local -i … site.yml'."
)
SETTINGS: Final = {"max_wal_size": "4GB", "checkpoint_timeout": "30min", "autovacuum": "off"}
"""For the server while it is filled."""

IS_ASIDE: Final = "SELECT to_regnamespace('before_bench') IS NOT NULL"
PUT_ASIDE: Final = """
BEGIN;
CREATE SCHEMA before_bench;
CREATE TABLE before_bench.events AS TABLE public.clickstream_events;
CREATE TABLE before_bench.ids AS TABLE public.clickstream_event_ids;
CREATE TABLE before_bench.weeks AS
    SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = 'public.clickstream_events'::regclass;
CREATE TABLE before_bench.shop (sessions integer, last_day date);
TRUNCATE public.clickstream_events, public.clickstream_event_ids;
COMMIT
"""
"""In one transaction: wherever the benchmark is interrupted, the rows are in one of the two schemas."""
PUT_BACK: Final = """
BEGIN;
TRUNCATE public.clickstream_events, public.clickstream_event_ids, before_bench.shop;
DO $$
DECLARE
    week text;
    columns text := (
        SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = 'public.clickstream_events'::regclass
          AND attnum > 0 AND attgenerated = '' AND NOT attisdropped
    );
BEGIN
    EXECUTE format(
        'INSERT INTO public.clickstream_events (%1$s) SELECT %1$s FROM before_bench.events', columns
    );
    INSERT INTO public.clickstream_event_ids TABLE before_bench.ids;
    FOR week IN
        SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = 'public.clickstream_events'::regclass
        EXCEPT TABLE before_bench.weeks
    LOOP
        EXECUTE 'DROP TABLE ' || week;
    END LOOP;
END
$$;
DROP SCHEMA before_bench CASCADE;
COMMIT
"""
HAS_KEY: Final = "SELECT 1 FROM pg_constraint WHERE conname = 'clickstream_event_ids_pkey'"
ETL_LOCK: Final = "SELECT pg_advisory_lock(6022170)"
"""Waits until no ETL runs; later ones find it held and end. Its number is in lambda_src/etl/sql/lock.sql."""


class DeployedPostgres(Server):
    """The server in a machine, as its superuser: the process takes that user's id to connect."""

    _one_at_a_time = threading.Lock()

    def __init__(self, leader: int) -> None:
        inside = Path(f"/proc/{leader}/root")
        # A descriptor, because only root may follow the path to it.
        self._socket = os.open(inside / "run/postgresql", os.O_PATH)
        users = dict(line.split(":")[0:3:2] for line in (inside / "etc/passwd").read_text().splitlines())
        self._uid = int(users[SUPERUSER])

    def connect(self, user: str = SUPERUSER, database: str = DATABASE, **options: Any) -> Any:
        """Connect over the socket."""
        with self._one_at_a_time:
            os.seteuid(self._uid)
            try:
                return psycopg2.connect(
                    host=f"/proc/self/fd/{self._socket}", user=user, dbname=database, **options
                )
            finally:
                os.seteuid(0)


@dataclass
class Deployment:
    """A machine of the local cloud with warehouse and dashboard."""

    place: Path
    run: machines.Run
    server: Server

    def shell(self, script: str) -> None:
        """Run a shell script as root in the machine."""
        command = [
            str(PROJECT / "local_cloud/bin/enter-machine"),
            str(self.place / "root"),
            "/bin/sh",
            "-c",
            script,
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def forget_dashboard(self) -> None:
        """Restart Shiny Server: its caches are empty, and the next visitor starts a new R process."""
        self.shell("systemctl restart shiny-server")

    def processor_seconds(self) -> dict[str, float]:
        """The seconds of processor time of the machine's services until now."""
        slices = Path(self.run.group)
        used: dict[str, float] = {}
        for stat in slices.rglob("*.service/cpu.stat"):
            [spent] = [
                line.split()[1] for line in stat.read_text().splitlines() if line.startswith("usage_usec")
            ]
            used[stat.parent.name.split("@")[0].removesuffix(".service")] = int(spent) / 1e6
        return used

    @contextmanager
    def port(self, inventories: Sequence[str], number: int) -> Iterator[str]:
        """The dashboard's address on this computer, through Session Manager as its users open it."""
        record = PROJECT / ".ansible" / "bench-port-forward.json"
        settings = [f"dashboard_session_local_port={number}", f"dashboard_session_record={record}"]

        def play(mode: str) -> None:
            command = [str(Path(sys.executable).with_name("ansible-playbook"))]
            command += [word for inventory in inventories for word in ("-i", inventory)]
            command += ["playbooks/dashboard.yml", "-e", f"dashboard_session_mode={mode}"]
            command += [word for setting in settings for word in ("-e", setting)]
            done = subprocess.run(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert done.returncode == 0, done.stdout[-3000:]

        play("started")
        try:
            yield f"http://localhost:{number}/sbw_dashboard/"
        finally:
            play("stopped")


def find(cloud: str = "") -> Deployment:
    """The running deployment, of the cloud of this name if there are several; SystemExit if there is none."""
    states = sorted((PROJECT / ".local_cloud").glob("*/settings.json"))
    names = [cloud] if cloud else [state.parent.name for state in states]
    found = [
        Deployment(place, run, DeployedPostgres(run.leader.pid))
        for name in names
        for place in _instances(saved(name))
        if (run := machines.running(place)) and Path(f"/proc/{run.leader.pid}/root/run/postgresql").exists()
    ]
    if len(found) > 1:
        raise SystemExit(f"Several deployments run: {', '.join(names)}. Fix: choose one with --cloud.")
    if not found:
        raise SystemExit(NOT_THERE.format(f" called {cloud}" if cloud else ""))
    return found[0]


def _instances(settings: Settings | None) -> list[Path]:
    if settings is None:
        return []
    return [machines.directory(settings, one.name) for one in machines.every(settings) if one.instance]


@contextmanager
def shop_in(server: Server, sessions: int, keep: bool) -> Iterator[dict[str, float]]:
    """Fill the warehouse with a shop's year, and restore its rows afterwards unless `keep`.

    Yields the seconds of each step; an empty dictionary if this shop was kept by an earlier run. Rows that an
    ETL loads beside a kept shop are lost when the shop is removed.
    """
    last_day = date.today() - timedelta(days=1)
    lock = server.connect()  # held while the shop's rows are there
    with lock.cursor() as cursor:
        cursor.execute(ETL_LOCK)
    lock.commit()
    try:
        yield _have_shop(server, sessions, last_day)
    finally:
        if not keep:
            put_back(server)
        lock.close()


def _have_shop(server: Server, sessions: int, last_day: date) -> dict[str, float]:
    """Fill the warehouse, unless this shop is in it."""
    if server.execute(IS_ASIDE) == [(True,)]:
        if server.execute("TABLE before_bench.shop") == [(sessions, last_day)]:
            return {}
        put_back(server)
    server.execute(PUT_ASIDE)
    shop = Shop(sessions, seed=1, end=last_day)
    for name, value in SETTINGS.items():
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.execute("SELECT pg_reload_conf()")
    try:
        seconds = fill.fill(server, shop)
    finally:
        for name in SETTINGS:
            server.execute(f"ALTER SYSTEM RESET {name}")
        server.execute("SELECT pg_reload_conf()")
    server.execute("CHECKPOINT")
    server.execute("INSERT INTO before_bench.shop VALUES (%s, %s)", (sessions, last_day))
    return seconds


def put_back(server: Server) -> None:
    """Restore the rows that were there before the shop."""
    if server.execute(HAS_KEY) == []:  # a fill was interrupted
        server.execute("TRUNCATE clickstream_event_ids")
        server.execute(fill.IDS_KEY)
    server.execute(PUT_BACK)
    server.execute("VACUUM (ANALYZE)")


def choices(server: Server) -> dict[str, list[str]]:
    """The categories and brands that the filters offer."""
    found: dict[str, list[str]] = {"category": [], "brand": []}
    for category, brand in server.execute("SELECT DISTINCT category, brand FROM products ORDER BY 1, 2"):
        found["category"].append(category)
        found["brand"].append(brand)
    return {name: sorted(set(values) - {""}) for name, values in found.items()}
