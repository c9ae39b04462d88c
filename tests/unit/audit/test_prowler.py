"""What is made of prowler's answers: a check that says nothing because the endpoint failed has not passed."""

from __future__ import annotations

from typing import Any

from tests.audit.compare import NOT_READ, Finding
from tests.audit.prowler import errors, failed, named, not_read

SERVICES = {"s3_logging": "s3", "s3_lock": "s3", "guardduty_enabled": "guardduty", "ec2_quiet": "ec2"}
LINE = '{"timestamp": "t", "filename": "x.py:1", "level": "%s", "module": "%s", "message": "%s"}'
LOG = "\n".join(
    [
        LINE
        % (
            "ERROR",
            "guardduty_service",
            "r -- ClientError[1]: An error (404) when calling the ListX operation",
        ),
        LINE % ("ERROR", "check", "s3_lock -- KeyError[12]: 'Owner'"),
        LINE % ("ERROR", "ec2_service", "r -- ResponseParserError[5]: Unable to parse:\nb'<html>\n'"),
        LINE % ("WARNING", "ec2_service", "r -- ClientError[1]: when calling the ListY operation"),
    ]
)


def answer(check: str, status: str, thing: str = "raw", service: str = "s3") -> dict[str, Any]:
    resource = {"name": thing, "uid": f"arn:{thing}", "group": {"name": service}}
    return {
        "metadata": {"event_code": check},
        "status_code": status,
        "status_detail": "why",
        "resources": [resource],
    }


def test_only_what_fails_is_a_finding_and_ids_are_names() -> None:
    answers = [answer("s3_logging", "PASS"), answer("open", "FAIL", "vpc-0123456789abcdef0", "vpc")]
    assert failed(answers, {"vpc-0123456789abcdef0": "SBW_Project-vpc"}) == [
        Finding("prowler", "open", "vpc", "SBW_Project-vpc", "why")
    ]
    assert named("sg-01234567 of nobody", {}) == "sg-01234567 of nobody"


def test_errors_are_those_of_a_service_or_of_a_check_that_broke() -> None:
    assert {service: set(what) for service, what in errors(LOG, SERVICES).items()} == {
        "guardduty": {"ListX"},
        "s3": {"s3_lock"},
        "ec2": {"x.py:1"},
    }


def test_a_check_without_an_answer_is_not_read_where_its_service_failed() -> None:
    found = not_read([answer("s3_logging", "FAIL")], LOG, SERVICES)
    assert {(one.judge, one.where, one.what) for one in found} == {
        (NOT_READ, "guardduty", "ListX"),
        (NOT_READ, "guardduty", "guardduty_enabled"),
        (NOT_READ, "s3", "s3_lock"),
        (NOT_READ, "ec2", "x.py:1"),
        (NOT_READ, "ec2", "ec2_quiet"),
    }


def test_what_a_person_has_to_look_at_is_not_read() -> None:
    found = not_read([answer("s3_logging", "MANUAL")], "", SERVICES)
    assert [(one.where, one.what) for one in found] == [("s3", "s3_logging")]
