"""apt-cacher-ng, the caching apt proxy: one for all clouds of this clone.

Two processes must not share one cache. It listens on 127.0.0.1; machines use :mod:`local_cloud.relay`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from local_cloud import packages
from local_cloud.processes import (
    Record,
    listening,
    read_record,
    recipe,
    record_of,
    spawn,
    stop,
    wait_for_port,
)
from local_cloud.settings import PROJECT, Settings

PLACE = PROJECT / ".local_cloud/.apt-cacher-ng"
"""Its configuration and its record; a cloud's name cannot start with a dot."""

_RECORD = PLACE / "run.json"
_PORT = PLACE / "port.json"


def port() -> int:
    """Return the port of the running proxy on 127.0.0.1; 0 when there is none."""
    record = read_record(_RECORD)
    try:
        return int(json.loads(_PORT.read_text())) if record and record.alive else 0
    except (FileNotFoundError, ValueError):
        return 0


def _configuration(settings: Settings, number: int) -> dict[str, str]:
    """Return the configuration files: Debian's host names lead to this computer's mirror."""
    found = packages.mirrors()
    proxy = packages.apt_settings().get("Acquire::http::Proxy", "")
    log = PLACE / "logs"
    lines = {
        "CacheDir": settings.cache / "apt-cacher-ng",
        "LogDir": log,
        "SocketPath": PLACE / "socket",
        "PidFile": PLACE / "pid",
        "SupportDir": "/usr/lib/apt-cacher-ng",
        "BindAddress": "127.0.0.1",
        "Port": number,
        "ReportPage": "",
        "ExThreshold": 30,
        "VerboseLog": 0,
        "Remap-debrep": f"{packages.ARCHIVE} /debian ; file:backends_debian",
        "Remap-secdeb": (f"{packages.SECURITY} /debian-security ; file:backends_security"),
    }
    if proxy and proxy != "DIRECT":
        lines["Proxy"] = proxy
    return {
        "acng.conf": "".join(f"{key}: {value}\n" for key, value in lines.items()),
        "backends_debian": f"{found.archive}/\n",
        "backends_security": f"{found.security or packages.debians_own() + '-security'}/\n",
    }


def ensure(settings: Settings) -> bool:
    """Start the proxy unless it runs; return whether it had to be started."""
    record = read_record(_RECORD)
    if record and record.alive and listening("127.0.0.1", port()):
        return False
    if record:
        stop(record)
    number = settings.cacher_port
    files = _configuration(settings, number)
    for name, text in files.items():
        file = PLACE / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for place in (settings.cache / "apt-cacher-ng", PLACE / "logs"):
        place.mkdir(parents=True, exist_ok=True)
    argv = ["apt-cacher-ng", "-c", str(PLACE / "conf"), "ForeGround=1"]
    log = PLACE / "logs" / "apt-cacher-ng.out"
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(PLACE)}
    pid = spawn(argv, env=env, log=log, cwd=PLACE)
    record = record_of(pid, recipe(*argv, *files.values()))
    record.save(_RECORD)
    _PORT.write_text(f"{number}\n")
    wait_for_port("127.0.0.1", number, record, log)
    return True


def release(settings: Settings) -> bool:
    """Stop the proxy unless another cloud of this clone still runs."""
    if others(settings):
        return False
    record = read_record(_RECORD)
    stopped = bool(record and stop(record))
    shutil.rmtree(PLACE, ignore_errors=True)
    return stopped


def others(settings: Settings) -> list[str]:
    """Return the names of the other clouds of this clone that run."""
    names = []
    for file in (PROJECT / ".local_cloud").glob("*/run/relay.json"):
        record: Record | None = read_record(file)
        name = Path(file).parts[-3]
        if name != settings.name and record and record.alive:
            names.append(name)
    return names
