"""A forwarded port copies each direction until its end of file."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from local_cloud import port_forwarding


def test_the_whole_answer_comes_after_the_client_has_closed_its_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other direction goes on, also when garbage is collected meanwhile."""
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
    session = asyncio.create_task(
        port_forwarding._serve("s", os.pidfd_open(os.getpid()), "place", details, said.append)
    )
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


def test_a_session_ends_with_its_machine(tmp_path: Path) -> None:
    """`make down` removes the machines; nothing of it goes on listening."""
    plugin = Path(port_forwarding.__file__).parent / "bin/session-manager-plugin"
    with subprocess.Popen(["/bin/sleep", "600"]) as machine:
        started = int(Path(f"/proc/{machine.pid}/stat").read_text().rpartition(")")[2].split()[19])
        run = {"leader": {"pid": machine.pid, "started": started}, "group": ""}
        (tmp_path / "run.json").write_text(json.dumps(run))
        stream = f"local-cloud://{tmp_path}?type=Port&portNumber=80&localPortNumber=0"
        answer = json.dumps({"SessionId": "s", "StreamUrl": stream})
        command = [str(plugin), answer, "r", "StartSession", "", "{}", "http://127.0.0.1:1"]
        session = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert session.stdout
            while not session.stdout.readline().startswith("Waiting"):
                assert session.poll() is None
            machine.kill()
            assert session.wait(20) == 0
            assert "Exiting session" in session.stdout.read()
        finally:
            machine.kill()
            session.kill()
            session.communicate()
