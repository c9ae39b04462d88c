"""Session Manager, which neither emulator serves: registered instances and sessions.

The real plugin opens a web socket to the stream URL in StartSession's answer. The local cloud's stream URL
names the machine's directory and the kind of session, which is all that the stand-in needs.
"""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import urlencode

from local_cloud import machines
from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call, JsonObject, json_answer, refuse
from local_cloud.router.documents import session_document
from local_cloud.router.hooks import answers
from local_cloud.router.instances import Instance, instances, unregistered

_SESSIONS: dict[str, JsonObject] = {}
"""Session id → what DescribeSessions answers. Held in memory: a restart of the router forgets them."""

_CREATORS: dict[str, str] = {}
"""Session id → the ``aws:userid`` of who started it, which AWS writes into a tag of the session."""

_KEPT_SESSIONS = 500
_LOGGED = ("s3BucketName", "s3KeyPrefix")


async def _not_registered(backends: Backends, instance: Instance) -> str:
    """Return why an instance is not registered with Systems Manager; empty if it is."""
    if instance.state != "running":
        return f"it is {instance.state}"
    if instance.id in backends.leaving or not machines.up(backends.settings, instance.id):
        return "its machine is not up (yet)"
    return await unregistered(backends, instance)


@answers("ssm", "DescribeInstanceInformation")
async def describe_instance_information(call: Call, backends: Backends) -> Answer:
    """List the registered instances."""
    wanted: set[str] = set()
    for one in call.json.get("Filters") or []:
        if one.get("Key") == "InstanceIds":
            wanted |= set(one.get("Values") or [])
    for one in call.json.get("InstanceInformationFilterList") or []:
        if one.get("key") == "InstanceIds":
            wanted |= set(one.get("valueSet") or [])
    found = []
    for instance in await instances(backends):
        if wanted and instance.id not in wanted:
            continue
        if await _not_registered(backends, instance):
            continue
        found.append(
            {
                "InstanceId": instance.id,
                "PingStatus": "Online",
                "LastPingDateTime": int(time.time()),
                "AgentVersion": "3.3.3050.0",
                "IsLatestVersion": True,
                "PlatformType": "Linux",
                "PlatformName": "Debian GNU/Linux",
                "PlatformVersion": "13",
                "ResourceType": "EC2Instance",
                "IPAddress": instance.address,
                "ComputerName": f"ip-{instance.address.replace('.', '-')}",
            }
        )
    return json_answer({"InstanceInformationList": found})


@answers("ssm", "GetConnectionStatus")
async def connection_status(call: Call, backends: Backends) -> Answer:
    """Tell whether a session with an instance is possible."""
    target = str(call.json.get("Target", ""))
    found = await instances(backends, target)
    connected = bool(found) and not await _not_registered(backends, found[0])
    return json_answer({"Target": target, "Status": "connected" if connected else "notconnected"})


@answers("ssm", "StartSession")
async def start_session(call: Call, backends: Backends) -> Answer:
    """Open a session: a shell, or a forwarded port."""
    target = str(call.json.get("Target", ""))
    name = str(call.json.get("DocumentName") or "SSM-SessionManagerRunShell")
    document = session_document(backends, name)
    found = await instances(backends, target)
    reason = await _not_registered(backends, found[0]) if found else "there is no such instance"
    if reason:
        refuse("TargetNotConnected", f"{target} is not connected: {reason}.")
    who = call.principal
    session = f"{who.name if who else 'local'}-{secrets.token_hex(9)[:17]}"
    _CREATORS[session] = who.user_id if who else ""
    owner = who.arn if who else f"arn:aws:iam::{backends.settings.account_id}:user/local"
    _remember(session, target, name, owner)
    details = _details(document, call.json.get("Parameters") or {})
    if call.channel_denied:
        details = {"denied": call.channel_denied}
    place = machines.directory(backends.settings, target)
    return json_answer(
        {
            "SessionId": session,
            "TokenValue": secrets.token_urlsafe(24),
            "StreamUrl": f"local-cloud://{place}?{urlencode(details)}",
        }
    )


def _details(document: JsonObject, given: dict[str, list[str]]) -> dict[str, str]:
    """Return what the stand-in is told in the stream URL: the type of session, its ports, its log."""
    details = {"type": str(document.get("sessionType", "Standard_Stream"))}
    defaults = {key: str(one.get("default", "")) for key, one in (document.get("parameters") or {}).items()}
    values = defaults | {key: one[0] for key, one in given.items() if one}
    properties = document.get("properties")
    if details["type"] == "Port":
        asked = {"portNumber": "{{ portNumber }}", "localPortNumber": "{{ localPortNumber }}"}
        if isinstance(properties, dict):
            asked |= {key: str(value) for key, value in properties.items() if key in asked}
        for key, text in asked.items():
            value = _filled(text, values)
            if value and not value.isdigit():
                refuse("InvalidParameters", f"{key} '{value}' is no port number")
            details[key] = value or ("80" if key == "portNumber" else "0")
    elif details["type"].endswith("InteractiveCommands"):
        command = _filled("{{ command }}", values)
        if isinstance(properties, dict):
            linux = properties.get("linux")
            if isinstance(linux, dict) and linux.get("commands"):
                command = _filled(str(linux["commands"]), values)
        details["command"] = command
    inputs = document.get("inputs") or {}
    details |= {key: str(inputs[key]) for key in _LOGGED if inputs.get(key)}
    return details


def _filled(text: str, values: dict[str, str]) -> str:
    """Put parameters in the place of ``{{ name }}``."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: values.get(found.group(1), ""), text)


def creator(session: str) -> str:
    """Return the ``aws:userid`` of who started a session; empty for one that is not known."""
    return _CREATORS.get(session, "")


def _remember(session: str, target: str, document: str, owner: str) -> None:
    while len(_SESSIONS) >= _KEPT_SESSIONS:
        gone = next(iter(_SESSIONS))
        _SESSIONS.pop(gone)
        _CREATORS.pop(gone, None)
    _SESSIONS[session] = {
        "SessionId": session,
        "Target": target,
        "Status": "Connected",
        "StartDate": int(time.time()),
        "DocumentName": document,
        "Owner": owner,
    }


@answers("ssm", "TerminateSession")
async def terminate_session(call: Call, backends: Backends) -> Answer:
    """Mark a session as ended; its process ends by itself."""
    session = str(call.json.get("SessionId", ""))
    if session in _SESSIONS:
        _SESSIONS[session] |= {"Status": "Terminated", "EndDate": int(time.time())}
    return json_answer({"SessionId": session})


@answers("ssm", "DescribeSessions")
async def describe_sessions(call: Call, backends: Backends) -> Answer:
    """List sessions, active ones or ended ones."""
    ended = call.json.get("State") == "History"
    found = [one for one in _SESSIONS.values() if (one["Status"] == "Terminated") is ended]
    for one in call.json.get("Filters") or []:
        key = {"Target": "Target", "SessionId": "SessionId", "Owner": "Owner"}.get(one.get("key", ""))
        if key:
            found = [session for session in found if session[key] == one.get("value")]
    return json_answer({"Sessions": found})
