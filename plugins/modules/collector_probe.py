#!/usr/bin/python
"""Ansible module: send realistic events to the collector, as browsers do, and check its answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: collector_probe
short_description: Send realistic events to the collector and check its answers
description:
  - Sends the events of O(visitors) visitors to the collector over HTTP (single events, arrays, batches),
    the last of them once more with an invalid event in it, and checks every answer against the contract.
  - They are what different trackers send. Some have specific views without C(page_view), some both; some have
    poor product events, orders of several items, success pages loaded twice, or carts of the day before.
  - Checks CORS, and gzip where O(gzip) is set.
  - The events are marked by their client ids, which begin with C(verify-<run_id>-).
options:
  url:
    description: The collector's URL, up to and with C(/clickstream).
    type: str
    required: true
  run_id:
    description: Id of the verification run, which marks its events.
    type: str
    required: true
  visitors:
    description: Number of visitors; each sends about a dozen events.
    type: int
    default: 30
  cors_origin:
    description: An origin that CORS must allow.
    type: str
    required: true
  currency:
    description: Currency of the orders.
    type: str
    default: VND
  gzip:
    description: Whether to send bodies in gzip, too.
    type: bool
    default: true
  timeout:
    description: Seconds that one request may take.
    type: int
    default: 30
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Send events
  clickstream.aws.collector_probe:
    url: https://abc123.execute-api.ap-southeast-1.amazonaws.com/clickstream
    run_id: 20261121t060000
    cors_origin: https://shop.example
"""

RETURN = r"""
stations:
  description: One row for each check.
  type: list
  elements: dict
  returned: always
  sample: [{station: "collector: events accepted", expected: 300 events, found: 300 events, ok: true}]
rows:
  description: The warehouse rows that the good events must become, by column.
  type: list
  elements: dict
  returned: always
counts:
  description: What the warehouse must count of them. C(pages) seen, C(orders), their C(units) and C(revenue).
  type: dict
  returned: always
  sample: {pages: 212, orders: 11, units: 19, revenue: 354810000}
recent:
  description: How many of the good events happened in the half hour before they were sent.
  type: int
  returned: always
requests:
  description: How many requests with at least one good event were sent, each of which must be one raw object.
  type: int
  returned: always
"""

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

import urllib3
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils import traffic
from ansible_collections.clickstream.aws.plugins.module_utils.stations import (
    Station,
    counted,
    station,
)

SENDERS = 8
"""Requests at the same time: about as many connections as a browser opens to one host."""


class Request(NamedTuple):
    """A request, and how many of its events must be accepted and rejected."""

    body: bytes
    media_type: str
    accepted: int
    rejected: tuple[int, ...] = ()


def requests_of(sessions: list[list[traffic.Event]], with_gzip: bool) -> list[Request]:
    """The requests that carry the sessions, in every form that the contract knows."""
    forms = [_single, _array, _batch, _beacon, *([_gzip] if with_gzip else [])]
    requests = [
        request for number, session in enumerate(sessions) for request in forms[number % len(forms)](session)
    ]
    last = sessions[-1]
    with_a_bad_one = json.dumps({"events": [last[0], {"eventTimestamp": "no name"}, *last[1:]]})
    # The last visitor's events once more with an invalid one among them: nothing may be counted twice.
    return [*requests, Request(with_a_bad_one.encode(), "application/json", len(last), (1,))]


def _single(session: list[traffic.Event]) -> list[Request]:
    return [Request(json.dumps(event).encode(), "application/json", 1) for event in session]


def _array(session: list[traffic.Event]) -> list[Request]:
    return [Request(json.dumps(session).encode(), "application/json", len(session))]


def _batch(session: list[traffic.Event]) -> list[Request]:
    return [Request(json.dumps({"events": session}).encode(), "application/json", len(session))]


def _beacon(session: list[traffic.Event]) -> list[Request]:
    return [Request(json.dumps(session).encode(), "text/plain;charset=UTF-8", len(session))]


def _gzip(session: list[traffic.Event]) -> list[Request]:
    packed = gzip.compress(json.dumps(session).encode())
    return [Request(packed, "application/gzip", len(session))]


class Collector:
    """The collector as a browser sees it."""

    def __init__(self, url: str, origin: str, user_agent: str, timeout: int) -> None:
        self.url = url
        self.origin = origin
        self.http = urllib3.PoolManager(
            maxsize=SENDERS,
            timeout=timeout,
            retries=urllib3.Retry(3, redirect=0),
            headers={"User-Agent": user_agent, "Origin": origin},
        )

    def post(self, body: bytes, media_type: str) -> tuple[int, Any]:
        """Status and parsed answer (None where it is no JSON)."""
        headers = {**self.http.headers, "Content-Type": media_type}
        answer = self.http.request("POST", self.url, body=body, headers=headers)
        try:
            return answer.status, answer.json()
        except ValueError:
            return answer.status, None

    def allowed_origin(self, origin: str) -> str:
        """The origin that the answer to a preflight request allows; empty where it allows none."""
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        answer = self.http.request("OPTIONS", self.url, headers=headers)
        return str(answer.headers.get("Access-Control-Allow-Origin", ""))


def verdict(request: Request, status: int, answer: Any) -> str:
    """What is wrong with an answer; empty where it is as the contract says."""
    if status != 200 or not isinstance(answer, dict):
        return f"{status} {answer}"
    rejected = tuple(bad.get("index") for bad in answer.get("rejected", []))
    if (answer.get("accepted"), rejected) != (request.accepted, request.rejected):
        return f"accepted {answer.get('accepted')} of {request.accepted}, rejected {rejected}"
    return ""


def send(collector: Collector, requests: list[Request]) -> list[Station]:
    """Send all requests, several at a time, and check every answer."""
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(lambda request: collector.post(request.body, request.media_type), requests))
    wrong = Counter(
        filter(None, (verdict(request, *answer) for request, answer in zip(requests, answers, strict=True)))
    )
    accepted = sum(answer.get("accepted", 0) for _, answer in answers if isinstance(answer, dict))
    rows = [
        counted("collector: requests answered 200", len(requests), len(requests) - wrong.total(), "requests"),
        counted("collector: events accepted", sum(r.accepted for r in requests), accepted, "events"),
    ]
    if wrong:
        complaint, times = wrong.most_common(1)[0]
        rows.append(station("collector: answers", "as in the contract", f"{times} times: {complaint}"))
    return rows


def probe_edges(collector: Collector) -> list[Station]:
    """Requests that must be refused, and CORS for the shop and for an unknown origin."""
    refused = [collector.post(body, "application/json")[0] for body in (b"{not json", b'"text"', b"[]")]
    stranger = "https://stranger.invalid"
    return [
        station("collector: status of invalid bodies", [400, 400, 400], refused),
        station("collector: status of image/png", 415, collector.post(b"x", "image/png")[0]),
        station("collector: CORS for the shop", collector.origin, collector.allowed_origin(collector.origin)),
        station(
            "collector: CORS for an unknown origin",
            False,
            collector.allowed_origin(stranger) in (stranger, "*"),
        ),
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"required": True},
            "run_id": {"required": True},
            "visitors": {"type": "int", "default": 30},
            "cors_origin": {"required": True},
            "currency": {"default": "VND"},
            "gzip": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=False,
    )
    params = module.params
    now = datetime.now(UTC)
    sessions = traffic.visits(params["run_id"], params["visitors"], now, params["currency"])
    requests = requests_of(sessions, params["gzip"])
    agent = traffic.user_agent(params["run_id"])
    collector = Collector(params["url"], params["cors_origin"], agent, params["timeout"])
    try:
        stations = [*send(collector, requests), *probe_edges(collector)]
    except urllib3.exceptions.HTTPError as error:
        module.fail_json(
            msg=f"The collector {params['url']} cannot be reached: {error}. "
            "Fix: run site.yml, which repairs the API."
        )
    module.exit_json(
        changed=True,
        stations=stations,
        rows=[traffic.expected_row(event) for session in sessions for event in session],
        counts=traffic.expected_counts(sessions),
        recent=traffic.recent(sessions, now),
        requests=len(requests),
    )


if __name__ == "__main__":
    main()
