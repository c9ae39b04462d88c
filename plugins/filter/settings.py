"""Filter: which variables have a value that no role can work with, each with its fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from jinja2 import Undefined

DOCUMENTATION = r"""
name: setting_errors
short_description: Which variables have a value that no role can work with, each with its fix
description:
  - Holds what the inventory says for any host to the roles' argument specifications, and numbers to what AWS
    or the program behind them takes. A role would say so too, when it has its turn.
  - What cannot be known yet, such as a reckoning from facts of a host, is left to the role.
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  roles:
    description: Directory of the roles.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Check the variables
  ansible.builtin.assert:
    that: (hostvars | clickstream.aws.setting_errors('roles')) == []
"""

RETURN = r"""
_value:
  description: One sentence for each fault; empty where there is none.
  type: list
  elements: str
"""

Option = Mapping[str, Any]

PORT = (1024, 65535)
"""Of a program that does not run as root, on the host or on an operator's machine."""

LIMITS: dict[str, tuple[float, float]] = {
    # Cognito user pools API, PasswordPolicyType and CreateUserPoolClient
    "accounts_password_length": (6, 99),
    "accounts_refresh_token_days": (1, 3650),
    "accounts_token_minutes": (5, 1440),
    "platform_dashboard_port": PORT,
    "platform_warehouse_port": PORT,
    "platform_long_command_timeout": (60, 86400),
    "platform_max_events_a_visitor_day": (1, 100000000),
    "platform_retention_days": (1, 36500),
    # EC2 User Guide, "General Purpose SSD volumes"; Debian's image has 8 GiB
    "analytics_instance_volume_size": (8, 65536),
    "backfill_busy_tries": (1, 10000),
    "backfill_call_timeout": (1, 3600),
    "check_page_wait": (1, 600),
    "dashboard_cache_seconds": (1, 86400),
    "dashboard_refresh_seconds": (1, 3600),
    "dashboard_stale_minutes": (1, 525600),
    "dashboard_session_local_port": PORT,
    # Lambda API, CreateFunction and PutFunctionConcurrency; 0 stops the function
    "etl_memory": (128, 10240),
    "etl_timeout": (1, 900),
    "etl_reserved_concurrency": (0, 100000),
    # SQS keeps a message for 14 days at most
    "etl_failed_runs_days": (1, 14),
    "ingest_memory": (128, 10240),
    "ingest_timeout": (1, 900),
    "etl_run_call_timeout": (1, 3600),
    "etl_run_tries": (1, 10000),
    "host_packages_lock_timeout": (0, 86400),
    "http_api_burst_limit": (1, 1000000),
    "http_api_rate_limit": (0.01, 1000000),
    # API Gateway V2 API, Cors
    "http_api_cors_max_age_seconds": (0, 86400),
    "instance_connection_session_timeout": (1, 3600),
    "instance_connection_timeout": (1, 86400),
    "local_cloud_endpoint_port": PORT,
    "local_cloud_proxy_port": PORT,
    "postgresql_certificate_days": (1, 36500),
    "postgresql_certificate_renewal_days": (0, 36500),
    "postgresql_cpus": (1, 1024),
    "postgresql_memory_mb": (256, 100000000),
    "postgresql_version": (13, 99),
    "secrets_ca_days": (1, 36500),
    "secrets_ca_renew_days": (0, 36500),
    "secrets_password_length": (16, 1024),
    "security_groups_interface_pause": (1, 3600),
    "security_groups_interface_tries": (1, 10000),
    # Systems Manager User Guide, "Session document schema"
    "session_manager_ansible_idle_minutes": (1, 60),
    "session_manager_idle_minutes": (1, 60),
    "session_manager_max_minutes": (1, 1440),
    "shiny_server_app_idle_timeout": (1, 31536000),
    "shiny_server_app_init_timeout": (1, 3600),
    "shiny_server_log_days": (1, 36500),
    # S3 takes no lifecycle of zero days
    "storage_log_days": (1, 36500),
    "storage_noncurrent_days": (1, 36500),
    "storage_rejected_days": (1, 36500),
    "storage_session_log_days": (1, 36500),
    "verify_local_port": PORT,
    "verify_visitors": (1, 10000),
    "warehouse_destroy_tries": (1, 10000),
    "warehouse_loader_connections": (1, 1000),
    "warehouse_reader_connections": (1, 1000),
}
"""The least and the greatest value of each number; every option that is one is here."""

FORMS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "dict": "a mapping, such as {Project: clickstream}",
    "list": "a list, such as [one, another]",
}


def setting_errors(hosts: Mapping[str, Mapping[str, Any]], roles: str) -> list[str]:
    """Every value that no role can work with, as a sentence that ends with its fix."""
    options = checked_options(Path(roles))
    found: dict[str, None] = {}
    for host in hosts:
        for name in sorted(options.keys() & set(hosts[host])):
            value = hosts[host][name]
            if not isinstance(value, Undefined):  # that stands on what is not known yet
                found.update(dict.fromkeys(_errors(name, options[name], value)))
    return list(found)


def checked_options(roles: Path) -> dict[str, Option]:
    """The options of all roles that are more than any text, by name."""
    return {
        name: option
        for path in sorted(roles.glob("*/meta/argument_specs.yml"))
        for entry in yaml_load(path.read_text())["argument_specs"].values()
        for name, option in entry.get("options", {}).items()
        if option["type"] in FORMS or option.get("choices") or name in LIMITS
    }


def _errors(name: str, option: Option, value: Any) -> Iterator[str]:
    if value == "" and option["type"] == "str" and name in LIMITS:
        return  # a number that may be left out
    kind = "int" if option["type"] == "str" and name in LIMITS else option["type"]
    specification = {"type": kind, **{key: option[key] for key in ("choices", "elements") if key in option}}
    checked = ArgumentSpecValidator({name: specification}).validate({name: value})
    number = checked.validated_parameters[name]
    least, most = LIMITS.get(name, (None, None))
    within = (
        least is None or most is None or number is None or checked.error_messages or least <= number <= most
    )
    if checked.error_messages or not within:
        shown = "something else" if kind in ("dict", "list") else repr(value)[:60]
        yield f"{name} is {shown}, which it cannot be. Fix: set it to {_wanted(kind, option, least, most)}."


def _wanted(kind: str, option: Option, least: float | None, most: float | None) -> str:
    if "choices" in option:
        return f"one of {', '.join(map(str, option['choices']))}"
    return FORMS[kind] if least is None else f"{FORMS[kind]} from {least} to {most}"


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"setting_errors": setting_errors}
