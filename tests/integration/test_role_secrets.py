"""The certificate authority's life: made once, kept, renewed with its key, made anew where the key is lost.

The tests are that life and build on each other, in the order of this file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
def cloud() -> Iterator[Cloud]:
    with emulated_cloud() as made:
        yield made


def run(cloud: Cloud, scratch: Path, *arguments: str) -> int:
    """Run playbooks/secrets.yml, as loud as it can be; returns how many tasks changed something."""
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
    return int(re.findall(r"changed=(\d+)", done.stdout)[-1])


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


def test_check_mode_on_an_empty_account_names_all_three_and_writes_none(cloud: Cloud, tmp_path: Path) -> None:
    assert run(cloud, tmp_path, "--check") == 3
    assert [value(cloud, name) for name in (PASSWORD, KEY, CERTIFICATE)] == [None, None, None]


def test_the_authority_may_sign_servers_and_nothing_else(cloud: Cloud, tmp_path: Path) -> None:
    assert run(cloud, tmp_path) == 3
    certificate = authority(cloud)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.key_cert_sign and usage.value.crl_sign
    assert not usage.value.digital_signature
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=3648) < left < timedelta(days=3651)
    assert len(subject_key(certificate)) == 20
    types = {
        item["Name"]: item["Type"]
        for item in cloud.ssm.describe_parameters()["Parameters"]
        if item["Name"] in (PASSWORD, KEY, CERTIFICATE)
    }
    assert set(types.values()) == {"SecureString"} and len(types) == 3


def test_a_second_run_keeps_everything(cloud: Cloud, tmp_path: Path) -> None:
    before = [value(cloud, name) for name in (PASSWORD, KEY, CERTIFICATE)]
    assert run(cloud, tmp_path) == 0
    assert [value(cloud, name) for name in (PASSWORD, KEY, CERTIFICATE)] == before


def test_a_certificate_near_its_end_is_renewed_with_the_same_key(cloud: Cloud, tmp_path: Path) -> None:
    before = authority(cloud)
    soon = ("-e", "secrets_ca_renew_days=4000", "-e", "secrets_ca_days=5000")
    assert run(cloud, tmp_path, "--check", *soon) == 1
    assert authority(cloud) == before
    assert run(cloud, tmp_path, *soon) == 1
    after = authority(cloud)
    assert public_key(after) == public_key(before) and after.subject == before.subject
    assert subject_key(after) == subject_key(before)
    assert after.not_valid_after_utc > before.not_valid_after_utc


def test_a_lost_certificate_is_made_again_with_the_same_key(cloud: Cloud, tmp_path: Path) -> None:
    before = authority(cloud)
    cloud.ssm.delete_parameter(Name=CERTIFICATE)
    assert run(cloud, tmp_path) == 1
    assert public_key(authority(cloud)) == public_key(before)


def test_a_lost_key_makes_a_new_authority(cloud: Cloud, tmp_path: Path) -> None:
    before = authority(cloud)
    cloud.ssm.delete_parameter(Name=KEY)
    assert run(cloud, tmp_path, "--check") == 2
    assert run(cloud, tmp_path) == 2
    assert public_key(authority(cloud)) != public_key(before)


def test_no_run_has_shown_a_secret(cloud: Cloud) -> None:
    assert OUTPUTS
    key = (value(cloud, KEY) or "").splitlines()[1]
    for output in OUTPUTS:
        assert "PRIVATE KEY" not in output
        assert key not in output
        assert (value(cloud, PASSWORD) or "") not in output
