"""The order of tests that share a deployment."""

from __future__ import annotations

import pytest

REMOVAL = "test_destroy_leaves_nothing_but_the_raw_bucket"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test the dashboard's pages (tests/e2e) on the deployment of test_site.py, before that is removed."""
    pages = [item for item in items if item.path.parent.name == "e2e"]
    removal = next((item for item in items if item.name == REMOVAL), None)
    if removal is not None:
        others = [item for item in items if item not in pages]
        place = others.index(removal)
        items[:] = [*others[:place], *pages, *others[place:]]
