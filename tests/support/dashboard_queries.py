"""The dashboard's SQL as the dashboard sends it: what R/queries.R does, for the tests."""

from __future__ import annotations

import re
from pathlib import Path

DIRECTORY = Path(__file__).parents[2] / "files" / "dashboard" / "queries"


def dashboard_queries() -> dict[str, str]:
    """Return the SQL of every query by its name, with the relation ``filters`` where it is read."""
    filters = (DIRECTORY / "shared" / "filters.sql").read_text(encoding="utf-8")
    files = sorted(DIRECTORY.glob("*.sql"))
    return {file.stem: with_filters(file.read_text(encoding="utf-8"), filters) for file in files}


def with_filters(sql: str, filters: str) -> str:
    """Return a query with ``filters`` as the first of its common table expressions, if it reads that."""
    if not re.search(r"\b(FROM|JOIN) filters\b", sql):
        return sql
    parts = re.fullmatch(r"((?:--[^\n]*\n)*)(WITH )?(.*)", sql, re.DOTALL)
    assert parts is not None
    comment, others, rest = parts.groups()
    return f"{comment}WITH filters AS NOT MATERIALIZED (\n{filters})" + (", " if others else "\n") + rest
