"""Drift: what somebody changed in the console or on the host is reported in check mode and repaired by a run.

All cases are broken at once, so that one run of each kind serves them all; each is then read back by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.support.deployment import (
    NAME,
    PROJECT,
    Run,
    analytics_instance,
    aws,
    bucket,
    calls,
    load_events,
    local_cloud,
    on_host,
    succeed,
    wait_until,
)

RAW, TRANSFER, LOGS = bucket("ingest"), bucket("transfer"), bucket("logs")
INGEST, ETL = "clickstream-lambda-ingest", "SBW_Lamda_ETL"
RULE, ETL_ROLE = "SBW_ETL_HOURLY_RULE", "SBW_Lamda_ETL-role"
FAILED_RUNS = "clickstream-etl-failed"
BUILT = PROJECT / "files/tracker/dist"
FOR_EVER = "public, max-age=31536000, immutable"


class Break(NamedTuple):
    """A change by hand, the task that must report it, and whether it is undone."""

    name: str
    task: str
    do: Callable[[], Any]
    repaired: Callable[[], bool]


def one(call: str, key: str, **by: Any) -> dict[str, Any]:
    names = [
        {"Name": name.replace("tag_", "tag:").replace("_", "-"), "Values": [value]}
        for name, value in by.items()
    ]
    [found] = getattr(aws("ec2"), call)(Filters=names)[key]
    return dict(found)


def group(name: str) -> dict[str, Any]:
    return one("describe_security_groups", "SecurityGroups", group_name=name)


def private_table() -> dict[str, Any]:
    return one("describe_route_tables", "RouteTables", tag_Name="SBW_Project-rtb-private1-ap-southeast-1a")


def gateway_endpoint() -> dict[str, Any]:
    return one("describe_vpc_endpoints", "VpcEndpoints", tag_Name="SBW_Project-vpce-s3")


def api() -> dict[str, Any]:
    [found] = aws("apigatewayv2").get_apis()["Items"]
    return dict(found)


def route_keys() -> set[str]:
    return {route["RouteKey"] for route in aws("apigatewayv2").get_routes(ApiId=api()["ApiId"])["Items"]}


def sql(statement: str) -> str:
    done = on_host(f'runuser -u postgres -- psql -AtXd clickstream_dw -c "{statement}"')
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def shell(script: str) -> str:
    done = on_host(script)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def open_ssh() -> None:
    aws("ec2").authorize_security_group_ingress(
        GroupId=group("sg_analytics_ShinyDWH")["GroupId"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    )


def ports_open_to_all() -> list[int]:
    rules = group("sg_analytics_ShinyDWH")["IpPermissions"]
    return [
        rule["FromPort"] for rule in rules for where in rule["IpRanges"] if where["CidrIp"] == "0.0.0.0/0"
    ]


def add_default_route() -> None:
    gateway = one("describe_internet_gateways", "InternetGateways", tag_Name="SBW_Project-igw")
    aws("ec2").create_route(
        RouteTableId=private_table()["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway["InternetGatewayId"],
    )


def default_routes() -> list[dict[str, Any]]:
    return [route for route in private_table()["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]


def forget_the_targets() -> None:
    targets = aws("events").list_targets_by_rule(Rule=RULE)["Targets"]
    aws("events").remove_targets(Rule=RULE, Ids=[target["Id"] for target in targets])


def users() -> dict[str, Any]:
    """The accounts' user pool."""
    [found] = aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    return dict(aws("cognito-idp").describe_user_pool(UserPoolId=found["Id"])["UserPool"])


def app_client() -> dict[str, Any]:
    by = {"UserPoolId": users()["Id"]}
    [found] = aws("cognito-idp").list_user_pool_clients(**by, MaxResults=60)["UserPoolClients"]
    answer = aws("cognito-idp").describe_user_pool_client(**by, ClientId=found["ClientId"])
    return dict(answer["UserPoolClient"])


def authorizer() -> dict[str, Any]:
    [found] = aws("apigatewayv2").get_authorizers(ApiId=api()["ApiId"])["Items"]
    return dict(found)


def delete_a_route() -> None:
    routes = aws("apigatewayv2").get_routes(ApiId=api()["ApiId"])["Items"]
    [route] = [route for route in routes if route["RouteKey"] == "POST /clickstream"]
    aws("apigatewayv2").delete_route(ApiId=api()["ApiId"], RouteId=route["RouteId"])


def forget_permissions() -> None:
    statements = json.loads(aws("lambda").get_policy(FunctionName=INGEST)["Policy"])["Statement"]
    for statement in statements:
        aws("lambda").remove_permission(FunctionName=INGEST, StatementId=statement["Sid"])


def permissions() -> int:
    try:
        return len(json.loads(aws("lambda").get_policy(FunctionName=INGEST)["Policy"])["Statement"])
    except aws("lambda").exceptions.ResourceNotFoundException:
        return 0


def function(name: str) -> dict[str, Any]:
    return dict(aws("lambda").get_function_configuration(FunctionName=name))


def flow_logs() -> list[str]:
    return [one["FlowLogId"] for one in aws("ec2").describe_flow_logs()["FlowLogs"]]


def tracker(name: str) -> dict[str, str]:
    """Where a built file is published."""
    published = json.loads((BUILT / "published.json").read_text(encoding="utf-8"))
    return {"Bucket": bucket("sbw"), "Key": f"tracker/{published[name]['key']}"}


def served(name: str) -> tuple[bytes, str, str]:
    """A published file and how it is served."""
    found = aws("s3").get_object(**tracker(name))
    return found["Body"].read(), found["ContentType"], found["CacheControl"]


def serve(name: str, body: bytes, content_type: str, cache_control: str) -> None:
    aws("s3").put_object(**tracker(name), Body=body, ContentType=content_type, CacheControl=cache_control)


def failed_runs() -> str:
    return str(aws("sqs").get_queue_url(QueueName=FAILED_RUNS)["QueueUrl"])


BREAKS = [
    Break("a port is opened to everybody", "security groups", open_ssh, lambda: ports_open_to_all() == []),
    Break(
        "the private subnet gets a default route",
        "Route the public subnet",
        add_default_route,
        lambda: default_routes() == [],
    ),
    Break(
        "the S3 endpoint's policy is opened",
        "Reach S3 through a gateway endpoint",
        lambda: aws("ec2").modify_vpc_endpoint(
            VpcEndpointId=gateway_endpoint()["VpcEndpointId"], ResetPolicy=True
        ),
        lambda: RAW in json.dumps(gateway_endpoint()["PolicyDocument"]),
    ),
    Break(
        "the raw bucket becomes public",
        "Create the buckets",
        lambda: aws("s3").delete_public_access_block(Bucket=RAW),
        lambda: all(aws("s3").get_public_access_block(Bucket=RAW)["PublicAccessBlockConfiguration"].values()),
    ),
    Break(
        "the raw bucket takes plain HTTP",
        "Create the buckets",
        lambda: aws("s3").delete_bucket_policy(Bucket=RAW),
        lambda: "aws:SecureTransport" in aws("s3").get_bucket_policy(Bucket=RAW)["Policy"],
    ),
    Break(
        "nobody logs who reads raw events",
        "Create the buckets",
        lambda: aws("s3").put_bucket_logging(Bucket=RAW, BucketLoggingStatus={}),
        lambda: LOGS in json.dumps(aws("s3").get_bucket_logging(Bucket=RAW)),
    ),
    Break(
        "the log bucket takes no logs",
        "Create the buckets",
        lambda: aws("s3").delete_bucket_policy(Bucket=LOGS),
        lambda: "delivery.logs.amazonaws.com" in aws("s3").get_bucket_policy(Bucket=LOGS)["Policy"],
    ),
    Break(
        "what the network refuses goes unseen",
        "Record what the VPC refuses",
        lambda: aws("ec2").delete_flow_logs(FlowLogIds=flow_logs()),
        lambda: len(flow_logs()) == 1,
    ),
    Break(
        "the transfer bucket keeps objects for ever",
        "Create the buckets",
        lambda: aws("s3").delete_bucket_lifecycle(Bucket=TRANSFER),
        lambda: aws("s3").get_bucket_lifecycle_configuration(Bucket=TRANSFER)["Rules"] != [],
    ),
    Break(
        "the ETL's role may do everything",
        "Create the IAM roles",
        lambda: aws("iam").put_role_policy(
            RoleName=ETL_ROLE,
            PolicyName="admin",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            ),
        ),
        lambda: "admin" not in aws("iam").list_role_policies(RoleName=ETL_ROLE)["PolicyNames"],
    ),
    Break(
        "the ETL's role has no boundary",
        "Create the IAM roles",
        lambda: aws("iam").delete_role_permissions_boundary(RoleName=ETL_ROLE),
        lambda: "PermissionsBoundary" in aws("iam").get_role(RoleName=ETL_ROLE)["Role"],
    ),
    Break(
        "the ingest function writes to another bucket",
        "Create the ingest function",
        lambda: aws("lambda").update_function_configuration(
            FunctionName=INGEST, Environment={"Variables": {"RAW_BUCKET": TRANSFER}}
        ),
        lambda: function(INGEST)["Environment"]["Variables"]["RAW_BUCKET"] == RAW,
    ),
    Break(
        "the ingest function takes all that the account has",
        "Create the ingest function",
        lambda: aws("lambda").delete_function_concurrency(FunctionName=INGEST),
        lambda: (
            aws("lambda").get_function_concurrency(FunctionName=INGEST).get("ReservedConcurrentExecutions")
            == 100
        ),
    ),
    Break(
        "the ETL has a timeout of three seconds",
        "Create the ETL function",
        lambda: aws("lambda").update_function_configuration(FunctionName=ETL, Timeout=3),
        lambda: function(ETL)["Timeout"] > 3,
    ),
    Break(
        "a failed run of the ETL is told nobody",
        "Create the ETL function",
        lambda: aws("lambda").put_function_event_invoke_config(
            FunctionName=ETL, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=3600
        ),
        lambda: (
            FAILED_RUNS
            in json.dumps(aws("lambda").get_function_event_invoke_config(FunctionName=ETL), default=str)
        ),
    ),
    Break(
        "failed runs are forgotten after a minute",
        "Create the queue of failed runs",
        lambda: aws("sqs").set_queue_attributes(
            QueueUrl=failed_runs(), Attributes={"MessageRetentionPeriod": "60"}
        ),
        lambda: (
            aws("sqs").get_queue_attributes(
                QueueUrl=failed_runs(), AttributeNames=["MessageRetentionPeriod"]
            )["Attributes"]["MessageRetentionPeriod"]
            == str(14 * 24 * 3600)
        ),
    ),
    Break(
        "the API may not call the function",
        "Create the HTTP API",
        forget_permissions,
        lambda: permissions() >= 1,
    ),
    Break(
        "the schedule is switched off",
        "Create the schedule",
        lambda: aws("events").disable_rule(Name=RULE),
        lambda: aws("events").describe_rule(Name=RULE)["State"] == "ENABLED",
    ),
    Break(
        "the schedule calls nothing",
        "Create the schedule",
        forget_the_targets,
        lambda: len(aws("events").list_targets_by_rule(Rule=RULE)["Targets"]) == 1,
    ),
    Break(
        "the collector has no route",
        "Create the HTTP API",
        delete_a_route,
        lambda: "POST /clickstream" in route_keys(),
    ),
    Break(
        "anybody's tokens are taken",
        "Create the HTTP API",
        lambda: aws("apigatewayv2").update_authorizer(
            ApiId=api()["ApiId"],
            AuthorizerId=authorizer()["AuthorizerId"],
            JwtConfiguration={**authorizer()["JwtConfiguration"], "Issuer": "https://evil.example.com"},
        ),
        lambda: authorizer()["JwtConfiguration"]["Issuer"].endswith(users()["Id"]),
    ),
    Break(
        "short passwords are taken, and the user pool can be deleted",
        "Create the user pool",
        lambda: aws("cognito-idp").update_user_pool(
            UserPoolId=users()["Id"], Policies={"PasswordPolicy": {"MinimumLength": 6}}
        ),
        lambda: (
            (users()["Policies"]["PasswordPolicy"]["MinimumLength"], users()["DeletionProtection"])
            == (12, "ACTIVE")
        ),
    ),
    Break(
        "passwords leave the page",
        "Create the app client",
        lambda: aws("cognito-idp").update_user_pool_client(
            UserPoolId=users()["Id"],
            ClientId=app_client()["ClientId"],
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        ),
        lambda: "ALLOW_USER_PASSWORD_AUTH" not in app_client()["ExplicitAuthFlows"],
    ),
    Break(
        "every page may post events",
        "Create the HTTP API",
        lambda: aws("apigatewayv2").update_api(
            ApiId=api()["ApiId"], CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["*"]}
        ),
        lambda: api()["CorsConfiguration"]["AllowOrigins"] != ["*"],
    ),
    Break(
        "the tracker does something else",
        "Publish the tracker's files",
        lambda: serve("tracker.js", b"alert(1)", *served("tracker.js")[1:]),
        lambda: served("tracker.js")[0] == (BUILT / "tracker.js").read_bytes(),
    ),
    Break(
        "the tracker is served as a text that nobody may keep",
        "Publish the tracker's files",
        lambda: serve("tracker.js", served("tracker.js")[0], "text/plain", "no-store"),
        lambda: served("tracker.js")[1:] == ("text/javascript; charset=utf-8", FOR_EVER),
    ),
    Break(
        "the tracker's module is deleted",
        "Publish the tracker's files",
        lambda: aws("s3").delete_object(**tracker("tracker.mjs")),
        lambda: served("tracker.mjs")[0] == (BUILT / "tracker.mjs").read_bytes(),
    ),
    Break(
        "logs are kept for ever",
        "log group",
        lambda: aws("logs").delete_retention_policy(logGroupName=f"/aws/lambda/{ETL}"),
        lambda: (
            "retentionInDays"
            in aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{ETL}")["logGroups"][0]
        ),
    ),
    Break(
        "the host can be terminated",
        "Create the analytics instance",
        lambda: aws("ec2").modify_instance_attribute(
            InstanceId=analytics_instance()["InstanceId"], DisableApiTermination={"Value": False}
        ),
        lambda: aws("ec2").describe_instance_attribute(
            InstanceId=analytics_instance()["InstanceId"], Attribute="disableApiTermination"
        )["DisableApiTermination"]["Value"],
    ),
    Break(
        "the database lets everybody in",
        "Write the configuration",
        lambda: shell("echo 'host all all 0.0.0.0/0 trust' >> /etc/postgresql/18/main/pg_hba.conf"),
        lambda: "trust" not in shell("grep -v '^#' /etc/postgresql/18/main/pg_hba.conf"),
    ),
    Break(
        "the dashboard's user may write",
        "Create the database, its roles and their privileges",
        lambda: sql("ALTER ROLE clickstream_reader CREATEDB CREATEROLE"),
        lambda: (
            sql("SELECT rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'clickstream_reader'")
            == "f"
        ),
    ),
    Break(
        "the loader has another password",
        "Create the database, its roles and their privileges",
        lambda: sql("ALTER ROLE clickstream_loader PASSWORD 'another'"),
        lambda: invoke_etl() == "complete",
    ),
    Break(
        "a function of the warehouse is edited",
        "Bring the schema up to date",
        lambda: sql("ALTER FUNCTION funnel_step(text) VOLATILE"),
        lambda: sql("SELECT provolatile FROM pg_proc WHERE proname = 'funnel_step'") == "i",
    ),
    Break(
        "the model's triggers are disabled",
        "Bring the schema up to date",
        lambda: sql("ALTER TABLE clickstream_events DISABLE TRIGGER USER"),
        lambda: sql("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O' AND NOT tgisinternal") == "0",
    ),
    Break(
        "Shiny Server listens on every address",
        "Write the configuration",
        lambda: shell("sed -i 's/127.0.0.1/0.0.0.0/' /etc/shiny-server/shiny-server.conf"),
        lambda: "127.0.0.1:3838" in shell("ss -Hltn sport = :3838"),
    ),
    Break(
        "a file of the dashboard is edited",
        "Install the dashboard",
        lambda: shell("echo broken >> /srv/shiny-server/sbw_dashboard/app.R"),
        lambda: shell("grep -c '^broken' /srv/shiny-server/sbw_dashboard/app.R || true") == "0",
    ),
    Break(
        "the dashboard's server is stopped",
        "Run the server with it",
        lambda: shell("systemctl stop shiny-server"),
        lambda: shell("systemctl is-active shiny-server || true") == "active",
    ),
]


def invoke_etl() -> str:
    answer = aws("lambda").invoke(FunctionName=ETL, Payload=b"{}")
    return str(json.loads(answer["Payload"].read()).get("status"))


def is_repaired(case: Break) -> bool:
    """Whether the case is repaired; an error of AWS, for example "not found", counts as not repaired."""
    try:
        return case.repaired()
    except ClientError:
        return False


class Runs(NamedTuple):
    """Which cases were broken, and the runs after that."""

    broken: dict[str, bool]
    check: Run
    written_in_check_mode: list[dict[str, Any]]
    repair: Run
    again: Run


@pytest.fixture(scope="module")
def deployment(in_the_life_of_a_deployment: bool) -> Iterator[None]:
    """A finished deployment: as test_site.py built it in this run, else one of this run's own."""
    if in_the_life_of_a_deployment:
        yield
        return
    local_cloud("stop", "--name", NAME)
    try:
        succeed("site.yml")
        yield
    finally:
        local_cloud("stop", "--name", NAME)


@pytest.fixture(scope="module")
def runs(deployment: None) -> Runs:
    """The deployment broken in every way, checked, repaired, and run once more."""
    for case in BREAKS:
        case.do()
    broken = {case.name: not is_repaired(case) for case in BREAKS if "loader" not in case.name}
    before = len(calls())
    check = succeed("site.yml", "--check", "--diff")
    written = [call for call in calls(before) if call["mutating"] and TRANSFER not in str(call["resource"])]
    return Runs(
        broken,
        check,
        [call for call in written if call["service"] != "ssm"],  # check mode opens sessions with the host
        succeed("site.yml", "--diff"),
        succeed("site.yml", "--diff"),
    )


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.name)
def test_a_change_by_hand_is_reported_and_repaired(runs: Runs, case: Break) -> None:
    assert runs.broken.get(case.name, True), "the test broke nothing"
    assert any(case.task.lower() in task.lower() for task in runs.check.changes()), runs.check.changes()
    assert any(case.task.lower() in task.lower() for task in runs.repair.changes()), runs.repair.changes()
    assert is_repaired(case)


def test_check_mode_writes_nothing(runs: Runs) -> None:
    assert runs.written_in_check_mode == []


def test_what_was_edited_in_the_warehouse_is_reported_by_name(runs: Runs) -> None:
    for name in ("function funnel_step", "trigger follow_inserted"):
        assert f"{name}: was changed in the database" in runs.check.output
        assert f"{name}: was changed in the database" in runs.repair.output


def test_nothing_else_is_reported(runs: Runs) -> None:
    """Every change of the repairing run is of a task that a case names, or a restart after it."""
    tasks = [case.task.lower() for case in BREAKS]
    others = [
        task
        for task in runs.repair.changes()
        if not any(known in task.lower() for known in tasks) and "restart" not in task.lower()
    ]
    assert others == []


def test_the_run_after_the_repair_changes_nothing(runs: Runs) -> None:
    assert runs.again.changed == 0, runs.again.changes()


def test_a_terminated_host_is_built_again(runs: Runs, in_the_life_of_a_deployment: bool) -> None:
    """The host is lost with its disk; the warehouse is rebuilt from the raw bucket."""
    ec2 = aws("ec2")
    if in_the_life_of_a_deployment:  # events have come
        load_events()
    else:
        succeed("playbooks/verify.yml")
    rows = sql("SELECT count(*) FROM clickstream_events")
    old = analytics_instance()["InstanceId"]
    ec2.modify_instance_attribute(InstanceId=old, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[old])
    wait_until(
        lambda: (
            ec2.describe_instances(InstanceIds=[old])["Reservations"][0]["Instances"][0]["State"]["Name"]
            == "terminated"
        ),
        "the host is terminated",
    )
    succeed("site.yml")
    succeed("playbooks/etl.yml")
    assert analytics_instance()["InstanceId"] != old
    assert sql("SELECT count(*) FROM clickstream_events") == rows != "0"
