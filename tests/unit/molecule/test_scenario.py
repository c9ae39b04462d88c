"""What the Molecule scenarios of roles on AWS's side judge a run by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.molecule.callback_plugins.reported import names
from tests.support.molecule.scenario import left, mutating, reported, wrong_with

VPC = {"before_header": "VPC a", "after_header": "VPC a"}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"changed": False, "diff": {**VPC, "before": {}, "after": {}}}, []),
        ({"changed": True, "diff": {**VPC, "before": "", "after": {"cidr": "10.0.0.0/16"}}}, ["VPC a"]),
        (
            {"changed": True, "diff": {**VPC, "before": {"tags": {}}, "after": {"tags": {"x": "y"}, "b": 1}}},
            ["VPC a: b, tags"],
        ),
        ({"changed": True, "diff": {**VPC, "before": {"cidr": "10.0.0.0/16"}, "after": ""}}, ["VPC a"]),
        (
            {
                "changed": True,
                "diff": [
                    {**VPC, "before": "", "after": ""},
                    {"before_header": "/etc/hosts", "after_header": "/etc/hosts"},
                ],
            },
            ["VPC a", "/etc/hosts"],
        ),
        ({"changed": True, "diff": [{"prepared": "text"}]}, ["Do it"]),
        (
            {"changed": True, "diff": [{"before_header": "/etc/a", "after_header": "/tmp/b", "before": ""}]},
            ["Do it"],
        ),
        ({"changed": True, "diff": {"before": "", "after": "reload\nrestart\n"}}, ["reload", "restart"]),
        (
            {"changed": True, "pending": "x", "msg": ["a: pending", "b: pending"]},
            ["a: pending", "b: pending"],
        ),
        ({"changed": True}, ["Do it"]),
        ({"changed": True, "item": "one"}, ["Do it: one"]),
        ({"changed": True, "item": {"name": "one", "more": 1}, "_ansible_item_label": "one"}, ["Do it: one"]),
    ],
)
def test_a_change_is_called_as_its_diff_calls_it_or_else_as_its_task(result: dict, said: list[str]) -> None:
    assert names("Do it", result) == said


@pytest.mark.parametrize(
    ("check", "changed", "expected", "writes", "there", "wrong"),
    [
        (False, ["a", "b"], ["b", "a"], ["ec2:CreateVpc"], False, []),
        (True, ["a"], ["a"], [], False, []),
        (False, [], [], [], True, []),
        (True, [], ["a"], [], False, ["not reported: a"]),
        (True, ["a"], [], [], True, ["reported, and should not be: a"]),
        (True, ["a", "a"], ["a"], [], False, ["reported, and should not be: a"]),
        (
            True,
            ["a: tags"],
            ["a: routes"],
            [],
            False,
            ["not reported: a: routes", "reported, and should not be: a: tags"],
        ),
        (
            True,
            ["a"],
            ["a"],
            ["ec2:CreateVpc"],
            False,
            ["called what changes the account in check mode: ['ec2:CreateVpc']"],
        ),
        (
            False,
            [],
            [],
            ["s3:PutObject"],
            True,
            ["called what changes the account without a difference: ['s3:PutObject']"],
        ),
    ],
)
def test_a_run_changes_what_it_should_and_check_mode_writes_nothing(
    check: bool, changed: list[str], expected: list[str], writes: list[str], there: bool, wrong: list[str]
) -> None:
    assert wrong_with(check, changed, expected, writes, there=there) == wrong


def test_what_changes_the_account_is_read_from_the_access_log() -> None:
    log = [
        json.dumps({"service": "ec2", "action": action, "mutating": mutates})
        for action, mutates in (("DescribeVpcs", False), ("CreateVpc", True))
    ]
    assert mutating(log) == ["ec2:CreateVpc"]


def test_what_is_left_and_what_went_too_far_is_named() -> None:
    assert left({"VPCs": ["a"], "roles": ["r"]}, {"VPCs": ["a"], "roles": ["r"]}) == {}
    assert left({"VPCs": ["a"], "roles": ["r"]}, {"VPCs": ["a", "b"], "roles": []}) == {
        "VPCs": ["b"],
        "roles": ["r"],
    }


def test_a_run_is_judged_by_what_it_reported_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOLECULE_EPHEMERAL_DIRECTORY", str(tmp_path))
    (tmp_path / "reported.json").write_text(json.dumps({"first": ["a", "b"]}))
    assert reported("first") == ["a", "b"]
    assert reported("second") == []
