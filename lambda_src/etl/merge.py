"""A chunk -> the warehouse's tables, statement by statement, in the caller's transaction."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from etl.chunk import Chunk, CopyTexts
from etl.copytext import TAB, copy_line
from etl.labels import Folded, LabelLimits, fold
from etl.statements import SQL

COPY_ROWS: Final = SQL["copy_staging"].replace("etl_staging", "public.clickstream_events")
"""COPY straight into the table, with the same columns as into the staging table."""
_LAST: Final = "source_position"
COPY_BYTES: Final = 1 << 21
"""How many bytes of COPY text psycopg2 passes on at once."""


def merge(cursor: Any, chunk: Chunk, run_id: int, limits: LabelLimits) -> int:
    """Write a chunk's rows, rejected events, ledger and failures; return how many events were new."""
    texts = chunk.texts or CopyTexts.of(chunk.lines)
    folded, marked = _fold(cursor, chunk, limits) if chunk.lines else Folded({}, {})
    if marked:
        chunk = replace(chunk, lines={**chunk.lines, **marked})
    unloaded = _drop_orphans(cursor, chunk, texts, folded) if chunk.reread else []
    loaded = _write_rows(cursor, chunk, texts, folded) if chunk.lines else 0
    if chunk.objects:
        _record_objects(cursor, chunk, run_id)
    if unloaded:
        cursor.execute(SQL["queue_objects"], {"keys": unloaded})
    if chunk.rejected:
        # By COPY: psycopg2 writes parameters into the statement, and PostgreSQL may log a statement.
        lines = (copy_line(map(str, rejected)) for rejected in chunk.rejected)
        _copy(cursor, SQL["copy_rejected"], _joined(lines))
    if chunk.failures:
        cursor.execute(
            SQL["record_failures"],
            {
                "keys": list(chunk.failures),
                "errors": list(chunk.failures.values()),
                "etags": [chunk.set_aside.get(key) for key in chunk.failures],
            },
        )
    return loaded


def insert_new(
    cursor: Any, lines: Mapping[str, str], texts: CopyTexts, folded: Mapping[str, int]
) -> set[str]:
    """Write the rows whose event is new, and return the ids of the other events.

    New rows go straight into the table by COPY; only their ids are staged. `folded` has the bits of those
    rows that have any.
    """
    _copy(cursor, SQL["copy_ids"], texts.ids)
    cursor.execute(SQL["make_partitions"], {"days": texts.days})
    cursor.execute(SQL["insert_ids"])
    if cursor.rowcount == len(lines):
        _copy_rows(cursor, COPY_ROWS, lines, folded, texts)
        return set()
    cursor.execute(SQL["prefer_indexes"])
    cursor.execute(SQL["stored_ids"])
    stored = {event_id for (event_id,) in cursor.fetchall()}
    _copy_rows(cursor, COPY_ROWS, {key: line for key, line in lines.items() if key not in stored}, folded)
    return stored


def _fold(cursor: Any, chunk: Chunk, limits: LabelLimits) -> Folded:
    """Admit the chunk's new labels; return the rows with labels that count as "(other)".

    Usually no label is new, and one statement finds that out.
    """
    labels = chunk.find_labels() if chunk.labels is None else chunk.labels
    numbered = list(labels)
    lines = (
        f"{number}\t{label.kind}\t{label.day}\t{label.value}\t{place.source_object}\t{place.position}\n"
        for number, (label, place) in enumerate(labels.items())
    )
    _copy(cursor, SQL["copy_labels"], _joined(lines))
    cursor.execute(SQL["label_days"])
    days = [day for (day,) in cursor.fetchall()]
    kinds, most = map(list, zip(*limits.by_kind(), strict=True))
    for day in days:
        cursor.execute(SQL["admit_labels"], {"day": day, "kinds": kinds, "limits": most})
        if cursor.rowcount:
            cursor.execute(SQL["refold"], {"day": day})
    if not days:
        return Folded({}, {})
    cursor.execute(SQL["folded_labels"])
    folded = {numbered[number] for (number,) in cursor.fetchall()}
    return fold(chunk.lines, folded) if folded else Folded({}, {})


def _drop_orphans(cursor: Any, chunk: Chunk, texts: CopyTexts, folded: Mapping[str, int]) -> list[str]:
    """Delete stored rows that their reread objects no longer hold.

    Returns the keys of other objects with a copy of such an event, which must be read again. Leaves the
    chunk's rows in the staging table.
    """
    _copy_rows(cursor, SQL["copy_staging"], chunk.lines, folded, texts)
    ends = {"first": min(chunk.reread), "last": max(chunk.reread)}
    cursor.execute(SQL["drop_orphans"], {"reread": chunk.reread, **ends})
    return [key for (key,) in cursor.fetchall()]


def _write_rows(cursor: Any, chunk: Chunk, texts: CopyTexts, folded: Mapping[str, int]) -> int:
    """Write the rows of new events and correct those of stored ones; return how many events were new."""
    stored = insert_new(cursor, chunk.lines, texts, folded)
    if stored or chunk.copies:
        if not chunk.reread:
            _copy_rows(cursor, SQL["copy_staging"], {key: chunk.lines[key] for key in stored}, folded)
        event_ids, keys = map(list, zip(*chunk.copies, strict=True)) if chunk.copies else ([], [])
        cursor.execute(SQL["prefer_indexes"])
        cursor.execute(SQL["record_copies"], {"event_ids": event_ids, "source_objects": keys})
        cursor.execute(SQL["correct"], {"reread": chunk.reread})
    return len(chunk.lines) - len(stored)


def _record_objects(cursor: Any, chunk: Chunk, run_id: int) -> None:
    keys, etags = list(chunk.objects), list(chunk.objects.values())
    cursor.execute(SQL["clear_rejected"], {"keys": keys})
    cursor.execute(SQL["clear_failures"], {"keys": keys})
    cursor.execute(SQL["record_objects"], {"keys": keys, "etags": etags, "run_id": run_id})


def _copy_rows(
    cursor: Any,
    statement: str,
    lines: Mapping[str, str],
    folded: Mapping[str, int],
    texts: CopyTexts | None = None,
) -> None:
    """Copy rows; `texts` are theirs, if they were made ahead. The column `folded` is sent if any has bits."""
    if not folded:
        _copy(cursor, statement, texts.rows if texts else _joined(lines.values()))
        return
    rows = (f"{line[:-1]}{TAB}{folded.get(event_id, '')}\n" for event_id, line in lines.items())
    _copy(cursor, statement.replace(_LAST, f"{_LAST}, folded"), _joined(rows))


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode()


def _copy(cursor: Any, statement: str, text: bytes) -> None:
    cursor.copy_expert(statement, io.BytesIO(text), COPY_BYTES)
