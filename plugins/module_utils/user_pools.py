"""Cognito's user pools and app clients: found by name, updated without losing what a task does not name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import Missing

PAGE = {"PageSize": 60}
"""The most that Cognito lists at once."""

ABSENT = "ResourceNotFoundException"


def find_pool(module: AnsibleAWSModule, client: Any, name: str) -> str | None:
    """The id of the user pool called ``name``, or None; two of the name end the module."""
    pages = client.get_paginator("list_user_pools").paginate(PaginationConfig=PAGE)
    pools = (pool for page in pages for pool in page["UserPools"])
    return _only(module, "user pools", name, [pool["Id"] for pool in pools if pool["Name"] == name])


def find_client(module: AnsibleAWSModule, client: Any, pool_id: str, name: str) -> str | None:
    """The id of the app client called ``name`` of a pool, or None; two of the name end the module."""
    pages = client.get_paginator("list_user_pool_clients").paginate(UserPoolId=pool_id, PaginationConfig=PAGE)
    clients = (one for page in pages for one in page["UserPoolClients"])
    found = [one["ClientId"] for one in clients if one["ClientName"] == name]
    return _only(module, "app clients", name, found)


def issuer(client: Any, pool_id: str) -> str:
    """The issuer of a pool's tokens. A pool's id begins with its region."""
    suffix = "amazonaws.com.cn" if client.meta.partition == "aws-cn" else "amazonaws.com"
    return f"https://cognito-idp.{pool_id.partition('_')[0]}.{suffix}/{pool_id}"


def tokens_of(module: AnsibleAWSModule, client: Any, pool: str, app: str) -> tuple[str, str]:
    """Issuer and audience of the tokens that a pool gives to one of its clients; raises Missing."""
    pool_id = find_pool(module, client, pool)
    if pool_id is None:
        raise Missing("user pool", pool)
    client_id = find_client(module, client, pool_id, app)
    if client_id is None:
        raise Missing("app client", app)
    return issuer(client, pool_id), client_id


def kept(client: Any, operation: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """What an update must send again of what Cognito described, for it resets whatever it is not given.

    Empty values stand for "never set" and are not taken back.
    """
    takes = client.meta.service_model.operation_model(operation).input_shape.members
    unset: tuple[Any, ...] = ("", None, {}, [])
    return {key: value for key, value in described.items() if key in takes and value not in unset}


def _only(module: AnsibleAWSModule, kind: str, name: str, found: Iterable[str]) -> str | None:
    ids = sorted(found)
    if len(ids) > 1:
        module.fail_json(
            msg=f"{len(ids)} {kind} are called {name} ({', '.join(ids)}). Fix: remove all but one of them."
        )
    return ids[0] if ids else None
