"""Modules of services on an empty account: check mode names everything and writes nothing."""

from __future__ import annotations

from typing import Any

from tests.support.services import emulated_cloud
from tests.support.tasks import API, APP, BUCKET, DOCUMENT, GENERATED, GROUP, POOL, QUEUE, ROLE, RULE


def test_on_an_empty_account_check_mode_names_everything_and_writes_nothing() -> None:
    with emulated_cloud() as empty:
        wanted: list[tuple[str, dict[str, Any], str | None]] = [
            ("bucket", BUCKET, None),
            ("iam_role", ROLE, None),
            ("secret_parameter", GENERATED, None),
            ("log_group", GROUP, None),
            ("sqs_queue", QUEUE, None),
            ("user_pool", POOL, None),
            ("user_pool_client", APP, "services-users"),
            ("session_document", DOCUMENT, None),
            (
                "lambda_function",
                {"name": "f", "zip": "/nowhere.zip", "handler": "a.b", "runtime": "python3.13", "role": "r"},
                "r",
            ),
            ("event_rule", RULE, "services-function"),
            ("http_api", API, "services-function"),
        ]
        for module, given, needs in wanted:
            told = empty.ok(module, check=True, **given)
            assert (told["changed"], told.get("pending")) == (True, needs), module
            assert told["diff"]["after"], module
            known = {key: given[key] for key in ("name", "user_pool") if key in given}
            removed = empty.ok(module, check=True, **known, state="absent")
            assert removed["changed"] is False, module
        assert empty.writes == []
