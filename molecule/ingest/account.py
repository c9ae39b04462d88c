"""Role ingest: the function behind the collector."""

from __future__ import annotations

from tests.support.molecule.account import ACCOUNT, OF_ACCOUNT, TAGS, client, make_role, permissions

NAME = "clickstream-lambda-ingest"
MADE = ["Build the zip", f"log group /aws/lambda/{NAME}", f"Lambda function {NAME}"]
BROKEN = [
    f"log group /aws/lambda/{NAME}: retention_days",
    f"Lambda function {NAME}: configuration, permissions, reserved_concurrency",
]


def prepare() -> None:
    """The role that the function assumes."""
    make_role(f"{NAME}-role")


def verify() -> None:
    """It stores into the raw bucket, is in no VPC, and nobody may call it yet."""
    answer = client("lambda").get_function(FunctionName=NAME)
    function = answer["Configuration"]
    assert (function["Handler"], function["MemorySize"], function["Timeout"]) == (
        "ingest.handler.handler",
        512,
        29,
    )
    assert function["Environment"]["Variables"] == {
        "RAW_BUCKET": f"clickstream-s3-ingest{OF_ACCOUNT}",
        "INGEST_SOURCE_IP": "truncated",
        "INGEST_ORIGINS": "http://localhost:3000",
    }
    assert function["Role"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}-role"
    assert not function.get("VpcConfig", {}).get("SubnetIds") and not function.get("Layers")
    logging = function["LoggingConfig"]
    assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", "INFO")
    assert logging["LogGroup"] == f"/aws/lambda/{NAME}"
    assert answer["Tags"] == TAGS
    assert answer["Concurrency"] == {"ReservedConcurrentExecutions": 100}
    assert permissions(NAME) == {}
    [group] = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"]
    assert group["retentionInDays"] == 30
    assert client("logs").list_tags_log_group(logGroupName=f"/aws/lambda/{NAME}")["tags"] == TAGS


def break_by_hand() -> None:
    """Events go into another bucket, anybody may call the function, without a bound; its logs stay."""
    functions, by = client("lambda"), {"FunctionName": NAME}
    functions.update_function_configuration(**by, Environment={"Variables": {"RAW_BUCKET": "elsewhere"}})
    functions.delete_function_concurrency(**by)
    functions.add_permission(**by, StatementId="console", Action="lambda:InvokeFunction", Principal="*")
    client("logs").delete_retention_policy(logGroupName=f"/aws/lambda/{NAME}")
