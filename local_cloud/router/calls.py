"""An AWS call in any of the protocols, and the answers that the router makes itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

JsonObject = dict[str, Any]

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_PRESIGNED = re.compile(r"([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_RPC_PATH = re.compile(r"^/service/([^/]+)/operation/([^/]+)$")
_TARGETS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
    "Logs_20140328": "logs",
}
"""Target prefix → service, for the JSON calls that clients may send unsigned."""

EXECUTE_API = "/_aws/execute-api/"


@dataclass(frozen=True)
class Principal:
    """Who calls. ``identity`` is the ARN of the user or role whose policies count.

    ``context`` is for conditions; ``subnet`` is set where the call leaves a VPC's subnet.
    """

    arn: str
    identity: str
    user_id: str
    name: str
    context: tuple[tuple[str, str], ...] = ()
    subnet: str = ""


@dataclass
class Call:
    """A request as it arrived.

    ``path`` is the raw path with its query, still percent-encoded. ``body`` is ``None`` while
    the body is streamed through; a call that has hooks has it in full. ``key`` and ``token`` are the
    caller's access key and session token; ``principal`` is known where IAM is enforced, and
    ``channel_denied`` says why a session that the call starts could not be opened; ``judging`` is how many
    seconds that took.
    """

    method: str
    path: str
    headers: dict[str, str]
    service: str
    region: str
    action: str = ""
    body: bytes | None = None
    key: str = ""
    token: str = ""
    principal: Principal | None = None
    channel_denied: str = ""
    judging: float = 0.0
    _form: list[tuple[str, str]] | None = field(default=None, repr=False)
    _json: JsonObject | None = field(default=None, repr=False)

    @property
    def form_encoded(self) -> bool:
        """Whether the parameters are a form, as in EC2's and IAM's protocol."""
        return self.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")

    @property
    def form(self) -> list[tuple[str, str]]:
        """Parameters of a query-protocol call, in order."""
        if self._form is None:
            self._form = parse_qsl((self.body or b"").decode(), keep_blank_values=True)
        return self._form

    def param(self, name: str, default: str = "") -> str:
        """Return one parameter of a query-protocol call."""
        return next((value for key, value in self.form if key == name), default)

    def params(self, prefix: str) -> list[str]:
        """Return the values whose name starts with ``prefix``, e.g. ``InstanceId.``."""
        return [value for key, value in self.form if key.startswith(prefix)]

    def replace_form(self, form: list[tuple[str, str]]) -> None:
        """Send these parameters on instead of the ones that arrived."""
        self._form = form
        self.body = urlencode(form).encode()

    @property
    def json(self) -> JsonObject:
        """The body of a JSON call; empty when there is none or it is no object."""
        if self._json is None:
            try:
                value = json.loads(self.body or b"{}")
            except ValueError:
                value = {}
            self._json = value if isinstance(value, dict) else {}
        return self._json

    def replace_json(self, value: JsonObject) -> None:
        """Send this body on instead of the one that arrived."""
        self._json = value
        self.body = json.dumps(value).encode()

    @property
    def query(self) -> dict[str, list[str]]:
        """The query string of the path."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    @property
    def segments(self) -> list[str]:
        """The decoded parts of the path, e.g. ``["bucket", "key"]``."""
        return [unquote(part) for part in urlsplit(self.path).path.lstrip("/").split("/")]


@dataclass
class Answer:
    """A response that is held in full."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < 400

    @property
    def json(self) -> JsonObject:
        """The body as a JSON object; empty when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def replace_json(self, value: JsonObject) -> None:
        """Answer this object instead."""
        self.body = json.dumps(value).encode()


class RefusedError(Exception):
    """The call is refused, as AWS would refuse it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def refuse(code: str, message: str, status: int = 400) -> NoReturn:
    """Refuse the call with this AWS error code."""
    raise RefusedError(status, code, message)


def identify(method: str, path: str, headers: dict[str, str]) -> Call:
    """Tell service and region of a request from its signature, or else from its path and headers.

    ``headers`` have lower-case names. The action is found later, see
    :mod:`local_cloud.router.operations`.
    """
    call = Call(method, path, headers, service="", region="")
    if path.startswith(EXECUTE_API) or ".execute-api." in headers.get("host", ""):
        call.service = "execute-api"
        return call
    signed = _SCOPE.search(headers.get("authorization", ""))
    if signed:
        call.key, call.region, call.service = signed.groups()
        call.token = headers.get("x-amz-security-token", "")
        if call.service in _NO_TARGET:
            call.headers = {key: value for key, value in headers.items() if key != "x-amz-target"}
        return call
    if "X-Amz-Credential" in path:
        presigned = _PRESIGNED.search(call.query.get("X-Amz-Credential", [""])[0])
        if presigned:
            call.key, call.region, call.service = presigned.groups()
            call.headers = {key: value for key, value in headers.items() if key != "x-amz-target"}
            call.token = call.query.get("X-Amz-Security-Token", [""])[0]
            return call
    if "AWSAccessKeyId=" in path:
        # only S3 still has signature version 2, for presigned addresses
        call.service = "s3"
        call.key = call.query["AWSAccessKeyId"][0]
        return call
    prefix = headers.get("x-amz-target", "").partition(".")[0]
    call.service = _TARGETS.get(prefix, "")
    return call


_NO_TARGET = frozenset({"apigateway", "ec2", "iam", "lambda", "s3", "sts"})
"""Services of other protocols, which pay no heed to a target; ministack would."""


def rpc_action(call: Call) -> str:
    """Return the action of a JSON or CBOR call, which names it outside its body."""
    if call.service in _NO_TARGET:
        return ""
    target = call.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    rpc = _RPC_PATH.match(urlsplit(call.path).path)
    return rpc.group(2) if rpc else ""


def json_answer(value: JsonObject, status: int = 200) -> Answer:
    """Answer a JSON call."""
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return Answer(status, json.dumps(value).encode(), headers)


def error_answer(call: Call, refused: RefusedError) -> Answer:
    """Render an error as the call's own protocol does."""
    code, message = refused.code, str(refused)
    if call.service in {"ec2", "iam", "sts", "s3", "sns"}:
        error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if call.service == "s3":
            xml = f"<Error>{error}</Error>"
        elif call.service == "ec2":
            xml = f"<Response><Errors><Error>{error}</Error></Errors></Response>"
        else:
            xml = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        body = b"" if call.method == "HEAD" else xml.encode()
        return Answer(refused.status, body, {"Content-Type": "application/xml"})
    # AWS writes "Message" with either capital; botocore reads both
    answer = json_answer({"__type": code, "message": message, "Message": message}, refused.status)
    answer.headers["x-amzn-ErrorType"] = code
    return answer
