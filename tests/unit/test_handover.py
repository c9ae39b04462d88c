"""What `make up` suggests to try works, and leaves the demo's products alone."""

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from jinja2 import ChainableUndefined, Environment

from ansible_collections.clickstream.aws.plugins.module_utils import traffic

TEMPLATE = Path(__file__).parents[2] / "roles/handover/templates/handover.txt.j2"


def test_the_event_to_try_has_a_product_of_its_own() -> None:
    """A name in an event renames the product of that id on the dashboard."""
    found = re.search(r"-d '(\{.*?\})' ", TEMPLATE.read_text())
    assert found
    product = json.loads(found[1])["product"]
    assert product["id"] not in {one.id for one in traffic.CATALOGUE}
    assert product["name"] not in {one.name for one in traffic.CATALOGUE}


class Endpoint(BaseHTTPRequestHandler):
    """Answers every call of Systems Manager with nothing, and keeps what it was signed with."""

    signed: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.signed.append(self.headers["Authorization"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_the_line_for_other_aws_clients_is_all_that_boto3_needs() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shown = Environment(trim_blocks=True, undefined=ChainableUndefined).from_string(TEMPLATE.read_text())  # noqa: S701
        url = f"http://127.0.0.1:{server.server_address[1]}"
        text = shown.render(handover_endpoint_url=url, platform_region="eu-north-1", handover_commands={})
        [line] = [line for line in text.splitlines() if line.lstrip().startswith("export ")]
        client = "import boto3; boto3.client('ssm').describe_parameters()"
        done = subprocess.run(
            ["/bin/sh", "-c", f'{line}\n"$0" -c "$1"', sys.executable, client],
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert "Credential=123456789012/" in Endpoint.signed[-1] and "/eu-north-1/ssm/" in Endpoint.signed[-1]
