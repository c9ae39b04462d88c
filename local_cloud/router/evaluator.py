"""The judge of IAM: a program of others (see local_cloud/iam_simulate) in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

from local_cloud.router.calls import RefusedError
from local_cloud.settings import PROJECT

_SCRIPT = PROJECT / "local_cloud/iam_simulate/evaluate.cjs"

Verdict = dict[str, str]
"""``result`` is Allowed, Denied or Unknown; ``reason`` is the end of AWS's sentence, or why it is unknown."""


class Evaluator:
    """The judge's process: questions go in and answers come out as lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[Verdict]] = {}
        self._numbers = itertools.count()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, modules: Path) -> Evaluator:
        """Start the process; it ends with its input, and so with this one."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "node", str(_SCRIPT), str(modules), stdin=pipe, stdout=pipe, limit=1 << 20
        )
        return cls(process)

    async def _read(self) -> None:
        assert self._process.stdout  # noqa: S101 - it is a pipe
        try:
            async for line in self._process.stdout:
                verdict = json.loads(line)
                answer = self._waiting.pop(verdict["id"])
                if not answer.done():  # the client may have gone
                    answer.set_result(verdict)
        finally:
            for one in self._waiting.values():
                if not one.done():
                    one.set_exception(_gone())
            self._waiting.clear()

    async def ask(self, question: dict[str, Any]) -> Verdict:
        """Return the verdict: ``result`` is Allowed, Denied or Unknown."""
        if self._reader.done() or not self._process.stdin:
            raise _gone()
        number = next(self._numbers)
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._process.stdin.write(json.dumps({**question, "id": number}).encode() + b"\n")
        return await answer

    async def stop(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


def _gone() -> RefusedError:
    return RefusedError(
        503,
        "ServiceUnavailable",
        "the judge of IAM has ended. Fix: read logs/router.log, then run 'make up'.",
    )
