"""The inventory plugin overrides all AWS settings of the shell."""

from __future__ import annotations

from ansible_collections.clickstream.aws.plugins.inventory.local_cloud import (
    apply_environment,
    local_environment,
)


def test_nothing_of_a_real_account_is_left() -> None:
    environ = {
        "PATH": "/bin",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL": "https://real.example",
        "AWS_ENDPOINT_URL_S3": "https://s3.real.example",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "no_proxy": "internal.example",
    }
    apply_environment(environ, local_environment("test", 4666, "eu-west-1"))
    assert "production" not in environ.values()
    assert not [key for key in environ if key.startswith("AWS_ENDPOINT_URL_") or "TOKEN" in key]
    assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" not in environ
    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4666"
    assert environ["AWS_ACCESS_KEY_ID"] == "local"
    assert environ["AWS_CONFIG_FILE"] == environ["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environ["no_proxy"] == "internal.example,127.0.0.1,localhost"
    assert environ["LOCAL_CLOUD_NAME"] == "test"
    assert environ["PATH"] == "/bin"


def test_a_second_inventory_wins() -> None:
    environ: dict[str, str] = {}
    apply_environment(environ, local_environment("clickstream", 4566, "eu-west-1"))
    apply_environment(environ, local_environment("test", 4666, "eu-west-1"))
    assert environ["AWS_ENDPOINT_URL"].endswith(":4666")
    assert environ["NO_PROXY"].count("127.0.0.1") == 1
