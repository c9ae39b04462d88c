"""`python -m tests.audit [--cloud NAME]`: judges written by others look at this clone's running platform.

prowler at its account, parliament and cloudsplaining at its policies, and a list of CIS's checks at its
PostgreSQL. What they find is compared with docs/audit.md: a new finding fails, and so does a listed one
that no longer occurs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from local_cloud.credentials import ROOT_KEY, SECRET
from local_cloud.processes import recipe
from local_cloud.settings import PROJECT, Settings, saved
from tests.audit import policies, postgres, prowler
from tests.audit.compare import NOT_READ, Finding, accepted, as_rows, new, stale
from tests.bench import deployed

CACHE = PROJECT / ".cache/audit"
HERE = Path(__file__).parent


def environment(judge: str) -> Path:
    """The judge's own virtual environment, made from its lock; a new lock makes it anew."""
    place, lock = CACHE / judge, HERE / f"requirements-{judge}.txt"
    marker, wanted = place / "made-from", recipe(lock.read_text(), sys.version)
    if not marker.exists() or marker.read_text() != wanted:
        subprocess.run([PROJECT / "bin/bootstrap", sys.executable, place, lock], cwd=PROJECT, check=True)
        marker.write_text(wanted)
    return place


def judged(judge: str, documents: Mapping[str, policies.Policy]) -> list[Finding]:
    """What a judge of policies says; it runs in its own environment."""
    command = [environment(judge) / "bin/python", HERE / f"judges/{judge}_judge.py"]
    done = subprocess.run(command, input=json.dumps(documents), stdout=subprocess.PIPE, text=True, check=True)
    return [Finding(judge, one["check"], one["where"], one["what"]) for one in json.loads(done.stdout)]


def cloud(name: str) -> Settings:
    """The settings of the cloud that runs."""
    settings = saved(name)
    if settings is None:
        raise SystemExit(f"This clone has no local cloud called {name}. Fix: make up")
    return settings


def look(settings: Settings) -> list[Finding]:
    """What all judges find."""

    @cache
    def aws(service: str) -> Any:
        session: Any = boto3.Session(ROOT_KEY, SECRET, region_name=settings.region)
        return session.client(service, endpoint_url=settings.endpoint)

    identity = policies.in_files(PROJECT / "docs") | dict(policies.of_roles(aws))
    found = judged("cloudsplaining", identity)
    found += judged("parliament", identity | dict(policies.of_resources(aws)))
    found += postgres.findings(deployed.find(settings.name))

    variables = {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_DEFAULT_REGION": settings.region,
    }
    place = environment("prowler")
    output, log = prowler.run(place, CACHE, variables, settings.region)
    answers = json.loads(output)
    found += prowler.failed(answers, policies.names(aws))
    found += prowler.not_read(answers, log, prowler.checks(place))
    passed = sum(one["status_code"] == "PASS" for one in answers)
    asked = {one["metadata"]["event_code"] for one in answers}
    print(f"prowler: {passed} passed, {len(asked)} checks with an answer")
    print(f"policies: {len(identity)} of identities, {len(dict(policies.of_resources(aws)))} of resources")
    return found


def main() -> int:
    """Look, compare, say what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit")
    parser.add_argument("--cloud", default="clickstream", help="which local cloud, if not make up's")
    found = look(cloud(parser.parse_args().cloud))
    rows = accepted((PROJECT / "docs/audit.md").read_text())
    unread = sum(one.judge == NOT_READ for one in found)
    print(f"{len(set(found)) - unread} findings, {unread} not read, {len(rows)} rows in docs/audit.md")
    unexpected, gone = new(found, rows), stale(found, rows)
    if unexpected:
        print("\nNew. Fix: mend it, or say in docs/audit.md why it stays:")
        print(*as_rows(unexpected), sep="\n")
    if gone:
        print("\nListed and no longer there. Fix: take it out of docs/audit.md:", *gone, sep="\n  ")
    return 1 if unexpected or gone else 0


if __name__ == "__main__":
    sys.exit(main())
