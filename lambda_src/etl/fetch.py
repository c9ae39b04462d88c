"""Reads one S3 object after another with as little work as can be.

An object is often a single event, and botocore takes more than a millisecond of processor time for one
GetObject; the loader would read some 600 objects a second. Here botocore signs (its own signer, its
own credentials), and the standard library's HTTP client carries: a quarter of that.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

ATTEMPTS: Final = 4
"""How often an object is asked for."""
TIMEOUT: Final = 20.0
"""Seconds to wait for a connection, and for each part of an answer."""

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,60})</Code>")
_BUSY: Final = frozenset({429, 500, 502, 503, 504})


class ReadError(Exception):
    """An object could not be read; the message says why."""


class ObjectGone(ReadError):
    """The object was deleted after it was listed."""


class Fetcher:
    """Reads objects; may be used by several threads, each keeps its own connection.

    `credentials` are botocore's (renewed by themselves), `pause` waits between attempts.
    """

    def __init__(self, credentials: Any, region: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._credentials = credentials
        self._region = region
        self._pause = pause
        self._local = threading.local()
        self._tls: ssl.SSLContext | None = None

    def get(self, base: str, key: str) -> bytes:
        """Return the content of the object `key` under the address `base`. Raises ReadError."""
        url = f"{base}/{quote(key, safe='/~')}"
        error = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(2**attempt / 20)
            try:
                status, content = self._answer(url)
            except (OSError, HTTPException) as fault:
                # Also a connection that S3 has closed while it was not used.
                self._forget()
                error = f"broke off: {type(fault).__name__}"
                continue
            if status == 200:
                return content
            code = _CODE.search(content)
            error = code[1].decode("ascii") if code else f"status {status}"
            if error == "NoSuchKey":
                raise ObjectGone("deleted after it was listed")
            if status not in _BUSY:
                break
        raise ReadError(error)

    def _answer(self, url: str) -> tuple[int, bytes]:
        request = AWSRequest("GET", url)
        S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
        parts = urlsplit(url)
        connection = self._connection(parts.scheme, parts.netloc)
        connection.request("GET", parts.path, headers=dict(request.headers.items()))
        response = connection.getresponse()
        return response.status, response.read()

    def _connection(self, scheme: str, place: str) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if scheme == "https":
                self._tls = self._tls or ssl.create_default_context()
                connection = HTTPSConnection(place, timeout=TIMEOUT, context=self._tls)
            else:
                connection = HTTPConnection(place, timeout=TIMEOUT)
            self._local.connection = connection
        return connection

    def _forget(self) -> None:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
