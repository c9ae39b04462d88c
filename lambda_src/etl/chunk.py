"""Raw objects that are loaded in one transaction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple, Self

from etl.copytext import TAB
from etl.labels import Label, Place, labels_of
from etl.records import Records, Rejected
from etl.row import Row


class CopyTexts(NamedTuple):
    """What PostgreSQL is sent of a chunk's rows."""

    ids: bytes
    """COPY text for `etl_ids`."""
    rows: bytes
    """COPY text for the rows themselves."""
    days: list[str]
    """The days of receipt, as PostgreSQL reads them."""

    @classmethod
    def of(cls, lines: Mapping[str, str]) -> CopyTexts:
        """Make the texts of rows: event id -> row as COPY text."""
        # The third column from the end is received_at.
        received = [line.rsplit(TAB, 3)[1] for line in lines.values()]
        ids = "".join([f"{event_id}\t{at}\n" for event_id, at in zip(lines, received, strict=True)])
        rows = "".join(lines.values())
        return cls(ids.encode(), rows.encode(), [f"{day} 00:00Z" for day in {at[:10] for at in received}])


class Part(NamedTuple):
    """One raw object of a chunk."""

    key: str
    etag: str
    reread: bool
    """Whether it may have been loaded before."""
    records: Records


@dataclass(slots=True)
class Chunk:
    """Raw objects that are loaded in one transaction."""

    objects: dict[str, str] = field(default_factory=dict)
    """Key -> ETag of the objects that were read."""
    reread: list[str] = field(default_factory=list)
    """Keys of those objects that may have been loaded before."""
    failures: dict[str, str] = field(default_factory=dict)
    """Key -> why the object could not be read or loaded."""
    set_aside: dict[str, str] = field(default_factory=dict)
    """Key -> ETag of those among `failures` that could be read."""
    parts: list[Part] = field(default_factory=list)
    """What the chunk was made of, for smaller ones. Its lines are those of `lines`, so it costs little."""
    lines: dict[str, str] = field(default_factory=dict)
    """Event id -> its row as COPY text; of several copies, the one that was accepted first."""
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Event id and object key of the events that are in several objects."""
    duplicates: int = 0
    """Copies that are not in `lines`."""
    rejected: list[Rejected] = field(default_factory=list)
    refused: int = 0
    """Events that the collector refused, as the objects say that were not read before."""
    refused_kept: int = 0
    size: int = 0
    """Bytes of content, unpacked."""
    texts: CopyTexts | None = None
    """The texts of `lines`, if they were made ahead."""
    labels: dict[Label, Place] | None = None
    """What `find_labels` returns, if it was found ahead."""

    def is_empty(self) -> bool:
        """Whether there is nothing to record."""
        return not self.objects and not self.failures

    def add_part(self, part: Part) -> None:
        """Add an object that was read."""
        self.parts.append(part)
        self.objects[part.key] = part.etag
        if part.reread:
            self.reread.append(part.key)
        else:
            self.refused += part.records.refused
            self.refused_kept += part.records.refused_kept
        self.add_records(part.records)

    def halves(self) -> tuple[Self, Self]:
        """Return two chunks that together are this one, each with a part of the objects."""
        middle = len(self.parts) // 2
        first, second = type(self)(failures=dict(self.failures), set_aside=dict(self.set_aside)), type(self)()
        for part in self.parts[:middle]:
            first.add_part(part)
        for part in self.parts[middle:]:
            second.add_part(part)
        return first, second

    def put_aside(self, key: str, etag: str, reason: str) -> None:
        """Note that an object could be read, but cannot be loaded."""
        self.failures[key] = f"set aside: {reason}"
        self.set_aside[key] = etag

    def add_records(self, records: Records) -> None:
        """Add what a raw object holds."""
        for event_id, line in records.lines:
            self.add(event_id, line)
        self.rejected += records.rejected
        self.size += records.size

    def add(self, event_id: str, line: str) -> None:
        """Add a row, unless a copy of its event is there that was accepted earlier."""
        present = self.lines.setdefault(event_id, line)
        if present is line:
            return
        self.duplicates += 1
        one, other = Row.of_line(present), Row.of_line(line)
        if one.source_object != other.source_object:
            self.copies += [(event_id, one.source_object), (event_id, other.source_object)]
        if other.rank() < one.rank():
            self.lines[event_id] = line

    def drop(self, event_ids: Iterable[str]) -> None:
        """Remove rows."""
        self.texts = None
        for event_id in event_ids:
            del self.lines[event_id]

    def find_labels(self) -> dict[Label, Place]:
        """Return the labels of all rows that were read, those of copies too, each with its first place."""
        parts = sorted(self.parts, key=attrgetter("key"))
        return labels_of(line for part in parts for _, line in part.records.lines)

    def make_texts(self) -> None:
        """Make the texts of a chunk to which nothing more is added, and find its labels.

        The thread that reads does this, so that the thread that loads does not keep PostgreSQL waiting.
        """
        self.texts = CopyTexts.of(self.lines)
        self.labels = self.find_labels()
