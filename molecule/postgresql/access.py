"""Who gets into a PostgreSQL server, tried from this machine: prints {attempt: "in" or the server's answer}.

usage: access.py HOST CA_FILE OUTSIDE_ADDRESS, with the loader's password in PGPASSWORD.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import sys

import psycopg2

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Of PostgreSQL's frontend/backend protocol, "Message Formats"."""

LOADER = {"user": "clickstream_loader", "dbname": "clickstream_dw", "sslmode": "verify-full"}


def attempt(host: str, ca: str, **parameters: str) -> str:
    """Log in with libpq."""
    try:
        psycopg2.connect(host=host, sslrootcert=ca, connect_timeout=5, **{**LOADER, **parameters}).close()
    except psycopg2.OperationalError as error:
        return str(error).strip().splitlines()[-1]
    return "in"


def first_answer(host: str, source: str) -> str:
    """What the server answers to the loader's start-up message, over TLS from another address."""
    with socket.create_connection((host, 5432), timeout=5, source_address=(source, 0)) as plain:
        plain.sendall(SSL_REQUEST)
        if plain.recv(1) != b"S":
            return "no TLS"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(plain) as secure:
            body = struct.pack("!i", 196608) + b"user\0clickstream_loader\0database\0clickstream_dw\0\0"
            secure.sendall(struct.pack("!i", len(body) + 4) + body)
            answer = secure.recv(4096)
    return "asks for a password" if answer[:1] == b"R" else answer[5:].replace(b"\0", b" ").decode()


def old_tls(host: str, version: ssl.TLSVersion) -> str:
    """Whether the server still speaks that TLS."""
    with socket.create_connection((host, 5432), timeout=5) as plain:
        plain.sendall(SSL_REQUEST)
        plain.recv(1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        try:
            context.wrap_socket(plain).close()
        except (ssl.SSLError, ConnectionError):
            return "refused"
    return "in"


def main() -> None:
    """Try everything."""
    host, ca, outside = sys.argv[1:]
    found = {
        "loader over TLS": attempt(host, ca),
        "loader without TLS": attempt(host, ca, sslmode="disable"),
        "loader with a wrong password": attempt(host, ca, password=host),
        "loader to another database": attempt(host, ca, dbname="postgres"),
        "reader from the network": attempt(host, ca, user="clickstream_reader"),
        "owner from the network": attempt(host, ca, user="clickstream_owner"),
        "superuser from the network": attempt(host, ca, user="postgres"),
        "loader from outside of the subnet": first_answer(host, outside),
        "TLS 1.2": old_tls(host, ssl.TLSVersion.TLSv1_2),
        "TLS 1.3": old_tls(host, ssl.TLSVersion.TLSv1_3),
    }
    os.environ.pop("PGPASSWORD")
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
