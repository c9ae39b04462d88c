"""What the warehouse's table of the shop's products holds, and how it becomes what a file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import driver

COLUMNS = ("id", "name", "category", "brand", "price", "discount_price", "cost")
"""The columns of the table, and of the file."""
NUMBERS = COLUMNS[4:]
Row = tuple[Any, ...]
"""A product's values, in the order of `COLUMNS`; None where nothing is said."""

LOCK_TIMEOUT = "60s"
"""How long a run waits for another one, and for the ETL, which writes products too."""
HELD = f"SELECT {', '.join(COLUMNS)} FROM public.catalogue"  # noqa: S608  # of constants
DELETE = "DELETE FROM public.catalogue WHERE id = ANY (%s)"
_WRITTEN = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
_TYPES = ", ".join(["%s::text[]"] * 4 + ["%s::numeric[]"] * 3)
WRITE = f"""
INSERT INTO public.catalogue ({", ".join(COLUMNS)}) SELECT * FROM unnest({_TYPES})
ON CONFLICT (id) DO UPDATE SET {_WRITTEN}
"""  # noqa: S608  # of constants


class Refused(Exception):
    """The warehouse cannot take it (yet); the text says how to go on."""


class Changes(NamedTuple):
    """What differs, by id."""

    before: dict[str, Row]
    """Products that go or change, as they are."""
    after: dict[str, Row]
    """Products that come or change, as they will be."""

    @property
    def added(self) -> set[str]:
        """Ids of new products."""
        return self.after.keys() - self.before.keys()

    @property
    def updated(self) -> set[str]:
        """Ids of products that change."""
        return self.after.keys() & self.before.keys()

    @property
    def removed(self) -> set[str]:
        """Ids of products that are in the file no more."""
        return self.before.keys() - self.after.keys()


def typed(row: Sequence[str | None]) -> Row:
    """A product as the table holds it."""
    texts, numbers = row[: -len(NUMBERS)], row[-len(NUMBERS) :]
    return (*texts, *(None if number is None else round(Decimal(number), 2) for number in numbers))


def compare(held: Mapping[str, Row], wanted: Mapping[str, Row]) -> Changes:
    """What differs between table and file."""
    return Changes(
        {key: row for key, row in held.items() if wanted.get(key) != row},
        {key: row for key, row in wanted.items() if held.get(key) != row},
    )


def bring_up_to_date(
    connection: Any, products: Sequence[Sequence[str | None]], owner: str, check_mode: bool
) -> Changes:
    """Make the table what the file says, in one transaction as the owner; raises :class:`Refused`."""
    wanted = {str(row[0]): typed(row) for row in products}
    connection.autocommit = False
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('public.catalogue') IS NULL")
            if cursor.fetchone()[0]:
                raise Refused("The warehouse has no table catalogue. Fix: run playbooks/analytics_host.yml.")
            cursor.execute(driver().sql.SQL("SET LOCAL ROLE {}").format(driver().sql.Identifier(owner)))
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            if not check_mode:
                cursor.execute("LOCK TABLE public.catalogue IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute(HELD)
            changes = compare({row[0]: row for row in cursor.fetchall()}, wanted)
            if not check_mode:
                cursor.execute(DELETE, (list(changes.removed),))
                if changes.after:
                    cursor.execute(
                        WRITE, [list(column) for column in zip(*changes.after.values(), strict=True)]
                    )
    except driver().errors.LockNotAvailable as error:
        raise Refused(
            "Another run, or the ETL, holds the catalogue. Nothing was changed. Fix: run the playbook again."
        ) from error
    return changes
