"""A headless Chromium, driven by the DevTools protocol over a pipe: no library, and no open port."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads commands from descriptor 3 and answers on 4."""

ENDED = "it ended by itself. Fix: start it by hand with --headless, and read what it says"

Message = dict[str, Any]


class BrowserError(Exception):
    """The browser does not do what it should."""


def find_browser(wanted: str = "") -> str:
    """The path of the browser that is wanted, or else of the first one that is there; empty without one."""
    return next(filter(None, map(shutil.which, [wanted] if wanted else BROWSERS)), "")


class Chromium:
    """A started browser with one page."""

    def __init__(self, executable: str, profile: str, patience: float = 60) -> None:
        self.patience = patience
        self.events: list[Message] = []
        """What the browser has told by itself."""
        self._number = 0
        self._rest = b""
        self._session: dict[str, str] = {}
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # Neither of them may be 3 or 4 when the other one is put there.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
        # Chromium's sandbox refuses root.
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        options = [*OPTIONS, *root, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, ends), executable, *options],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (commands, answers, *ends):
            os.close(end)
        try:
            page = self.call("Target.createTarget", url="about:blank")
            attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        except BrowserError:
            self.close()
            raise
        self._session = {"sessionId": attached["sessionId"]}

    def call(self, method: str, **parameters: Any) -> Message:
        """The answer to a command."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **self._session}
        try:
            os.write(self._commands, json.dumps(command).encode() + b"\0")
        except BrokenPipeError:
            raise BrowserError(ENDED) from None
        limit = time.monotonic() + self.patience
        while time.monotonic() < limit:
            for message in self.listen(limit - time.monotonic()):
                if message.get("id") != command["id"]:
                    continue
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error'].get('message')}")
                return dict(message["result"])
        raise BrowserError(
            f"{method}: no answer within {self.patience:.0f} s. Fix: run it again, this machine was busy"
        )

    def listen(self, seconds: float) -> list[Message]:
        """What the browser says next, if it says something within so many seconds."""
        if not select.select([self._answers], [], [], max(0, seconds))[0]:
            return []
        said = os.read(self._answers, 1 << 20)
        if not said:
            raise BrowserError(ENDED)
        *whole, self._rest = (self._rest + said).split(b"\0")
        messages = [json.loads(one) for one in whole]
        self.events += [message for message in messages if "method" in message]
        return messages

    def close(self) -> None:
        """End it: a browser whose pipe is closed goes."""
        os.close(self._commands)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)
