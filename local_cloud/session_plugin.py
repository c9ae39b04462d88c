"""The stand-in for AWS's ``session-manager-plugin``.

It is called as the real one is by the AWS command line and by ``amazon.aws.aws_ssm``::

    session-manager-plugin RESPONSE REGION StartSession PROFILE PARAMETERS ENDPOINT

RESPONSE is what StartSession answered, or the name of an environment variable that holds it.
Its stream URL names the machine and the kind of session, see
:mod:`local_cloud.router.sessions`. A shell session connects its standard input and output to
a terminal inside the machine; a port session listens on 127.0.0.1 until it is terminated.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios
from types import FrameType
from typing import Any

from local_cloud import entering
from local_cloud.credentials import INSTANCE

USER = "ssm-user"
VERSION = "1.2.0.0"
_CHUNK = 1 << 16
_TRANSCRIPT_BYTES = 8 << 20
_END_OF_FILE = b"\x04"
_UNLOCK, _GET_NUMBER = 0x40045431, 0x80045430
"""Linux's TIOCSPTLCK and TIOCGPTN, which the termios module does not have."""


def main(arguments: list[str]) -> int:
    """Run one session; return its exit code."""
    if not arguments or arguments[0] == "--version":
        _say(f"{VERSION}\n" if arguments else "The local cloud's session-manager-plugin is ready.\n")
        return 0
    if arguments[0].startswith("AWS_SSM_START_SESSION_RESPONSE"):
        arguments[0] = os.environ.get(arguments[0], "")
    try:
        region, endpoint = arguments[1], arguments[5]
        response = json.loads(arguments[0])
        place, details = parse_stream(response["StreamUrl"])
        session = str(response["SessionId"])
    except (ValueError, KeyError, TypeError, IndexError):
        sys.stderr.write("session-manager-plugin: this session is not one of the local cloud\n")
        return 255
    if "denied" in details:
        sys.stderr.write(f"session-manager-plugin: cannot open the data channel: {details['denied']}\n")
        return 255
    try:
        if details.get("type") == "Port":
            from local_cloud import port_forwarding

            return port_forwarding.forward(session, place, details, _say)
        return _shell(session, place, details, _Log(endpoint, region, place, details))
    except entering.NotRunningError as error:
        sys.stderr.write(f"session-manager-plugin: {error}\n")
        return 255


def parse_stream(address: str) -> tuple[str, dict[str, str]]:
    """Split a stream address into the machine's directory and the session's details.

    >>> parse_stream("local-cloud:///srv/m1?type=Port&portNumber=3838")
    ('/srv/m1', {'type': 'Port', 'portNumber': '3838'})
    """
    scheme, _, rest = address.partition("://")
    if scheme != "local-cloud":
        raise ValueError(address)
    place, _, query = rest.partition("?")
    details = dict(item.partition("=")[::2] for item in query.split("&") if item)
    if "%" in query or "+" in query:
        # imported only when needed, because the import is slow
        from urllib.parse import unquote_plus

        details = {key: unquote_plus(value) for key, value in details.items()}
    return place, details


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class _Log:
    """Where the session document says that the transcript goes."""

    def __init__(self, endpoint: str, region: str, place: str, details: dict[str, str]) -> None:
        self.instance = place.rstrip("/").rpartition("/")[2]
        self.endpoint = endpoint.partition("://")[2].rstrip("/")
        self.region = region
        self.bucket = details.get("s3BucketName", "")
        self.prefix = details.get("s3KeyPrefix", "").strip("/")


def _shell(session: str, place: str, details: dict[str, str], log: _Log) -> int:
    """Run a shell, or the session document's command, in a terminal inside the machine."""
    transcript = bytearray() if log.bucket else None
    leave = entering.enter(place)
    who = entering.user(USER)
    # a terminal of the machine's own devpts, so that programs inside find its name
    terminal = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(terminal, _UNLOCK, struct.pack("i", 0))
    number = struct.unpack("i", fcntl.ioctl(terminal, _GET_NUMBER, b"\0" * 4))[0]
    restore = _raw_terminal(terminal)
    try:
        child = entering.fork()
        if child == 0:
            _run_inside(f"/dev/pts/{number}", who, details)
        _say(f"\nStarting session with SessionId: {session}\n")
        _join(terminal, transcript)
    finally:
        if restore:
            termios.tcsetattr(0, termios.TCSADRAIN, restore)
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if restore:
        _say(f"\n\nExiting session with sessionId: {session}.\n\n")
    if transcript is not None:
        leave()
        _upload(log, session, bytes(transcript))
    return status if status >= 0 else 128 - status


def _run_inside(terminal: str, who: entering.User, details: dict[str, str]) -> None:
    """Become the session's shell; never returns."""
    try:
        entering.restore_signals()
        os.setsid()
        device = os.open(terminal, os.O_RDWR)
        fcntl.ioctl(device, termios.TIOCSCTTY, 0)
        os.fchown(device, who.uid, -1)
        for number in (0, 1, 2):
            os.dup2(device, number)
        os.closerange(3, 64)
        entering.become(who)
        # as the SSM agent does
        os.chdir("/usr/bin")
        env = {**entering.ENVIRONMENT, "HOME": who.home, "USER": who.name, "LOGNAME": who.name}
        command = ["sh", "-c", details["command"]] if details.get("command") else ["sh"]
        os.execve("/bin/sh", command, env)  # noqa: S606 - the session's very purpose
    except OSError as error:
        os.write(2, f"cannot start a shell: {error}\n".encode())
    finally:
        os._exit(255)


def _raw_terminal(terminal: int) -> list[Any] | None:
    """Put a user's terminal into raw mode and copy its size to the machine's; return its old mode."""
    if not os.isatty(0):
        return None

    def resize(number: int = 0, frame: FrameType | None = None) -> None:
        size = fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)

    before = termios.tcgetattr(0)
    mode = termios.tcgetattr(0)
    mode[0] &= ~(termios.ICRNL | termios.IXON | termios.BRKINT | termios.INPCK | termios.ISTRIP)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(0, termios.TCSADRAIN, mode)
    signal.signal(signal.SIGWINCH, resize)
    resize()
    return before


def _join(terminal: int, transcript: bytearray | None) -> None:
    """Copy bytes both ways until the shell ends or the caller stops reading."""
    poller = select.poll()
    poller.register(terminal, select.POLLIN)
    poller.register(0, select.POLLIN)
    # writes must not block: a shell that prints while it is written to would deadlock
    os.set_blocking(terminal, False)
    pending = b""
    while True:
        poller.modify(terminal, select.POLLIN | (select.POLLOUT if pending else 0))
        events = dict(poller.poll())
        ready = events.get(terminal, 0)
        if ready & (select.POLLIN | select.POLLHUP | select.POLLERR):
            try:
                data = os.read(terminal, _CHUNK)
            except OSError as error:
                if error.errno == errno.EIO:
                    return
                raise
            if not data or not _write(1, data):
                return
            if transcript is not None and len(transcript) < _TRANSCRIPT_BYTES:
                transcript += data
        if pending and ready & select.POLLOUT:
            pending = pending[_write_some(terminal, pending) :]
        if events.get(0, 0):
            data = os.read(0, _CHUNK) if len(pending) < _CHUNK else b"-"
            if not data:
                poller.unregister(0)
                pending += _END_OF_FILE
            elif len(pending) < _CHUNK:
                pending += data
            pending = pending[_write_some(terminal, pending) :]


def _write_some(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0


def _write(descriptor: int, data: bytes) -> bool:
    """Write everything; return whether somebody was there to read it."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return False
    return True


def _upload(log: _Log, session: str, transcript: bytes) -> None:
    """Store the transcript, as the agent does."""
    from http.client import HTTPConnection, HTTPException

    key = f"{log.prefix}/{session}.log" if log.prefix else f"{session}.log"
    scope = f"Credential=local/20260101/{log.region}/s3/aws4_request, SignedHeaders=host, Signature=0"
    try:
        connection = HTTPConnection(log.endpoint, timeout=10)
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {scope}",
            "Content-Type": "text/plain",
            # as the instance, with the access that the agent asks for
            "X-Amz-Security-Token": f"{INSTANCE}/{log.instance}",
            "X-Amz-Acl": "bucket-owner-full-control",
        }
        connection.request("PUT", f"/{log.bucket}/{key}", transcript, headers)
        answer = connection.getresponse()
        if answer.status >= 300:
            raise HTTPException(f"HTTP {answer.status}")
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"session-manager-plugin: the transcript was not stored ({error})\n")
