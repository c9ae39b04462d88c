"""What bounds a session of the loader: prints its limits, and what the server says to one that raises them.

usage: limits.py HOST CA_FILE, with the loader's password in PGPASSWORD.
"""

from __future__ import annotations

import json
import sys

import psycopg2
import psycopg2.errors

SHOWN = {
    "statement": "statement_timeout",
    "idle": "idle_in_transaction_session_timeout",
    "temporary": "temp_file_limit",
}


def main() -> None:
    """Ask."""
    host, ca = sys.argv[1:]
    connection = psycopg2.connect(
        host=host, user="clickstream_loader", dbname="clickstream_dw", sslmode="verify-full", sslrootcert=ca
    )
    connection.autocommit = True
    found = {"protocol": connection.info.ssl_attribute("protocol")}
    with connection.cursor() as cursor:
        for name, setting in SHOWN.items():
            cursor.execute("SELECT current_setting(%s)", (setting,))
            found[name] = cursor.fetchone()[0]
        try:
            cursor.execute("SET temp_file_limit = -1")
            found["raised"] = "in"
        except psycopg2.errors.InsufficientPrivilege:
            found["raised"] = "refused"
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
