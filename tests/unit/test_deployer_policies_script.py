"""bin/deployer-policies, which README has an administrator run, on accounts that are like anybody's."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
PARTS = sorted(path.stem for path in (PROJECT / "docs/deployer").glob("*.json"))
NAMES = ["clickstream-role-boundary", *(f"clickstream-deployer-{part}" for part in PARTS)]
AWS = r"""#!/bin/sh
printf '%s\037' "$@" >>"$CALLS"
printf '\036' >>"$CALLS"
call=$2
while [ $# -gt 0 ]; do
  case $1 in --policy-name) name=$2 ;; --policy-arn) name=${2##*/} ;; *) ;; esac
  shift
done
if [ "$call $name" = "$BROKEN" ]; then
  echo 'An error occurred (AccessDenied) when calling it: no' >&2
  exit 254
fi
case $call,$THERE in
get-caller-identity,*) echo 123456789012 ;;
list-policy-versions,*" $name "*) echo 'v1	v2	v3	v4' ;;
list-policy-versions,*)
  echo 'An error occurred (NoSuchEntity) when calling the ListPolicyVersions operation: none' >&2
  exit 254
  ;;
*) ;;
esac
"""
"""An AWS command line that keeps what it was asked, as fields and records of ASCII."""


class Account:
    """An account with some of the policies; ``calls`` are those that changed it, each with its options."""

    def __init__(self, scratch: Path) -> None:
        self.log = scratch / "calls"
        program = scratch / "aws"
        program.write_text(AWS)
        program.chmod(0o755)
        self.path = f"{scratch}:{os.environ['PATH']}"

    def run(self, *arguments: str, there: list[str], broken: str = "") -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        account = {"THERE": f" {' '.join(there)} ", "BROKEN": broken}
        environment = {"PATH": self.path, "CALLS": str(self.log), **account}
        command = [str(PROJECT / "bin/deployer-policies"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/")

    def calls(self, *names: str) -> list[dict[str, Any]]:
        made = [record.split("\x1f")[:-1] for record in self.log.read_text().split("\x1e")[:-1]]
        options = [(call, dict(itertools.pairwise(more))) for _, call, *more in made]
        return [one for call, one in options if call in names]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def test_a_new_account_gets_all_of_them_for_its_region(account: Account) -> None:
    done = account.run("eu-central-1", "user/deployer", there=[])
    assert done.returncode == 0, done.stderr
    made = account.calls("create-policy")
    assert [one["--policy-name"] for one in made] == NAMES
    for one in made:
        assert json.loads(one["--policy-document"])["Statement"]
        assert "ap-southeast-1" not in one["--policy-document"]
    attached = account.calls("attach-user-policy")
    assert {one["--user-name"] for one in attached} == {"deployer"}
    assert [one["--policy-arn"].rpartition("/")[2] for one in attached] == NAMES[1:], "the boundary is not"


def test_an_update_makes_room_for_its_versions(account: Account) -> None:
    """AWS keeps five versions of a policy, and refuses a sixth."""
    done = account.run("ap-southeast-1", "role/deployment", there=NAMES)
    assert done.returncode == 0, done.stderr
    assert account.calls("create-policy") == []
    assert len(account.calls("delete-policy-version")) == 4 * len(NAMES)
    assert len(account.calls("create-policy-version")) == len(NAMES)
    assert len(account.calls("attach-role-policy")) == len(NAMES) - 1


def test_a_run_that_was_interrupted_is_finished_by_the_next(account: Account) -> None:
    assert account.run("ap-southeast-1", there=NAMES[:2]).returncode == 0
    assert [one["--policy-name"] for one in account.calls("create-policy")] == NAMES[2:]
    assert account.calls("attach-user-policy", "attach-role-policy") == []


@pytest.mark.parametrize("call", ["create-policy", "list-policy-versions"])
def test_what_aws_refuses_is_said_and_nothing_is_made_after_it(account: Account, call: str) -> None:
    done = account.run("ap-southeast-1", "user/deployer", there=[], broken=f"{call} {NAMES[1]}")
    assert done.returncode != 0 and "AccessDenied" in done.stderr
    assert NAMES[2] not in account.log.read_text()


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["user/deployer"],
        ["singapore"],
        ["eu-central-1", "deployer"],
        ["eu-central-1", "user/"],
        ["eu-central-1", "role/SBW_admin"],
        ["eu-central-1", "role/clickstream-deployer"],
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_made(account: Account, wrong: list[str]) -> None:
    done = account.run(*wrong, there=[])
    assert done.returncode != 0 and "Fix:" in done.stderr
    assert account.log.read_text() == ""
