"""The two emulators, and the router's own calls to them."""

from __future__ import annotations

from xml.etree import ElementTree

import aiohttp
from yarl import URL

from local_cloud.router.calls import Answer, Call
from local_cloud.settings import Settings

MOTO = frozenset({"ec2", "iam", "sts"})
"""The services that moto serves; ministack has the rest."""

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect"}
)


def forwarded(headers: dict[str, str]) -> dict[str, str]:
    """Drop the headers that belong to one connection only."""
    return {key: value for key, value in headers.items() if key.lower() not in _HOP_BY_HOP}


def signature(service: str, region: str) -> str:
    """Return an Authorization header that names the service; the emulators check nothing else."""
    return (
        f"AWS4-HMAC-SHA256 Credential=local/20260101/{region}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )


class Backends:
    """Connections to the emulators, and this cloud's settings."""

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        self.settings = settings
        self.http = http
        self.leaving: set[str] = set()
        """Instances that were told to stop or reboot, and whose machine has not shut down yet."""

    def url(self, call: Call) -> URL:
        """Return where a call goes, its path untouched."""
        port = self.settings.ministack_port
        if call.service in MOTO:
            port = self.settings.moto_port
        return URL(f"http://127.0.0.1:{port}{call.path}", encoded=True)

    async def send(self, call: Call) -> Answer:
        """Send a call whose body is held in full and return the whole answer."""
        headers = forwarded(call.headers)
        headers.pop("content-length", None)
        async with self.http.request(
            call.method, self.url(call), data=call.body, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, await response.read(), forwarded(dict(response.headers)))

    async def query(self, service: str, action: str, params: dict[str, str]) -> ElementTree.Element:
        """Call an action of moto; return the answer's XML without namespaces.

        Raises :class:`LookupError` with the error code when moto refuses.
        """
        form = {"Action": action, "Version": _VERSIONS[service], **params}
        async with self.http.post(
            f"http://127.0.0.1:{self.settings.moto_port}/",
            data=form,
            headers={"Authorization": signature(service, self.settings.region)},
        ) as response:
            root = parse(await response.read())
            if response.status >= 400:
                raise LookupError(root.findtext(".//Code") or f"HTTP {response.status}")
            return root

    async def get_json(self, service: str, path: str) -> Answer:
        """GET a path of one of ministack's REST services."""
        async with self.http.get(
            f"http://127.0.0.1:{self.settings.ministack_port}{path}",
            headers={"Authorization": signature(service, self.settings.region)},
        ) as response:
            return Answer(response.status, await response.read())


_VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08"}


def parse(body: bytes) -> ElementTree.Element:
    """Parse an emulator's XML, dropping its namespaces."""
    root = ElementTree.fromstring(body)  # noqa: S314 - from our own emulator on 127.0.0.1
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
