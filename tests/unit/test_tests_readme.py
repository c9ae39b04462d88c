"""tests/README.md says of every part of the tree where it is tested, and what it says is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
README = PROJECT / "tests/README.md"
KINDS = {
    "module": "plugins/modules/*.py",
    "role": "roles/*",
    "playbook": "playbooks/*.yml",
    "Lambda package": "lambda_src/*/",
}
"""The kinds of parts that the second table names, and where they are."""


def cells() -> Iterator[list[str]]:
    """The rows of both tables."""
    for line in README.read_text(encoding="utf-8").partition("## Where a thing is made")[2].splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and row[0] not in ("thing", "part", "---"):
            yield row


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def parts(kind: str) -> list[str]:
    found = sorted(path.stem for path in PROJECT.glob(KINDS[kind]) if not path.stem.startswith("__"))
    assert found
    return found


def rows_of(kind: str) -> dict[str, list[str]]:
    """Part, or the pattern for all others -> paths."""
    rows: dict[str, list[str]] = {}
    for what, *_, where in cells():
        if what.startswith(f"{kind} `"):
            for name in code(what):
                assert name not in rows, f"{name} has two rows"
                rows[name] = code(where)
    return rows


def text(path: Path) -> str:
    """The text of a file, or of all files of a directory."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return "\n".join(
        file.read_text(encoding="utf-8", errors="ignore")
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    )


def run_by(path: Path) -> str:
    """The text of a test, of the role whose scenario it is, and of the playbooks and roles that it runs."""
    own = text(path)
    if path.parent.name == "molecule" and (PROJECT / "roles" / path.name).is_dir():
        own += text(PROJECT / "roles" / path.name)
    playbooks = named_playbooks(own)
    if "site.yml" in own:
        playbooks |= named_playbooks(text(PROJECT / "site.yml"))
    plays = "\n".join(text(PROJECT / playbook) for playbook in playbooks)
    roles = re.findall(r"\b(?:role|name): (\w+)$", plays, re.MULTILINE)
    run = [text(PROJECT / "roles" / role) for role in {*roles} & {*parts("role")}]
    return "\n".join([own, *playbooks, plays, *run])


def named_playbooks(content: str) -> set[str]:
    return set(re.findall(r"\bplaybooks/\w+\.yml\b", content))


def test_every_path_is_there() -> None:
    paths = {path for _, *columns in cells() for column in columns for path in code(column)}
    missing = [path for path in sorted(paths) if "<" not in path and not any(PROJECT.glob(path))]
    assert len(paths) > 30
    assert missing == []


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in parts(kind)])
def test_every_part_is_tested_where_the_table_says(kind: str, name: str) -> None:
    rows = rows_of(kind)
    pattern = f"<{kind.split()[-1]}>"
    wanted = [path.replace(pattern, name) for path in rows.get(name, rows[pattern])]
    for path in wanted:
        found = list(PROJECT.glob(path))
        assert found, f"{kind} {name}: {path} is not there"
        mentions = [one for one in found if re.search(rf"\b{name}\b", f"{one.name}\n{run_by(one)}")]
        assert mentions, f"{kind} {name}: {path} does not mention it"


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_of_a_part_that_is_there(kind: str) -> None:
    strangers = {name for name in rows_of(kind) if "<" not in name} - set(parts(kind))
    assert strangers == set()
