"""The details that StartSession passes to the stand-in."""

from __future__ import annotations

import pytest

pytest.importorskip("aiohttp")

from local_cloud.router.calls import RefusedError
from local_cloud.router.sessions import _details


def test_a_port_session_takes_its_ports_from_the_caller() -> None:
    details = _details({"sessionType": "Port"}, {"portNumber": ["3838"], "localPortNumber": ["13838"]})
    assert details == {"type": "Port", "portNumber": "3838", "localPortNumber": "13838"}


def test_a_document_can_fix_or_default_the_port() -> None:
    document = {
        "sessionType": "Port",
        "parameters": {"localPortNumber": {"type": "String", "default": "0"}},
        "properties": {
            "portNumber": "3838",
            "type": "LocalPortForwarding",
            "localPortNumber": "{{ localPortNumber }}",
        },
    }
    assert _details(document, {})["portNumber"] == "3838"
    assert _details(document, {"localPortNumber": ["99"]})["localPortNumber"] == "99"


def test_a_malformed_port_is_refused() -> None:
    with pytest.raises(RefusedError, match="no port number"):
        _details({"sessionType": "Port"}, {"portNumber": ["3838; rm"]})


def test_a_document_names_its_log_and_its_command() -> None:
    shell = {
        "sessionType": "Standard_Stream",
        "inputs": {"s3BucketName": "b", "s3KeyPrefix": "p", "runAsEnabled": False},
    }
    assert _details(shell, {}) == {"type": "Standard_Stream", "s3BucketName": "b", "s3KeyPrefix": "p"}
    command = {
        "sessionType": "InteractiveCommands",
        "parameters": {"unit": {"type": "String"}},
        "properties": {"linux": {"commands": "systemctl status {{ unit }}"}},
    }
    assert _details(command, {"unit": ["ssh"]})["command"] == "systemctl status ssh"
