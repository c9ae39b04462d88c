"""The boot script that installs the SSM agent, run with stand-ins for dpkg, systemctl and sleep."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined

TEMPLATE = Path(__file__).parents[3] / "roles/analytics_instance/templates/user_data.sh.j2"
PACKAGE = b"not really a Debian package"
SHA256 = hashlib.sha256(PACKAGE).hexdigest()
TOOLS = ("bash", "cat", "cut", "mktemp", "rm", "seq", "sha256sum", "tee")


def script(tmp_path: Path, sha256: str = SHA256) -> Path:
    text = (
        Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - a shell script
        .from_string(TEMPLATE.read_text())
        .render(
            platform_region="ap-southeast-1",
            analytics_instance_agent_url="https://s3.ap-southeast-1.amazonaws.com/amazon-ssm-ap-southeast-1",
            analytics_instance_agent_version="3.3.3050.0",
            platform_analytics_architecture="arm64",
            analytics_instance_agent_sha256={"arm64": sha256},
        )
    )
    log, console = tmp_path / "log", tmp_path / "console"
    path = tmp_path / "user_data.sh"
    path.write_text(
        text.replace("/var/log/install-ssm-agent.log", str(log)).replace("/dev/console", str(console))
    )
    return path


def tool(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what a Debian image has, and stand-ins that record how they are called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "package").write_bytes(PACKAGE)
    for name in ("dpkg", "systemctl", "sleep"):
        tool(folder, name, f'echo "{name} $*" >> {tmp_path}/calls')
    return folder


def run(path: Path, tools: Path) -> subprocess.CompletedProcess[bytes]:
    # captured, so that it ends with the last of its children, the tee that writes the log
    command = [str(tools / "bash"), str(path)]
    return subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, timeout=60)


def calls(tmp_path: Path) -> list[str]:
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


def curl(tools: Path, tmp_path: Path) -> None:
    tool(tools, "curl", f'echo "curl $*" >> {tmp_path}/calls\ncat {tmp_path}/package > "${{@: -2:1}}"')


@pytest.mark.parametrize("downloader", ["curl", "python3"])
def test_a_package_with_the_right_checksum_is_installed(tmp_path: Path, tools: Path, downloader: str) -> None:
    if downloader == "curl":
        curl(tools, tmp_path)
    else:  # python3 -c <program> <url> <file>
        tool(tools, "python3", f'echo "python3 $3" >> {tmp_path}/calls\ncat {tmp_path}/package > "$4"')
    assert run(script(tmp_path), tools).returncode == 0
    download, install, enable = calls(tmp_path)
    url = (
        "https://s3.ap-southeast-1.amazonaws.com/amazon-ssm-ap-southeast-1/3.3.3050.0/"
        "debian_arm64/amazon-ssm-agent.deb"
    )
    assert download.startswith(downloader) and url in download
    assert install.startswith("dpkg --install /")
    assert enable == "systemctl enable --now amazon-ssm-agent"
    for written in ("log", "console"):
        assert "has the right checksum and is installed" in (tmp_path / written).read_text()


def test_a_package_with_another_checksum_is_never_installed(tmp_path: Path, tools: Path) -> None:
    curl(tools, tmp_path)
    assert run(script(tmp_path, "0" * 64), tools).returncode == 1
    assert not [call for call in calls(tmp_path) if call.startswith("dpkg")]
    assert calls(tmp_path).count("sleep 15") == 20
    log = (tmp_path / "log").read_text()
    assert "FAILED" in log and SHA256 in log


def test_the_endpoint_may_take_a_while(tmp_path: Path, tools: Path) -> None:
    marker = tmp_path / "second"
    body = f'[ -e {marker} ] || {{ echo > {marker}; exit 6; }}\ncat {tmp_path}/package > "${{@: -2:1}}"'
    tool(tools, "curl", body)
    assert run(script(tmp_path), tools).returncode == 0
    assert calls(tmp_path)[0] == "sleep 15"


def test_dpkg_may_be_busy_at_first(tmp_path: Path, tools: Path) -> None:
    curl(tools, tmp_path)
    marker = tmp_path / "second"
    tool(tools, "dpkg", f"[ -e {marker} ] || {{ echo > {marker}; exit 2; }}")
    assert run(script(tmp_path), tools).returncode == 0
    assert "sleep 15" in calls(tmp_path)
    assert calls(tmp_path)[-1] == "systemctl enable --now amazon-ssm-agent"


def test_the_python_that_downloads_is_python(tmp_path: Path) -> None:
    program = script(tmp_path).read_text().split("python3 -c '", 1)[1].split("'", 1)[0]
    compile(program, "user_data", "exec")
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(PACKAGE)
    subprocess.run(["python3", "-c", program, source.as_uri(), str(target)], check=True)
    assert target.read_bytes() == PACKAGE


def test_it_fits_into_user_data(tmp_path: Path) -> None:
    assert script(tmp_path).stat().st_size < 16 * 1024
