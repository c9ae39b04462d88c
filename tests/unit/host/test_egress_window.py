"""Egress is closed again whatever happens inside the window, the loss of the host included."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]

# Stands for the role egress: notes what it is asked for. {tests} is the directory of the notes.
EGRESS = """---
- name: Note it
  ansible.builtin.command: {{argv: [touch, "{notes}/{step}"]}}
"""
PLAY = """---
- name: Work in the window
  hosts: host
  gather_facts: false
  tasks:
    - name: Install
      ansible.builtin.include_role:
        name: host_packages
        tasks_from: window.yml
      vars:
        __host_packages_inside: "{inside}"
        host_packages_missing: [something]
"""
HOSTS = """---
all:
  hosts:
    localhost: {{ansible_connection: local, ansible_python_interpreter: {python}}}
    # over ssh: a port on which nobody listens
    host:
      ansible_connection: {connection}
      ansible_host: 127.0.0.1
      ansible_port: 1
      ansible_python_interpreter: {python}
"""
INSIDE = {
    "works": "ansible.builtin.command: {{argv: [test, -e, '{notes}/open', -a, '!', -e, '{notes}/close']}}",
    "fails": "ansible.builtin.command: {{argv: ['false']}}",
}


def run(tmp_path: Path, inside: str, connection: str) -> subprocess.CompletedProcess[str]:
    """The window around a task file, on a host with that connection."""
    tasks = tmp_path / "roles" / "egress" / "tasks"
    tasks.mkdir(parents=True)
    for step in ("open", "close"):
        (tasks / f"{step}.yml").write_text(EGRESS.format(notes=tmp_path, step=step))
    (tmp_path / "play.yml").write_text(PLAY.format(inside=inside))
    (tmp_path / "hosts.yml").write_text(HOSTS.format(connection=connection, python=sys.executable))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "ANSIBLE_ROLES_PATH": f"{tmp_path / 'roles'}:{PROJECT / 'roles'}",
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
    }
    program = Path(sys.executable).parent / "ansible-playbook"
    return subprocess.run(
        [program, "-i", tmp_path / "hosts.yml", tmp_path / "play.yml"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def write_tasks(tmp_path: Path, kind: str) -> str:
    path = tmp_path / "inside.yml"
    path.write_text(f"---\n- name: Work\n  {INSIDE[kind].format(notes=tmp_path)}\n")
    return str(path)


@pytest.mark.parametrize(("kind", "code"), [("works", 0), ("fails", 2)])
def test_it_is_open_inside_and_closed_afterwards(tmp_path: Path, kind: str, code: int) -> None:
    result = run(tmp_path, write_tasks(tmp_path, kind), "local")
    assert result.returncode == code, result.stdout
    assert (tmp_path / "close").exists()


@pytest.mark.parametrize("inside", ["install_missing.yml", "upgrade.yml"])
def test_it_is_closed_when_the_host_is_lost(tmp_path: Path, inside: str) -> None:
    result = run(tmp_path, inside, "ssh")
    assert result.returncode == 2
    assert "The host was lost while packages were" in result.stdout, result.stdout
    assert (tmp_path / "open").exists()
    assert (tmp_path / "close").exists()
