"""The reconciler: boots, stops and removes machines until they match EC2's instances.

EC2's answer is the desired state, asked for every few seconds. No other state is kept, so an emulator
that restarts and has lost its instances needs no special case.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
import time

import aiohttp

from local_cloud import machines
from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call
from local_cloud.router.hooks import after
from local_cloud.router.instances import Instance, instances, prefixes

_INTERVAL_SECONDS = 3.0
_RETRY_SECONDS = 20.0
log = logging.getLogger("machines")


@after("ec2", "StopInstances", "RebootInstances")
async def leave(call: Call, backends: Backends, answer: Answer) -> None:
    """Unregister an instance from Systems Manager before the caller is answered, until it has booted again.

    Its machine takes a while to shut down. A caller who starts the instance again meanwhile must not
    reach the old machine.
    """
    if answer.status < 400:
        backends.leaving |= set(call.params("InstanceId."))


class Reconciler:
    """Compares machines with instances, and starts a command for each difference."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._settings = backends.settings
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._logged: set[str] = set()

    def wake(self) -> None:
        """Reconcile now instead of at the end of the interval."""
        self._wake.set()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        while True:
            try:
                await self._reconcile()
            except (LookupError, aiohttp.ClientError, TimeoutError) as error:
                # an error does not mean that there are no instances: leave the machines alone
                self._log_once(f"EC2 does not answer: {error}")
            try:
                await asyncio.wait_for(self._wake.wait(), _INTERVAL_SECONDS)
            except TimeoutError:
                continue
            self._wake.clear()

    async def _reconcile(self) -> None:
        leaving = self._backends.leaving
        known = {one.id: one for one in await instances(self._backends)}
        lengths: dict[str, int] = {}
        for instance in known.values():
            if instance.id in self._busy or not self._has_machine(instance):
                continue
            there = machines.find(self._settings, instance.id)
            runs = machines.running(machines.directory(self._settings, instance.id)) is not None
            if not runs:
                leaving.discard(instance.id)
            if instance.state in {"pending", "running"}:
                if instance.id in leaving:
                    self._do(instance.id, "stop", instance.id)
                elif not machines.up(self._settings, instance.id):
                    lengths = lengths or await prefixes(self._backends)
                    if there is None:
                        await self._log_ignored_user_data(instance)
                    self._start(instance, lengths.get(instance.subnet, 20))
            elif instance.state in {"stopping", "stopped"}:
                if runs:
                    self._do(instance.id, "stop", instance.id)
            elif there:
                self._do(instance.id, "remove", instance.id)
        for machine in machines.every(self._settings):
            if machine.instance and machine.name not in known and machine.name not in self._busy:
                self._do(machine.name, "remove", machine.name)

    def _has_machine(self, instance: Instance) -> bool:
        """Whether an instance's address is in the range of this cloud's bridge."""
        if not instance.address:
            return False
        if ipaddress.IPv4Address(instance.address) in self._settings.network:
            return True
        self._log_once(
            f"{instance.id} ({instance.address}) gets no machine: its address is outside of"
            f" {self._settings.vpc_cidr}"
        )
        return False

    def _start(self, instance: Instance, prefix: int) -> None:
        self._do(
            instance.id,
            *("start", instance.id, "--instance"),
            *("--address", instance.address, "--prefix", str(prefix)),
            *("--hostname", f"ip-{instance.address.replace('.', '-')}"),
        )

    def _do(self, machine: str, *command: str) -> None:
        """Run a machine command in a process of its own: a machine must outlive the router."""
        if time.monotonic() < self._not_before.get(machine, 0.0):
            return
        task = asyncio.create_task(self._command(machine, command))
        self._busy[machine] = task
        task.add_done_callback(lambda _: self._done(machine))

    def _done(self, machine: str) -> None:
        self._busy.pop(machine, None)
        self._wake.set()

    async def _command(self, machine: str, command: tuple[str, ...]) -> None:
        log.info("machine %s", " ".join(command))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local_cloud", "machine", *command),
            *("--name", self._settings.name),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        if process.returncode:
            self._not_before[machine] = time.monotonic() + _RETRY_SECONDS
            log.error("machine %s: %s", " ".join(command), errors.decode().strip())
        else:
            self._not_before.pop(machine, None)
            log.info("machine %s: done", " ".join(command))

    async def _log_ignored_user_data(self, instance: Instance) -> None:
        answer = await self._backends.query(
            "ec2", "DescribeInstanceAttribute", {"InstanceId": instance.id, "Attribute": "userData"}
        )
        if answer.findtext(".//userData/value"):
            log.info("user data of %s is not executed: sessions need no agent here", instance.id)

    def _log_once(self, message: str) -> None:
        """Log a message the first time only."""
        if message not in self._logged:
            self._logged.add(message)
            log.warning("%s", message)
