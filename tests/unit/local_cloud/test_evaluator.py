"""IAM's judge as a process: what waits for it never waits for ever."""

from __future__ import annotations

import asyncio
import sys

import pytest

from local_cloud.router.calls import RefusedError
from local_cloud.router.evaluator import Evaluator


def test_questions_to_a_judge_that_talks_nonsense_are_refused() -> None:
    async def ask() -> None:
        pipe = asyncio.subprocess.PIPE
        nonsense = "input(); print('no JSON', flush=True); input()"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", nonsense, stdin=pipe, stdout=pipe
        )
        evaluator = Evaluator(process)
        try:
            with pytest.raises(RefusedError, match="has ended"):
                await asyncio.wait_for(evaluator.ask({}), 20)
        finally:
            await evaluator.stop()

    asyncio.run(ask())
