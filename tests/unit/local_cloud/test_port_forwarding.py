"""A forwarded port copies each direction until its end of file."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from local_cloud import entering, port_forwarding


def test_the_whole_answer_comes_after_the_client_has_closed_its_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other direction goes on, also when garbage is collected meanwhile."""
    monkeypatch.setattr(entering, "leader", lambda place: (1, ""))
    assert asyncio.run(asyncio.wait_for(answer(monkeypatch), 20)) == b"question, late answer"


async def answer(monkeypatch: pytest.MonkeyPatch) -> bytes:
    asked = asyncio.Event()
    collected = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        asked.set()
        await collected.wait()
        writer.write(b", late answer")
        writer.close()

    async def connect(place: str, port: int) -> socket.socket:
        inside = socket.socket()
        inside.setblocking(False)
        await asyncio.get_running_loop().sock_connect(inside, ("127.0.0.1", port))
        return inside

    monkeypatch.setattr(port_forwarding, "connect", connect)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    remote = str(server.sockets[0].getsockname()[1])
    said: list[str] = []
    details = {"portNumber": remote, "localPortNumber": "0"}
    session = asyncio.create_task(port_forwarding._serve("s", "place", details, said.append))
    while not any(line.startswith("Port") for line in said):
        await asyncio.sleep(0.01)
    port = next(int(line.split()[1]) for line in said if line.startswith("Port"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"question")
    writer.write_eof()
    await asked.wait()
    gc.collect()
    collected.set()
    got = await reader.read()
    writer.close()
    session.cancel()
    server.close()
    return got
