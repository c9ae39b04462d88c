"""The whole platform on a fresh local cloud of its own, read back through the API and on the host.

The tests are the life of one deployment: each builds on those before it in this file.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import gzip
import hashlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
import urllib3
import yaml

from tests.support import browser
from tests.support.accounts import Visitor
from tests.support.deployment import (
    ANALYTICS_ADDRESS,
    NAME,
    PROJECT,
    VPC_ROUTER,
    Run,
    aws,
    bucket,
    calls,
    command,
    environment,
    iam_action,
    load_events,
    local_cloud,
    on_host,
    play,
    process_lists,
    succeed,
    wait_until,
)

MARKS = {
    "user agent": "marked-agent-7731",
    "address": "203.0.113.77",
    "user id": "marked-user-7731",
    "email": "marked.7731@shop.example",
    "query string": "marked-query-7731",
}
"""Personal data that a careless page sends: they may be in raw objects and the warehouse, and in no log."""

OUTPUTS: list[str] = []
"""What the runs printed: no secret may be in it."""


@pytest.fixture(scope="session", autouse=True)
def cloud() -> Iterator[None]:
    """An empty cloud; afterwards nothing of it is left on this computer."""
    local_cloud("stop", "--name", NAME)
    succeed("playbooks/local_cloud.yml")
    yield
    stopped = local_cloud("stop", "--name", NAME)
    assert stopped.returncode == 0, stopped.stderr


def nat_gateways() -> list[str]:
    gateways = aws("ec2").describe_nat_gateways()["NatGateways"]
    return [gateway["NatGatewayId"] for gateway in gateways if gateway["State"] != "deleted"]


def default_routes_of_private_table() -> list[dict]:
    tables = aws("ec2").describe_route_tables(
        Filters=[{"Name": "tag:Name", "Values": ["SBW_Project-rtb-private1-*"]}]
    )["RouteTables"]
    assert len(tables) == 1
    return [route for route in tables[0]["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]


def assert_no_way_out() -> None:
    assert nat_gateways() == []
    assert aws("ec2").describe_addresses()["Addresses"] == []
    assert default_routes_of_private_table() == []


def test_check_mode_on_an_empty_cloud_lists_all_and_writes_nothing() -> None:
    before = len(calls())
    run = succeed("site.yml", "--check", "--diff")
    OUTPUTS.append(run.output)
    wrote = [call for call in calls(before) if call["mutating"]]
    assert wrote == []
    created = re.findall(r"^\+\+\+ after: (.+)$", run.output, re.MULTILINE)
    twice = [name for name, times in Counter(created).items() if times > 1]
    assert twice == [], "listed more than once"
    for kind in (
        "VPC",
        "subnet",
        "route table",
        "bucket",
        "IAM role",
        "instance",
        "Lambda function",
        "user pool",
        "HTTP API",
        "object",
    ):
        assert any(name.lower().startswith(kind.lower()) for name in created), f"no {kind} in {created}"
    assert "pending: needs" in run.output


WRONG = {
    "platform_bucket_suffix=-owned-by-somebody-else": "platform_bucket_suffix",
    "platform_zone=eu-central-1a": "platform_zone",
    "platform_analytics_private_ip=10.77.0.9": "platform_analytics_private_ip",
    '{"ingest_environment": {"INGEST_SOURCE_IP": "full"}}': "set platform_source_ip (INGEST_SOURCE_IP)",
    "ingest_reserved_concurrency=many": "ingest_reserved_concurrency",
    "platform_session_manager_plugin=/nowhere/session-manager-plugin": "Session Manager plugin",
    "platform_analytics_image_name=debian-99-*": "has no image debian-99-*",
    "platform_analytics_instance_type=t4g.medium platform_analytics_architecture=amd64": "is not amd64",
}
"""Settings that cannot be, and what is said about each."""


@pytest.fixture(scope="module")
def wrong_runs() -> dict[str, Run]:
    """A run of site.yml with each of them, side by side; none may call what changes the account."""
    before = len(calls())
    with ThreadPoolExecutor(4) as pool:
        runs = dict(zip(WRONG, pool.map(lambda wrong: play("site.yml", "-e", wrong), WRONG), strict=True))
    assert [call for call in calls(before) if call["mutating"]] == []
    return runs


@pytest.mark.parametrize(("wrong", "says"), WRONG.items())
def test_bad_input_is_reported_with_its_fix_before_anything_is_created(
    wrong_runs: dict[str, Run], wrong: str, says: str
) -> None:
    run = wrong_runs[wrong]
    assert run.returncode != 0
    assert says in run.output and "Fix:" in run.output


def test_an_endpoint_that_does_not_answer_is_reported_within_seconds() -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobodys-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    required = {
        "platform_cors_origins": ["https://shop.example"],
        "analytics_instance_install_agent": False,
    }
    run = subprocess.run(
        [
            PROJECT / ".venv/bin/ansible-playbook",
            *("-i", "inventories/aws", "playbooks/preflight.yml", "-e", json.dumps(required)),
        ],
        cwd=PROJECT,
        env={**environment(), **nowhere},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode != 0
    assert "AWS cannot be reached" in run.stdout and "Fix:" in run.stdout


def test_the_first_run_builds_it() -> None:
    with process_lists() as seen:
        OUTPUTS.append(succeed("site.yml", "-vvv", "--diff").output)
    assert any("postgres" in line for line in seen), "the host's processes are seen too"
    OUTPUTS.append("\n".join(seen))
    assert_no_way_out()


def test_the_tracker_is_published_as_the_snippet_says() -> None:
    run = succeed("playbooks/tracker.yml")
    assert run.changed == 0, run.changes()
    said = re.search(r'src=\W+https://YOUR-CDN/(\S+?)\W+integrity=\W+sha384-([^\\"]+)', run.output)
    assert said, run.output
    content = aws("s3").get_object(Bucket=bucket("sbw"), Key=said[1])["Body"].read()
    assert base64.b64encode(hashlib.sha384(content).digest()).decode() == said[2]
    assert content == (PROJECT / "files/tracker/dist/tracker.js").read_bytes()


def test_the_shop_s_catalogue_is_taken_once(tmp_path: Path) -> None:
    """And taken back, for the tests after this one."""
    file = tmp_path / "products.csv"
    arguments = ("playbooks/catalogue.yml", "-e", f"catalogue_file={file}")
    file.write_text("id,name,price,discount_price\nlap-001,Own laptop,899,900\n")
    refused = play(*arguments)
    assert refused.returncode != 0 and "row 2: discount_price 900 is not below price 899" in refused.output
    file.write_text("id,name,price\nlap-001,Own laptop,899\n")
    for check, changed in (("--check", 1), ("--diff", 1), ("--diff", 0)):
        run = succeed(*arguments, check)
        assert run.changed == changed, run.changes()
    product = warehouse("SELECT name || ' ' || price FROM products WHERE product_id = 'lap-001'")
    assert product == "Own laptop 899.00"
    warehouse("DELETE FROM catalogue")


def test_the_second_run_changes_nothing() -> None:
    run = succeed("site.yml", "--diff")
    OUTPUTS.append(run.output)
    assert run.changed == 0, run.changes()


def test_check_mode_on_the_finished_platform_reports_nothing() -> None:
    before = len(calls())
    run = succeed("site.yml", "--check", "--diff")
    assert run.changed == 0, run.changes()
    transfer = [
        call for call in calls(before) if call["mutating"] and "transfer" not in str(call["resource"])
    ]
    assert [call["action"] for call in transfer] == []


def test_events_reach_every_station() -> None:
    run = succeed("playbooks/verify.yml")
    OUTPUTS.append(run.output)
    assert "✗" not in run.output
    assert run.output.count("✓") >= 14


@pytest.fixture
def dashboard() -> Iterator[str]:
    """The dashboard's URL on this computer, through Session Manager as its users open it."""
    port = ("-e", "dashboard_session_local_port=23838")
    succeed("playbooks/dashboard.yml", *port, "-e", "dashboard_session_mode=started")
    yield "http://localhost:23838/sbw_dashboard/"
    succeed("playbooks/dashboard.yml", *port, "-e", "dashboard_session_mode=stopped")


def test_make_dashboard_without_a_terminal_holds_the_port_until_it_is_interrupted() -> None:
    url = "http://localhost:23839/sbw_dashboard/"
    run = subprocess.Popen(
        command("playbooks/dashboard.yml", "-e", "dashboard_session_local_port=23839"),
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    try:
        assert any("is open until this run is interrupted" in line for line in run.stdout)
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(5)
        assert urllib3.request("GET", url, timeout=90).status == 200
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)

    def closed() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", 23839)) != 0

    wait_until(closed, "the port is closed")


def numbers(dashboard: str, mentions: str) -> dict[str, int]:
    """The numbers of the first page, once it shows an event's name."""
    with browser.page() as (page, errors):
        browser.load(page, errors, dashboard)
        page.wait_for_selector(f"text={mentions}", timeout=60_000)
        found: dict[str, int] = {}

        def complete() -> bool:
            body = page.inner_text("body")
            found.update(
                (label, int(number.replace(",", "")))
                for label, number in re.findall(
                    r"^(Visitors|Sessions|Page views)\n([\d,]+)$", body, re.MULTILINE
                )
            )
            return len(found) == 3

        wait_until(complete, "the page shows its numbers")
        assert errors == []
        return found


def test_an_event_of_just_now_is_on_the_page_after_the_etl(dashboard: str) -> None:
    before = numbers(dashboard, "page_view")
    url = aws("apigatewayv2").get_apis()["Items"][0]["ApiEndpoint"] + "/clickstream"
    event = {"eventName": "share_click", "clientId": "somebody-new"}
    # an unknown user agent counts as a bot, and the dashboard leaves bots out
    browser_of_somebody = {
        "User-Agent": f"Mozilla/5.0 Firefox/145.0 {MARKS['user agent']}",
        "X-Forwarded-For": MARKS["address"],
    }
    careless = f"{url}?email={MARKS['query string']}"
    answer = urllib3.request("POST", careless, json=event, headers=browser_of_somebody)
    assert answer.json() == {"success": True, "accepted": 1, "rejected": []}
    refused = {"userId": MARKS["user id"], "email": MARKS["email"]}  # it has no name
    assert urllib3.request("POST", careless, json=refused, headers=browser_of_somebody).status == 400
    succeed("playbooks/etl.yml")
    after = numbers(dashboard, "share_click")
    assert {label: after[label] - before[label] for label in after} == {
        "Visitors": 1,
        "Sessions": 1,
        "Page views": 0,
    }


def test_the_event_that_the_handover_suggests_is_accepted_and_loaded() -> None:
    output = succeed("playbooks/handover.yml").output
    suggested = re.search(r"^ *Try it +curl (.*)$", output, re.MULTILINE)
    assert suggested, output
    *options, url = shlex.split(suggested[1])
    values = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict([values["-H"].split(": ")], **{"User-Agent": values["-A"]})
    answer = urllib3.request("POST", url, body=values["-d"], headers=headers)
    assert answer.json() == {"success": True, "accepted": 1, "rejected": []}
    load_events()
    client = json.loads(values["-d"])["clientId"]
    assert warehouse("select client_id from clickstream_events").splitlines().count(client) == 1


def test_a_signed_in_visitors_event_is_verified_and_what_a_page_says_is_not() -> None:
    """A page posts as its tracker does, to /me with a token of the accounts' pool, else to the open route."""
    cognito, url = aws("cognito-idp"), aws("apigatewayv2").get_apis()["Items"][0]["ApiEndpoint"]
    [pool] = cognito.list_user_pools(MaxResults=60)["UserPools"]
    [app] = cognito.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=60)["UserPoolClients"]
    visitor = Visitor(cognito.meta.endpoint_url, pool["Id"], app["ClientId"], "somebody@shop.example")
    visitor.sign_up()
    token = visitor.sign_in()["AccessToken"]
    verified, claimed, forged, client = (str(uuid.uuid4()) for _ in range(4))
    for event_id, path, bearer, status in (
        (verified, "/clickstream/me", token, 200),
        (claimed, "/clickstream", "", 200),
        (forged, "/clickstream/me", f"{token[:-8]}AAAAAAAA", 401),
    ):
        event = {
            "eventId": event_id,
            "eventName": "logout",
            "clientId": client,
            "userLoginState": "logged_in",
        }
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = urllib3.request("POST", f"{url}{path}", json=[event], headers=headers, retries=False)
        assert answer.status == status
    succeed("playbooks/etl.yml")
    columns = "event_id, user_login_state, identity_source, identity_verified"
    rows = warehouse(f"select {columns} from clickstream_events where client_id = '{client}'")  # noqa: S608
    assert sorted(rows.splitlines()) == sorted([f"{verified}|logged_in|cognito|t", f"{claimed}|logged_in||f"])


def test_a_body_with_content_encoding_gzip_is_not_decompressed_on_the_way() -> None:
    """An HTTP API does not decompress, nor does the local cloud: the collector answers how gzip is sent."""
    url = aws("apigatewayv2").get_apis()["Items"][0]["ApiEndpoint"] + "/clickstream"
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for body in (gzip.compress(b'{"eventName": "page_view"}'), b"\x1f\x8bxx"):
        answer = urllib3.request("POST", url, body=body, headers=headers, timeout=30, retries=False)
        assert (answer.status, answer.json()["error"]) == (400, "the body is gzip that was converted to text")
        assert "application/gzip" in answer.json()["hint"]


def test_verification_can_remove_its_events() -> None:
    def keys() -> set[str]:
        pages = aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket("ingest"))
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    before = keys()
    rows = on_host(
        "runuser -u postgres -- psql -Atd clickstream_dw -c 'select count(*) from clickstream_events'"
    )
    succeed("playbooks/verify.yml", "-e", "verify_keep_events=false")
    assert {key for key in keys() - before if key.startswith("events/")} == set()
    after = on_host(
        "runuser -u postgres -- psql -Atd clickstream_dw -c 'select count(*) from clickstream_events'"
    )
    assert rows.stdout == after.stdout != ""


def warehouse(statement: str) -> str:
    done = on_host(f'runuser -u postgres -- psql -AtXd clickstream_dw -c "{statement}"')
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_backfill_changes_nothing_and_with_reprocess_restores_rows_from_raw() -> None:
    rows = "select count(*), md5(string_agg(event::text, '' order by event_id)) from clickstream_events event"
    now = datetime.now(UTC)
    window = [
        *("-e", f"backfill_start={now - timedelta(days=1):%Y-%m-%dT%H:00:00Z}"),
        *("-e", f"backfill_end={now + timedelta(hours=1):%Y-%m-%dT%H:00:00Z}"),
    ]

    def backfill(*arguments: str) -> tuple[int, dict[str, dict[str, int]]]:
        run = succeed("playbooks/backfill.yml", *window, *arguments)
        OUTPUTS.append(run.output)
        [told] = re.findall(r"^ +msg:\n((?:^ {8}.*\n)+)", run.output, re.MULTILINE)
        return run.changed, yaml.safe_load(told)

    before = warehouse(rows)
    assert not before.startswith("0|")
    changed, told = backfill()
    assert (changed, told["status"], told["events"]["loaded"]) == (0, "complete", 0)
    assert warehouse(rows) == before
    warehouse(
        "update clickstream_events set page_url = 'https://wrong.example'"
        " where event_id = (select event_id from clickstream_events order by event_id limit 1)"
    )
    damaged = warehouse(rows)
    backfill()
    assert warehouse(rows) == damaged != before
    changed, told = backfill("-e", "backfill_reprocess=true")
    assert told["events"]["read"] >= int(before.split("|")[0])
    assert (changed, told["status"], told["events"]["loaded"], told["failures"]) == (0, "complete", 0, [])
    assert warehouse(rows) == before


LOADER = "dbname=clickstream_dw user=clickstream_loader sslmode=require connect_timeout=5"


def loader_password() -> str:
    password = aws("ssm").get_parameter(Name="/clickstream/warehouse/loader_password", WithDecryption=True)
    return password["Parameter"]["Value"]


REBUILT = {
    "clickstream_events": "loaded_at",
    "rejected_events": "rejected_at",
    **dict.fromkeys(
        ("sessions", "daily_sessions", "funnel_events", "funnel_paths", "products", "daily_products"), ""
    ),
    **dict.fromkeys(("orders", "order_items", "hourly_events", "hourly_pages", "daily_events"), ""),
    "event_name_aliases": "",
}
"""Tables that a rebuilt warehouse has the same rows in, and their column that says when they were written."""


def contents() -> dict[str, str]:
    """How many rows each table has, and a hash of their values."""
    found = {}
    for table, written in REBUILT.items():
        row = f"(to_jsonb(t) - '{written}')::text"
        found[table] = warehouse(f"select count(*), md5(string_agg({row}, '' order by {row})) from {table} t")  # noqa: S608
    return found


def test_a_warehouse_of_an_older_release_is_refused_and_one_playbook_rebuilds_it() -> None:
    load_events()
    before = contents()
    assert not before["clickstream_events"].startswith("0|")
    assert not before["sessions"].startswith("0|")
    warehouse("create table schema_version (version integer)")
    refused = play("playbooks/analytics_host.yml")
    assert refused.returncode != 0
    assert "older release" in refused.output and "playbooks/rebuild_warehouse.yml" in refused.output
    unasked = play("playbooks/rebuild_warehouse.yml")
    assert unasked.returncode != 0 and "Nothing was dropped" in unasked.output
    assert succeed("playbooks/rebuild_warehouse.yml", "--check", "-e", "confirm=yes").changed > 0
    assert contents() == before

    # A run of the ETL is at work: it may end, no new one begins, and then the database goes.
    at_work = connect_from("10.77.128.1", LOADER, loader_password())
    with ThreadPoolExecutor() as pool:
        rebuilding = pool.submit(succeed, "playbooks/rebuild_warehouse.yml", "-e", "confirm=yes")
        try:
            may_connect = "select has_database_privilege('clickstream_loader', 'clickstream_dw', 'CONNECT')"
            wait_until(lambda: warehouse(may_connect) == "f", "new runs of the ETL are kept out", 300)
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                connect_from("10.77.128.1", LOADER, loader_password())
            assert contents() == before
        finally:
            at_work.close()
        run = rebuilding.result(timeout=900)
    OUTPUTS.append(run.output)
    assert contents() == before
    assert warehouse("select to_regclass('schema_version') is null") == "t"
    told = dict(re.findall(r"^ +(before|after):\n +events: (\d+)", run.output, re.MULTILINE))
    assert told == dict.fromkeys(("before", "after"), before["clickstream_events"].split("|")[0])
    # Loading goes on. That all is as a first run has it is seen after the update of packages, below.
    load_events()
    assert contents() == before


def test_only_the_private_subnet_reaches_the_database() -> None:
    secret, login = loader_password(), LOADER
    with pytest.raises(psycopg2.OperationalError, match=r"pg_hba|refused|timeout"):
        connect_from(VPC_ROUTER, login, secret)
    connect_from("10.77.128.1", login, secret).close()
    with pytest.raises(psycopg2.OperationalError, match="pg_hba"):
        connect_from("10.77.128.1", login.replace("sslmode=require", "sslmode=disable"), secret)
    with pytest.raises(psycopg2.OperationalError, match="pg_hba"):
        connect_from("10.77.128.1", login.replace("clickstream_loader", "postgres"), secret)


def connect_from(source: str, login: str, password: str) -> psycopg2.extensions.connection:
    """Connect through a relay whose own connection comes from ``source`` (libpq cannot choose its source)."""
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = socket.create_connection((ANALYTICS_ADDRESS, 5432), timeout=5, source_address=(source, 0))

    def pump(take: socket.socket, give: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := take.recv(65536):
                give.sendall(data)
        with contextlib.suppress(OSError):
            give.shutdown(socket.SHUT_WR)

    def relay() -> None:
        with listener, upstream, listener.accept()[0] as client:
            upstream.settimeout(None)
            back = threading.Thread(target=pump, args=(upstream, client), daemon=True)
            back.start()
            pump(client, upstream)
            back.join()

    threading.Thread(target=relay, daemon=True).start()
    port = listener.getsockname()[1]
    return psycopg2.connect(f"{login} hostaddr=127.0.0.1 port={port}", password=password)


def test_the_dashboards_user_can_read_and_nothing_else() -> None:
    def as_shiny(sql: str) -> subprocess.CompletedProcess[str]:
        # sessions are read-only by default, but a user can change that: privileges must protect
        session = "PGOPTIONS='-c default_transaction_read_only=off' runuser -u shiny"
        return on_host(f'{session} -- psql -Atd clickstream_dw -U clickstream_reader -c "{sql}"')

    assert as_shiny("select count(*) > 0 from clickstream_events").stdout.strip() == "t"
    for sql in (
        "insert into clickstream_events (event_id) values (gen_random_uuid())",
        "delete from clickstream_events",
        "update clickstream_events set event_name = 'x'",
        "create table mine (a int)",
        "create temporary table mine (a int)",
        "drop table clickstream_events",
    ):
        refused = as_shiny(sql)
        assert refused.returncode != 0, sql
        assert "permission denied" in refused.stderr or "must be owner" in refused.stderr, refused.stderr


def test_no_secret_is_in_any_output_log_or_process_list() -> None:
    names = ("/clickstream/warehouse/loader_password", "/clickstream/ca/private_key")
    secrets = [
        aws("ssm")
        .get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        .strip()
        .splitlines()[-2:][0]
        for name in names
    ]
    logs = [path for path in (PROJECT / ".local_cloud" / NAME).rglob("*.log*") if path.is_file()]
    on_the_host = on_host(
        "cat /var/log/postgresql/* /var/log/shiny-server* 2>/dev/null; journalctl --no-pager"
    )
    texts = [*OUTPUTS, *(path.read_text(errors="replace") for path in logs), on_the_host.stdout]
    for secret in secrets:
        assert len(secret) >= 20
        assert [text[:100] for text in texts if secret in text] == []


def log_lines() -> dict[str, str]:
    """What every log group holds, by its name."""
    logs = aws("logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    return {
        name: "\n".join(
            line["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            for line in page["events"]
        )
        for name in groups
    }


def transcripts() -> dict[str, str]:
    """The transcripts of sessions, and what AWS logged of network and buckets."""
    s3 = aws("s3")
    return {
        key["Key"]: s3.get_object(Bucket=name, Key=key["Key"])["Body"].read().decode(errors="replace")
        for name in (bucket("session-logs"), bucket("logs"))
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        for key in page.get("Contents", [])
    }


def test_no_personal_data_is_in_any_log() -> None:
    """Marked data came with an event and with a refused one, which is loaded too."""
    today = datetime.now(UTC)
    days = {f"rejected/{day:%Y/%m/%d}/" for day in (today, today - timedelta(hours=3))}
    for day in days:
        payload = json.dumps({"prefix": day}).encode()
        answer = aws("lambda").invoke(FunctionName="SBW_Lamda_ETL", Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()
    kept = warehouse("select string_agg(raw_event, '') from rejected_events")
    assert MARKS["user id"] in kept and MARKS["email"] in kept, "the marked event was loaded"
    on_the_host = {
        # Some files are no text.
        place: on_host(f"{{ {script}; }} | LC_ALL=C tr -cd '\\n\\40-\\176'").stdout
        for place, script in {
            "PostgreSQL": "cat /var/log/postgresql/*",
            "Shiny": "cat /var/log/shiny-server* /var/log/shiny-server/* 2>/dev/null",
            "journal": "journalctl --no-pager",
            "other files": "find /var/log -type f -size -20M -exec cat {} +",
        }.items()
    }
    logs = {**log_lines(), **transcripts(), **on_the_host}
    for place in ("/aws/lambda/clickstream-lambda-ingest", "/aws/lambda/SBW_Lamda_ETL", "PostgreSQL"):
        assert logs[place], f"{place} was looked at"
    found = [(place, what) for place, text in logs.items() for what, mark in MARKS.items() if mark in text]
    assert found == []


def test_the_host_cannot_reach_the_package_proxy_at_rest() -> None:
    tried = on_host(f"curl -sS -m 5 -o /dev/null http://{VPC_ROUTER}:3242/ ; ip route show default")
    assert "curl:" in tried.stderr
    assert tried.stdout == ""


def test_updates_come_through_a_way_out_that_is_closed_again() -> None:
    outdated = """set -e
        mkdir -p /tmp/outdated/DEBIAN
        echo "Package: hello
Version: 0.1
Architecture: $(dpkg --print-architecture)
Maintainer: tests <tests@example.org>
Description: a package that has an upgrade" >/tmp/outdated/DEBIAN/control
        dpkg-deb --build /tmp/outdated /tmp/outdated.deb
        dpkg --install /tmp/outdated.deb
        rm -r /tmp/outdated /tmp/outdated.deb"""
    assert on_host(outdated).returncode == 0
    hello = "dpkg-query -Wf '${Version} ${Status}' hello"
    before = len(calls())
    checked = succeed("playbooks/update_packages.yml", "--check", "--diff")
    wrote = [call for call in calls(before) if call["mutating"] and "transfer" not in str(call["resource"])]
    assert [call["action"] for call in wrote] == []
    assert "pending: upgrades of packages needs temporary egress" in checked.output
    assert on_host(hello).stdout == "0.1 install ok installed"
    run = succeed("playbooks/update_packages.yml")
    OUTPUTS.append(run.output)
    assert "CreateNatGateway" in {call["action"] for call in calls(before)}
    assert_no_way_out()
    version, status = on_host(hello).stdout.split(maxsplit=1)
    assert (version != "0.1", status) == (True, "install ok installed")
    assert on_host("apt-get purge -y -q hello").returncode == 0
    # the upgraded package is configured as before, and the rebuilt warehouse as on the first run
    assert succeed("playbooks/analytics_host.yml").changed == 0


def test_a_run_killed_during_the_installation_leaves_no_way_out_after_the_next() -> None:
    assert on_host("DEBIAN_FRONTEND=noninteractive apt-get remove -y -q r-cran-plotly").returncode == 0
    run = subprocess.Popen(
        command("playbooks/analytics_host.yml"),
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: bool(nat_gateways() and default_routes_of_private_table()), "egress opens", 120)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert nat_gateways(), "the run was killed while the way out was open"
    assert succeed("playbooks/close_egress.yml").changed > 0
    assert_no_way_out()
    succeed("playbooks/analytics_host.yml")
    assert_no_way_out()
    assert on_host("dpkg-query -Wf '${Status}' r-cran-plotly").stdout == "install ok installed"


def test_destroy_leaves_nothing_but_the_raw_bucket_and_the_log_of_who_read_it() -> None:
    run = succeed("playbooks/destroy.yml", "-e", "confirm=yes")
    assert "nothing" in run.output
    ec2 = aws("ec2")
    assert [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []
    states = [i["State"]["Name"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    assert set(states) <= {"terminated"}
    assert ec2.describe_addresses()["Addresses"] == []
    assert [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["State"] != "deleted"] == []
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    kept = sorted(b["Name"] for b in aws("s3").list_buckets()["Buckets"])
    assert kept == [bucket("ingest"), bucket("logs")]
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("apigatewayv2").get_apis()["Items"] == []
    assert aws("events").list_rules()["Rules"] == []
    assert aws("ssm").describe_parameters()["Parameters"] == []
    assert aws("logs").describe_log_groups()["logGroups"] == []
    assert aws("sqs").list_queues().get("QueueUrls", []) == []
    assert aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"] == []
    ours = [
        r["RoleName"] for r in aws("iam").list_roles()["Roles"] if r["RoleName"].startswith(("SBW", "click"))
    ]
    assert ours == []


def test_destroy_takes_the_raw_bucket_too_where_it_is_told_to() -> None:
    succeed("playbooks/destroy.yml", "-e", "confirm=yes", "-e", "platform_keep_raw_events=false")
    assert aws("s3").list_buckets()["Buckets"] == []
    assert play("playbooks/destroy.yml", "-e", "confirm=yes", "--check").changed == 0


def test_the_deployers_policies_in_docs_cover_every_call() -> None:
    """docs/deployer, which README names, allows every call of the runs above."""
    policies = [json.loads(file.read_text()) for file in (PROJECT / "docs/deployer").glob("*.json")]
    statements = [one for policy in policies for one in policy["Statement"] if one["Effect"] == "Allow"]
    allowed = [action for one in statements for action in one["Action"]]
    runs = [call for call in calls() if call["client"] == "127.0.0.1" and call["service"] != "execute-api"]
    needed = {iam_action(call) for call in runs}
    assert {"ec2:RunInstances", "s3:CreateBucket", "lambda:CreateFunction", "apigateway:POST"} <= needed
    assert sorted(a for a in needed if not any(fnmatch.fnmatchcase(a, rule) for rule in allowed)) == []
