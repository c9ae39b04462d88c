"""The platform on the tests' local cloud: runs playbooks, and reads AWS and the host directly."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from local_cloud.credentials import ROOT_KEY, SECRET

PROJECT = Path(__file__).resolve().parents[2]
INVENTORIES = ("-i", "inventories/local", "-i", "tests/inventory")
NAME = "test"
VPC_ROUTER = "10.77.0.1"
ANALYTICS_ADDRESS = "10.77.128.10"
REGION = "ap-southeast-1"
RECAP = re.compile(r"^\S+\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


def bucket(purpose: str) -> str:
    """The name of one of the platform's buckets, in the account's regional namespace."""
    return f"clickstream-s3-{purpose}-123456789012-{REGION}-an"


@dataclass(frozen=True)
class Run:
    """A finished run of a playbook."""

    returncode: int
    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """How many tasks changed something (or would)."""
        return sum(int(counts[1]) for counts in RECAP.findall(self.output))

    def changes(self) -> list[str]:
        """The tasks that changed something, for a message."""
        task, found = "", []
        for line in self.output.splitlines():
            if line.startswith(("TASK [", "RUNNING HANDLER [")):
                task = line.split("[", 1)[1].split("]")[0]
            elif line.startswith("changed:"):
                found.append(task)
        return found


def command(*arguments: str) -> list[str]:
    """The command line of a playbook run on the tests' cloud."""
    return [str(PROJECT / ".venv/bin/ansible-playbook"), *INVENTORIES, *arguments]


def environment() -> dict[str, str]:
    """The environment of a run: no colours, no AWS settings of the shell."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {**ours, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}


def play(*arguments: str, timeout: float = 900) -> Run:
    """Run a playbook to its end; return its exit code, output and duration."""
    start = time.monotonic()
    done = subprocess.run(
        command(*arguments),
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - start)


def succeed(*arguments: str, timeout: float = 900) -> Run:
    """Run a playbook that must succeed."""
    run = play(*arguments, timeout=timeout)
    assert run.returncode == 0, run.output[-6000:]
    return run


@cache
def aws(service: str) -> Any:
    """A boto3 client of the tests' cloud, as the account's root."""
    session = boto3.Session(aws_access_key_id=ROOT_KEY, aws_secret_access_key=SECRET, region_name=REGION)
    # the VPC's address: in the access log the runs' calls come from 127.0.0.1, and these do not
    return session.client(service, endpoint_url=f"http://{VPC_ROUTER}:4666")


def local_cloud(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the local cloud's command line."""
    return subprocess.run(
        [str(PROJECT / ".venv/bin/python"), "-m", "local_cloud", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def calls(since: int = 0) -> list[dict[str, Any]]:
    """The calls that passed the endpoint, from the line ``since`` on."""
    log = PROJECT / ".local_cloud" / NAME / "logs/access.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines[since:]]


def on_host(script: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a shell script as root on the analytics host, without Session Manager."""
    return subprocess.run(
        [str(PROJECT / "local_cloud/bin/enter-machine"), instance_machine(), "/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def instance_machine() -> str:
    """The root directory of the machine behind the analytics instance."""
    return str(PROJECT / ".local_cloud" / NAME / "machines" / analytics_instance()["InstanceId"] / "root")


def analytics_instance() -> dict[str, Any]:
    """EC2's description of the analytics instance that runs."""
    answer = aws("ec2").describe_instances(
        Filters=[
            {"Name": "tag:Name", "Values": ["SBW_EC2_ShinyDWH"]},
            {"Name": "instance-state-name", "Values": ["running", "stopped", "pending"]},
        ]
    )
    [instance] = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
    return dict(instance)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Return when the condition holds; fail naming ``what`` after the limit."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def load_events() -> None:
    """Run the ETL until nothing is left to load: what playbooks/etl.yml does, without Ansible's seconds."""

    def complete() -> bool:
        answer = aws("lambda").invoke(FunctionName="SBW_Lamda_ETL", Payload=b"{}")
        return bool(json.loads(answer["Payload"].read()).get("status") == "complete")

    wait_until(complete, "everything is loaded", 300)


@contextmanager
def process_lists() -> Iterator[set[str]]:
    """Collect every command line that runs on this computer, those of the machines included."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        looks: dict[str, int] = {}
        while not over.wait(0.02):
            looks = {one.name: looks.get(one.name, 0) + 1 for one in Path("/proc").glob("[0-9]*")}
            # An older process hardly becomes another program, and to read all takes a fifth of a processor.
            for pid in (pid for pid, times in looks.items() if times <= 10 or times % 20 == 0):
                with suppress(OSError):
                    command_line = Path("/proc", pid, "cmdline").read_bytes()
                    seen.add(command_line.replace(b"\0", b" ").decode(errors="replace"))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


IAM_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""IAM's name of a call where it is not the call's own (Service Authorization Reference)."""

HTTP_VERBS = {
    "Get": "GET",
    "Create": "POST",
    "Update": "PATCH",
    "Delete": "DELETE",
    "Tag": "POST",
    "Untag": "DELETE",
}
"""API Gateway's permissions are the verbs of its calls."""


def iam_action(call: dict[str, Any]) -> str:
    """The IAM action that a call in the access log needs."""
    if call["service"] == "apigateway":
        verb = re.match(r"[A-Z][a-z]+", call["action"])
        return f"apigateway:{HTTP_VERBS[verb.group()] if verb else call['action']}"
    named = f"{call['service']}:{call['action']}"
    return IAM_ACTIONS.get(named, named)
