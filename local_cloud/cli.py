"""The command line of the local cloud."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from local_cloud import cloud, images, machines, preflight
from local_cloud.errors import CloudError
from local_cloud.settings import Settings, from_mapping, saved


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for an error, 3 for a cloud that is not (fully) up."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CloudError as error:
        sys.stderr.write(f"local_cloud: {error}\n")
    except PermissionError as error:
        sys.stderr.write(f"local_cloud: not allowed to use {error.filename}. Fix: run it as root.\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    start = _command(commands, "start", _start, "start the cloud, or what of it does not run")
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

    _command(commands, "check", _check, "print what is not installed on this computer, as JSON")
    status = _command(commands, "status", _status, "print what runs, as JSON; exit code 3 if not all")
    # accepted and ignored, so that "status" takes the same options as "start"
    status.add_argument("--settings", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    stop = _command(commands, "stop", _stop, "stop the cloud and remove all that it made")
    stop.add_argument("--keep-logs", action="store_true", help="leave its logs where they are")
    _command(commands, "image", _image, "build the machines' disk image unless it is cached")
    _machine_commands(commands)
    _command(commands, "unjudged", _unjudged, "print the calls that IAM's judge could not judge, as JSON")
    logs = _command(commands, "logs", _logs, "print the end of every log")
    logs.add_argument("--lines", type=int, default=20)
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--name", default="", help="which cloud (default: clickstream)")
    command.set_defaults(run=run)
    return command


def _machine_commands(commands: Any) -> None:
    """Add ``machine start|stop|remove|list``."""
    text = "machines besides the EC2 instances, e.g. for tests of a role"
    verbs = commands.add_parser("machine", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    start = _command(verbs, "start", _machine_start, "make and boot a machine, wait until it is up")
    start.add_argument("--address", required=True, help="its address in the cloud's range")
    start.add_argument("--prefix", type=int, default=20, help="length of its subnet's prefix")
    start.add_argument("--hostname", default="", help="default: the machine's name")
    start.add_argument("--egress", action="store_true", help="let it use the apt proxy as long as it lives")
    start.add_argument("--instance", action="store_true", help=argparse.SUPPRESS)
    stop = _command(verbs, "stop", _machine_stop, "shut a machine down, keep its disk")
    remove = _command(verbs, "remove", _machine_remove, "remove a machine and its disk")
    for verb in (start, stop, remove):
        verb.add_argument("machine", metavar="MACHINE")
    _command(verbs, "list", _machine_list, "list all machines as JSON")


def _chosen(options: argparse.Namespace) -> Settings:
    """Merge settings: those the cloud was started with (else defaults), then the file, then the flags."""
    present = saved(options.name or Settings.name)
    values: dict[str, Any] = asdict(present) if present else {}
    if options.settings:
        try:
            values |= json.loads(options.settings.read_text())
        except (OSError, ValueError, TypeError) as error:
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
    _print({"changed": changed, "name": settings.name, "endpoint": settings.endpoint})
    return 0


def _unjudged(options: argparse.Namespace) -> int:
    file = _existing(options).unjudged_log
    _print(
        {"unjudged": [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []}
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    _print({"missing": preflight.missing(_existing(options))})
    return 0


def _status(options: argparse.Namespace) -> int:
    settings = _existing(options)
    found = cloud.status(settings)
    answer = {
        "changed": False,
        "name": settings.name,
        "endpoint": settings.endpoint,
        "healthy": found.healthy,
        "daemons": found.daemons,
    }
    _print(answer)
    if found.healthy:
        return 0
    sys.stderr.write(
        f"local_cloud: the cloud {settings.name} does not run, or not all of it. Fix: run 'make up' or"
        " 'ansible-playbook playbooks/local_cloud.yml'.\n"
    )
    return 3


def _image(options: argparse.Namespace) -> int:
    settings = _existing(options)
    changed = images.ensure(settings)
    _print({"changed": changed, "image": str(images.path(settings))})
    return 0


def _machine_start(options: argparse.Namespace) -> int:
    machine = machines.Machine(
        name=options.machine,
        address=options.address,
        prefix=options.prefix,
        hostname=options.hostname or options.machine,
        egress=options.egress,
        instance=options.instance,
    )
    settings = _started(options)
    changed = machines.start(settings, machine)
    place = machines.directory(settings, machine.name)
    _print({"changed": changed, "machine": machine.name, "root": str(place / "root")})
    return 0


def _machine_stop(options: argparse.Namespace) -> int:
    _print({"changed": machines.stop(_started(options), options.machine)})
    return 0


def _machine_remove(options: argparse.Namespace) -> int:
    _print({"changed": machines.remove(_existing(options), options.machine)})
    return 0


def _machine_list(options: argparse.Namespace) -> int:
    settings = _existing(options)
    found = [
        {**asdict(machine), "up": machines.up(settings, machine.name)} for machine in machines.every(settings)
    ]
    _print({"machines": found})
    return 0


def _started(options: argparse.Namespace) -> Settings:
    name = options.name or Settings.name
    settings = saved(name)
    if settings is None or not settings.machines:
        raise CloudError(
            f"the cloud {name} does not run, or has no machines",
            f"run 'python -m local_cloud start --name {name}'",
        )
    return settings


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def _stop(options: argparse.Namespace) -> int:
    changed = cloud.halt(_existing(options), keep_logs=options.keep_logs)
    _print({"changed": changed})
    return 0


def _logs(options: argparse.Namespace) -> int:
    settings = _existing(options)
    for log in sorted(settings.logs.rglob("*")):
        if log.is_file():
            lines = log.read_text(errors="replace").splitlines()[-options.lines :]
            sys.stdout.write(f"==> {log}\n" + "".join(f"{line}\n" for line in lines))
    return 0
