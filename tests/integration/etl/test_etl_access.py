"""The warehouse's roles may do no more than they need, and the loader checks the server's certificate."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from etl.connection import connector
from etl.row import Row
from etl.settings import Target
from etl.warehouse import Warehouse
from tests.support.postgres import DATABASE, LOADER, PASSWORD, READER, ThrowawayPostgres, throwaway_postgres

FIRST_COLUMNS = [
    "event_id",
    "event_timestamp",
    "event_name",
    "user_id",
    "user_login_state",
    "identity_source",
    "client_id",
    "session_id",
    "is_first_visit",
    "context_product_id",
    "context_product_name",
    "context_product_category",
    "context_product_brand",
    "context_product_price",
    "context_product_discount_price",
    "context_product_url_path",
]

TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
    "AND relnamespace = 'public'::regnamespace"
)


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        (LOADER, "TRUNCATE clickstream_events"),
        (LOADER, "DROP TABLE clickstream_events"),
        (LOADER, "CREATE TABLE mine (a int)"),
        (READER, "INSERT INTO event_name_aliases VALUES ('a', 'b')"),
        (READER, "UPDATE clickstream_events SET event_name = 'x'"),
        (READER, "CREATE TABLE mine (a int)"),
    ],
)
def test_roles_may_do_no_more_than_they_need(postgres: ThrowawayPostgres, user: str, statement: str) -> None:
    connection = postgres.connect(user)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_the_reader_reads_every_table_and_the_columns_keep_their_order(postgres: ThrowawayPostgres) -> None:
    connection = postgres.connect(READER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM clickstream_events")
        names = [column.name for column in cursor.description]
        for (table,) in postgres.execute(TABLES):
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    connection.close()
    assert names[:16] == FIRST_COLUMNS
    assert set(Row._fields) == set(names) - {"loaded_at", "visitor", "folded", "flood"}


@pytest.mark.usefixtures("server")  # skipped without PostgreSQL
def test_the_certificate_must_name_the_address(tmp_path: Path) -> None:
    """With verify-full libpq looks for an IP address among the certificate's IP addresses."""
    port = free_port()
    with throwaway_postgres(listen_addresses="127.0.0.1") as server:
        server.stop("fast")
        server.port = port
        ca = write_certificates(server.directory / "data", [ipaddress.ip_address("127.0.0.1")])
        (server.directory / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        server.settings["ssl"] = "on"
        server.start()
        server.create_database()
        certificate = tmp_path / "ca.pem"
        certificate.write_bytes(ca)

        @contextmanager
        def ca_file() -> Iterator[str]:
            yield str(certificate)

        target = Target("127.0.0.1", port, LOADER, DATABASE, None, None, PASSWORD)
        with Warehouse(connector(target, PASSWORD, ca_file)) as warehouse:
            warehouse.start_run({})
        assert psycopg2.extensions.libpq_version() >= 150000
        for host, ca_of in (("localhost", ca), ("127.0.0.1", make_ca("another")[2])):
            certificate.write_bytes(ca_of)
            with pytest.raises(psycopg2.OperationalError, match="certificate"):
                connector(replace(target, host=host), PASSWORD, ca_file)()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_ca(name: str) -> tuple[Any, Any, bytes]:
    """A CA: its key, its certificate, and that as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    return private, certificate, certificate.public_bytes(serialization.Encoding.PEM)


def write_certificates(directory: Path, addresses: list[Any]) -> bytes:
    """Give a server a certificate for these addresses; returns its CA's certificate as PEM."""
    import os

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, ca, pem = make_ca("test CA")
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "warehouse")]))
        .issuer_name(ca.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(item) for item in addresses]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    (directory / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = directory / "server.key"
    key_file.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    key_file.chmod(0o600)
    owner = directory.stat()
    if os.geteuid() == 0:
        os.chown(key_file, owner.st_uid, owner.st_gid)
    return pem
