"""One load in a process of its own: `python -m tests.bench.loading <way> <S3 address> <socket>`.

The ways are `loader` (the ETL), `again` (the ETL reprocesses), `baseline` (a sequential loader, in batches
of 200) and `copy` (COPY alone).

Prints a JSON object: events, objects, seconds, processor seconds, and the peak of memory in MB.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Any

import botocore.session
import psycopg2
from botocore.config import Config
from psycopg2.extras import execute_values

from contract.timestamps import ClockRules
from etl.copytext import copy_values
from etl.fetch import Fetcher
from etl.merge import COPY_BYTES, COPY_ROWS
from etl.payload import read_payload
from etl.records import read_object
from etl.row import Row
from etl.run import Run
from etl.settings import Tuning
from etl.store import S3Store, aws_session
from etl.warehouse import Warehouse
from tests.support.postgres import DATABASE, LOADER

BATCH = 200


def client(address: str, session: Any) -> Any:
    session.set_credentials("key", "secret")
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard"})
    made = session.create_client("s3", region_name="ap-southeast-1", endpoint_url=address, config=config)
    return made, session.get_credentials()


def connect(socket: str) -> Any:
    return psycopg2.connect(host=socket, port=5432, user=LOADER, dbname=DATABASE)


def loader(
    address: str, socket: str, asked: dict[str, object] | None = None, counted: str = "loaded"
) -> tuple[int, int]:
    """The ETL, as its handler runs it."""
    s3, credentials = client(address, aws_session())
    store = S3Store(s3, "raw", Fetcher(credentials, "ap-southeast-1"))
    selection, payload = read_payload(asked or {})
    with Warehouse(lambda: connect(socket)) as warehouse:
        run = Run(store, warehouse, selection, Tuning(), ClockRules(), seconds_left=lambda: 900.0)
        answer = run.load(payload, datetime.now(UTC))
    assert answer["status"] == "complete", answer
    return answer["events"][counted], answer["objects"]["read"]  # type: ignore[literal-required]


def again(address: str, socket: str) -> tuple[int, int]:
    """The ETL on objects that are loaded already: every row is compared with its object."""
    return loader(address, socket, {"prefix": "events/", "reprocess": True}, "duplicate")


def baseline(address: str, socket: str) -> tuple[int, int]:
    """A simple loader: list, then get, parse and insert in batches, one after another."""
    s3, _ = client(address, botocore.session.get_session())
    connection = connect(socket)
    cursor = connection.cursor()
    columns = ", ".join(Row._fields)
    statement = f"INSERT INTO clickstream_events ({columns}) VALUES %s ON CONFLICT DO NOTHING"  # noqa: S608
    rows: list[list[str | None]] = []
    events = objects = 0

    def flush() -> None:
        if rows:
            execute_values(cursor, statement, rows, page_size=BATCH)
            connection.commit()
            rows.clear()

    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="raw", Prefix="events/"):
        for entry in page.get("Contents", []):
            content = s3.get_object(Bucket="raw", Key=entry["Key"])["Body"].read()
            objects += 1
            records = read_object(content, entry["Key"], entry["LastModified"], ClockRules(), 10**9, False)
            for _, line in records.lines:
                rows.append(copy_values(line))
                events += 1
                if len(rows) == BATCH:
                    flush()
    flush()
    return events, objects


def copy(address: str, socket: str) -> tuple[int, int]:
    """Bare COPY of the same rows, made before the clock starts, into the same table with its indexes."""
    s3, credentials = client(address, aws_session())
    store = S3Store(s3, "raw", Fetcher(credentials, "ap-southeast-1"))
    chunks: list[bytes] = []
    lines: list[str] = []
    events = objects = 0
    for page in store.pages(read_payload({})[0]):
        for info in page:
            objects += 1
            records = read_object(store.get(info.key), info.key, info.last_modified, ClockRules(), 10**9)
            lines += [line for _, line in records.lines]
            if len(lines) >= Tuning().chunk_events:
                chunks.append("".join(lines).encode())
                events += len(lines)
                lines = []
    chunks.append("".join(lines).encode())
    events += len(lines)
    import io

    connection = connect(socket)
    cursor = connection.cursor()
    global started
    started = time.perf_counter()
    for chunk in chunks:
        cursor.copy_expert(COPY_ROWS, io.BytesIO(chunk), COPY_BYTES)
        connection.commit()
    return events, objects


started = 0.0

if __name__ == "__main__":
    way = {"loader": loader, "again": again, "baseline": baseline, "copy": copy}[sys.argv[1]]
    started = time.perf_counter()
    events, objects = way(sys.argv[2], sys.argv[3])
    print(
        json.dumps(
            {
                "events": events,
                "objects": objects,
                "seconds": time.perf_counter() - started,
                "cpu": sum(os.times()[:2]),
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )
