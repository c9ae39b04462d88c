"""What the judges found beside what docs/audit.md says: what is new, and what is no longer there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby

NOT_READ = "not read"
"""The section of what a judge could not look at: it has not passed."""


@dataclass(frozen=True, order=True)
class Finding:
    """What a judge says: the check, where (a policy and its statement, a service), and what of it."""

    judge: str
    check: str
    where: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Accepted:
    """A row of docs/audit.md: findings that stay, and why. ``*`` in ``where`` and ``what`` is anything."""

    judge: str
    check: str
    where: str
    what: tuple[str, ...]
    why: str

    def admits(self, found: Finding, what: str) -> bool:
        """Whether the finding is that of this row's ``what``."""
        return (
            (self.judge, self.check) == (found.judge, found.check)
            and fnmatchcase(found.where, self.where)
            and fnmatchcase(found.what, what)
        )


class DocumentError(Exception):
    """docs/audit.md cannot be read."""


def accepted(document: str) -> list[Accepted]:
    """The rows of the tables. A section ``## <judge>`` holds tables of check, where, what and why."""
    rows, judge = [], ""
    for number, line in enumerate(document.splitlines(), 1):
        if line.startswith("## "):
            judge = line.removeprefix("## ").strip().lower()
        if not judge or not line.startswith("|"):
            continue
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if cells[0] in ("check", "judge") or not cells[0].strip("-"):
            continue
        if len(cells) != 4 or not all(cells):
            raise DocumentError(
                f"line {number} of docs/audit.md has no check, where, what and why. Fix: fill in all four"
            )
        check, where, what, why = cells
        rows.append(Accepted(judge, check, where, tuple(one.strip() for one in what.split(",")), why))
    return rows


def new(found: Iterable[Finding], rows: list[Accepted]) -> list[Finding]:
    """What no row admits."""
    return sorted(
        {one for one in found if not any(row.admits(one, what) for row in rows for what in row.what)}
    )


def stale(found: list[Finding], rows: list[Accepted]) -> list[str]:
    """What a row lists and no judge says any more."""
    return [
        f"{row.judge}: {row.check} | {row.where} | {what}"
        for row in rows
        for what in row.what
        if not any(row.admits(one, what) for one in found)
    ]


def as_rows(found: list[Finding]) -> Iterator[str]:
    """New findings as rows for docs/audit.md; the reasons are for a person to write."""
    for judge, of_judge in groupby(found, key=lambda one: one.judge):
        yield f"\n## {judge}"
        for (check, where), same in groupby(of_judge, key=lambda one: (one.check, one.where)):
            group = list(same)
            what = ", ".join(sorted({one.what for one in group}))
            yield f"| {check} | {where} | {what} | |"
            yield from sorted({f"    {one.detail}" for one in group if one.detail})
