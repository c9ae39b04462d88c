#!/usr/bin/python
"""Ansible module: several files of a host in one round trip, checked together."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Several files of a host in one round trip, checked together
description:
  - Writes a set of text files, and removes what else is in the directories of O(trees) and O(purge).
  - Over a connection that needs seconds per task (aws_ssm moves every module through S3), C(copy) of a
    directory costs one round trip per file; this costs one for all.
  - O(validate) runs once, when every file is in place; if it fails, all of them are put back.
options:
  files:
    description: The files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path on the host. Missing directories are made, owned by root.
        type: path
        required: true
      content:
        description: What the file says.
        type: str
        required: true
      encoding:
        description: How O(files[].content) is written.
        choices: [text, base64]
        default: text
        type: str
      owner:
        description: Owner's name.
        type: str
        default: root
      group:
        description: Group's name.
        type: str
        default: root
      mode:
        description: Octal mode.
        type: str
        default: "0644"
  trees:
    description:
      - Directories of the controller to mirror, as dicts of C(src), C(dest), and optionally C(owner),
        C(group) and C(mode) of the files. What C(dest) holds besides is removed.
    type: list
    elements: dict
    default: []
  purge:
    description: Directories in which every file that O(files) does not name is removed.
    type: list
    elements: path
    default: []
  absent:
    description: Files that are not to be there.
    type: list
    elements: path
    default: []
  stamp:
    description:
      - One of O(files), whose age tells a program since when the others are as they are. Whenever one of them
        changes it is removed first and written last, so that it is newer than all of them also where a run
        was interrupted between.
    type: path
  validate:
    description: A command, as a list, that exits with 0 when the files are right together.
    type: list
    elements: str
    default: []
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Write the configuration
  clickstream.aws.host_files:
    files:
      - path: /etc/postgresql/18/main/pg_hba.conf
        content: "{{ lookup('ansible.builtin.template', 'pg_hba.conf.j2') }}"
        owner: postgres
        group: postgres
        mode: "0640"
    validate: [/usr/lib/postgresql/18/bin/postgres, -D, /etc/postgresql/18/main, -C, port]

- name: Mirror the dashboard
  clickstream.aws.host_files:
    trees:
      - src: dashboard
        dest: /srv/shiny-server/sbw_dashboard
    files:
      - path: /srv/shiny-server/sbw_dashboard/restart.txt
        content: ""
    stamp: /srv/shiny-server/sbw_dashboard/restart.txt
"""

RETURN = r"""
paths:
  description: The files that were written or removed (or would be).
  returned: always
  type: list
  elements: str
"""

import base64
import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

SHOWN_BYTES = 100_000
"""Larger contents are not shown in diffs."""


@dataclass(frozen=True)
class FileState:
    """A file as it is or should be. Owner and group are numbers; -1 stands for "no such name yet"."""

    content: bytes
    uid: int
    gid: int
    mode: int


def account_number(name: str, kind: str) -> int:
    """The uid or gid (``kind``) of a name, or -1: in check mode the package that brings it may be missing."""
    try:
        return pwd.getpwnam(name).pw_uid if kind == "uid" else grp.getgrnam(name).gr_gid
    except KeyError:
        return -1


def desired_state(entry: dict[str, Any]) -> FileState:
    """The state that one entry of ``files`` asks for."""
    text = entry["content"].encode()
    return FileState(
        content=base64.b64decode(text) if entry["encoding"] == "base64" else text,
        uid=account_number(entry["owner"], "uid"),
        gid=account_number(entry["group"], "gid"),
        mode=int(entry["mode"], 8),
    )


def current_state(path: Path) -> FileState | None:
    """The regular file at ``path``; None where there is none (a symbolic link will be replaced)."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileState(path.read_bytes(), status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))


def extra_files(directories: Iterable[str], wanted: Iterable[Path]) -> list[Path]:
    """What is in the directories and nobody wants, sorted."""
    keep = set(wanted)
    found = (path for directory in directories for path in Path(directory).rglob("*"))
    return sorted(path for path in found if not path.is_dir() and path not in keep)


def write(path: Path, state: FileState) -> None:
    """Put the file in place atomically: readers see the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(state.content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chown(temporary, state.uid, state.gid)
        Path(temporary).chmod(state.mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def put(path: Path, state: FileState | None) -> None:
    """Make ``path`` what ``state`` says; None removes it."""
    if state is None:
        path.unlink(missing_ok=True)
    else:
        write(path, state)


def shown(state: FileState | None) -> str:
    """A file as a diff shows it: its attributes, then its text."""
    if state is None:
        return ""
    text = state.content.decode(errors="replace")
    body = text if len(state.content) <= SHOWN_BYTES and "\0" not in text else "(not shown)\n"
    return f"# owner {state.uid}:{state.gid}, mode {state.mode:04o}\n{body}"


def changes(
    files: Sequence[dict[str, Any]],
    purge: Sequence[str],
    absent: Sequence[str] = (),
    stamp: str | None = None,
) -> dict[Path, tuple[FileState | None, FileState | None]]:
    """What differs: path → (now, as wanted); None is "no file".

    If anything differs, the stamp does too, and it is the last.
    """
    desired = {Path(entry["path"]): desired_state(entry) for entry in files}
    pairs: dict[Path, tuple[FileState | None, FileState | None]] = {
        path: (current_state(path), state) for path, state in desired.items()
    }
    unwanted = [*extra_files(purge, desired), *(Path(path) for path in absent if os.path.lexists(path))]
    pairs.update({path: (current_state(path), None) for path in unwanted})
    found = {path: pair for path, pair in sorted(pairs.items()) if pair[0] != pair[1] or path in unwanted}
    if stamp is not None and found:
        found.pop(Path(stamp), None)
        found[Path(stamp)] = pairs[Path(stamp)]
    return found


def apply(module: AnsibleModule, pending: dict[Path, tuple[FileState | None, FileState | None]]) -> None:
    """Write everything, validate, and put everything back if that fails."""
    unknown = sorted(str(path) for path, (_, new) in pending.items() if new and -1 in (new.uid, new.gid))
    if unknown:
        module.fail_json(
            msg=f"The owner or group of {', '.join(unknown)} does not exist on this host. "
            "Fix: install the package that brings it first (role host_packages)."
        )
    if module.params["stamp"] is not None:
        put(Path(module.params["stamp"]), None)
    for path, (_, new) in pending.items():
        put(path, new)
    if not module.params["validate"]:
        return
    code, out, err = module.run_command(module.params["validate"])
    if code != 0:
        for path, (old, _) in pending.items():
            put(path, old)
        module.fail_json(
            msg=f"The new files are not valid: {(err or out).strip()} (The old ones are back in place.)"
        )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "path", "required": True},
                    "content": {"type": "str", "required": True},
                    "encoding": {"choices": ["text", "base64"], "default": "text"},
                    "owner": {"default": "root"},
                    "group": {"default": "root"},
                    "mode": {"default": "0644"},
                },
            },
            "trees": {"type": "list", "elements": "dict", "default": []},
            "purge": {"type": "list", "elements": "path", "default": []},
            "absent": {"type": "list", "elements": "path", "default": []},
            "stamp": {"type": "path"},
            "validate": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
        no_log=True,  # of the arguments, in the host's journal: they are long
    )
    found = changes(*(module.params[name] for name in ("files", "purge", "absent", "stamp")))
    if found and not module.check_mode:
        apply(module, found)
    module.exit_json(
        changed=bool(found),
        paths=[str(path) for path in found],
        diff=[
            {
                "before_header": str(path),
                "after_header": str(path),
                "before": shown(old),
                "after": shown(new),
            }
            for path, (old, new) in found.items()
        ],
    )


if __name__ == "__main__":
    main()
