"""Debian's Firefox, by WebDriver BiDi. Playwright drives only Firefoxes that are newer than it or its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import platform
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}
"""It calls nobody."""
PATIENCE = 240
"""Seconds that an answer may take while other tests keep the machine busy."""


class Firefox:
    """A connection to a started Firefox."""

    def __init__(self, address: str) -> None:
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._connect(address))
        self.call("session.new", capabilities={})

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of WebDriver BiDi."""
        answer = self._run(self._call(method, parameters))
        assert answer["type"] == "success", answer
        return answer["result"]

    def close(self) -> None:
        """End the connection."""
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(f"{address}/session", max_msg_size=0)

    async def _disconnect(self) -> None:
        await self._socket.close()
        await self._session.close()

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message: dict[str, Any] = await self._socket.receive_json()
            if message.get("id") == number:
                return message


@contextmanager
def firefox(**preferences: object) -> Iterator[Firefox]:
    """A started Firefox with a profile of its own."""
    if not shutil.which("firefox-esr") and platform.freedesktop_os_release()["ID"] == "ubuntu":
        pytest.skip("Ubuntu has Firefox as a snap only, which these tests cannot drive")
    with tempfile.TemporaryDirectory(prefix="clickstream-firefox-") as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in (QUIET | preferences).items()]
        (Path(profile) / "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port", "0"]
        started = subprocess.Popen(
            [*command, "--profile", profile], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert started.stderr
        try:
            said: list[str] = []
            for line in started.stderr:
                said.append(line)
                if found := re.search(r"WebDriver BiDi listening on (\S+)", line):
                    break
            else:
                raise AssertionError("".join(said))
            # Nobody waits for a pipe that nobody reads.
            drain = threading.Thread(target=started.stderr.read, daemon=True)
            drain.start()
            connection = Firefox(found[1])
            yield connection
            connection.close()
        finally:
            started.terminate()
            started.wait(30)
