"""The locks: what is installed is exactly what was looked at, or it is not installed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement

PROJECT = Path(__file__).parents[2]
TRACKED = [
    PROJECT / name
    for name in subprocess.check_output(["git", "ls-files"], cwd=PROJECT, text=True).splitlines()
]
LOCKS = [file for file in TRACKED if re.fullmatch(r"requirements.*\.txt", file.name)]
WANTED = [file for file in TRACKED if re.fullmatch(r"requirements.*\.in", file.name)]
NPM_LOCKS = [file for file in TRACKED if file.name == "package-lock.json"]


def name_of(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def locked(file: Path) -> list[tuple[str, list[str]]]:
    """Each requirement of a lock, with its options."""
    lines = file.read_text().replace("\\\n", " ").splitlines()
    parts = [re.split(r"\s+(?=--)", line.strip()) for line in lines if line.strip() and line[0] != "#"]
    return [(requirement, options) for requirement, *options in parts]


def pins(file: Path) -> set[tuple[str, str, str]]:
    """Name, versions and marker of each pin."""
    found = set()
    for line in file.read_text().replace("\\\n", " ").splitlines():
        try:
            one = Requirement(re.split(r"\s+(?:--|#)", line)[0].strip())
        except InvalidRequirement:  # a comment, an option
            continue
        found.add((re.sub(r"[-_.]+", "-", one.name).lower(), str(one.specifier), str(one.marker or "")))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_every_requirement_is_one_version_with_hashes(lock: Path) -> None:
    requirements = locked(lock)
    assert requirements
    for requirement, options in requirements:
        assert re.match(r"[\w.-]+==[\w.]+( ;|$)", requirement), requirement
        assert options, f"{requirement} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", option) for option in options), requirement


@pytest.mark.parametrize("wanted", WANTED, ids=name_of)
def test_what_is_wanted_is_what_is_locked(wanted: Path) -> None:
    """Somebody who changes the .in file alone would install what was there before."""
    lock = {(name, version) for name, version, _ in pins(wanted.with_suffix(".txt"))}
    missing = {(name, version) for name, version, _ in pins(wanted)} - lock
    assert not missing, "Fix: bin/lock"


def test_the_tests_run_with_the_versions_that_a_deployment_has() -> None:
    assert {pin[:2] for pin in pins(PROJECT / "requirements.txt")} <= {
        pin[:2] for pin in pins(PROJECT / "requirements-dev.txt")
    }


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=name_of)
def test_every_npm_package_has_its_hash(lock: Path) -> None:
    packages = {name: one for name, one in json.loads(lock.read_text())["packages"].items() if name}
    assert packages
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())


@pytest.mark.parametrize("lock", [*LOCKS, *WANTED, *NPM_LOCKS], ids=name_of)
def test_no_lock_says_where_packages_come_from(lock: Path) -> None:
    """The machine's own configuration does."""
    assert not re.search(r"://|--(extra-)?index-url|--find-links|\"resolved\"", lock.read_text())


def test_the_emulators_are_installed_with_hashes_only() -> None:
    """bin/bootstrap is tried in test_bootstrap.py."""
    assert "extra_args: --require-hashes" in (PROJECT / "roles/local_cloud/tasks/install.yml").read_text()
