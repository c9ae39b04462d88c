"""A client that knows how EC2 and IAM answer about what was made a moment ago, and when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

REMOVING = ("Delete", "Detach", "Disassociate", "Release", "Revoke", "Terminate")
BUILDING = ("Add", "Attach", "Put", "Tag", "Update")
THROTTLED = ("RequestLimitExceeded", "Throttling")


def patient(client: Any) -> Any:
    """The client, which asks again where botocore would not, and does not where botocore would.

    Both services are many servers: one may not know yet what another has just made or described
    (``…NotFound``, of IAM ``NoSuchEntity``); it is asked again, for some twenty seconds. And a Create without
    ClientToken is never sent again where its answer was lost: EC2 would make a second one.
    ``resource.created`` looks for the first instead.
    """
    service = client.meta.service_model.service_name
    client.meta.events.register(f"needs-retry.{service}.*", _pause, unique_id="clickstream")
    return client


def _pause(
    response: tuple[Any, dict[str, Any]] | None,
    operation: Any,
    attempts: int,
    caught_exception: Exception | None,
    request_dict: Mapping[str, Any],
    **_: Any,
) -> float | None:
    """Seconds after which a call is sent again, None for what botocore decides; raises what is final."""
    problem = (response[1] if response else {}).get("Error", {}).get("Code", "")
    once = operation.name.startswith(("Allocate", "Create")) and operation.name != "CreateTags"
    if once and "ClientToken" not in request_dict["body"]:
        if isinstance(caught_exception, ConnectionClosedError | ReadTimeoutError):
            raise caught_exception
        if response and response[0].status_code >= 500 and problem not in THROTTLED:
            raise ClientError(cast("Any", response[1]), operation.name)
    not_yet = (problem.endswith("NotFound") and not operation.name.startswith(REMOVING)) or (
        problem == "NoSuchEntity" and operation.name.startswith(BUILDING)
    )
    return min(2.0 ** (attempts - 1), 4) if not_yet and attempts < 8 else None
