"""Filter: what PostgreSQL stores instead of a password, made on the controller."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

from ansible.errors import AnsibleFilterError

ITERATIONS = 4096
"""PostgreSQL's default ``scram_iterations``."""

DOCUMENTATION = r"""
name: scram_verifier
short_description: The SCRAM-SHA-256 verifier of a password
description:
  - What PostgreSQL keeps in C(pg_authid.rolpassword), so that the password itself never leaves the
    controller.
  - The salt is derived from password and role, as slowly as the verifier itself. So the same password gives
    the same verifier, and a role can be compared with it instead of being given a new one at every run.
positional: _input, role
options:
  _input:
    description: The password, of ASCII characters.
    type: str
    required: true
  role:
    description: Name of the database role.
    type: str
    required: true
author: The clickstream platform's founders
"""

EXAMPLES = r"""
verifier: "{{ password | clickstream.aws.scram_verifier('clickstream_loader') }}"
"""

RETURN = r"""
_value:
  description: C(SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>)
  type: str
"""


def verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """A verifier as PostgreSQL writes it (RFC 5802; PostgreSQL's documentation of pg_authid)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    salt_text, stored, server = parts
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored}:{server}"


def scram_verifier(password: str, role: str) -> str:
    """The verifier of a role's password, always the same for the same two."""
    if not password or not password.isascii() or not password.isprintable():
        # Other characters would need normalisation (RFC 4013); a generated password has none.
        raise AnsibleFilterError(
            f"The password of {role} must be non-empty printable ASCII. "
            "Fix: remove its SSM parameter; site.yml makes a new one."
        )
    salt = hashlib.pbkdf2_hmac("sha256", password.encode(), role.encode(), ITERATIONS)[:16]
    return verifier(password, salt)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters by name."""
        return {"scram_verifier": scram_verifier}
