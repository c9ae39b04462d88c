#!/usr/bin/python
"""Ansible module: a PostgreSQL cluster (postgresql-common's) that runs with the configuration on disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_cluster
short_description: A PostgreSQL cluster that runs with the configuration on disk
description:
  - With O(state=present) creates the cluster, and refuses where another cluster has O(port).
  - With O(state=started) also starts it, reloads it when a file of O(config_files) is newer than what it runs
    with, and restarts it only when PostgreSQL says that a setting needs that, or when a file of
    O(unit_files) is newer than the server. systemd is reloaded when it has not read the unit's files on disk.
  - So an interrupted run loses nothing, where a handler would have been forgotten.
options:
  version:
    description: Major version.
    type: int
    required: true
  name:
    description: Name of the cluster.
    type: str
    default: main
  port:
    description: TCP port of the cluster.
    type: int
    required: true
  config_files:
    description: Files that the server reads at a reload.
    type: list
    elements: path
    default: []
  unit_files:
    description: Files of the unit that say how the server runs.
    type: list
    elements: path
    default: []
  state:
    description: Whether the cluster is to exist, or to run as well.
    choices: [present, started]
    default: present
    type: str
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Run PostgreSQL with the configuration on disk
  clickstream.aws.postgresql_cluster:
    version: 18
    port: 5432
    config_files: [/etc/postgresql/18/main/pg_hba.conf]
    state: started
"""

RETURN = r"""
actions:
  description: What was done, or would be.
  returned: always
  type: list
  elements: str
  sample: [reload, restart]
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

READY_SECONDS = 60.0
RELOAD_SECONDS = 15.0

Clusters = Sequence[dict[str, Any]]
"""What ``pg_lsclusters --json`` answers: version, cluster, port, running, datadir …"""


def find_cluster(clusters: Clusters, version: int, name: str) -> dict[str, Any] | None:
    """The cluster of that version and name."""
    wanted = (str(version), name)
    return next((c for c in clusters if (str(c["version"]), c["cluster"]) == wanted), None)


def port_conflict(clusters: Clusters, version: int, name: str, port: int) -> str | None:
    """The message if another cluster is configured for the port, else None."""
    for cluster in clusters:
        other = f"{cluster['version']}/{cluster['cluster']}"
        if int(cluster["port"]) == port and other != f"{version}/{name}":
            drop = f"pg_dropcluster --stop {cluster['version']} {cluster['cluster']}"
            return (
                f"PostgreSQL cluster {other} on this host holds port {port}, which {version}/{name} needs. "
                f"Fix: set postgresql_version to {cluster['version']} to keep that cluster; or move "
                f"its data with pg_upgradecluster, drop it ({drop}), and run the playbook again."
            )
    return None


def newest_change(paths: Sequence[str]) -> float:
    """Seconds since the epoch of the latest change among the files that exist; 0.0 if none does."""
    return max((Path(path).stat().st_mtime for path in paths if Path(path).exists()), default=0.0)


class Cluster:
    """Debian's tools around one cluster; every method ends the module with a message if they fail."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.version: int = module.params["version"]
        self.name: str = module.params["name"]
        self.unit = f"postgresql@{self.version}-{self.name}.service"

    def run(self, *argv: str) -> str:
        """A command's output."""
        return str(self.module.run_command(list(argv), check_rc=True)[1])

    def all(self) -> list[dict[str, Any]]:
        """Every cluster of the host; none where postgresql-common is not installed yet (check mode)."""
        if self.module.get_bin_path("pg_lsclusters") is None:
            return []
        return list(json.loads(self.run("pg_lsclusters", "--json") or "[]"))

    def running(self) -> bool:
        """Whether systemd has it up."""
        return int(self.module.run_command(["systemctl", "is-active", "--quiet", self.unit])[0]) == 0

    def enabled(self) -> bool:
        """Whether it comes up at boot: postgresql.service starts every cluster with start.conf "auto"."""
        argv = ["systemctl", "is-enabled", "--quiet", "postgresql.service"]
        return int(self.module.run_command(argv)[0]) == 0

    def query(self, sql: str) -> str:
        """One value, asked as the superuser over the socket of the port that the server really has."""
        pid_file = Path(f"/var/lib/postgresql/{self.version}/{self.name}/postmaster.pid")
        port = pid_file.read_text().splitlines()[3]
        psql = ("psql", "-XAtq", "-h", "/var/run/postgresql", "-p", port, "-d", "postgres", "-c", sql)
        return self.run("runuser", "-u", "postgres", "--", *psql).strip()

    def unit_stale(self) -> bool:
        """Whether a file of the unit has changed since systemd last read it."""
        show = ("systemctl", "show", "--property=NeedDaemonReload", "--value", self.unit)
        return self.run(*show).strip() == "yes"

    def stale(self) -> bool:
        """Whether a file has changed since the server last read its configuration."""
        loaded = float(self.query("SELECT extract(epoch FROM pg_conf_load_time())"))
        return newest_change(self.module.params["config_files"]) > loaded

    def outlived(self) -> bool:
        """Whether a file of the unit has changed since the server was started."""
        started = float(self.query("SELECT extract(epoch FROM pg_postmaster_start_time())"))
        return newest_change(self.module.params["unit_files"]) > started

    def settings_waiting(self) -> str:
        """Names of the settings that have effect only after a restart, with commas; empty if none."""
        return self.query("SELECT string_agg(name, ',') FROM pg_settings WHERE pending_restart")

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Return when the condition holds."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                log = f"/var/log/postgresql/postgresql-{self.version}-{self.name}.log"
                self.module.fail_json(
                    msg=f"PostgreSQL {self.version}/{self.name} {what} within {seconds:.0f} s. "
                    f"Fix: see the end of {log} on the host."
                )
            time.sleep(0.2)

    def ready(self) -> bool:
        """Whether the server answers."""
        argv = ["pg_isready", "-q", "-h", "/var/run/postgresql", "-p", str(self.module.params["port"])]
        return int(self.module.run_command(argv)[0]) == 0

    def start(self, verb: str) -> None:
        """Start or restart (with the units as they are on disk), and wait until it answers on its port."""
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", verb, self.unit)
        self.wait(self.ready, READY_SECONDS, "does not answer")

    def reload(self) -> None:
        """Let the server read its files again, and wait until it has."""
        self.query("SELECT pg_reload_conf()")
        self.wait(lambda: not self.stale(), RELOAD_SECONDS, "did not take over its new configuration")


def ensure_present(cluster: Cluster, port: int) -> list[str]:
    """Refuse a conflict, create what is missing; the actions."""
    clusters = cluster.all()
    conflict = port_conflict(clusters, cluster.version, cluster.name, port)
    if conflict:
        cluster.module.fail_json(msg=conflict)
    if find_cluster(clusters, cluster.version, cluster.name):
        return []
    if not cluster.module.check_mode:
        cluster.run("pg_createcluster", str(cluster.version), cluster.name, "--port", str(port))
    return ["create"]


def ensure_started(cluster: Cluster) -> list[str]:
    """Start it, or bring a running one to the configuration on disk; the actions."""
    dry = cluster.module.check_mode
    actions: list[str] = []
    if not cluster.enabled():
        actions.append("enable")
        if not dry:
            cluster.run("systemctl", "enable", "postgresql.service")
    if not cluster.running():
        if not dry:
            cluster.start("restart")  # "start" would leave a unit that systemd believes to be half up
        return [*actions, "start"]
    if cluster.unit_stale():
        actions.append("daemon-reload")
        if not dry:
            cluster.run("systemctl", "daemon-reload")
    if cluster.stale():
        actions.append("reload")
        if not dry:
            cluster.reload()
    if cluster.settings_waiting() or cluster.outlived():
        actions.append("restart")
        if not dry:
            cluster.start("restart")
    return actions


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "int", "required": True},
            "name": {"default": "main"},
            "port": {"type": "int", "required": True},
            "config_files": {"type": "list", "elements": "path", "default": []},
            "unit_files": {"type": "list", "elements": "path", "default": []},
            "state": {"choices": ["present", "started"], "default": "present"},
        },
        supports_check_mode=True,
    )
    cluster = Cluster(module)
    actions = ensure_present(cluster, module.params["port"])
    if module.params["state"] == "started" and not (module.check_mode and actions):
        actions += ensure_started(cluster)
    shown = "".join(f"{action}\n" for action in actions)
    module.exit_json(
        changed=bool(actions),
        actions=actions,
        diff={"before": "", "after": shown} if actions else {},
    )


if __name__ == "__main__":
    main()
