"""CIS's checks of PostgreSQL: each is one question, and one that cannot be asked has not passed."""

from __future__ import annotations

import pytest

from tests.audit.compare import NOT_READ, Finding
from tests.audit.postgres import CHECKS, answers


def broken(question: str) -> list[str]:
    raise OSError(f"cannot ask {question}")


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one["check"])
def test_every_check_asks_one_thing(check: dict[str, str]) -> None:
    assert len(check.keys() & {"sql", "shell", "person"}) == 1
    assert "," not in check["check"] and "|" not in check["check"]


def test_each_answer_is_a_finding_and_none_is_right() -> None:
    check = {"check": "3.2 pgAudit", "sql": "SELECT"}
    assert list(answers(check, lambda _: [], broken)) == []
    assert list(answers(check, lambda _: ["a, b"], broken)) == [
        Finding("postgresql", "3.2 pgAudit", "warehouse", "a  b")
    ]


@pytest.mark.parametrize("kind", ["sql", "shell", "person"])
def test_what_cannot_be_asked_is_not_read(kind: str) -> None:
    [one] = answers({"check": "2.1 umask", kind: "who knows"}, broken, broken)
    assert (one.judge, one.check, one.what) == (NOT_READ, "postgresql", "2.1 umask")
