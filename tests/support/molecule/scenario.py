"""Steps of a Molecule scenario of a role that works in an AWS account; the playbooks in ``aws/`` call it.

usage: python -m tests.support.molecule.scenario HOST prepare|checked|converged|verify|break|gone|FUNCTION...

HOST is this machine as the inventory calls it in the run that is judged. Steps are done one after another.

A scenario is ``molecule/<role>/account.py`` with

* ``MADE``: what the role makes in an empty account, as check mode names it;
* ``BROKEN``: what check mode names after ``break_by_hand`` and a run repairs, with what differs about each;
* ``verify()``: reads back, through the API, that everything is as it should be;
* ``break_by_hand()``: what somebody does in the console;
* ``prepare()``, if the role needs something to be there;
* ``removed()``, if the role's removal does more than that things are gone;
* functions that its own playbooks call; each is given the mutating calls since the step before.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.molecule.account import SENT, everything

PROJECT = Path(__file__).resolve().parents[3]
EMPTY, THERE, BROKEN = "empty", "there", "broken"


@dataclass(frozen=True)
class Note:
    """What one step leaves for the next.

    ``state`` is the account's: EMPTY, THERE or BROKEN. ``calls`` is how many lines of the endpoint's access
    log are not this step's. ``before`` is everything in the account before the role ran: names by kind.
    """

    state: str = EMPTY
    calls: int = 0
    before: dict[str, list[str]] | None = None


def wrong_with(
    check: bool, changed: Iterable[str], expected: Iterable[str], writes: list[str], *, there: bool
) -> list[str]:
    """What is wrong with a run that changed these names and called these mutating operations: sentences."""
    was, should = Counter(changed), Counter(expected)
    found = [f"not reported: {name}" for name in (should - was).elements()]
    found += [f"reported, and should not be: {name}" for name in (was - should).elements()]
    if writes and (check or there):
        when = "in check mode" if check else "without a difference"
        found.append(f"called what changes the account {when}: {writes}")
    return found


def mutating(log: Iterable[str]) -> list[str]:
    """The mutating calls in lines of the endpoint's access log, as service:operation."""
    calls = [json.loads(line) for line in log]
    return [f"{call['service']}:{call['action']}" for call in calls if call["mutating"]]


def left(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is there after a removal and was not before, or the other way round; names by kind."""
    return {kind: names for kind in after if (names := sorted(set(after[kind]) ^ set(before[kind])))}


def load(role: str) -> Any:
    """The scenario's ``account.py``."""
    spec = importlib.util.spec_from_file_location(
        "scenario_account", PROJECT / "molecule" / role / "account.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reported(host: str) -> list[str]:
    """What the run has changed on a host up to now (callback plugin ``reported``)."""
    file = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reported.json"
    return list(json.loads(file.read_text()).get(host, []))


def converged(scenario: Any, note: Note, writes: list[str], names: list[str], *, check: bool) -> Note:
    """Judge a run of the role, which reported ``names``; after a real one, look at what it made."""
    expected = {EMPTY: scenario.MADE, THERE: (), BROKEN: scenario.BROKEN}[note.state]
    # Whether what AWS has made by itself (a default group) is there to differ depends on check mode.
    changed = [name.partition(": ")[0] for name in names] if note.state == EMPTY else names
    wrong = wrong_with(check, changed, expected, writes, there=note.state == THERE)
    assert not wrong, "\n".join(wrong)
    if check:
        return note
    scenario.verify()
    return replace(note, state=THERE)


def step(command: str, scenario: Any, note: Note, writes: list[str], host: str) -> Note:
    """Do one step; raises AssertionError where something is not as it should be."""
    match command:
        case "prepare":
            getattr(scenario, "prepare", lambda: None)()
            return replace(note, before=everything())
        case "checked" | "converged":
            return converged(scenario, note, writes, reported(host), check=command == "checked")
        case "verify":
            scenario.verify()
            return note
        case "break":
            scenario.break_by_hand()
            return replace(note, state=BROKEN)
        case "gone":
            rest = left(note.before or {}, everything())
            assert not rest, f"left of the role, or gone with it: {rest}"
            getattr(scenario, "removed", lambda: None)()
            return note
        case _:
            getattr(scenario, command)(writes)
            return note


def logged(log: Path, least: int) -> int:
    """How many lines the access log has, once it has at least so many: a line may come after its answer."""
    limit = time.monotonic() + 30
    while (count := len(log.read_text().splitlines())) < least:
        assert time.monotonic() < limit, f"the access log has {count} lines instead of {least}"
        time.sleep(0.05)
    return count


def main(host: str, *commands: str) -> None:
    """Do steps and note what the next one needs."""
    cloud = PROJECT / ".local_cloud" / os.environ["LOCAL_CLOUD_NAME"]
    file, log = cloud / "scenario.json", cloud / "logs/access.jsonl"
    note = Note(**json.loads(file.read_text())) if file.exists() else Note()
    lines = log.read_text().splitlines()
    writes = mutating(lines[note.calls :])
    scenario = load(os.environ["MOLECULE_SCENARIO_NAME"])
    for command in commands:
        note = step(command, scenario, note, writes, host)
    note = replace(note, calls=logged(log, len(lines) + len(SENT)))
    file.write_text(json.dumps(asdict(note)))


if __name__ == "__main__":
    main(*sys.argv[1:])
