"""Which clients say that they are bots: crawlers, monitors, HTTP libraries, headless browsers.

This is a word list and not a library: a library brings megabytes and start-up time, and neither finds a bot
that hides. The result depends only on the User-Agent, so it is the same whenever an object is read.
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
    """Say whether a User-Agent is a bot's by its own words, or empty."""
    return _BOT.search(user_agent[:500]) is not None
