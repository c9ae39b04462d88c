"""The module page_probe: what it needs. On pages it is tested by tests/integration/tracker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]
MODULE = "ansible_collections.clickstream.aws.plugins.modules.page_probe"
PAGE = "https://shop.example"


def run(**options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        cwd=PROJECT / "collections",
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": ""}, "Fix: begin it with https://, as in -e url="),
        ({"url": "shop.example"}, "Fix: begin it with https://"),
        ({"url": PAGE, "browser": "no-such-browser"}, "no-such-browser is not on this machine. Fix: apt-get"),
        ({"url": PAGE, "browser": "false"}, "false: it ended by itself. Fix: "),
    ],
)
def test_what_it_needs_is_said(given: dict[str, str], says: str) -> None:
    failed = run(**given)
    assert failed["failed"] is True
    assert says in failed["msg"]
