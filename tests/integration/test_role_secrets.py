"""The certificate authority after it was made (molecule/secrets): renewed with its key, made anew without it.

The tests are that life and build on each other, in the order of this file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.support.modules import PROJECT, REGION
from tests.support.services import Cloud, emulated_cloud

PASSWORD = "/clickstream/warehouse/loader_password"
KEY = "/clickstream/ca/private_key"
CERTIFICATE = "/clickstream/ca/certificate"
INVENTORY = (
    "controller:\n  hosts:\n    localhost: {ansible_connection: local, ansible_python_interpreter: '%s'}\n"
)
OUTPUTS: list[str] = []
"""What the runs printed: no secret may be in it."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account with the secrets."""
    with emulated_cloud() as made:
        assert run(made, tmp_path_factory.mktemp("first")) == {PASSWORD, KEY, CERTIFICATE}
        yield made


def run(cloud: Cloud, scratch: Path, *arguments: str) -> set[str]:
    """Run playbooks/secrets.yml, as loud as it can be; returns what it changed or would change."""
    inventory = scratch / "hosts.yml"
    inventory.write_text(INVENTORY % sys.executable)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", str(inventory), "-vvv", "--diff", "playbooks/secrets.yml", *arguments),
        ],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        },
        capture_output=True,
        text=True,
    )
    OUTPUTS.append(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    # from the results: a diff that hides both values shows nothing
    return set(re.findall(r"after_header: secret parameter (\S+)", done.stdout))


def value(cloud: Cloud, name: str) -> str | None:
    try:
        return str(cloud.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ParameterNotFound"
        return None


def authority(cloud: Cloud) -> x509.Certificate:
    """The certificate; it is the stored key's, and signed by it."""
    certificate = x509.load_pem_x509_certificate((value(cloud, CERTIFICATE) or "").encode())
    key = load_pem_private_key((value(cloud, KEY) or "").encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    assert public_key(certificate) == key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    certificate.verify_directly_issued_by(certificate)
    return certificate


def public_key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def subject_key(certificate: x509.Certificate) -> bytes:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_a_certificate_near_its_end_is_renewed_with_the_same_key(cloud: Cloud, tmp_path: Path) -> None:
    before = authority(cloud)
    soon = ("-e", "secrets_ca_renew_days=4000", "-e", "secrets_ca_days=5000")
    assert run(cloud, tmp_path, "--check", *soon) == {CERTIFICATE}
    assert authority(cloud) == before
    assert run(cloud, tmp_path, *soon) == {CERTIFICATE}
    after = authority(cloud)
    assert public_key(after) == public_key(before) and after.subject == before.subject
    assert subject_key(after) == subject_key(before)
    assert after.not_valid_after_utc > before.not_valid_after_utc


def test_a_lost_key_makes_a_new_authority(cloud: Cloud, tmp_path: Path) -> None:
    before = authority(cloud)
    cloud.ssm.delete_parameter(Name=KEY)
    assert run(cloud, tmp_path, "--check") == {KEY, CERTIFICATE}
    assert run(cloud, tmp_path) == {KEY, CERTIFICATE}
    assert public_key(authority(cloud)) != public_key(before)


def test_no_run_has_shown_a_secret(cloud: Cloud) -> None:
    assert OUTPUTS
    key = (value(cloud, KEY) or "").splitlines()[1]
    for output in OUTPUTS:
        assert "PRIVATE KEY" not in output
        assert key not in output
        assert (value(cloud, PASSWORD) or "") not in output
