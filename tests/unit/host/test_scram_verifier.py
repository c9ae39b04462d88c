"""The verifier is what PostgreSQL computes: RFC 7677's own exchange, and what roles rely on."""

import base64
import hashlib
import hmac

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.clickstream.aws.plugins.filter.scram_verifier import scram_verifier, verifier

# RFC 7677, section 3: user "user", password "pencil".
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
AUTH_MESSAGE = (
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
CLIENT_PROOF = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SERVER_SIGNATURE = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def parts(text: str) -> tuple[bytes, bytes]:
    """Stored key and server key."""
    stored, server = text.split("$")[2].split(":")
    return base64.b64decode(stored), base64.b64decode(server)


def test_it_accepts_the_client_of_rfc_7677() -> None:
    stored, server = parts(verifier("pencil", SALT))
    signature = hmac.digest(stored, AUTH_MESSAGE.encode(), "sha256")
    client_key = bytes(a ^ b for a, b in zip(CLIENT_PROOF, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == stored
    assert hmac.digest(server, AUTH_MESSAGE.encode(), "sha256") == SERVER_SIGNATURE


def test_same_password_and_role_same_verifier() -> None:
    assert scram_verifier("s3cret", "loader") == scram_verifier("s3cret", "loader")


def test_each_role_has_its_own_salt() -> None:
    assert scram_verifier("s3cret", "loader") != scram_verifier("s3cret", "reader")


def test_the_password_is_not_in_it() -> None:
    assert "s3cret" not in scram_verifier("s3cret", "loader")


@pytest.mark.parametrize("password", ["", "mật khẩu", "line\nbreak"])
def test_passwords_that_would_need_normalisation_are_refused(password: str) -> None:
    with pytest.raises(AnsibleFilterError, match="printable ASCII"):
        scram_verifier(password, "loader")
