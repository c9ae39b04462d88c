"""ministack with fixes; run with ministack's own Python."""

from __future__ import annotations

from typing import Any

import ministack.core.lambda_runtime as runtime

from local_cloud.credentials import FUNCTION

_credentials = runtime.execution_credentials


def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
    """ministack gives all functions one key; on AWS each has a session of its role: this token names it."""
    return {**_credentials(config), "AWS_SESSION_TOKEN": f"{FUNCTION}/{config.get('FunctionArn', '')}"}


# before the services import it
runtime.execution_credentials = execution_credentials

import ministack.services.cognito as cognito  # noqa: E402

_run_idp_handler = cognito._run_idp_handler


def run_idp_handler(handler: Any, action: str, data: dict[str, Any]) -> Any:
    """ministack takes any code, any flow, and access tokens that were revoked; AWS does not.

    It has the checks, and makes them only where it also asks every call for its signature. Confirming a
    sign-up verifies the attributes that the pool verifies.
    """
    if action in cognito._UNSIGNED_IDP_ACTIONS:
        cognito._pin_unsigned_idp_scope(data)
    error = (
        cognito._auth_flow_error(action, data)
        or cognito._access_token_error(data)
        or cognito._confirmation_code_error(action, data)
    )
    answer = error or _run_idp_handler(handler, action, data)
    if action == "ConfirmSignUp" and answer[0] < 400:
        pool, _ = cognito._pool_for_client(data["ClientId"])
        user, _ = cognito._resolve_user(pool, data["Username"])
        verified = [{"Name": f"{one}_verified", "Value": "true"} for one in pool["AutoVerifiedAttributes"]]
        user["Attributes"] = cognito._merge_attributes(user["Attributes"], verified)
    return answer


cognito._run_idp_handler = run_idp_handler

if __name__ == "__main__":
    from ministack.app import main

    main()
