"""What holds for all tests: the order of those that share a deployment, and patience on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis fails a test whose examples take long; that says what else the machine was doing.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REMOVAL = "test_destroy_leaves_nothing_but_the_raw_bucket"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test the dashboard's pages (tests/e2e) on the deployment of test_site.py, before that is removed."""
    pages = [item for item in items if item.path.parent.name == "e2e"]
    removal = next((item for item in items if item.name == REMOVAL), None)
    if removal is not None:
        others = [item for item in items if item not in pages]
        place = others.index(removal)
        items[:] = [*others[:place], *pages, *others[place:]]
