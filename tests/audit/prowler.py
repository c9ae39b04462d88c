"""Prowler on the running cloud: what fails, and what it could not look at."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.audit.compare import NOT_READ, Finding

FRAMEWORKS = ("aws_foundational_security_best_practices_aws", "cis_7.0_aws")
PACKAGE = "lib/python3*/site-packages/prowler"
OPERATION = re.compile(r"when calling the (\w+) operation")
ERROR = re.compile(
    r'"filename": "(.*?)", "level": "(?:ERROR|CRITICAL)", '
    r'"module": "(\w+?)(?:_service|_client)?", "message": "(.*)'
)
"""A line of the log; a message may go on in further lines, and is no JSON."""


def run(environment: Path, place: Path, aws: Mapping[str, str], region: str) -> tuple[str, str]:
    """Run all checks of both frameworks; return prowler's findings (OCSF) and its log."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    log, output = place / "prowler.log", place / "prowler.ocsf.json"
    for old in (log, output):
        old.unlink(missing_ok=True)
    command: list[str | Path] = [
        environment / "bin/python",  # the script's own first line has the path of the clone that made it
        environment / "bin/prowler",
        "aws",
        "--no-banner",
        "--no-color",
        "--ignore-exit-code-3",
    ]
    command += ["--compliance", *FRAMEWORKS, "--region", region, "--output-formats", "json-ocsf"]
    command += ["--output-directory", place, "--output-filename", "prowler"]
    command += ["--log-level", "ERROR", "--log-file", log]
    done = subprocess.run(
        command, env={**ours, **aws}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode or not output.exists():
        raise SystemExit(f"prowler did not run to its end:\n{(done.stdout + done.stderr)[-3000:]}")
    return output.read_text(), log.read_text() if log.exists() else ""


def checks(environment: Path) -> dict[str, str]:
    """The service of each check of both frameworks."""
    [package] = environment.glob(PACKAGE)
    services = {
        place.name: place.parent.name
        for place in package.glob("providers/aws/services/*/*")
        if place.is_dir()
    }
    wanted = set()
    for name in FRAMEWORKS:
        framework = json.loads((package / f"compliance/aws/{name}.json").read_text())
        wanted |= {check for one in framework["Requirements"] for check in one["Checks"]}
    return {check: services[check] for check in wanted if check in services}


def named(text: str, names: Mapping[str, str]) -> str:
    """The text with the names of things for their ids, which are new with each cloud."""
    return re.sub(r"[a-z]+-[0-9a-f]{8,17}\b", lambda found: names.get(found[0], found[0]), text)


def failed(answers: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Finding]:
    """Each check that fails, with the thing."""
    return [
        Finding(
            "prowler", one["metadata"]["event_code"], _service(one), _thing(one, names), one["status_detail"]
        )
        for one in answers
        if one["status_code"] == "FAIL"
    ]


def not_read(answers: Iterable[Mapping[str, Any]], log: str, services: Mapping[str, str]) -> list[Finding]:
    """What a person has to look at, what the endpoint could not answer, and the checks silent for that."""
    found, answered = set(), set()
    for one in answers:
        answered.add(one["metadata"]["event_code"])
        if one["status_code"] == "MANUAL":
            found.add(
                Finding(
                    NOT_READ, "prowler", _service(one), one["metadata"]["event_code"], one["status_detail"]
                )
            )
    for service, problems in errors(log, services).items():
        found |= {Finding(NOT_READ, "prowler", service, what, detail) for what, detail in problems.items()}
        silent = {check for check, of in services.items() if of == service} - answered
        found |= {Finding(NOT_READ, "prowler", service, check, "no answer") for check in silent}
    return sorted(found)


def errors(log: str, services: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """For each service what went wrong: the check that broke, the operation, or where in prowler."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for place, service, message in ERROR.findall(log):
        check, operation = message.split(" ")[0], OPERATION.search(message)
        what = check if check in services else operation[1] if operation else place
        found[services.get(check, service)][what] = message[:200]
    return dict(found)


def _service(answer: Mapping[str, Any]) -> str:
    return str(answer["resources"][0]["group"]["name"])


def _thing(answer: Mapping[str, Any], names: Mapping[str, str]) -> str:
    one = answer["resources"][0]
    name = one["name"] or one["uid"]
    return named(str(name), names).replace(",", " ").replace("|", " ")
