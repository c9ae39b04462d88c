"""The zip of a function: the same bytes for the same input, and the files that a function needs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.module_utils.lambda_zip import (
    Entry,
    PackageError,
    Recipe,
    code_sha256,
    inputs_digest,
    pip_arguments,
    source_entries,
    wheel_entries,
    wheels_digest,
    write_zip,
)

ROOT = Path(__file__).parents[3]
LAMBDA_TAKES = 50 * 1024**2
"""Bytes of a zip that is uploaded directly (Lambda quotas); unzipped, as large here, it takes 250 MB."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small source package."""
    source = tmp_path / "here" / "thing"
    (source / "sql").mkdir(parents=True)
    (source / "__init__.py").write_text("VALUE = 1\n")
    (source / "sql" / "one.sql").write_text("SELECT 1\n")
    return source


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with what wheels have: code, a script, a library under .data, records, tests."""
    path = tmp_path / "lib-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lib/__init__.py", "x = 1\n" * 1000)
        archive.writestr("lib/tests/test_lib.py", "")
        archive.writestr("lib-1.0.data/scripts/lib", "#!python")
        archive.writestr("lib-1.0.data/platlib/fast.so", b"\x7fELF" + bytes(range(256)) * 10)
        archive.writestr("lib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n")
        archive.writestr("lib-1.0.dist-info/RECORD", "")
        archive.writestr("lib-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return path


def recipe(*sources: Path, **changes: Any) -> Recipe:
    values = {"requirements": "", "python_version": "3.13", "platforms": ("p",), "native": "here"}
    return Recipe(sources=sources, **(values | changes))


def test_time_mode_place_and_caches_do_not_matter(package: Path, tmp_path: Path) -> None:
    first = write_zip(source_entries([package]))
    other = tmp_path / "there" / "thing"
    shutil.copytree(package, other)
    (other / "__pycache__").mkdir()
    (other / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    (other / ".hidden").write_text("x")
    (other / "requirements.txt").write_text("lib==1.0\n")
    (other / "__init__.py").chmod(0o600)
    os.utime(other / "__init__.py", (1, 1))
    assert write_zip(source_entries([other])) == first
    assert inputs_digest(recipe(other)) == inputs_digest(recipe(package))


def test_order_of_sources_does_not_matter(package: Path, wheel: Path) -> None:
    entries = [*source_entries([package]), *wheel_entries([wheel])]
    assert write_zip(entries) == write_zip(reversed(entries))


def test_holds_what_a_function_needs_and_no_more(package: Path, wheel: Path) -> None:
    content = write_zip([*source_entries([package]), *wheel_entries([wheel])])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "fast.so",
            "lib-1.0.dist-info/METADATA",
            "lib/__init__.py",
            "thing/__init__.py",
            "thing/sql/one.sql",
        ]
        assert archive.read("fast.so").endswith(bytes(range(256)))
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        # Compressing would give other bytes with another zlib.
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(PackageError, match="Two files are called a"):
        write_zip([Entry("a", b"1"), Entry("a", b"2")])


def test_a_source_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="not a directory"):
        source_entries([tmp_path / "nothing"])


def test_digest_follows_the_inputs(package: Path) -> None:
    base = recipe(package, requirements="lib==1.0")
    digests = {inputs_digest(base)}
    digests.add(inputs_digest(recipe(package, requirements="lib==1.1")))
    digests.add(inputs_digest(recipe(package, requirements="lib==1.0", python_version="3.12")))
    digests.add(inputs_digest(recipe(package, requirements="lib==1.0", platforms=("q",))))
    (package / "new.py").write_text("")
    digests.add(inputs_digest(base))
    assert len(digests) == 5


def test_this_machine_matters_only_where_it_decides(package: Path) -> None:
    def digest(**changes: Any) -> str:
        return wheels_digest(recipe(package, requirements="lib==1.0", **changes))

    assert digest(native="here") == digest(native="there")
    assert digest(native="here", platforms=()) != digest(native="there", platforms=())
    assert digest(native="here", python_version="") != digest(native="there", python_version="")


def test_pip_is_told_platform_and_python_and_to_demand_hashes() -> None:
    lock = recipe(requirements="lib==1.0", platforms=("best", "good"))
    arguments = pip_arguments(lock, Path("lock"), Path("wheels"))
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(arguments)
    text = " ".join(arguments)
    assert "--platform best --platform good" in text
    assert "--implementation cp --python-version 3.13" in text
    native = pip_arguments(recipe(python_version="", platforms=()), Path("lock"), Path("wheels"))
    assert not {"--platform", "--python-version", "--implementation"} & set(native)


class Module:
    """Runs the module as Ansible does: arguments in, one JSON answer out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, check: bool = False, **arguments: Any) -> dict[str, Any]:
        options = arguments | {"_ansible_check_mode": check, "_ansible_remote_tmp": str(self.folder)}
        code = (
            "from ansible.module_utils.testing import patch_module_args\n"
            "from ansible_collections.clickstream.aws.plugins.modules import lambda_zip\n"
            "import json, sys\n"
            "with patch_module_args(json.load(sys.stdin)):\n"
            "    lambda_zip.main()\n"
        )
        environment = os.environ | {"PYTHONPATH": str(ROOT / "collections")}
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(options),
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(tmp_path)


def test_check_then_build_then_repeat_then_drift(module: Module, package: Path, tmp_path: Path) -> None:
    arguments = {"path": str(tmp_path / "out" / "thing.zip"), "sources": [str(package)]}
    planned = module(check=True, **arguments)
    assert planned["changed"] and planned["sha256"] is None
    assert not (tmp_path / "out").exists()

    built = module(**arguments)
    content = Path(arguments["path"]).read_bytes()
    assert built["changed"] and built["sha256"] == code_sha256(content) and built["size"] == len(content)

    for check in (True, False):
        again = module(check=check, **arguments)
        assert not again["changed"] and again["sha256"] == built["sha256"]

    Path(arguments["path"]).write_bytes(b"damaged")
    assert module(check=True, **arguments)["changed"]
    assert module(**arguments)["sha256"] == built["sha256"]

    (package / "new.py").write_text("")
    assert module(check=True, **arguments)["sha256"] is None
    assert module(**arguments)["sha256"] != built["sha256"]


def test_wheels_are_fetched_by_hash_and_kept(
    module: Module, package: Path, wheel: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "lock.txt"
    lock.write_text(f"--no-index\n--find-links {tmp_path}\nlib==1.0 --hash=sha256:{digest}\n")
    arguments = {"path": str(tmp_path / "out.zip"), "sources": [str(package)], "requirements": str(lock)}
    assert module(**arguments)["changed"]
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "lib/__init__.py" in archive.namelist()
    # With the wheels kept, another source needs no index.
    wheel.unlink()
    (package / "new.py").write_text("")
    assert module(**arguments)["changed"]

    lock.write_text(f"--no-index\n--find-links {tmp_path}\nlib==1.0 --hash=sha256:{'0' * 64}\n")
    refused = module(**arguments)
    assert refused["failed"] and "Fix:" in refused["msg"]


def test_zips_for_aws_and_for_this_machine_differ_in_binaries_only(module: Module, tmp_path: Path) -> None:
    """What is tested on this machine is what runs on AWS. Fetches wheels unless they are kept."""
    source = ROOT / "lambda_src"
    common: dict[str, Any] = {
        "sources": [str(source / "etl"), str(source / "contract")],
        "requirements": str(source / "etl" / "requirements.txt"),
        # Kept between runs; .cache is not under version control.
        "cache": str(ROOT / ".cache" / "wheels"),
    }
    aws = {"python_version": "3.13", "platforms": ["manylinux_2_28_aarch64", "manylinux2014_aarch64"]}
    answers = [
        module(path=str(tmp_path / "aws.zip"), **common, **aws),
        module(path=str(tmp_path / "here.zip"), **common),
    ]
    assert [answer.get("msg") for answer in answers] == [None, None]
    again = module(path=str(tmp_path / "again.zip"), **common, **aws)
    assert again["sha256"] == answers[0]["sha256"], "the same input gives the same bytes"
    assert all(answer["size"] < LAMBDA_TAKES / 2 for answer in answers)
    files = [text_files(Path(answer["path"])) for answer in answers]
    assert files[0] == files[1]
    assert {"etl/handler.py", "contract/event_names.json", "psycopg2/__init__.py"} <= set(files[0])
    with zipfile.ZipFile(answers[0]["path"]) as archive:
        binaries = [name for name in archive.namelist() if "_psycopg" in name]
        assert binaries == ["psycopg2/_psycopg.cpython-313-aarch64-linux-gnu.so"]
        # ELF, 64 bit; e_machine 183 is AArch64
        header = archive.read(binaries[0])[:20]
        assert header[:5] == b"\x7fELF\x02" and int.from_bytes(header[18:20], "little") == 183


def text_files(path: Path) -> dict[str, bytes]:
    """The files of a zip that are no shared libraries."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    return {name: content for name, content in contents.items() if not content.startswith(b"\x7fELF")}


def test_a_missing_lock_is_named(module: Module, package: Path, tmp_path: Path) -> None:
    answer = module(path=str(tmp_path / "x.zip"), sources=[str(package)], requirements=str(tmp_path / "none"))
    assert answer["failed"] and "does not exist" in answer["msg"]
