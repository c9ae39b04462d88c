"""Known emulator bugs, one function each.

A function says in its docstring what the emulator does and what AWS does. Register it with
``@before`` (edit the call) or ``@after`` (edit the answer); see
:mod:`local_cloud.router.hooks`. Prefer a fix here over a workaround in a role: a role must
not know where it runs.
"""

from __future__ import annotations

from local_cloud.router.backends import Backends
from local_cloud.router.calls import EXECUTE_API, Answer, Call
from local_cloud.router.hooks import after


@after("apigateway", "CreateApi", "GetApi", "GetApis", "UpdateApi", "ImportApi", "ReimportApi")
async def api_endpoint(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack answers a host name that does not resolve; this address works from here."""
    value = answer.json
    for api in [value, *value.get("items", [])]:
        if "apiId" in api and "apiEndpoint" in api:
            api["apiEndpoint"] = f"{backends.settings.endpoint}{EXECUTE_API}{api['apiId']}"
    answer.replace_json(value)


@after("sqs", "CreateQueue", "GetQueueUrl", "ListQueues", "ListDeadLetterSourceQueues")
async def queue_url(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack names its own port in queue addresses; clients know the endpoint's only."""
    settings = backends.settings
    own = f"http://127.0.0.1:{settings.ministack_port}/".encode()
    answer.body = answer.body.replace(own, f"{settings.endpoint}/".encode())
