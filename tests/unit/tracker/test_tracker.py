"""The tracker's own tests, its types, and what is built of it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from contract.names import NAMES

TRACKER = Path(__file__).parents[3] / "files/tracker"
BUILT = {"tracker.js", "tracker.mjs", "index.d.ts", "types.d.ts", "published.json"}


def run(*command: str) -> str:
    assert (TRACKER / "node_modules/.bin/tsc").exists(), "Fix: run ./tests/run prepare"
    done = subprocess.run(
        command, cwd=TRACKER, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_its_units() -> None:
    assert "# pass" in run("node", "test/run.mjs")


def test_types() -> None:
    for project in (".", "test"):
        run("node_modules/.bin/tsc", "-p", project)


def test_what_is_published_is_what_the_sources_give_and_small(tmp_path: Path) -> None:
    run("node", "build.mjs", str(tmp_path))  # fails above 5 kB gzipped
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in (TRACKER / "dist").iterdir()}
    assert built.keys() == BUILT
    assert built == kept, "Fix: run node files/tracker/build.mjs"


def test_it_needs_nothing_at_run_time() -> None:
    package = json.loads((TRACKER / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    assert b"import" not in (TRACKER / "dist/tracker.mjs").read_bytes()


def members(interface: str) -> set[str]:
    """The names that an interface of the published types has."""
    types = (TRACKER / "dist/types.d.ts").read_text(encoding="utf-8")
    body = types.partition(f"export interface {interface} {{")[2].partition("\n}")[0]
    return set(re.findall(r"^    (?:readonly )?(\w+)[?(:]", body, re.MULTILINE))


def test_its_page_names_every_call_and_option_and_no_others() -> None:
    page = (TRACKER / "README.md").read_text(encoding="utf-8")
    calls = set(re.findall(r"(?:clickstream|t)\.(\w+)\(", page))
    assert calls - members("Tracker") == set()
    assert members("Tracker") - calls <= {"version", "push", "pageView", "flush"}
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == members("Options")


def test_the_dashboard_knows_its_events() -> None:
    """But for those that its page calls its own."""
    source = (TRACKER / "src/tracker.ts").read_text(encoding="utf-8")
    sent = set(re.findall(r"record\('(\w+)'", source)) | {"click"}
    assert sent - NAMES == {"cart_quantity", "cart_clear"}
    assert NAMES - sent == set()
