"""Role lambda_package: a function's zip, here the ETL's with its wheels. Nothing is made in the account."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

MADE = ["Build the zip"]
BROKEN = MADE
FILE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "etl.zip"


def verify() -> None:
    """Sources and wheels, no tests and no bytecode; nothing in it says when or where it was made."""
    with zipfile.ZipFile(FILE) as package:
        assert package.testzip() is None
        entries = package.infolist()
    names = [entry.filename for entry in entries]
    packages = {name.split("/")[0] for name in names}
    assert {"etl", "contract", "psycopg2", "orjson"} <= packages
    assert "etl/handler.py" in names and names == sorted(set(names))
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def break_by_hand() -> None:
    """Somebody puts a file into the zip."""
    with zipfile.ZipFile(FILE, "a") as package:
        package.writestr("etl/debug.py", "print('?')\n")
