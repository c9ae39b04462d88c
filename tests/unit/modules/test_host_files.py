"""Files are compared whole, written together, and put back together when they are not valid."""

import base64
import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.action.host_files import tree_files
from ansible_collections.clickstream.aws.plugins.modules import host_files

ME = pwd.getpwuid(os.getuid()).pw_name
MY_GROUP = grp.getgrgid(os.getgid()).gr_name


class Failed(Exception):
    """fail_json was called."""


class Module:
    """Stands for AnsibleModule; ``answer`` is the validation's exit code."""

    def __init__(self, validate: list[str] | None = None, answer: int = 0, stamp: str | None = None) -> None:
        self.params: dict[str, Any] = {"validate": validate or [], "stamp": stamp}
        self.answer = answer

    def run_command(self, argv: list[str]) -> tuple[int, str, str]:
        return self.answer, "", "line 3 is wrong"

    def fail_json(self, msg: str) -> None:
        raise Failed(msg)


def entry(path: Path, content: str = "new\n", **more: Any) -> dict[str, Any]:
    mine = {"owner": ME, "group": MY_GROUP, "mode": "0640", "encoding": "text"}
    return {"path": str(path), "content": content, **mine, **more}


def test_a_missing_file_is_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    host_files.apply(Module(), host_files.changes([entry(path)], []))
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_nothing_differs_afterwards(tmp_path: Path) -> None:
    files = [entry(tmp_path / "file")]
    host_files.apply(Module(), host_files.changes(files, []))
    assert host_files.changes(files, []) == {}


@pytest.mark.parametrize("spoil", [lambda p: p.chmod(0o600), lambda p: p.write_text("new")])
def test_content_and_mode_are_repaired(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "file"
    host_files.apply(Module(), host_files.changes([entry(path)], []))
    spoil(path)
    assert list(host_files.changes([entry(path)], [])) == [path]


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("package's default")
    link.symlink_to(target)
    host_files.apply(Module(), host_files.changes([entry(link)], []))
    assert not link.is_symlink()
    assert link.read_text() == "new\n"
    assert target.read_text() == "package's default"


def test_what_nobody_wants_is_removed_from_purged_directories(tmp_path: Path) -> None:
    keep, extra = tmp_path / "tree" / "keep", tmp_path / "tree" / "sub" / "extra"
    extra.parent.mkdir(parents=True)
    extra.write_text("old")
    found = host_files.changes([entry(keep)], [str(tmp_path / "tree")])
    host_files.apply(Module(), found)
    assert keep.exists()
    assert not extra.exists()


def test_a_dangling_link_is_removed_from_purged_directories(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    host_files.apply(Module(), host_files.changes([], [str(tmp_path)]))
    assert not link.is_symlink()


def test_all_files_come_back_when_they_are_not_valid(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    host_files.apply(Module(), host_files.changes([entry(old, "right\n")], []))
    found = host_files.changes([entry(old, "wrong\n"), entry(fresh)], [])
    with pytest.raises(Failed, match=r"not valid: line 3 is wrong.*old ones are back in place"):
        host_files.apply(Module(["check"], answer=1), found)
    assert old.read_text() == "right\n"
    assert not fresh.exists()


def test_an_unknown_owner_is_named_before_anything_is_written(tmp_path: Path) -> None:
    found = host_files.changes([entry(tmp_path / "file", owner="nobody-by-that-name")], [])
    with pytest.raises(Failed, match=r"owner or group of .*file does not exist"):
        host_files.apply(Module(), found)
    assert not (tmp_path / "file").exists()


def test_a_tree_becomes_files(tmp_path: Path) -> None:
    (tmp_path / "R").mkdir()
    (tmp_path / "R" / "a.R").write_text("1")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
    files = tree_files(tmp_path, "/srv/app/", {"mode": "0600"})
    assert [file["path"] for file in files] == ["/srv/app/R/a.R", "/srv/app/logo.png"]
    assert base64.b64decode(files[1]["content"]) == b"\x89PNG\xff"
    assert files[0]["mode"] == "0600"


def test_a_diff_shows_attributes_and_text_but_no_bytes() -> None:
    assert host_files.shown(host_files.FileState(b"a\n", 0, 0, 0o644)) == "# owner 0:0, mode 0644\na\n"
    assert "(not shown)" in host_files.shown(host_files.FileState(b"\0\1", 0, 0, 0o644))
    assert host_files.shown(None) == ""


def test_an_unwanted_file_is_removed_and_its_absence_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "policy-rc.d"
    assert host_files.changes([], [], [str(path)]) == {}
    path.write_text("exit 101\n")
    host_files.apply(Module(), host_files.changes([], [], [str(path)]))
    assert not path.exists()


def stamped(directory: Path, content: str) -> tuple[list[dict[str, Any]], str]:
    """Files on both sides of the stamp's name, and the stamp."""
    stamp = directory / "m-stamp"
    return [entry(directory / "a", content), entry(stamp, ""), entry(directory / "z", content)], str(stamp)


def test_a_stamp_is_written_last_whenever_another_file_changes(tmp_path: Path) -> None:
    files, stamp = stamped(tmp_path, "new\n")
    found = host_files.changes(files, [], stamp=stamp)
    assert list(found) == [tmp_path / "a", tmp_path / "z", tmp_path / "m-stamp"]
    host_files.apply(Module(stamp=stamp), found)
    assert host_files.changes(files, [], stamp=stamp) == {}
    (tmp_path / "z").write_text("edited\n")
    before = (tmp_path / "m-stamp").stat().st_ino
    found = host_files.changes(files, [], stamp=stamp)
    assert list(found) == [tmp_path / "z", tmp_path / "m-stamp"]
    host_files.apply(Module(stamp=stamp), found)
    assert (tmp_path / "m-stamp").stat().st_ino != before, "it is another file, and newer"


def test_after_an_interrupted_run_the_stamp_is_written_even_if_all_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, stamp = stamped(tmp_path, "old\n")
    host_files.apply(Module(stamp=stamp), host_files.changes(files, [], stamp=stamp))
    files, stamp = stamped(tmp_path, "new\n")
    write = host_files.write

    def interrupted(path: Path, state: host_files.FileState) -> None:
        if path == tmp_path / "m-stamp":
            raise KeyboardInterrupt
        write(path, state)

    monkeypatch.setattr(host_files, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        host_files.apply(Module(stamp=stamp), host_files.changes(files, [], stamp=stamp))
    assert (tmp_path / "z").read_text() == "new\n"
    assert list(host_files.changes(files, [], stamp=stamp)) == [tmp_path / "m-stamp"]
