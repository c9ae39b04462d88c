"""Filter: what is wrong with the platform's variables, each with its fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any
from zoneinfo import available_timezones

DOCUMENTATION = r"""
name: configuration_errors
short_description: What is wrong with the platform's variables, each with its fix
description:
  - Compares the values with each other and with AWS's documented rules, before anything is touched.
options:
  _input:
    description: The C(platform_*) variables by name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check the variables
  ansible.builtin.assert:
    that: (preflight_variables | clickstream.aws.configuration_errors) == []
"""

RETURN = r"""
_value:
  description: One sentence for each fault; empty where there is none.
  type: list
  elements: str
"""

Variables = Mapping[str, Any]

BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""S3 User Guide, "General purpose bucket naming rules", without dots (TLS certificates do not match them)."""

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")
ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d[a-z]")
PREFIX = re.compile(r"(/[A-Za-z0-9_.-]+){1,13}")
"""Systems Manager API Reference, PutParameter: at most 15 levels, of which the platform's names take two."""

POLICY = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]+")

WITHOUT_NAMESPACE = {"me-central-1", "me-south-1"}
"""S3 User Guide, "Namespaces for general purpose buckets": the regions without account regional ones."""

RESERVED_HOSTS = 4
"""VPC User Guide, "Subnet CIDR blocks": the first four addresses of a subnet and the last are AWS's."""


def configuration_errors(variables: Variables) -> list[str]:
    """Every fault in the variables, as a sentence that ends with its fix; empty where there is none."""
    return [
        *_place(variables),
        *_network(variables),
        *_names(variables, "bucket", BUCKET, "3 to 63 lower-case letters, digits and hyphens"),
        *_distinct(variables, "_bucket"),
        *_namespace(variables),
        *_distinct(variables, "_security_group"),
        *_distinct(variables, "_port"),
        *_origins(variables),
        *_parameters(variables),
        *_boundary(variables),
    ]


def _place(variables: Variables) -> Iterator[str]:
    region, zone = str(variables["platform_region"]), str(variables["platform_zone"])
    if not ZONE.fullmatch(f"{region}a"):
        yield f"platform_region {region!r} is no region. Fix: set it to e.g. ap-southeast-1."
    if not (zone.startswith(region) and ZONE.fullmatch(zone)):
        yield f"platform_zone {zone!r} is not in {region}. Fix: set it to e.g. {region}a."
    time_zone, known = str(variables["platform_time_zone"]), available_timezones()
    if known and time_zone not in known:
        yield f"platform_time_zone {time_zone!r} is no time zone. Fix: set it to e.g. Asia/Ho_Chi_Minh."
    currency = str(variables["platform_currency"])
    if not re.fullmatch("[A-Z]{3}", currency):
        yield f"platform_currency {currency!r} is no currency's code. Fix: set it to e.g. VND."
    events = variables["platform_max_events_a_visitor_day"]
    if not 1 <= int(events) <= 1_000_000:
        yield f"platform_max_events_a_visitor_day is {events}. Fix: set it to e.g. 5000."


def _network(variables: Variables) -> Iterator[str]:
    names = ("platform_vpc_cidr", "platform_public_subnet_cidr", "platform_private_subnet_cidr")
    networks: dict[str, IPv4Network] = {}
    for name in names:
        try:
            networks[name] = IPv4Network(str(variables[name]))
        except (AddressValueError, NetmaskValueError, ValueError) as error:
            yield f"{name} is no IPv4 range: {error}. Fix: write it like 10.0.0.0/16."
    if len(networks) < len(names):
        return
    vpc, public, private = networks.values()
    for name, network in networks.items():
        if not 16 <= network.prefixlen <= 28:
            yield f"{name} is a /{network.prefixlen}, and AWS takes /16 to /28. Fix: choose one of these."
        if not network.subnet_of(vpc):
            yield f"{name} {network} is not inside platform_vpc_cidr {vpc}. Fix: choose a part of it."
    if public.overlaps(private):
        yield f"The subnets {public} and {private} overlap. Fix: choose separate parts of {vpc}."
    yield from _private_address(str(variables["platform_analytics_private_ip"]), private)


def _private_address(text: str, subnet: IPv4Network) -> Iterator[str]:
    first, last = subnet[RESERVED_HOSTS], subnet[-2]
    try:
        usable = first <= IPv4Address(text) <= last
    except AddressValueError:
        usable = False
    if not usable:
        yield (
            f"platform_analytics_private_ip {text!r} is no address that an instance in {subnet} can have. "
            f"Fix: choose one from {first} to {last}."
        )


def _names(variables: Variables, suffix: str, pattern: re.Pattern[str], rule: str) -> Iterator[str]:
    for name, value in _ending(variables, f"_{suffix}").items():
        if not pattern.fullmatch(value):
            yield f"{name} {value!r} is no {suffix} name. Fix: use {rule}."


def _distinct(variables: Variables, suffix: str) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, value in _ending(variables, suffix).items():
        if value in owners:
            yield f"{name} and {owners[value]} are both {value!r}. Fix: give each a name of its own."
        owners[value] = name


def _namespace(variables: Variables) -> Iterator[str]:
    region = variables["platform_region"]
    for name, value in _ending(variables, "_bucket").items():
        if value.endswith("-an") and region in WITHOUT_NAMESPACE:
            yield (
                f"{name} {value!r} is in S3's account regional namespace, which {region} does not have. "
                "Fix: set platform_bucket_suffix to something of your own, such as -myshop."
            )
        elif value.endswith("-an") and not value.endswith(f"-{region}-an"):
            yield (
                f"{name} {value!r} ends with -an, but not with account, platform_region and -an. "
                "Fix: leave platform_bucket_suffix away, or end it with anything else."
            )


def _ending(variables: Variables, suffix: str) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items() if name.endswith(suffix)}


def _origins(variables: Variables) -> Iterator[str]:
    origins = variables["platform_cors_origins"]
    if not origins:
        yield "platform_cors_origins is empty, so no page could send events. Fix: name the shop's origin."
    if not isinstance(origins, list):
        yield f"platform_cors_origins is {origins!r} and no list. Fix: write [https://shop.example]."
        return
    for origin in origins:
        if not ORIGIN.fullmatch(str(origin)):
            yield (
                f"platform_cors_origins has {origin!r}, which no browser sends as its origin. "
                "Fix: write scheme://host or scheme://host:port, in lower case and without a path."
            )


def _parameters(variables: Variables) -> Iterator[str]:
    prefix = str(variables["platform_parameter_prefix"])
    if not PREFIX.fullmatch(prefix) or prefix.startswith(("/aws", "/ssm")):
        yield (
            f"platform_parameter_prefix {prefix!r} is none that Parameter Store takes. "
            "Fix: write it like /clickstream; it cannot begin with /aws or /ssm."
        )


def _boundary(variables: Variables) -> Iterator[str]:
    arn = variables["platform_role_boundary"]
    if not POLICY.fullmatch(str(arn)):
        yield (
            f"platform_role_boundary {arn!r} is no ARN of a managed policy. Fix: leave it away, or write it "
            "like arn:aws:iam::123456789012:policy/clickstream-role-boundary."
        )


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"configuration_errors": configuration_errors}
