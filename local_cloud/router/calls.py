"""An AWS call in any of the protocols, and the answers that the router makes itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape

JsonObject = dict[str, Any]

_SCOPE = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_PRESIGNED = re.compile(r"([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_TARGETS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
    "Logs_20140328": "logs",
}
"""Target prefix → service, for the JSON calls that clients may send unsigned."""

EXECUTE_API = "/_aws/execute-api/"
_ADDRESS = re.compile(r"[\d.]+(:\d+)?")
_API_HOST = re.compile(r"[a-f0-9]{8}\.execute-api\.127\.0\.0\.1(:\d+)?")


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

    def take_form(self, body: bytes) -> None:
        """Take the parameters from the query string, where AWS reads them too, into the body.

        A signature in the query string stays there.
        """
        self.body = body
        url = urlsplit(self.path)
        query = parse_qsl(url.query, keep_blank_values=True)
        kept = [one for one in query if one[0].startswith("X-Amz-")]
        if kept != query:
            self.replace_form([*(one for one in query if one not in kept), *self.form])
            self.path = urlunsplit(url._replace(query=urlencode(kept)))
        self.method = "POST"
        self.headers = {**self.headers, "content-type": "application/x-www-form-urlencoded"}
        self.headers.pop("content-length", None)

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

    def of(self, action: str, value: JsonObject) -> Call:
        """Another action of the call's JSON service, asked by the router itself."""
        target = f"{self.headers.get('x-amz-target', '').partition('.')[0]}.{action}"
        headers = {**self.headers, "x-amz-target": target}
        return Call("POST", "/", headers, self.service, self.region, action, json.dumps(value).encode())

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
    :mod:`local_cloud.router.operations`. A request that is not signed and names no service is one to S3.
    """
    api = path.startswith(EXECUTE_API) or _API_HOST.fullmatch(headers.get("host", ""))
    if not api and not _ADDRESS.fullmatch(headers.get("host", "")):
        # ministack reads buckets and services from a name; here they are in path and signature
        headers = {key: value for key, value in headers.items() if key != "host"}
    else:
        headers = dict(headers)
    call = Call(method, path, headers, service="", region="")
    signed = _SCOPE.match(headers.get("authorization", ""))
    if api:
        call.service = "execute-api"
        if signed:
            del headers["authorization"]
        return call
    if signed:
        call.key, call.region, call.service = signed.groups()
        call.token = headers.get("x-amz-security-token", "")
    elif "X-Amz-Credential" in path:
        presigned = _PRESIGNED.search(call.query.get("X-Amz-Credential", [""])[0])
        if presigned:
            call.key, call.region, call.service = presigned.groups()
            call.token = call.query.get("X-Amz-Security-Token", [""])[0]
    elif "AWSAccessKeyId=" in path:
        # only S3 still has signature version 2, for presigned addresses
        call.service = "s3"
        call.key = call.query["AWSAccessKeyId"][0]
    else:
        headers.pop("authorization", None)
        call.service = _TARGETS.get(headers.get("x-amz-target", "").partition(".")[0], "s3")
    if call.service == "execute-api":
        call.service = ""  # of the API's own calls the path or the host says it
    return call


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
