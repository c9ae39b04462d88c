"""The command line of the local cloud."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from local_cloud import cloud
from local_cloud.errors import CloudError
from local_cloud.settings import Settings, from_mapping, saved


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for an error, 3 for a cloud that is not (fully) up."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CloudError as error:
        sys.stderr.write(f"local_cloud: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    start = _command(commands, "start", _start, "bring the cloud up, or make it whole again")
    start.add_argument("--settings", type=Path, metavar="FILE", help="settings as a JSON object")
    for one in fields(Settings):
        flag = f"--{one.name.replace('_', '-')}"
        if one.name == "name":
            continue
        if one.name == "machines":
            start.add_argument(flag, action=argparse.BooleanOptionalAction, default=None)
        elif one.name == "foreign_buckets":
            start.add_argument("--foreign-bucket", dest=one.name, action="append", metavar="NAME")
        else:
            kind = int if one.name.endswith("_port") else str
            start.add_argument(flag, type=kind, metavar=str(kind.__name__).upper())

    _command(commands, "status", _status, "tell what runs, as JSON; exit code 3 if not all of it")
    _command(commands, "stop", _stop, "stop the cloud and remove what it made, logs excepted")
    logs = _command(commands, "logs", _logs, "print the end of every log")
    logs.add_argument("--lines", type=int, default=20)
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--name", default="", help="which cloud (default: clickstream)")
    command.set_defaults(run=run)
    return command


def _chosen(options: argparse.Namespace) -> Settings:
    """Merge settings: defaults, then the file, then the flags."""
    values: dict[str, Any] = {}
    if options.settings:
        try:
            values = json.loads(options.settings.read_text())
        except (OSError, ValueError) as error:
            raise CloudError(
                f"cannot read {options.settings} ({error})", "pass a file with one JSON object"
            ) from error
    for one in fields(Settings):
        given = getattr(options, one.name)
        if given not in (None, ""):
            values[one.name] = given
    return from_mapping(values)


def _existing(options: argparse.Namespace) -> Settings:
    name = options.name or Settings.name
    return saved(name) or replace(Settings(), name=name)


def _start(options: argparse.Namespace) -> int:
    settings = _chosen(options)
    changed = cloud.start(settings)
    json.dump(
        {"changed": changed, "name": settings.name, "endpoint": settings.endpoint}, sys.stdout
    )
    sys.stdout.write("\n")
    return 0


def _status(options: argparse.Namespace) -> int:
    settings = _existing(options)
    found = cloud.status(settings)
    answer = {
        "name": settings.name,
        "endpoint": settings.endpoint,
        "healthy": found.healthy,
        "daemons": found.daemons,
    }
    json.dump(answer, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0 if found.healthy else 3


def _stop(options: argparse.Namespace) -> int:
    changed = cloud.halt(_existing(options))
    json.dump({"changed": changed}, sys.stdout)
    sys.stdout.write("\n")
    return 0


def _logs(options: argparse.Namespace) -> int:
    settings = _existing(options)
    for log in sorted(settings.logs.rglob("*")):
        if log.is_file():
            lines = log.read_text(errors="replace").splitlines()[-options.lines :]
            sys.stdout.write(f"==> {log}\n" + "".join(f"{line}\n" for line in lines))
    return 0
