"""A visitor with an account: signs up, in and out as a page does it, with calls that nobody signs.

The password never leaves this file: Cognito's SRP (RFC 5054, group of 3072 bits), as its libraries speak it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
INFO = b"Caldera Derived Key\x01"


def padded(number: int) -> bytes:
    """Big-endian, with a zero byte where the first bit is set."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def digest(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


@dataclass
class Visitor:
    """Somebody with an e-mail address and a password, at the app client of a pool."""

    endpoint: str
    pool_id: str
    client_id: str
    email: str
    password: str = "Correct-Horse-7-Battery"

    def __post_init__(self) -> None:
        unsigned = Config(signature_version=UNSIGNED)
        region = self.pool_id.partition("_")[0]
        self.cognito: Any = boto3.client(
            "cognito-idp", region_name=region, endpoint_url=self.endpoint, config=unsigned
        )

    def sign_up(self, code: str = "123456") -> None:
        """Make the account, and confirm the address with the code of the mail."""
        self.cognito.sign_up(
            ClientId=self.client_id,
            Username=self.email,
            Password=self.password,
            UserAttributes=[{"Name": "email", "Value": self.email}],
        )
        self.confirm(code)

    def confirm(self, code: str = "123456") -> None:
        """Show that the address is one's own. ministack's codes are all the same."""
        self.cognito.confirm_sign_up(ClientId=self.client_id, Username=self.email, ConfirmationCode=code)

    def sign_in(self) -> dict[str, str]:
        """AccessToken, IdToken and RefreshToken."""
        secret = secrets.randbelow(PRIME)
        public = pow(GENERATOR, secret, PRIME)
        asked = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": self.email, "SRP_A": f"{public:x}"},
        )
        given = asked["ChallengeParameters"]
        now = datetime.now(UTC)
        stamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now:%Y}"
        key = self._key(secret, public, int(given["SRP_B"], 16), int(given["SALT"], 16), given)
        signed = b"".join(
            [
                (self.pool_id.partition("_")[2] + given["USER_ID_FOR_SRP"]).encode(),
                base64.b64decode(given["SECRET_BLOCK"]),
                stamp.encode(),
            ]
        )
        proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        answer = self.cognito.respond_to_auth_challenge(
            ClientId=self.client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses={
                "USERNAME": given["USER_ID_FOR_SRP"],
                "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": proof,
                "TIMESTAMP": stamp,
            },
        )
        return dict(answer["AuthenticationResult"])

    def _key(self, secret: int, public: int, theirs: int, salt: int, given: dict[str, str]) -> bytes:
        name = self.pool_id.partition("_")[2] + given["USER_ID_FOR_SRP"]
        hidden = digest(padded(salt), hashlib.sha256(f"{name}:{self.password}".encode()).digest())
        both = digest(padded(public), padded(theirs))
        multiplier = digest(padded(PRIME), padded(GENERATOR))
        base = (theirs - multiplier * pow(GENERATOR, hidden, PRIME)) % PRIME
        shared = pow(base, secret + both * hidden, PRIME)
        extracted = hmac.new(padded(both), padded(shared), hashlib.sha256).digest()
        return hmac.new(extracted, INFO, hashlib.sha256).digest()[:16]

    def renew(self, refresh_token: str) -> dict[str, str]:
        """A new AccessToken and IdToken."""
        answer = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        )
        return dict(answer["AuthenticationResult"])

    def sign_out(self, refresh_token: str) -> None:
        """The refresh token, and what it gave, is worth nothing from now on."""
        self.cognito.revoke_token(ClientId=self.client_id, Token=refresh_token)
