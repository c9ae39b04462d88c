#!/usr/bin/python
"""Ansible module: the zip of a Lambda function, built reproducibly."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_zip
short_description: The zip of a Lambda function, built reproducibly
description:
  - Puts Python packages and the wheels of a lock into a zip. The same input gives the same bytes on every
    machine, so that a function whose C(CodeSha256) differs from RV(sha256) really has other code.
  - Wheels are fetched by pip for the function's platform and Python, whatever those of this machine are,
    from where the machine's own configuration says.
  - Nothing is fetched or built while the inputs are those of the zip that is there.
  - In check mode nothing is written or fetched; a zip that would be built has no hash yet.
options:
  path:
    description: The zip. Beside it lies C(<path>.inputs), which says what it was made from.
    type: path
    required: true
  sources:
    description:
      - Directories of Python packages; each stands in the zip under its own name.
      - Compiled files, hidden files and C(requirements*.txt) are left out.
    type: list
    elements: path
    required: true
  requirements:
    description: Lock in pip's format, with the hashes of the wheels. Without it nothing is fetched.
    type: path
  python_version:
    description: The function's Python, such as C(3.13). Without it this machine's.
    type: str
  platforms:
    description:
      - The platform tags that the function's system takes, best first. Without them this machine's.
      - Name every tag; pip takes an older version of a wheel rather than one whose tag it was not given.
    type: list
    elements: str
    default: []
  cache:
    description: Directory in which fetched wheels are kept. Without it the C(wheels) beside O(path).
    type: path
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Build the ETL's zip for AWS
  clickstream.aws.lambda_zip:
    path: .build/etl-arm64.zip
    sources: [lambda_src/etl, lambda_src/contract]
    requirements: lambda_src/etl/requirements.txt
    python_version: "3.13"
    platforms: [manylinux_2_28_aarch64, manylinux2014_aarch64]
"""

RETURN = r"""
path:
  description: The zip.
  returned: always
  type: str
sha256:
  description: SHA-256 of the zip in base64, as Lambda's C(CodeSha256); null where check mode would build it.
  returned: always
  type: str
size:
  description: Size of the zip in bytes; null where RV(sha256) is.
  returned: always
  type: int
inputs:
  description: SHA-256 of everything that the zip is made from, in hex.
  returned: always
  type: str
"""

import importlib.util
import json
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.lambda_zip import (
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

PIP_FIX = (
    "Fix: see that the lock has hashes for this Python and platform, and that pip's configuration reaches an "
    "index that has them."
)


def read_recipe(module: AnsibleModule) -> Recipe:
    """What the zip is to be made from."""
    requirements = ""
    if module.params["requirements"]:
        file = Path(module.params["requirements"])
        if not file.is_file():
            raise PackageError(f"{file} does not exist. Fix: name the lock, or leave requirements out.")
        requirements = file.read_text(encoding="utf-8")
    return Recipe(
        sources=tuple(Path(source) for source in module.params["sources"]),
        requirements=requirements,
        python_version=module.params["python_version"] or "",
        platforms=tuple(module.params["platforms"]),
        native=f"{sysconfig.get_platform()} {sys.implementation.cache_tag}",
    )


def built(path: Path, stamp: Path, inputs: str) -> bytes | None:
    """The zip, if it is there, whole, and made from these inputs."""
    try:
        record = json.loads(stamp.read_text(encoding="utf-8"))
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if record == {"inputs": inputs, "sha256": code_sha256(content)} else None


def fetch_wheels(module: AnsibleModule, recipe: Recipe, cache: Path) -> list[Path]:
    """The wheels of the lock, fetched unless an earlier build has fetched them all."""
    if not recipe.requirements:
        return []
    if importlib.util.find_spec("pip") is None:
        raise PackageError(f"{sys.executable} has no pip. Fix: {sys.executable} -m ensurepip")
    kept = cache / wheels_digest(recipe)
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            # Only a folder that pip has filled without an error gets the final name.
            fetched = Path(folder) / "wheels"
            requirements = Path(folder) / "requirements.txt"
            requirements.write_text(recipe.requirements, encoding="utf-8")
            arguments = pip_arguments(recipe, requirements, fetched)
            code, _, errors = module.run_command([sys.executable, "-m", "pip", *arguments])
            if code != 0:
                raise PackageError(f"pip cannot fetch the wheels: {last_error(errors)} {PIP_FIX}")
            shutil.move(fetched, kept)
    return sorted(kept.glob("*.whl"))


def last_error(text: str) -> str:
    """The last error that pip printed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing."])[-1].removeprefix("ERROR: ")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "sources": {"type": "list", "elements": "path", "required": True},
            "requirements": {"type": "path"},
            "python_version": {"type": "str"},
            "platforms": {"type": "list", "elements": "str", "default": []},
            "cache": {"type": "path"},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    stamp = path.with_name(f"{path.name}.inputs")
    cache = Path(module.params["cache"] or path.parent / "wheels")
    try:
        recipe = read_recipe(module)
        inputs = inputs_digest(recipe)
        content = built(path, stamp, inputs)
        changed = content is None
        before = code_sha256(path.read_bytes()) if changed and path.is_file() else ""
        if content is None and not module.check_mode:
            wheels = fetch_wheels(module, recipe, cache)
            content = write_zip([*source_entries(recipe.sources), *wheel_entries(wheels)])
            write(module, path, content)
            record = {"inputs": inputs, "sha256": code_sha256(content)}
            write(module, stamp, json.dumps(record).encode())
    except PackageError as error:
        module.fail_json(msg=str(error))
    sha256 = code_sha256(content) if content is not None else None
    result = {
        "changed": changed,
        "path": str(path),
        "sha256": sha256,
        "size": len(content) if content is not None else None,
        "inputs": inputs,
    }
    if changed:
        after = sha256 or "(built when not in check mode)"
        result["diff"] = {"before": {"sha256": before}, "after": {"sha256": after}}
    module.exit_json(**result)


def write(module: AnsibleModule, path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=module.tmpdir, delete=False) as file:
        file.write(content)
    module.atomic_move(file.name, str(path))


if __name__ == "__main__":
    main()
