"""The root file system that every machine starts from.

Built once by mmdebstrap, and cached under a fingerprint of what it is made from. Each machine gets a copy.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from local_cloud import amis, packages
from local_cloud.errors import CloudError
from local_cloud.processes import recipe, run
from local_cloud.settings import Settings

_FORMAT = "4"
"""Raise it when :func:`_command` or :func:`_customise` changes what is in the image."""

_PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,python3-apt,ca-certificates,curl,iproute2,sudo,udev,procps,netbase,acl"
)
USER = "ssm-user"
"""The user that sessions run as, made here as the SSM agent makes it on AWS."""

_FILES = {
    "etc/sudoers.d/ssm-agent-users": f"# as the SSM agent writes it\n{USER} ALL=(ALL) NOPASSWD:ALL\n",
    "etc/apt/apt.conf.d/80local-cloud": (
        'APT::Install-Recommends "true";\nAcquire::Retries "2";\nAcquire::Languages "none";\n'
    ),
}


def fingerprint() -> str:
    """Return the fingerprint that the cached image is named after."""
    files = json.dumps(_FILES, sort_keys=True)
    return recipe(_FORMAT, packages.SUITE, amis.debian_architecture(), _PACKAGES, files)


def path(settings: Settings) -> Path:
    """Return where the image is, or will be."""
    if settings.base_image:
        return Path(settings.base_image)
    return settings.cache / "machine-images" / f"{packages.SUITE}-{fingerprint()}"


def ensure(settings: Settings) -> bool:
    """Build the image unless it is there; return whether it had to be built."""
    image = path(settings)
    if image.exists():
        return False
    if settings.base_image:
        raise CloudError(f"the machine image {image} does not exist", "leave local_cloud_base_image empty")
    partial = image.with_suffix(".partial")
    remove_tree(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    run(_command(partial), fix="read the message; check this computer's apt sources")
    _customise(partial)
    partial.rename(image)
    _remove_others(image)
    return True


def _command(target: Path) -> list[str]:
    found = packages.mirrors()
    options = [f'--aptopt={key} "{value}"' for key, value in packages.apt_settings().items()]
    sources = [f"deb {found.archive} {suite} main" for suite in found.suites]
    if found.security:
        sources.append(f"deb {found.security} {packages.SUITE}-security main")
    return [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        # stays in the image: without a sync after each file, packages are installed in half the time
        "--dpkgopt=force-unsafe-io",
        f"--include={_PACKAGES}",
        f"--keyring={packages.KEYRING}",
        *options,
        packages.SUITE,
        str(target),
        *sources,
    ]


def _customise(root: Path) -> None:
    """Turn the bare system into what Debian's image with an SSM agent is on AWS."""
    for name, text in _FILES.items():
        write(root, name, text)
    (root / "etc/sudoers.d/ssm-agent-users").chmod(0o440)
    for name in ("etc/apt/sources.list", "etc/apt/sources.list.d/0000debian.sources"):
        (root / name).unlink(missing_ok=True)
    signed = "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    found = packages.mirrors()
    sources = f"Types: deb\nURIs: http://{packages.ARCHIVE}\nSuites: {' '.join(found.suites)}\n"
    sources += signed
    if found.security:
        sources += f"\nTypes: deb\nURIs: http://{packages.SECURITY}\n"
        sources += f"Suites: {packages.SUITE}-security\n{signed}"
    write(root, "etc/apt/sources.list.d/debian.sources", sources)
    # a snapshot mirror's release files are out of date: take over what this computer's apt is told about that
    checks = {key: value for key, value in packages.apt_settings().items() if "Check" in key}
    lines = "".join(f'{key} "{value}";\n' for key, value in sorted(checks.items()))
    write(root, "etc/apt/apt.conf.d/81local-cloud-mirror", lines)
    chroot(root, "useradd", "--create-home", "--shell", "/bin/bash", USER)
    chroot(root, "systemctl", "enable", "systemd-networkd.service")
    # the machines have no default route: waiting for one would only delay the boot
    chroot(root, "systemctl", "mask", "systemd-networkd-wait-online.service")
    for name in ("etc/machine-id", "var/lib/dbus/machine-id"):
        (root / name).unlink(missing_ok=True)
    write(root, "etc/resolv.conf", "")
    # otherwise the apt module's cache_valid_time takes the empty lists for fresh ones
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    os.utime(root / "var/lib/apt/lists", (0, 0))


def write(root: Path, name: str, text: str) -> None:
    """Write a file of a root, in place of whatever is there."""
    file = root / name
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def chroot(root: Path, *command: str) -> None:
    """Run a command of a root in it; no service may be started this way."""
    run(
        ["chroot", str(root), *command],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_OFFLINE": "1", "LANG": "C.UTF-8"},
        fix=f"remove {root} and start again",
    )


def copy(image: Path, root: Path) -> None:
    """Copy an image for one machine; instantly where the file system can share blocks."""
    partial = root.with_suffix(".partial")
    remove_tree(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    run(
        ["cp", "--archive", "--reflink=auto", str(image), str(partial)],
        fix="free some space on the disk",
    )
    partial.rename(root)


def remove_tree(root: Path) -> None:
    """Remove a directory tree if it is there."""
    if root.exists():
        shutil.rmtree(root)


def _remove_others(image: Path) -> None:
    """Remove images with other fingerprints: machines run from copies."""
    for other in image.parent.iterdir():
        if other != image:
            remove_tree(other)
