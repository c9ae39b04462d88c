"""Who says of itself that it is no person: crawlers, monitors, HTTP libraries, headless browsers.

A word list and not a library: those bring megabytes and start-up time, and whoever hides is not found
by either. The answer depends on the User-Agent alone, so it is the same at every reading.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_BOT: Final = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|scrap|headless|phantomjs|puppeteer|playwright|lighthouse|monitor"
    r"|(?:web|bing|link|url|site)[ -]?preview|facebookexternalhit|python-requests|python-urllib|aiohttp|httpx"
    r"|curl/|wget/|go-http|libwww|^$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def names_bot(user_agent: str) -> bool:
    """Say whether a User-Agent calls itself a bot, or nothing at all."""
    return _BOT.search(user_agent[:500]) is not None
