#!/usr/bin/python
"""Ansible module: look at a page with a browser, and say what its tracker does and what stands in its way."""

from __future__ import annotations

DOCUMENTATION = r"""
module: page_probe
short_description: Look at a page with a browser, and say what its tracker does and what stands in its way
description:
  - Opens a page in a headless Chromium of this machine, as a new visitor does, and looks at what the tracker
    sends and what becomes of it. The collector gets these events, and knows them as a headless browser's.
  - It clicks nothing and consents to nothing.
options:
  url:
    description: The page.
    type: str
    required: true
  browser:
    description:
      - Chromium or Chrome, on the PATH or with its path. Empty takes the first that is there of C(chromium),
        C(chromium-browser), C(google-chrome-stable) and C(google-chrome).
    type: str
    default: ""
  wait:
    description: Seconds that it may take until the page is loaded and its first events are answered.
    type: int
    default: 15
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Look whether the page's tracker works
  clickstream.aws.page_probe:
    url: https://shop.example/
"""

RETURN = r"""
version:
  description: Version of the tracker that runs on the page; empty where none does.
  type: str
  returned: always
tags:
  description: Addresses of the script tags that load it. None where it is part of the page's own scripts.
  type: list
  elements: str
  returned: always
events:
  description: The events that it sent, with what became of each.
  type: list
  elements: dict
  returned: always
  sample: [{event: page_view, page: "https://shop.example/", answer: accepted}]
findings:
  description: What is wrong, each with its fix. Empty where all is well.
  type: list
  elements: str
  returned: always
"""

import json
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.devtools import (
    BrowserError,
    Chromium,
    Message,
    find_browser,
)

QUIET = 1.0
"""Seconds of silence after the tracker's answers that end it; five times as many where it sent nothing."""

LOOK = r"""(() => {
  const seen = {origin: location.origin, blocked: '', waiting: 0}
  seen.version = window[Symbol.for('clickstream')]?.version ?? ''
  const ours = ({src, dataset: {url = ''}}) =>
    /\/clickstream\/?$/.test(url) || /\/tracker-[\d.]+-[\da-f]{12}\.m?js$/.test(src) ||
    (/\/tracker\.m?js$/.test(src) && (url || window.clickstreamOptions))
  seen.tags = [...document.scripts].filter(one => one.src && ours(one)).map(one => one.src)
  try {
    localStorage.setItem('clickstream-probe', '1')
    localStorage.removeItem('clickstream-probe')
    seen.waiting = Object.keys(localStorage).filter(key => key.startsWith('clickstream.event.')).length
  } catch (error) { seen.blocked = error.name }
  return seen
})()"""
"""The tracker is known by its symbol, its tags by name and option: others too have a tracker.js."""

SNIPPET = "Fix: paste the line that playbooks/tracker.yml prints"


@dataclass
class Request:
    """A request of the page, and what became of it."""

    url: str
    body: str = ""
    status: int = 0
    readable: bool = False
    """Whether the page may read the answer."""
    ended: bool = False
    failed: str = ""
    answer: str = ""


@dataclass
class Seen:
    """What the browser told about a page."""

    requests: dict[str, Request] = field(default_factory=dict)
    forbidden: list[tuple[str, str, str]] = field(default_factory=list)
    """By the page's content security policy: directive, address, and the script that asked."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """Script, and what it threw."""
    said: list[str] = field(default_factory=list)
    """What the browser wrote to the console."""

    def batches(self) -> dict[str, Request]:
        """The tracker's requests, by the browser's number."""
        return {number: one for number, one in self.requests.items() if events_of(one)}

    def of(self, url: str) -> list[Request]:
        """The requests for an address."""
        return [one for one in self.requests.values() if one.url == url]


def events_of(request: Request) -> list[dict[str, Any]]:
    """The events in a request of the tracker; none in any other."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return []
    ours = isinstance(body, dict) and {"sentAt", "tracker", "events"} <= body.keys()
    return list(body["events"]) if ours else []


def sift(messages: list[Message]) -> Seen:
    """What the browser's messages say about the page."""
    seen = Seen()
    for message in messages:
        told = message.get("params", {})
        number = told.get("requestId", "")
        known = seen.requests.get(number)
        match message["method"]:
            case "Network.requestWillBeSent":
                asked = told["request"]
                seen.requests[number] = Request(asked["url"], asked.get("postData", ""))
            case "Network.responseReceived" if known:
                known.status, known.readable = told["response"]["status"], True
            case "Network.responseReceivedExtraInfo" if known:
                known.status = known.status or told["statusCode"]
            case "Network.loadingFinished" if known:
                known.ended = True
            case "Network.loadingFailed" if known:
                cors = told.get("corsErrorStatus", {}).get("corsError")
                known.failed = "CORS" if cors else told.get("blockedReason") or told["errorText"] or "unknown"
                known.ended = True
            case "Audits.issueAdded":
                csp = told["issue"]["details"].get("contentSecurityPolicyIssueDetails")
                if csp and not csp["isReportOnly"]:
                    asker = csp.get("sourceCodeLocation", {}).get("url", "")
                    seen.forbidden.append((csp["violatedDirective"], csp.get("blockedURL", ""), asker))
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                thrown = details.get("exception", {}).get("description") or details["text"]
                seen.errors.append((details.get("url", ""), thrown.splitlines()[0]))
            case "Log.entryAdded":
                seen.said.append(told["entry"]["text"])
    return seen


def told(seen: Seen) -> list[dict[str, str]]:
    """The events that were sent, with what became of each; of one that was sent again the last."""
    events = {}
    for request in seen.batches().values():
        try:
            rejected = {bad["index"]: bad["reason"] for bad in json.loads(request.answer).get("rejected", [])}
        except (ValueError, AttributeError, KeyError, TypeError):
            rejected = {}
        for index, event in enumerate(events_of(request)):
            answer = f"rejected: {rejected[index]}" if index in rejected else "accepted"
            if request.failed or request.status != 200:
                answer = request.failed or (str(request.status) if request.status else "none yet")
            events[event.get("eventId")] = {
                "event": str(event.get("eventName")),
                "page": str(event.get("pageUrl")),
                "answer": answer,
            }
    return list(events.values())


def findings(seen: Seen, page: dict[str, Any]) -> list[str]:
    """What is wrong, each with its fix."""
    found = [*loading(seen, page), *sending(seen, page)]
    if page["blocked"]:
        found.append(
            f"Storage is blocked on this page ({page['blocked']}): visitor, session and waiting events last "
            "only as long as it does. Fix: serve it without a sandbox, in no other site's frame."
        )
    # An error of the page's own is told where it may be why the tracker does not work.
    for script, thrown in seen.errors:
        if found or "clickstream" in thrown or script in page["tags"]:
            fix = error_fix(script, thrown, page)
            found.append(f"JavaScript error in {script or 'the page'}: {thrown}. {fix}.")
    return list(dict.fromkeys(found))


def error_fix(script: str, thrown: str, page: dict[str, Any]) -> str:
    """How to mend an error."""
    if script in page["tags"]:
        return f"What is at this address is not the tracker. {SNIPPET}"
    if "clickstream" in thrown:
        return "Fix: call it as (window.clickstream ??= []).push(t => …), also before the script has loaded"
    return "Fix: mend the page's script, which may have kept the tracker from being called"


def loading(seen: Seen, page: dict[str, Any]) -> list[str]:
    """What keeps the tracker from being there, once."""
    tags = page["tags"]
    found = []
    if len(tags) > 1:
        found.append(
            f"The page loads the tracker {len(tags)} times: {', '.join(tags)}. "
            "Only the first one's options count. Fix: leave one script tag."
        )
    if page["version"]:
        return found
    if not tags:
        return [f"The page has no tracker. {SNIPPET} into the page's head."]
    for tag in dict.fromkeys(tags):
        reasons = unloaded(seen, tag, page["origin"])
        found += [f"The tracker at {tag} is not loaded: {reason}" for reason in reasons]
    return found


def unloaded(seen: Seen, tag: str, origin: str) -> list[str]:
    """Why a script did not run."""
    refused = [directive for directive, url, _ in seen.forbidden if url == tag]
    if refused:
        source = "{0.scheme}://{0.netloc}".format(urlsplit(tag))
        return [f"the content security policy forbids it ({refused[0]}). Fix: add {source} to script-src."]
    if any("integrity" in said and tag in said for said in seen.said):
        return [f"its hash is not the one in integrity. {SNIPPET} for this file, hash and name together."]
    for request in seen.of(tag):
        if request.status >= 400:
            fix = "Fix: correct the address in src, or run playbooks/tracker.yml"
            return [f"the answer is {request.status}. {fix}."]
        if request.failed == "CORS":
            return [
                f"CORS: its server does not allow {origin}. "
                "Fix: add the origin to storage_media_cors_rules, and let the CDN forward the header Origin."
            ]
        if request.failed:
            return [f"{request.failed}. Fix: correct the address in src."]
    if any(script == tag for script, _ in seen.errors):
        return []  # the error itself is told
    words = [said for said in seen.said if tag in said]
    return [f"{words[0] if words else 'the browser does not say why'}. {SNIPPET}."]


def sending(seen: Seen, page: dict[str, Any]) -> list[str]:
    """What keeps its events from arriving."""
    if not page["version"]:
        return []
    connections = [(url, script) for name, url, script in seen.forbidden if name == "connect-src"]
    refused = [url for url, script in connections if is_ours(url, script, page)]
    if refused:
        return [
            f"The content security policy forbids to send to {refused[0]} (connect-src). "
            f"Fix: add {refused[0]} to connect-src."
        ]
    batches = list(seen.batches().values())
    if not batches:
        if page["waiting"]:
            why = "It records and sends none. Fix: set data-url to the collector's address (option url)."
        else:
            why = (
                "It records nothing: consent is off or waiting, or views is false. "
                "Fix: if that is not meant, correct these options."
            )
        return [f"The tracker sent no event. {why}"]
    found = [fault for one in batches if (fault := unsent(one, page["origin"]))]
    found += [
        f"The collector refused {one['event']}: {one['answer'].partition(': ')[2]}. "
        "Fix: send it as lambda_src/README.md says."
        for one in told(seen)
        if one["answer"].startswith("rejected: ")
    ]
    return found


def is_ours(url: str, script: str, page: dict[str, Any]) -> bool:
    """Whether what was forbidden is the tracker's request."""
    return script in page["tags"] or urlsplit(url).path.rstrip("/").endswith("/clickstream")


def unsent(request: Request, origin: str) -> str:
    """What is wrong with a request of the tracker; empty where it was answered well."""
    to = f"The collector {request.url}"
    wrong = "Fix: set data-url (option url) to the address that playbooks/handover.yml shows."
    if request.status >= 500 or request.status == 429:
        return f"{to} answers {request.status}. Fix: look into its logs; until then events wait in browsers."
    # 401: no token, and the open route takes the events; 403: the collector itself refuses a stranger's page
    if request.status not in (0, 200, 401, 403, 413):
        return f"{to} answers {request.status}: that is no collector's address. {wrong}"
    if request.failed == "CORS" or request.status == 403:
        return (
            f"{to} does not allow pages of {origin} (CORS). "
            "Fix: add it to platform_cors_origins, and run playbooks/functions.yml and playbooks/api.yml."
        )
    if request.failed:
        return f"{to} cannot be reached: {request.failed}. {wrong}"
    if request.ended or request.status:
        return ""
    return f"{to} has not answered yet. Fix: set check_page_wait higher, or see whether it can be reached."


def settled(messages: list[Message], started: float, now: float, last: float) -> bool:
    """Whether the page is loaded, the tracker has been answered, and nothing moves any more."""
    if not any(message["method"] == "Page.loadEventFired" for message in messages):
        return False
    seen = sift(messages)
    batches = seen.batches().values()
    patience = QUIET if batches else 5 * QUIET
    return all(one.ended for one in batches) and now - last > patience and now - started > 2 * QUIET


def look(browser: Chromium, url: str, wait: float) -> tuple[Seen, dict[str, Any]]:
    """Open a page, wait for its tracker, and look."""
    for domain in ("Network", "Page", "Runtime", "Log", "Audits"):
        browser.call(f"{domain}.enable")
    answer = browser.call("Page.navigate", url=url)
    if answer.get("errorText"):
        raise BrowserError(f"{url} cannot be opened: {answer['errorText']}. Fix: correct the address")
    started = last = time.monotonic()
    while (now := time.monotonic()) < started + wait and not settled(browser.events, started, now, last):
        if browser.listen(0.2):
            last = time.monotonic()
    value = browser.call("Runtime.evaluate", expression=LOOK, returnByValue=True)["result"]["value"]
    seen = sift(browser.events)
    document = seen.requests.get(answer.get("loaderId", ""))
    if document and document.status >= 400:
        raise BrowserError(f"{url} is answered with {document.status}. Fix: correct the address")
    for number, request in seen.batches().items():
        if request.ended and not request.failed and request.readable:
            request.answer = str(browser.call("Network.getResponseBody", requestId=number).get("body", ""))
    return seen, dict(value)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"required": True},
            "browser": {"default": ""},
            "wait": {"type": "int", "default": 15},
        },
        supports_check_mode=True,
    )
    url, wanted = module.params["url"], module.params["browser"]
    if urlsplit(url).scheme not in ("http", "https"):
        module.fail_json(
            msg=f"'{url}' is no address of a page. Fix: begin it with https://, as in -e url=https://shop.example/"
        )
    executable = find_browser(wanted)
    if not executable:
        module.fail_json(
            msg=f"{wanted or 'Chromium'} is not on this machine. Fix: apt-get install chromium (on Ubuntu, "
            "which has it as a snap only, Google Chrome), or name a Chromium in check_page_browser."
        )
    with tempfile.TemporaryDirectory(prefix="clickstream-page-", ignore_cleanup_errors=True) as profile:
        browser = None
        try:
            browser = Chromium(executable, profile)
            seen, page = look(browser, url, module.params["wait"])
        except (BrowserError, OSError) as error:
            module.fail_json(msg=f"{executable}: {error}.")
        finally:
            if browser:
                browser.close()
    module.exit_json(
        changed=False,
        version=page["version"],
        tags=page["tags"],
        events=told(seen),
        findings=findings(seen, page),
    )


if __name__ == "__main__":
    main()
