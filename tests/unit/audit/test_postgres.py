"""CIS's checks of PostgreSQL: each is one question, and one that cannot be asked has not passed."""

from __future__ import annotations

import pytest

from tests.audit.compare import NOT_READ, Finding
from tests.audit.postgres import CHECKS, answers
from tests.support.postgres import throwaway_postgres


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


def test_a_server_as_it_comes_answers_every_question_and_fails_what_it_should() -> None:
    """`trust` for everybody, no TLS, no pgAudit: what initdb makes."""
    with throwaway_postgres() as server:
        server.create_database()
        faults = {
            check["check"]: [str(row[0]) for row in server.execute(check["sql"])]
            for check in CHECKS
            if "sql" in check
        }
    assert {"trust"} == set(faults["5.1 who comes by the socket"]) == set(faults["5.2 who comes by TCP"])
    assert faults["6.8 TLS"] == ["off"]
    assert faults["3.2 pgAudit"] == ["not loaded"]
    assert faults["3.1.24 log_line_prefix"] == ["%d", "%u", "%a", "%h"]
    assert faults["3.1.23 log_hostname"] == []
