"""bin/bootstrap: the Python that the virtual environment is made with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).parents[2] / "bin/bootstrap"
REAL = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
WORKS = f'#!/bin/sh\necho "$0" >>made-with\nexec {REAL} "$@"\n'
BROKEN = "#!/bin/sh\nexit 127\n"  # as pyenv's stand-ins for versions that are not switched on


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a broken python3.14, a python3.13 and a python3, and without apt-get."""
    for name, text in {"python3.14": BROKEN, "python3.13": WORKS, "python3": WORKS}.items():
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    for tool in ("id", "grep", "uname", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "package").mkdir()
    (tmp_path / "package/setup.py").touch()
    return tmp_path


def bootstrap(machine: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(BOOTSTRAP), python, "venv", "requirements.txt"],
        cwd=machine,
        env={**os.environ, "PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def makers(machine: Path) -> set[str]:
    """The Pythons that were run since the last question."""
    log = machine / "made-with"
    names = {Path(line).name for line in log.read_text().splitlines()} if log.exists() else set()
    log.unlink(missing_ok=True)
    return names


def test_the_newest_python_makes_the_environment_and_it_stays(
    machine: Path,
) -> None:
    assert bootstrap(machine).returncode == 0
    assert makers(machine) == {"python3.13"}
    assert (machine / "venv/bin/pip").exists()
    mark = machine / "venv/mark"
    mark.touch()
    requirements = machine / "requirements.txt"
    requirements.write_text("./package\n")
    refused = bootstrap(machine)  # nothing is installed that has no hash
    assert refused.returncode == 1
    assert "Can't verify hashes" in refused.stderr
    requirements.write_text("")
    assert bootstrap(machine, "python3").returncode == 0  # the same version by another name
    assert mark.exists()
    (machine / "venv/bin/python").unlink()
    assert bootstrap(machine).returncode == 0
    assert not mark.exists()


def test_a_python_that_does_not_work_is_named_with_the_fix(machine: Path) -> None:
    done = bootstrap(machine, str(machine / "bin/python3.14"))
    assert done.returncode == 1
    assert "python3.14' is not it. Fix: install it" in done.stderr
    assert not (machine / "venv").exists()
