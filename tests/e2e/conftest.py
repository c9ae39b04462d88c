"""The dashboard on a deployment that holds a known shop's events."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import urllib3

from tests.e2e.warehouse import ZONE, Warehouse, forget_what_failed, have_known_events
from tests.support.browser import Browser, browser
from tests.support.deployment import NAME, local_cloud, on_host, succeed
from tests.support.plain_dashboard import Plain

PORT = "23841"


@pytest.fixture(scope="session")
def platform(in_the_life_of_a_deployment: bool) -> Iterator[None]:
    """The platform as test_site.py built it in this run; else one that is there, or one of this run's own."""
    if in_the_life_of_a_deployment or is_there():
        yield
        return
    succeed("playbooks/local_cloud.yml")
    succeed("site.yml")
    yield
    assert local_cloud("stop", "--name", NAME).returncode == 0


def is_there() -> bool:
    try:
        return on_host("test -e /srv/shiny-server/sbw_dashboard/app.R").returncode == 0
    except Exception:  # no cloud answers, or it has no host: whatever it is, there is none
        return False


# Of the pages, not of the session: the deployment is gone before that ends.
@pytest.fixture(scope="package")
def warehouse(platform: None) -> Iterator[Warehouse]:
    known = Warehouse()
    have_known_events(known)
    yield known
    forget_what_failed(known)
    known.close()


@pytest.fixture(scope="package")
def url(warehouse: Warehouse) -> Iterator[str]:
    """The dashboard's URL on this machine, through Session Manager as its users have it."""
    if "DASHBOARD_URL" in os.environ:  # somebody who writes tests holds a port open
        yield os.environ["DASHBOARD_URL"]
        return
    port = ("playbooks/dashboard.yml", "-e", f"dashboard_session_local_port={PORT}")
    succeed(*port, "-e", "dashboard_session_mode=started")
    address = f"http://localhost:{PORT}/sbw_dashboard/"
    assert urllib3.request("GET", address, timeout=90).status == 200  # the first visitor waits for R
    yield address
    succeed(*port, "-e", "dashboard_session_mode=stopped")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def plain(warehouse: Warehouse) -> Plain:
    """All that is stored, to be counted."""
    return Plain(warehouse, ZONE)
