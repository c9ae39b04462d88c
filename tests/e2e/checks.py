"""Holds what a page shows against expected.py: charts, tables, boxes and downloads alike."""

from __future__ import annotations

from typing import Any

from tests.e2e.dashboard import Dashboard, eventually
from tests.e2e.expected import NUMBERS, PAGES, Card, Trace, change, numbers
from tests.e2e.view import View
from tests.support.plain_dashboard import Plain


def check(dashboard: Dashboard, plain: Plain, view: View) -> None:
    """Compare all that the page shows of a view with a plain count."""
    dashboard.settled(view)
    for card in PAGES[view.page](plain, view):
        eventually(lambda card=card: check_card(dashboard, card))
    if view.page == "overview":
        eventually(lambda: check_kpis(dashboard, plain, view))


def check_card(dashboard: Dashboard, card: Card) -> None:
    for output, rows in card.downloads().items():
        check_rows(dashboard.csv(output), rows, output)
    for kind, drawn in (("chart", card.traces), ("table", card.columns)):
        if drawn and card.empty:
            assert dashboard.message(card.id, kind) == card.empty, card.id
        elif drawn:
            assert dashboard.message(card.id, kind) == "", card.id
    if card.traces and not card.empty:
        check_chart(dashboard.chart(card.id), card)
    if card.columns and not card.empty:
        rows = card.rows[: card.page_length]
        cells = [[text(row[column]) for column, text in card.columns.values()] for row in rows]
        assert dashboard.table(card.id) == [[heading.strip() for heading in card.columns], *cells], card.id


def check_rows(found: list[dict[str, str]], expected: list[dict[str, Any]], output: str) -> None:
    """Every column of every row of a download."""
    assert len(found) == len(expected), f"{output}: {len(found)} rows, not {len(expected)}"
    for number, (row, values) in enumerate(zip(found, expected, strict=True)):
        assert row.keys() == values.keys(), f"{output}: {sorted(row.keys() ^ values.keys())}"
        wrong = {
            name: (row[name], value) for name, value in values.items() if not is_written(row[name], value)
        }
        assert not wrong, f"{output}, row {number}: (found, expected) {wrong}"


def is_written(text: str, value: Any) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text == str(value).upper()
    if isinstance(value, int | float):
        return text != "" and abs(float(text) - float(value)) <= 1e-6 + 1e-9 * abs(float(value))
    # What a spreadsheet would take for a formula has a mark before it.
    return text == ("'" if value[:1] in ("=", "+", "@", "-", "\t", "\r") else "") + value


def check_chart(found: list[dict[str, Any]], card: Card) -> None:
    names = [trace.name for trace in card.traces if trace.name]
    assert [trace["name"] for trace in found if names] == names, card.id
    assert found, f"{card.id} is not drawn yet"
    for trace, shown in zip(card.traces, found if names else found * len(card.traces), strict=True):
        check_trace(shown, trace, trace.rows or card.rows, card.id)


def check_trace(shown: dict[str, Any], trace: Trace, rows: list[dict[str, Any]], card: str) -> None:
    values = shown[trace.axis]
    if trace.axis == "z":
        values = [value for line in values for value in line]
    if trace.axis == "x" and trace.text:
        # As many bars as can be told apart; what has no value has none.
        rows = [row for row in rows[:20] if row[trace.column] is not None]
    expected = [row[trace.column] for row in rows]
    assert len(values) == len(expected), f"{card} {trace.name}: {values}, not {expected}"
    written = [
        is_written("" if one is None else str(one), two) for one, two in zip(values, expected, strict=True)
    ]
    assert all(written), f"{card} {trace.name}: {values}, not {expected}"
    if trace.text:
        assert shown["text"] == [trace.text(row, rows) for row in rows], card


def check_kpis(dashboard: Dashboard, plain: Plain, view: View) -> None:
    """The boxes: number, change, and what the line beside them says to who cannot see it."""
    [now] = numbers(plain, view.asked())
    before = numbers(plain, view.previous.asked())[0] if view.previous else None
    for name, (text, points) in NUMBERS.items():
        box = f"#overview-kpis-{name}_"
        assert dashboard.text(f"{box}value") == text(now[name]), name
        said = f"{change(now[name], before[name], points)} from {text(before[name])}" if before else ""
        assert dashboard.text(f"{box}change") == said, name
