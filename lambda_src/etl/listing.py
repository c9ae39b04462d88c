"""Which raw objects a run reads: those that it is asked for and that the ledger does not have.

The watermark is the hour of receipt from which the scheduled runs list: every object of an earlier hour is
loaded or among the failures. From the watermark on the ledger has a row for each loaded object. Earlier hours
are closed: of each the ledger keeps only the number of objects and a hash of their keys and ETags.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from etl.payload import Selection
from etl.progress import Progress
from etl.store import ObjectInfo, Store
from etl.warehouse import Warehouse

HOUR_KEYS: Final = 100_000
"""How many objects of one hour are held to compare them with the closed hour; a larger hour is read."""
PAGE: Final = 1000
"""How many keys are looked up in the ledger at once."""
_HOUR: Final = len("events/2025/12/06/05")


@dataclass(slots=True)
class Listing:
    """The raw objects that a run reads. `seconds_left` is what remains of the run's time."""

    store: Store
    warehouse: Warehouse
    selection: Selection
    seconds_left: Callable[[], float]
    progress: Progress = field(default_factory=Progress)

    def waiting(self) -> Iterator[ObjectInfo]:
        """Yield the selected objects that are to be loaded, while there is time."""
        progress, warehouse, selection = self.progress, self.warehouse, self.selection
        progress.reached = selection.after
        if selection.replay:
            for info in self.by_name(warehouse.rejected_keys(selection.after)):
                progress.begin(info.key)
                yield info
            return
        listed_from = warehouse.listed_from()
        if selection.arrived:
            progress.listed_from = listed_from
            if not selection.after:
                yield from self.by_name(warehouse.due_failures(listed_from))
            selection = replace(selection, after=max(selection.after, listed_from))
        progress.reached = selection.after
        pages = self._counted(self.store.pages(selection))
        if not selection.reprocess:
            pages = self._without_closed(pages, listed_from)
        for page in pages:
            etags, aside = warehouse.settled_etags([info.key for info in page])
            for info in page:
                settled = etags.get(info.key) == info.etag and not selection.reprocess
                if settled or (selection.arrived and aside.get(info.key) == info.etag):
                    progress.skipped += 1
                    progress.reached = info.key
                    continue
                # In closed hours the ledger does not say which objects are loaded.
                if selection.reprocess or info.key in etags or info.key < listed_from:
                    progress.reread.add(info.key)
                progress.begin(info.key)
                yield info

    def move_watermark(self, boundary: str) -> None:
        """Move the watermark after a run, at most to the hour `boundary`.

        Only a run that lists everything from the watermark on may do so. If it ran out of time, the
        watermark moves to where it stopped, so that the next run does not begin at the same place.
        """
        if not self.selection.arrived or self.selection.after:
            return
        if self.progress.out_of_time:
            self.warehouse.move_watermark(min(boundary, self.progress.done[:_HOUR]))
        else:
            self.warehouse.move_watermark(boundary)
            self.warehouse.close_hours(boundary)

    def by_name(self, keys: Iterable[str]) -> Iterator[ObjectInfo]:
        """Yield objects by their keys. A key that no longer exists leaves the list of failures."""
        for key in keys:
            info = self.store.find(key)
            if info is None:
                self.warehouse.forget_failure(key)
            else:
                self.progress.listed += 1
                self.progress.reread.add(key)
                yield info

    def _counted(self, pages: Iterable[list[ObjectInfo]]) -> Iterator[list[ObjectInfo]]:
        """Count what is listed, and end when the time is over, even if no object has to be read."""
        for page in pages:
            self.progress.listed += len(page)
            yield page
            if self.seconds_left() <= 0:
                self.progress.out_of_time = True
                return

    def _without_closed(
        self, pages: Iterable[list[ObjectInfo]], listed_from: str
    ) -> Iterator[list[ObjectInfo]]:
        """Leave out the closed hours that still hold exactly the objects that the ledger counted."""
        hours = groupby((info for page in pages for info in page), lambda info: info.key[:_HOUR])
        page: list[ObjectInfo] = []
        for hour, infos in hours:
            closed = self.warehouse.closed_hour(hour) if hour < listed_from else None
            held: list[ObjectInfo] = []
            for info in infos:
                held.append(info)
                if closed is None or len(held) > HOUR_KEYS:
                    page += held
                    held = []
                    closed = None
                if len(page) >= PAGE:
                    yield page
                    page = []
            if closed is not None and closed == (len(held), keys_hash(held)):
                # Earlier objects first: keys are reached in their order.
                yield page
                page = []
                self.progress.skipped += len(held)
                self.progress.reached = held[-1].key
            else:
                page += held
        yield page


def keys_hash(infos: Iterable[ObjectInfo]) -> int:
    """Return the hash of keys and ETags that `etl_closed_hours` has for these objects."""
    total = 0
    for info in infos:
        digest = hashlib.md5(f"{info.key} {info.etag}".encode(), usedforsecurity=False).hexdigest()
        total += int(digest[:15], 16)
    return total
