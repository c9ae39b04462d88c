"""What holds for all tests: the order of those that share a deployment, and patience on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis fails a test whose examples take long; that says what else the machine was doing.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REMOVAL = "test_destroy_"
"""What the names of the tests begin with that remove the deployment."""

LATE = ("drift", "e2e")
"""Whose tests use the deployment of test_site.py. Drift comes first: it compares the warehouse with the raw
bucket, and the pages' tests put rows into it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test drift and the dashboard's pages on the deployment of test_site.py, before that is removed."""
    removal = next(
        (item for item in items if item.name.startswith(REMOVAL) and item.path.name == "test_site.py"), None
    )
    if removal is not None:
        late = [item for folder in LATE for item in items if item.path.parent.name == folder]
        others = [item for item in items if item not in late]
        place = others.index(removal)
        items[:] = [*others[:place], *late, *others[place:]]


@pytest.fixture(scope="session")
def in_the_life_of_a_deployment(request: pytest.FixtureRequest) -> bool:
    """Whether test_site.py builds the deployment in this run, and removes it."""
    return any(item.path.name == "test_site.py" for item in request.session.items)
