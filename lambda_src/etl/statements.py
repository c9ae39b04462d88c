"""The loader's SQL statements: one per file of `sql/`, by the file's name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SQL: Final[dict[str, str]] = {
    file.stem: file.read_text(encoding="utf-8") for file in Path(__file__).with_name("sql").glob("*.sql")
}
