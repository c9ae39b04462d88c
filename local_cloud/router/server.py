"""The HTTP server behind the endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import web

from local_cloud.router import (  # noqa: F401 - they register hooks
    account,
    authorization,
    documents,
    fixes,
    refusals,
    sessions,
)
from local_cloud.router.authorization import Gate
from local_cloud.router.backends import MOTO, Backends, forwarded
from local_cloud.router.calls import (
    Answer,
    Call,
    RefusedError,
    error_answer,
    identify,
)
from local_cloud.router.hooks import AFTER, ANSWERS, BEFORE, has_hooks
from local_cloud.router.operations import action_of, changes, refuse_unknown, rpc_action, takes_form
from local_cloud.router.reconcile import Reconciler

HEALTH = "/_local_cloud/health"
_MACHINE_ACTIONS = {
    "RunInstances",
    "StartInstances",
    "StopInstances",
    "RebootInstances",
    "TerminateInstances",
}


class AccessLog:
    """One JSON line per call; tests read it, for example to prove that check mode wrote nothing.

    Keys: ``time`` (UTC, ISO 8601), ``service``, ``action``, ``mutating`` (bool), ``status``
    (HTTP), ``milliseconds``, ``judging`` (IAM's part of them), ``client`` (address), ``principal``
    (ARN; empty for root and where IAM is not enforced), ``resource`` (``bucket/key`` of S3, else empty).
    Neither query strings nor bodies: they may hold secrets.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._out = file.open("a", buffering=1)

    def write(self, call: Call, client: str, status: int, seconds: float) -> None:
        """Append one call."""
        path = urlsplit(call.path).path
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": call.service or "-",
            "action": call.action,
            "mutating": changes(call),
            "status": status,
            "milliseconds": round(seconds * 1000),
            "judging": round(call.judging * 1000),
            "client": client,
            "principal": call.principal.arn if call.principal else "",
            "resource": unquote(path.lstrip("/")) if call.service == "s3" else "",
        }
        self._out.write(json.dumps(entry) + "\n")


class Endpoint:
    """Serves every request: identify it, refuse it or send it to an emulator, correct the answer, log."""

    def __init__(
        self, backends: Backends, log: AccessLog, reconciler: Reconciler | None, gate: Gate | None
    ) -> None:
        self._gate = gate
        self._backends = backends
        self._log = log
        self._reconciler = reconciler

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        path = request.raw_path
        if path == HEALTH:
            return web.json_response({"name": self._backends.settings.name})
        begun = time.monotonic()
        headers = {key.lower(): value for key, value in request.headers.items()}
        call = identify(request.method, path, headers)
        response: web.StreamResponse
        try:
            response = await self._serve(call, request)
        except RefusedError as refused:
            response = _complete(error_answer(call, refused))
        except aiohttp.ClientConnectionError as error:
            response = _complete(error_answer(call, self._unavailable(call, error)))
        self._log.write(call, request.remote or "", response.status, time.monotonic() - begun)
        if self._gate and self._gate.concerns(call):
            self._gate.forget()
        if call.action in _MACHINE_ACTIONS and response.status < 400 and self._reconciler:
            self._reconciler.wake()
        if not response.prepared:
            await response.prepare(request)
        return response

    def _unavailable(self, call: Call, error: Exception) -> RefusedError:
        backend = "moto" if call.service in MOTO else "ministack"
        fix = f"run 'make up' or 'python -m local_cloud start --name {self._backends.settings.name}'"
        return RefusedError(503, "ServiceUnavailable", f"{backend} does not answer ({error}). Fix: {fix}.")

    async def _serve(self, call: Call, request: web.BaseRequest) -> web.StreamResponse:
        await _continue(call, request)
        if not rpc_action(call):
            # ministack would take an upload to S3 for a call of the service that it names
            call.headers.pop("x-amz-target", None)
        if takes_form(call):
            call.take_form(await request.read())
        call.action = action_of(call)
        # a browser asks S3 for CORS without a signature, and the API's calls are no matter of IAM
        free = call.service == "execute-api" or (call.service, call.method) == ("s3", "OPTIONS")
        if not free:
            refuse_unknown(call)
        if self._gate and not free:
            if call.body is None and (call.service != "s3" or call.action == "DeleteObjects"):
                call.body = await request.read()
            begun = time.monotonic()
            try:
                await self._gate.check(call, request.remote or "")
            finally:
                call.judging = time.monotonic() - begun
        key = (call.service, call.action)
        # the answer to a change of IAM is held until what was known is forgotten
        if not has_hooks(*key) and not (self._gate and self._gate.concerns(call)):
            return await self._stream(call, request)
        if call.body is None:
            call.body = await request.read()
        answer = await ANSWERS[key](call, self._backends) if key in ANSWERS else None
        if answer is None:
            for hook in BEFORE[key]:
                await hook(call, self._backends)
            answer = await self._backends.send(call)
        for correct in AFTER[key]:
            await correct(call, self._backends, answer)
        return _complete(answer)

    async def _stream(self, call: Call, request: web.BaseRequest) -> web.StreamResponse:
        """Pass a call through; both bodies are streamed."""
        body: bytes | AsyncIterator[bytes] | None = call.body
        if body is None and request.body_exists:
            body = request.content.iter_any()
        headers = forwarded(call.headers)
        async with self._backends.http.request(
            call.method,
            self._backends.url(call),
            data=body,
            headers=headers,
            allow_redirects=False,
        ) as source:
            response = web.StreamResponse(
                status=source.status, reason=source.reason, headers=forwarded(dict(source.headers))
            )
            await response.prepare(request)
            async for chunk in source.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


async def _continue(call: Call, request: web.BaseRequest) -> None:
    """Answer "Expect: 100-continue" (botocore, curl) at once; the client waits a second otherwise."""
    if call.headers.get("expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _complete(answer: Answer) -> web.Response:
    headers = {
        key: value for key, value in forwarded(answer.headers).items() if key.lower() != "content-length"
    }
    return web.Response(status=answer.status, body=answer.body, headers=headers)
