"""A fast stand-in for S3: `python -m tests.bench.s3_server <objects> <events in each> <seed> <ms>`.

It serves the calls that the ETL and the baseline make: ListObjectsV2 with `prefix`, `start-after` and
`continuation-token`, and GetObject. Signatures are not checked. Each answer comes after <ms>
milliseconds. Without a framework, so that it is not the bottleneck: some ten thousand requests a second,
where a full emulator answers some 600.
"""

from __future__ import annotations

import asyncio
import bisect
import hashlib
import sys
from urllib.parse import parse_qs, unquote, urlsplit

from tests.bench.data import raw_objects

MODIFIED = "2025-12-06T05:59:00.000Z"
PAGE = 1000


class Bucket:
    """Objects by key, each with its whole HTTP response."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.keys = sorted(objects)
        self.etags = {key: hashlib.md5(objects[key], usedforsecurity=False).hexdigest() for key in self.keys}
        self.sizes = {key: len(objects[key]) for key in self.keys}
        self.answers = {
            key: b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: "%s"\r\n'
            b"Last-Modified: Sat, 06 Dec 2025 05:59:00 GMT\r\nContent-Type: application/json\r\n\r\n"
            % (self.sizes[key], self.etags[key].encode())
            + objects[key]
            for key in self.keys
        }

    def page(self, query: dict[str, list[str]]) -> bytes:
        """A page of the listing, as XML."""
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        first = bisect.bisect_left(self.keys, prefix)
        if after >= prefix:
            first = max(first, bisect.bisect_right(self.keys, after))
        found = [key for key in self.keys[first : first + PAGE] if key.startswith(prefix)]
        more = len(found) == PAGE
        entries = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{MODIFIED}</LastModified>"
            f"<ETag>&quot;{self.etags[key]}&quot;</ETag><Size>{self.sizes[key]}</Size></Contents>"
            for key in found
        )
        token = f"<NextContinuationToken>{found[-1]}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{entries}</ListBucketResult>"
        ).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )


class Connection(asyncio.Protocol):
    """One client's connection: requests without a body, one after another."""

    def __init__(self, bucket: Bucket, latency: float) -> None:
        self.bucket, self.latency = bucket, latency
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while b"\r\n\r\n" in self.rest:
            head, self.rest = self.rest.split(b"\r\n\r\n", 1)
            url = urlsplit(head.split(b" ", 2)[1].decode())
            _, _, key = url.path.lstrip("/").partition("/")
            if key:
                answer = self.bucket.answers.get(
                    unquote(key), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                )
            else:
                answer = self.bucket.page(parse_qs(url.query))
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.transport.write, answer)
            else:
                self.transport.write(answer)


async def serve(objects: dict[str, bytes], latency: float) -> None:
    """Serve until the process ends; the port is printed first."""
    bucket = Bucket(objects)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bucket, latency), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    count, events, seed = map(int, sys.argv[1:4])
    asyncio.run(serve(dict(raw_objects(count, events, seed)), float(sys.argv[4]) / 1000))
