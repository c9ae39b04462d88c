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

if __name__ == "__main__":
    from ministack.app import main

    main()
