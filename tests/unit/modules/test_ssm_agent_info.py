"""The module ssm_agent_info: what AWS's bucket answers, here from a server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.clickstream.aws.plugins.modules import ssm_agent_info
from ansible_collections.clickstream.aws.plugins.modules.ssm_agent_info import LookupFailedError, find

PROJECT = Path(__file__).parents[3]
PACKAGE = b"a Debian package"
SHA256 = hashlib.sha256(PACKAGE).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    root = tmp_path / "bucket"
    (root / "latest").mkdir(parents=True)
    (root / "latest/VERSION").write_text("3.3.3050.0\n")
    for version, package in (("3.3.3050.0", PACKAGE), ("3.3.40.0", b"older")):
        (root / version / "debian_arm64").mkdir(parents=True)
        (root / version / "debian_arm64/amazon-ssm-agent.deb").write_bytes(package)
    return root


@pytest.fixture
def url(bucket: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(bucket))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_latest_version_and_its_checksum_are_found(url: str) -> None:
    assert find(url, "arm64", "", None) == {"version": "3.3.3050.0", "sha256": SHA256, "signed": False}


def test_the_checksum_of_a_version_of_one_s_own_is_found(url: str) -> None:
    found = find(url, "arm64", "3.3.40.0", None)
    assert (found["version"], found["sha256"]) == ("3.3.40.0", hashlib.sha256(b"older").hexdigest())


@pytest.mark.parametrize(
    "wrong", ["http://s3.ap-southeast-1.amazonaws.com/x", "ftp://127.0.0.1/x", "file:///etc"]
)
def test_nothing_is_fetched_without_tls(wrong: str) -> None:
    with pytest.raises(LookupFailedError, match=r"is not https.*Fix:"):
        find(wrong, "arm64", "", None)


def test_a_region_without_the_agent_is_told(url: str) -> None:
    with pytest.raises(LookupFailedError, match=r"debian_amd64.*404.*Fix:"):
        find(url, "amd64", "", None)


def test_an_answer_that_is_no_version_goes_into_no_address(url: str, bucket: Path) -> None:
    (bucket / "latest/VERSION").write_text("../../somewhere")
    with pytest.raises(LookupFailedError, match=r"no version.*Fix:"):
        find(url, "arm64", "", None)


class Breaking(Quiet):
    def do_GET(self) -> None:
        """Half of an answer."""
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")


def test_an_answer_that_breaks_off_is_none() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(LookupFailedError, match=r"cannot be fetched.*Fix:"):
            find(f"http://127.0.0.1:{server.server_address[1]}", "arm64", "3.3.40.0", None)
        server.shutdown()


def test_what_is_too_large_to_be_the_package_is_not_counted_in_part(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssm_agent_info, "LARGEST_PACKAGE", len(PACKAGE))
    assert find(url, "arm64", "3.3.3050.0", None)["sha256"] == SHA256
    monkeypatch.setattr(ssm_agent_info, "LARGEST_PACKAGE", len(PACKAGE) - 1)
    with pytest.raises(LookupFailedError, match=r"too large.*Fix:"):
        find(url, "arm64", "3.3.3050.0", None)


@pytest.fixture
def keys(tmp_path: Path, bucket: Path) -> dict[str, str]:
    """Public keys of two signers, of whom one has signed the package."""
    package = bucket / "3.3.3050.0/debian_arm64/amazon-ssm-agent.deb"
    files = {}
    for signer in ("aws", "somebody"):
        home = tmp_path / signer
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--pinentry-mode", "loopback"]
        subprocess.run(
            # such a key is made in no time
            [*gpg, "--quick-generate-key", f"{signer}@example.org", "ed25519"],
            check=True,
            capture_output=True,
        )
        files[signer] = str(tmp_path / f"{signer}.asc")
        subprocess.run(
            [*gpg, "--armor", "--output", files[signer], "--export"], check=True, capture_output=True
        )
        if signer == "aws":
            subprocess.run([*gpg, "--detach-sign", str(package)], check=True, capture_output=True)
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, capture_output=True)
    return files


def test_a_package_that_is_signed_with_the_key_is_taken(url: str, keys: dict[str, str]) -> None:
    assert find(url, "arm64", "", keys["aws"])["signed"] is True


def test_a_package_of_somebody_else_is_refused(url: str, bucket: Path, keys: dict[str, str]) -> None:
    with pytest.raises(LookupFailedError, match=r"not signed with.*Fix:"):
        find(url, "arm64", "", keys["somebody"])
    (bucket / "3.3.3050.0/debian_arm64/amazon-ssm-agent.deb").write_bytes(b"another package")
    with pytest.raises(LookupFailedError, match=r"not signed with.*Fix:"):
        find(url, "arm64", "", keys["aws"])


PLAY = """
- hosts: controller
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: analytics_instance, tasks_from: preflight.yml}
    - ansible.builtin.debug:
        msg: "agent {{ analytics_instance_agent_version }} {{ analytics_instance_agent_sha256['arm64'] }}"
"""


@pytest.fixture
def inventory(tmp_path: Path, url: str) -> Path:
    place = tmp_path / "inventory"
    (place / "group_vars/controller").mkdir(parents=True)
    (place / "hosts.yml").write_text("controller: {hosts: {localhost: {ansible_connection: local}}}")
    settings = f"analytics_instance_agent_url: {url}\nansible_python_interpreter: {sys.executable}\n"
    (place / "group_vars/controller/test.yml").write_text(settings)
    (tmp_path / "play.yml").write_text(PLAY)
    return place


def run(inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    playbook = PROJECT / ".venv/bin/ansible-playbook"
    return subprocess.run(
        [str(playbook), "-i", str(inventory), str(inventory.parent / "play.yml"), *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"), "ANSIBLE_FORCE_COLOR": "0"},
    )


def test_the_role_takes_the_agent_it_found_and_the_next_instance_gets_the_same(
    inventory: Path, bucket: Path
) -> None:
    record = inventory / "group_vars/controller/analytics_instance_agent.yml"
    told = run(inventory, "--check")
    assert told.returncode == 0, told.stdout
    assert f"+  arm64: {SHA256}" in told.stdout and not record.exists()
    assert run(inventory).returncode == 0
    (bucket / "latest/VERSION").write_text("3.3.4000.0")
    again = run(inventory)
    assert f"agent 3.3.3050.0 {SHA256}" in again.stdout and "changed=0" in again.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        {"analytics_instance_agent_version": "3.3.39.0"},
        {
            "analytics_instance_agent_version": "3.3.3050.0",
            "analytics_instance_agent_sha256": {"arm64": "abc"},
        },
    ],
)
def test_an_agent_that_cannot_work_is_refused(
    inventory: Path, bucket: Path, wrong: dict[str, object]
) -> None:
    (bucket / "3.3.40.0").rename(bucket / "3.3.39.0")
    refused = run(inventory, "-e", json.dumps(wrong))
    assert refused.returncode != 0 and "cannot be installed" in refused.stdout and "Fix:" in refused.stdout
