#!/usr/bin/python
"""Ansible module: a systemd service that runs with the configuration on disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_service
short_description: A systemd service that runs with the configuration on disk
description:
  - Enables and starts a service, and restarts it when a file of O(config_files) is newer than its process.
  - So a run that ended between writing a file and restarting the service loses nothing, where a handler or
    the result of the writing task would have been forgotten.
options:
  name:
    description: Name of the unit.
    type: str
    required: true
  config_files:
    description: Files that the service reads when it starts, and its unit's own.
    type: list
    elements: path
    default: []
  restart:
    description:
      - Restart it whatever the age of its files. For the result of the task that writes them, which in
        check mode does not make them newer.
    type: bool
    default: false
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Run Shiny Server with its configuration
  clickstream.aws.host_service:
    name: shiny-server.service
    config_files: [/etc/shiny-server/shiny-server.conf]
"""

RETURN = r"""
actions:
  description: What was done, or would be.
  returned: always
  type: list
  elements: str
  sample: [restart]
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

PROPERTIES = ("ActiveState", "UnitFileState", "ExecMainStartTimestamp", "NeedDaemonReload")


def properties(text: str) -> dict[str, str]:
    """What ``systemctl show`` prints, as a dict."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def moment(timestamp: str) -> float:
    """Seconds since the epoch of "Sat 2026-11-28 20:03:33.123456 UTC"; 0.0 where systemd gives no time."""
    parts = timestamp.split()
    return datetime.fromisoformat(f"{parts[1]}T{parts[2]}+00:00").timestamp() if len(parts) == 4 else 0.0


def is_newer(paths: Iterable[str], started: float) -> bool:
    """Whether one of the files that exist was changed after ``started`` (seconds since the epoch)."""
    return any(Path(path).stat().st_mtime > started for path in paths if Path(path).exists())


def actions_for(unit: dict[str, str], config_files: Iterable[str], restart: bool) -> list[str]:
    """What has to be done to a unit with these properties."""
    actions = [] if unit["UnitFileState"] == "enabled" else ["enable"]
    if unit["ActiveState"] != "active":
        return [*actions, "start"]
    # systemd may have started the process anew with a unit of before the last change
    if (
        restart
        or unit["NeedDaemonReload"] == "yes"
        or is_newer(config_files, moment(unit["ExecMainStartTimestamp"]))
    ):
        return [*actions, "restart"]
    return actions


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"required": True},
            "config_files": {"type": "list", "elements": "path", "default": []},
            "restart": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name = module.params["name"]
    show = ["systemctl", "show", "--timestamp=us+utc", f"--property={','.join(PROPERTIES)}", name]
    unit = properties(module.run_command(show, check_rc=True)[1])
    actions = actions_for(unit, module.params["config_files"], module.params["restart"])
    if actions and not module.check_mode:
        module.run_command(["systemctl", "daemon-reload"], check_rc=True)
        for action in actions:
            # "start" would leave a unit that systemd believes to be half up.
            verb = "restart" if action == "start" else action
            module.run_command(["systemctl", verb, name], check_rc=True)
    shown = "".join(f"{action}\n" for action in actions)
    module.exit_json(
        changed=bool(actions), actions=actions, diff={"before": "", "after": shown} if actions else {}
    )


if __name__ == "__main__":
    main()
