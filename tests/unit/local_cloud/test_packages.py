"""The mirror is found through this computer's own apt."""

from __future__ import annotations

import pytest

from local_cloud import packages

DEBIAN = """http://mirror.example/snapshot/debian/ bookworm
http://mirror.example/snapshot/debian/ bookworm-updates
http://mirror.example/snapshot/debian-security/ bookworm-security
https://deb.other.example/node_20.x/ nodistro
"""
UBUNTU = """http://archive.example/ubuntu/ noble
http://security.example/ubuntu/ noble-security
"""


def found(monkeypatch: pytest.MonkeyPatch, targets: str, *suites: str) -> packages.Mirrors:
    pairs = [(line.split()[0].rstrip("/"), line.split()[1]) for line in targets.splitlines()]
    monkeypatch.setattr(packages, "_configured", lambda: pairs)
    monkeypatch.setattr(packages, "has_suite", lambda address, suite: f"{address} {suite}" in suites)
    return packages.mirrors()


def test_the_configured_mirror_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    base = "http://mirror.example/snapshot"
    mirrors = found(
        monkeypatch,
        DEBIAN,
        f"{base}/debian trixie",
        f"{base}/debian trixie-updates",
        f"{base}/debian-security trixie-security",
    )
    assert mirrors == packages.Mirrors(
        f"{base}/debian", f"{base}/debian-security", ("trixie", "trixie-updates")
    )


def test_without_a_debian_mirror_debian_s_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "http://debians-own.example"
    monkeypatch.setattr(packages, "debians_own", lambda: f"{own}/debian")
    mirrors = found(
        monkeypatch, UBUNTU, f"{own}/debian trixie-updates", f"{own}/debian-security trixie-security"
    )
    assert mirrors == packages.Mirrors(
        f"{own}/debian", f"{own}/debian-security", ("trixie", "trixie-updates")
    )


def test_what_a_mirror_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mirrors = found(monkeypatch, DEBIAN, "http://mirror.example/snapshot/debian trixie")
    assert mirrors.suites == ("trixie",)
    assert mirrors.security == ""


def test_this_computer_s_apt_settings_are_read() -> None:
    assert all(key.startswith("Acquire::") for key in packages.apt_settings())
