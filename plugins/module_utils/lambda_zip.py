"""Builds the zip of a Lambda function so that the same input gives the same bytes, on any machine.

Names are sorted, timestamps and modes fixed, caches left out. Nothing is compressed: zlib's versions compress
the same input differently. The larger zip, the ETL's for AWS, has 17 MB; Lambda takes 50.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

FORMAT = 2
"""Goes up when the same input is to give other bytes: zips of an older format are then built again."""

TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name."""

FILE_MODE = 0o100644
"""A regular file that everyone may read: the function does not run as the owner of its files."""

SOURCE_EXCLUDES = ("*.pyc", "*/__pycache__/*", "*/.*", "requirements*.txt", "*/requirements*.txt")
"""Files of a source directory that are no part of the function."""

WHEEL_EXCLUDES = (
    "*.pyc",
    "*/__pycache__/*",
    "*/tests/*",
    # About the wheel and not about what is in it: the only text that differs between platforms.
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/sboms/*",
)
"""Files of a wheel that a function does not need."""

_LIBRARIES = re.compile(r"[^/]+\.data/(?:purelib|platlib)/(.+)")
_OTHER_DATA = re.compile(r"[^/]+\.data/.+")


class PackageError(Exception):
    """The zip cannot be built; the text says why and the fix."""


@dataclass(frozen=True)
class Recipe:
    """What a zip is made from.

    ``requirements`` is the text of the lock; without one nothing is fetched. ``python_version`` and
    ``platforms`` may be empty: then wheels are those for the interpreter ``native``, which runs pip.
    """

    sources: tuple[Path, ...]
    requirements: str
    python_version: str
    platforms: tuple[str, ...]
    native: str


class Entry(NamedTuple):
    """A file of the zip."""

    name: str
    content: bytes


def source_entries(sources: Sequence[Path]) -> list[Entry]:
    """The files of the source directories; each directory is a package under its own name."""
    entries = []
    for source in sources:
        if not source.is_dir():
            raise PackageError(f"{source} is not a directory. Fix: name the directory of a Python package.")
        for path in sorted(source.rglob("*")):
            name = f"{source.name}/{path.relative_to(source).as_posix()}"
            if path.is_file() and not _matches(name, SOURCE_EXCLUDES):
                entries.append(Entry(name, path.read_bytes()))
    return entries


def wheel_entries(wheels: Iterable[Path]) -> Iterator[Entry]:
    """The files that installing the wheels would put on the module path."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                name = _installed_name(info.filename)
                if name and not info.is_dir() and not _matches(name, WHEEL_EXCLUDES):
                    yield Entry(name, archive.read(info))


def write_zip(entries: Iterable[Entry]) -> bytes:
    """The zip of the entries, sorted by name; raises PackageError where two have the same name."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    for left, right in pairwise(ordered):
        if left.name == right.name:
            raise PackageError(f"Two files are called {left.name}. Fix: rename the one of the source.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in ordered:
            info = zipfile.ZipInfo(entry.name, TIMESTAMP)
            info.create_system = 3  # Unix, whatever this machine is: only then does the mode count
            info.external_attr = FILE_MODE << 16
            archive.writestr(info, entry.content)  # of a ZipInfo, zipfile stores the content as it is
    return buffer.getvalue()


def inputs_digest(recipe: Recipe) -> str:
    """SHA-256, in hex, of everything that the bytes of the zip depend on."""
    sources = {
        entry.name: hashlib.sha256(entry.content).hexdigest() for entry in source_entries(recipe.sources)
    }
    return _digest([FORMAT, SOURCE_EXCLUDES, WHEEL_EXCLUDES, sources, wheels_digest(recipe)])


def wheels_digest(recipe: Recipe) -> str:
    """SHA-256, in hex, of everything that decides which wheels are fetched."""
    if not recipe.requirements:
        return ""
    native = "" if recipe.python_version and recipe.platforms else recipe.native
    return _digest([recipe.requirements, recipe.python_version, recipe.platforms, native])


def code_sha256(content: bytes) -> str:
    """The hash of a zip as Lambda writes it (``CodeSha256``): SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def pip_arguments(recipe: Recipe, requirements: Path, destination: Path) -> list[str]:
    """The arguments with which pip fetches the wheels.

    Hashes are demanded, dependencies are not followed (a lock names all of them), nothing is compiled.
    Where to fetch from is the machine's own configuration.
    """
    arguments = ["download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    arguments += ["--only-binary=:all:", "--require-hashes"]
    if recipe.python_version:
        arguments += ["--implementation", "cp", "--python-version", recipe.python_version]
    for platform in recipe.platforms:
        arguments += ["--platform", platform]
    return [*arguments, "--dest", str(destination), "--requirement", str(requirements)]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _installed_name(name: str) -> str:
    """Where a file of a wheel is installed, below the module path; empty for scripts, headers and data."""
    library = _LIBRARIES.fullmatch(name)
    if library is not None:
        return library.group(1)
    return "" if _OTHER_DATA.fullmatch(name) else name
