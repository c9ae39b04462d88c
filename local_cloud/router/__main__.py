"""Run the router: ``python -m local_cloud.router <name>``; settings are the saved ones."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web

from local_cloud.router.authorization import Gate
from local_cloud.router.backends import Backends
from local_cloud.router.deployer import prepare_account
from local_cloud.router.evaluator import Evaluator
from local_cloud.router.reconcile import Reconciler
from local_cloud.router.server import AccessLog, Endpoint
from local_cloud.settings import Settings, saved

LARGEST_CALL = 70_167_211
"""Bytes; Lambda's limit of a request with a zip in it, the largest of all calls that are read into memory."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    # no total limit: a function may run for 15 minutes
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, auto_decompress=False) as http:
        backends = Backends(settings, http)
        reconciler = Reconciler(backends) if settings.machines else None
        evaluator = await Evaluator.start(Path(settings.iam_simulate)) if settings.deployer_policies else None
        await prepare_account(backends)
        gate = Gate(backends, evaluator) if evaluator else None
        server = web.Server(
            Endpoint(backends, AccessLog(settings.access_log), reconciler, gate),
            request_factory=partial(web.BaseRequest, loop=loop, client_max_size=LARGEST_CALL),
            auto_decompress=False,  # as above: bodies go through as they come
        )
        runner = web.ServerRunner(server, access_log=None)
        await runner.setup()
        hosts = ["127.0.0.1"] + ([settings.gateway] if settings.machines else [])
        for host in hosts:
            await web.TCPSite(runner, host, settings.endpoint_port, backlog=512).start()
        tasks = [asyncio.create_task(reconciler.run())] if reconciler else []
        await ended.wait()
        for task in tasks:
            task.cancel()
        await runner.cleanup()
        if evaluator:
            await evaluator.stop()


def main() -> int:
    """Run the router of the cloud named on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    settings = saved(sys.argv[1])
    if settings is None:
        sys.stderr.write(f"no settings of a cloud named {sys.argv[1]}\n")
        return 2
    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
