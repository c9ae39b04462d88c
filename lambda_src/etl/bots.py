"""Which clients say that they are bots: crawlers, monitors, previews, HTTP libraries, headless browsers.

The words are those of a maintained list, crawler-user-agents, which is in the zip as the lock says, and some
that it leaves out. No list finds a bot that hides. The result depends only on the User-Agent and the list, so
it is the same whenever an object is read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import orjson

LONGEST: Final = 500
"""How much of a User-Agent is looked at, in characters."""

# Names of their kind, which need no list.
_KINDS: Final = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|scraper|scrapy|headless|phantomjs|puppeteer|playwright|selenium"
    r"|lighthouse|synthetics?\b|(?:web|bing|link|url|site)[ -]?preview|facebookexternalhit",
    re.IGNORECASE,
)
# HTTP libraries and tools, which name themselves first. A browser begins with Mozilla.
_PROGRAMS: Final = re.compile(
    r"(?:aiohttp|apache-httpclient|async-http-client|axios|bun|c?url|curl|dart|deno|faraday|get|go-http-client"
    r"|go-resty|got|guzzlehttp|http[._]rb|httpie|httpx|insomnia|jakarta|java|java-http-client|jetty|k6|libcurl"
    r"|libwww-perl|lua-resty-http|lwp::simple|newrelicpinger|node|node-fetch|node\.js|node-superagent|okhttp|perl"
    r"|php|postmanruntime|powershell|pycurl|python|python-\w+|reqwest|request|rest-client|restsharp|ruby|superagent"
    r"|typhoeus|undici|unirest-java|ureq|urllib3?|viber|wget|whatsapp|winhttp)(?:[/ (;]|$)",
    re.IGNORECASE,
)
# Words of the list that browsers of people say too.
OF_PEOPLE: Final = frozenset({"Fluid", "Viber", "WhatsApp"})
_LITERAL: Final = re.compile(r"(?:[\w /@&!,:;~=%'\"#<>-]|\\\W)+")
_START: Final = 3


class _Words(NamedTuple):
    """The list. Most of its patterns are plain words, which are found by how they start."""

    by_start: dict[str, tuple[str, ...]]
    patterns: re.Pattern[str]


@cache
def _words() -> _Words:
    # Its module, which reads the list in thrice the time, is not imported.
    package = find_spec("crawleruseragents")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("crawler-user-agents is missing. Fix: install etl/requirements.txt.")
    entries = orjson.loads(Path(package.origin).with_name("crawler-user-agents.json").read_bytes())
    by_start = defaultdict(list)
    others = []
    for pattern in {entry["pattern"] for entry in entries} - OF_PEOPLE:
        if len(pattern) >= _START and _LITERAL.fullmatch(pattern):
            word = re.sub(r"\\(\W)", r"\1", pattern)
            by_start[word[:_START]].append(word)
        else:
            others.append(pattern)
    return _Words(
        {start: tuple(words) for start, words in by_start.items()}, re.compile("|".join(sorted(others)))
    )


@lru_cache(maxsize=4096)
def names_bot(user_agent: str) -> bool:
    """Say whether a User-Agent is a bot's by its own words, or empty."""
    text = user_agent[:LONGEST].strip()
    if not text or _KINDS.search(text) or _PROGRAMS.match(text):
        return True
    words = _words()
    return words.patterns.search(text) is not None or any(
        text.startswith(words.by_start.get(text[place : place + _START], ()), place)
        for place in range(len(text))
    )
