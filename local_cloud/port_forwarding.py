"""Forwards a port of this computer's 127.0.0.1 to a port of a machine's 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable

from local_cloud import entering

_CHUNK = 1 << 16


def forward(session: str, place: str, details: dict[str, str], say: Callable[[str], None]) -> int:
    """Listen until SIGTERM or SIGINT, or until the machine ends; return the exit code.

    ``details`` has ``portNumber`` (inside) and ``localPortNumber`` (here, 0 for any).
    """
    say(f"\nStarting session with SessionId: {session}\n")
    machine = os.pidfd_open(entering.leader(place)[0])
    entering.leader(place)  # checked again: the process id may have been reused meanwhile
    try:
        asyncio.run(_serve(session, machine, place, details, say))
    except OSError as error:
        sys.stderr.write(f"Unable to listen on 127.0.0.1:{details['localPortNumber']}: {error}\n")
        return 1
    say(f"\n\nExiting session with sessionId: {session}.\n\n")
    return 0


async def _serve(
    session: str, machine: int, place: str, details: dict[str, str], say: Callable[[str], None]
) -> None:
    remote = int(details["portNumber"])
    under_way: set[asyncio.Task[None]] = set()
    """The event loop holds tasks weakly: one that waits on a half-closed connection would be collected."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        say(f"\nConnection accepted for session [{session}]\n")
        try:
            inside = await connect(place, remote)
            inner_reader, inner_writer = await asyncio.open_connection(sock=inside)
        except (OSError, entering.NotRunningError) as error:
            say(f"\nConnection to destination port failed, check SSM Agent logs. ({error})\n")
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        writer.close()
        inner_writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(carry(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", int(details["localPortNumber"]))
    local = server.sockets[0].getsockname()[1]
    say(f"Port {local} opened for sessionId {session}.\nWaiting for connections...\n")
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    # as on AWS, where a session ends with its instance; so `make down` leaves none behind
    asyncio.get_running_loop().add_reader(machine, ended.set)
    await ended.wait()
    server.close()


async def connect(place: str, port: int) -> socket.socket:
    """Connect to 127.0.0.1:port inside a machine.

    A socket belongs to the network namespace it was made in, wherever its process goes.
    """
    pid, _ = entering.leader(place)
    there, here = entering.open_network(pid), entering.open_network(os.getpid())
    try:
        entering.SETNS(there, 0)
        try:
            inside = socket.socket()
        finally:
            entering.SETNS(here, 0)
    finally:
        os.close(here)
        os.close(there)
    inside.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(inside, ("127.0.0.1", port))
    except OSError:
        inside.close()
        raise
    return inside


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy one direction, and its end of file."""
    try:
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
    except (ConnectionError, OSError):
        with contextlib.suppress(RuntimeError):
            sink.transport.abort()
