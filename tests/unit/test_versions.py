"""A run by hand with other versions than the project's is told so, with the fix."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.clickstream.aws.plugins.filter.versions import fits, pinned, versions

PROJECT = Path(__file__).parents[2]
PLAY = """---
- name: Compare versions
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Compare
      ansible.builtin.include_role:
        name: preflight
        tasks_from: versions.yml
"""


def requirements() -> tuple[str, list[dict[str, str]]]:
    collections = yaml.safe_load((PROJECT / "requirements.yml").read_text())["collections"]
    return (PROJECT / "requirements.in").read_text(), collections


def test_this_environment_has_what_the_project_requires() -> None:
    rows = versions(*requirements())
    assert {"ansible", "boto3", "collection amazon.aws"} <= {row["name"] for row in rows}
    assert [row for row in rows if not row["ok"] or row["found"] == "none"] == []


@pytest.mark.parametrize(
    ("found", "ok"),
    [
        ("10.1.2", True),
        ("10.2.0", True),
        ("10.1.1", False),
        ("9.9.9", False),
        ("11.0.0", False),
        (None, False),
    ],
)
def test_the_required_version_or_a_later_one_of_the_same_major_version_is_right(
    found: str | None, ok: bool
) -> None:
    assert fits(found, "10.1.2") is ok


@pytest.mark.parametrize(
    ("found", "ok"), [("10.1.1", False), ("10.1.2", True), ("11.4.0", True), ("12.0.0", False)]
)
def test_a_range_means_what_it_says(found: str, ok: bool) -> None:
    assert fits(found, ">=10.1.2,<12") is ok


def test_a_pin_for_another_python_is_left_out() -> None:
    text = 'new==2; python_version >= "3"\nold==1; python_version < "3"'
    assert list(pinned(text)) == [("new", "2")]


def test_what_is_missing_is_found_as_none() -> None:
    rows = versions("no-such-library==1.0", [{"name": "nobody.nothing", "version": "2.0.0"}])
    assert [(row["name"], row["needed"], row["found"], row["ok"]) for row in rows] == [
        ("no-such-library", "1.0", "none", False),
        ("collection nobody.nothing", "2.0.0", "none", False),
    ]


def test_pins_are_read_between_comments_and_options() -> None:
    text = "# what it needs\n-r other.txt\n\nboto3==1.44.5  # AWS\npsycopg2-binary==2.9.13\n"
    assert list(pinned(text)) == [("boto3", "1.44.5"), ("psycopg2-binary", "2.9.13")]


@pytest.mark.parametrize("library", ["boto3==99.0.0", "boto3==1.0.0"], ids=["too old", "new enough"])
def test_a_run_stops_with_what_it_found_what_it_needs_and_the_fix(tmp_path: Path, library: str) -> None:
    (tmp_path / "requirements.in").write_text(f"{library}\n")
    (tmp_path / "requirements.yml").write_text((PROJECT / "requirements.yml").read_text())
    (tmp_path / "play.yml").write_text(PLAY)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*command, str(tmp_path / "play.yml"), "-e", f"preflight_requirements_dir={tmp_path}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if library == "boto3==1.0.0":
        assert done.returncode == 0, done.stdout
        return
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert f"boto3 {importlib.metadata.version('boto3')} 99.0.0" in said
    assert "Fix: run bin/bootstrap" in said and "collection amazon.aws" not in said
