"""Reads S3 objects with little processor time.

An object often holds a single event, and botocore takes more than a millisecond of processor time for one
GetObject: the loader would read some 600 objects per second. This module writes the request as a few lines of
text, signed with botocore's credentials, and reads the answer with the standard library's HTTP client.
"""

from __future__ import annotations

import hmac
import re
import ssl
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

ATTEMPTS: Final = 4
"""How often reading an object is tried."""
TIMEOUT: Final = 20.0
"""Seconds to wait for a connection, and for each part of an answer."""

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,60})</Code>")
_BUSY: Final = frozenset({429, 500, 502, 503, 504})


class ReadError(Exception):
    """An object could not be read; the message says why."""


class ObjectGone(ReadError):
    """The object was deleted after it was listed."""


class Fetcher:
    """Reads objects. Several threads may use it; each has a connection of its own.

    `credentials` are botocore's, which renew themselves; `pause` waits between attempts.
    """

    def __init__(self, credentials: Any, region: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._credentials = credentials
        self._region = region
        self._pause = pause
        self._local = threading.local()
        self._tls: ssl.SSLContext | None = None

    def get(self, base: str, key: str) -> bytes:
        """Return the content of the object `key` under the address `base`. Raises ReadError."""
        scheme, host, folder, _, _ = urlsplit(base)
        path = f"{folder}/{quote(key, safe='/~')}"
        error = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(2**attempt / 20)
            try:
                status, content = self._answer(scheme, host, path)
            except (OSError, HTTPException) as fault:
                # This is also how an idle connection that S3 has closed shows.
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

    def _answer(self, scheme: str, host: str, path: str) -> tuple[int, bytes]:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        credentials = self._credentials.get_frozen_credentials()
        headers = signed_headers(credentials, self._region, host, path, now)
        headers["accept-encoding"] = "identity"
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        connection = self._connection(scheme, host)
        connection.send("\r\n".join(lines).encode("ascii"))
        response = HTTPResponse(connection.sock, method="GET")
        response.begin()
        content = response.read()
        if response.will_close:
            self._forget()
        return response.status, content

    def _connection(self, scheme: str, host: str) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if scheme == "https":
                self._tls = self._tls or ssl.create_default_context()
                connection = HTTPSConnection(host, timeout=TIMEOUT, context=self._tls)
            else:
                connection = HTTPConnection(host, timeout=TIMEOUT)
            self._local.connection = connection
        return connection

    def _forget(self) -> None:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


_NOTHING: Final = sha256(b"").hexdigest()


def signed_headers(credentials: Any, region: str, host: str, path: str, now: str) -> dict[str, str]:
    """Return the headers of a GET of the escaped `path` at the time `now` (20251206T055900Z, UTC).

    Signature Version 4, by "Authenticating Requests: Using the Authorization Header" in Amazon S3's API
    reference. `credentials` are botocore's, frozen. Headers are signed in the order of their names.
    """
    headers = {"host": host, "x-amz-content-sha256": _NOTHING, "x-amz-date": now}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{path}\n\n{lines}\n{names}\n{_NOTHING}"
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, scope)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    who = f"Credential={credentials.access_key}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 {who},SignedHeaders={names},Signature={signature}"
    return headers


@lru_cache(maxsize=4)
def _signing_key(secret: str, scope: str) -> bytes:
    """Return the signing key of a day, derived from the secret and each part of the scope in turn."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
