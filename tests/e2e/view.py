"""A view of the dashboard: a page with its filters, its URL and its heading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from tests.e2e.warehouse import TODAY, ZONE
from tests.support.plain_dashboard import Asked

LAST = TODAY - timedelta(days=2)
FOUR_WEEKS = {"first": LAST - timedelta(days=27), "last": LAST}
TWO_WEEKS = {"first": LAST - timedelta(days=13), "last": LAST}
LONG_AGO = {"first": TODAY - timedelta(days=3000), "last": TODAY - timedelta(days=2990)}
STATES = {
    "": "Any",
    "verified": "Logged in, verified",
    "logged_in": "Logged in, unverified",
    "guest": "Guest",
    "anonymous": "Anonymous",
}


@dataclass(frozen=True)
class View:
    """A page about a period: as many days that end with today, or from one day to another."""

    page: str = "overview"
    days: int = 7
    first: date | None = None
    last: date | None = None
    compare: bool = False
    login_state: str = ""
    category: str = ""
    brand: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def period(self) -> tuple[date, date]:
        if self.first and self.last:
            return self.first, self.last
        today = datetime.now(ZONE).date()
        return today - timedelta(days=self.days - 1), today

    @property
    def previous(self) -> View | None:
        """The same for the period before, where it is compared."""
        first, last = self.period
        length = last - first + timedelta(days=1)
        return replace(self, first=first - length, last=last - length) if self.compare else None

    @property
    def unit(self) -> str:
        first, last = self.period
        return "hour" if (last - first).days < 2 else "day"

    def asked(self, own: str = "") -> Asked:
        """The parameters of a query."""
        return Asked(*self.period, ZONE, self.login_state, self.category, self.brand, own)

    @property
    def query(self) -> str:
        """The URL's query string, with what differs from the defaults."""
        query = {"page": self.page, "period": str(self.days)}
        if self.first and self.last:
            query |= {"period": "custom", "from": str(self.first), "to": str(self.last)}
        query |= {"compare": "1"} if self.compare else {}
        filters = {"state": self.login_state, "category": self.category, "brand": self.brand}
        query |= {name: value for name, value in filters.items() if value}
        return f"?{urlencode(query | dict(sorted(self.params.items())))}"

    @property
    def heading(self) -> str:
        """The heading of the page."""
        parts = [period_text(*self.period)]
        if self.previous:
            parts.append(f"compared with {period_text(*self.previous.period)}")
        if self.login_state:
            parts.append(STATES[self.login_state].lower())
        return " · ".join([*parts, *filter(None, [self.category, self.brand])])


def period_text(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first} to {last}"
