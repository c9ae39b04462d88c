"""Start, inspect and stop a cloud."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from urllib.request import ProxyHandler, build_opener

from local_cloud import amis, cacher, cgroups, images, locks, machines, network, preflight
from local_cloud.emulators import Daemon, daemons
from local_cloud.errors import CloudError
from local_cloud.processes import (
    Record,
    listening,
    read_record,
    record_of,
    spawn,
    stop,
    wait_for_port,
)
from local_cloud.settings import PROJECT, Settings, saved

_FIXED = ("endpoint_port", "proxy_port", "vpc_cidr", "machines")
"""Settings that a running cloud cannot take over: when one changes, the cloud is stopped and started anew."""

_opener = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Status:
    """What runs: daemon name → process id, or 0 for one that does not."""

    daemons: dict[str, int]
    healthy: bool


def _record(settings: Settings, name: str) -> Record | None:
    return read_record(settings.run / f"{name}.json")


def _answers(settings: Settings) -> bool:
    """Whether the endpoint is this cloud's."""
    try:
        with _opener.open(f"{settings.endpoint}/_local_cloud/health", timeout=3) as response:
            return bool(json.load(response).get("name") == settings.name)
    except (OSError, ValueError):
        return False


def status(settings: Settings) -> Status:
    """Return which daemons of a cloud run, and whether its endpoint answers."""
    found = {}
    for daemon in daemons(settings) if settings.file.exists() else []:
        record = _record(settings, daemon.name)
        found[daemon.name] = record.pid if record and record.alive else 0
    return Status(found, bool(found) and all(found.values()) and _answers(settings))


def start(settings: Settings) -> bool:
    """Start what of a cloud does not run; return whether there was anything."""
    preflight.check_rights(settings)
    with locks.hold(PROJECT):
        before = saved(settings.name)
        if before and any(getattr(before, one) != getattr(settings, one) for one in _FIXED):
            _halt(before, keep_logs=True)
        changed = before != settings
        preflight.check(settings)
        (settings.state / "tmp").mkdir(parents=True, exist_ok=True)
        settings.save()
        (settings.state / "images.json").write_text(amis.images_json() + "\n")
        if settings.machines:
            changed |= images.ensure(settings)
            changed |= _ensure_network(settings)
            changed |= cacher.ensure(settings)
        for daemon in daemons(settings):
            changed |= _ensure(settings, daemon)
        if not _answers(settings):
            raise CloudError(
                f"the endpoint {settings.endpoint} does not answer",
                f"read {settings.logs}/router.log",
            )
        return changed


def _ensure_network(settings: Settings) -> bool:
    """Make the bridge if it is missing. Machines are stopped then; the router boots them on the new one."""
    if not network.ensure(settings):
        return False
    for machine in machines.every(settings):
        machines.stop(settings, machine.name)
    return True


def _ensure(settings: Settings, daemon: Daemon) -> bool:
    """Start one daemon, unless it runs with the same recipe."""
    record = _record(settings, daemon.name)
    log = settings.logs / f"{daemon.name}.log"
    if record and record.alive:
        if record.recipe == daemon.recipe and listening(daemon.host, daemon.port):
            return False
        stop(record)
    pid = spawn(daemon.argv, env=daemon.env, log=log, cwd=settings.state)
    record = record_of(pid, daemon.recipe)
    record.save(settings.run / f"{daemon.name}.json")
    wait_for_port(daemon.host, daemon.port, record, log)
    return True


def halt(settings: Settings, *, keep_logs: bool = False) -> bool:
    """Stop a cloud and remove all it made except caches; return whether there was anything."""
    if not settings.state.exists() and not network.exists(settings):
        return False
    with locks.hold(PROJECT):
        return _halt(settings, keep_logs=keep_logs)


def _halt(settings: Settings, *, keep_logs: bool) -> bool:
    there = settings.file.exists()
    # reverse order of names: the router stops before the rest, because it boots machines that are missing
    for file in sorted(settings.run.glob("*.json"), reverse=True):
        record = read_record(file)
        if record:
            there |= stop(record)
    for entry in settings.machine_dir.glob("[!.]*"):
        there |= machines.remove(settings, entry.name)
    if os.geteuid() == 0:
        there |= cacher.release(settings)
        cgroups.remove(cgroups.parent(settings))
        cgroups.remove_shadows(settings)
        there |= network.remove(settings)
    for entry in settings.state.glob("*"):
        if entry.is_dir() and not (keep_logs and entry == settings.logs):
            shutil.rmtree(entry)
        elif not entry.is_dir():
            entry.unlink()
    if settings.state.exists() and not list(settings.state.iterdir()):
        settings.state.rmdir()
    return there
