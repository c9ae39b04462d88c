"""Role secrets: the loader's password and the certificate authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.support.molecule.account import TAGS, client, tags

PASSWORD, KEY, CERTIFICATE = (
    "/clickstream/warehouse/loader_password",
    "/clickstream/ca/private_key",
    "/clickstream/ca/certificate",
)
MADE = [f"secret parameter {name}" for name in (PASSWORD, KEY, CERTIFICATE)]
BROKEN = [f"secret parameter {CERTIFICATE}"]


def value(name: str) -> str:
    return str(client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def public_key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verify() -> None:
    """A password, and an authority that may sign servers and nothing else."""
    assert len(value(PASSWORD)) == 40 and value(PASSWORD).isalnum()
    certificate = x509.load_pem_x509_certificate(value(CERTIFICATE).encode())
    key = load_pem_private_key(value(KEY).encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    assert public_key(certificate) == key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    certificate.verify_directly_issued_by(certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.key_cert_sign and usage.value.crl_sign
    assert not usage.value.digital_signature
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=3648) < left < timedelta(days=3651)
    assert len(certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest) == 20
    types = {one["Name"]: one["Type"] for one in client("ssm").describe_parameters()["Parameters"]}
    assert types == dict.fromkeys((PASSWORD, KEY, CERTIFICATE), "SecureString")
    # the first versions still: a lost certificate is made again with the same key
    for name in (PASSWORD, KEY):
        assert client("ssm").get_parameter(Name=name)["Parameter"]["Version"] == 1, name
    for name in types:
        assert tags(client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)) == TAGS


def break_by_hand() -> None:
    """The certificate is lost."""
    client("ssm").delete_parameter(Name=CERTIFICATE)
