"""README's tables of costs are what docs/cost.py computes, from what the roles are set to."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.settings import Settings

PROJECT = Path(__file__).parents[2]


def load() -> Any:
    spec = importlib.util.spec_from_file_location("cost", PROJECT / "docs/cost.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cost"] = module
    spec.loader.exec_module(module)
    return module


cost = load()
PRICES, ASSUMPTIONS, FILE = cost.read()


@pytest.mark.parametrize("table", [cost.table, cost.flood])
def test_readme_has_the_table_that_the_script_computes(table: Any) -> None:
    assert table(PRICES, ASSUMPTIONS) in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_readme_says_of_which_date_the_prices_are_and_which_nobody_has_looked_up() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    cost_section = text.partition("### What it costs")[2].partition("\n## ")[0]
    assert FILE["date"] in cost_section and FILE["region"] in cost_section
    assert "docs/prices.json" in cost_section


def default(role: str, name: str) -> Any:
    return yaml.safe_load((PROJECT / f"roles/{role}/defaults/main.yml").read_text())[name]


def test_the_assumptions_are_what_the_roles_do() -> None:
    a = ASSUMPTIONS
    assert a["disk_gb"] == default("analytics_instance", "analytics_instance_volume_size")
    assert a["interface_endpoints"] == len(default("vpc_endpoints", "vpc_endpoints_interface_services"))
    assert a["ingest_memory_gb"] == default("ingest", "ingest_memory") / 1024
    assert a["etl_memory_gb"] == default("etl", "etl_memory") / 1024
    assert a["access_log_months"] == default("storage", "storage_log_days") / 30
    assert a["ingest_timeout"] == default("ingest", "ingest_timeout")
    assert a["rejected_day_mb"] * 1e6 == Settings(raw_bucket="x").max_rejected_day_bytes
    assert a["rate_limit"] == default("http_api", "http_api_rate_limit")
    assert (a["route_metrics"] == 0) is (default("http_api", "http_api_detailed_metrics") is False)
    assert (a["surplus_vcpu_hours"] == 0) is (
        default("analytics_instance", "analytics_instance_cpu_credits") == "standard"
    )
    sources = (PROJECT / "lambda_src").rglob("*.py")
    assert (a["emf_metrics"] == 0) is not any("CloudWatchMetrics" in path.read_text() for path in sources)


def test_what_is_reserved_by_default_is_what_the_api_lets_be_under_way_at_once() -> None:
    """With less, a burst that the API lets through would be lost."""
    tasks = (PROJECT / "roles/ingest/tasks/main.yml").read_text()
    reserved = int(ASSUMPTIONS["reserved_concurrency"])
    assert f'reserve_if_possible: "{{{{ {reserved} if' in tasks
    assert default("ingest", "ingest_reserved_concurrency") == "auto"
    assert reserved == default("http_api", "http_api_burst_limit")


def test_refused_requests_cost_less_and_no_flood_costs_more_than_its_limit_lets() -> None:
    small, slower, _, refused, slow = cost.floods(PRICES, ASSUMPTIONS)
    assert refused.requests * refused.each < small.requests * small.each
    assert slower.requests * slower.each < small.requests * small.each
    assert slow.requests * ASSUMPTIONS["ingest_timeout"] == ASSUMPTIONS["reserved_concurrency"] * 86400


def test_more_costs_more_and_batches_cost_less() -> None:
    sums = [sum(line.usd for line in cost.lines(load, PRICES, ASSUMPTIONS)) for load in cost.LOADS]
    assert sums[0] < sums[2] < sums[1]


def test_a_metric_an_alarm_and_a_credit_are_in_the_sum_where_there_are_any() -> None:
    more = {**ASSUMPTIONS, "emf_metrics": 10, "route_metrics": 6, "alarms": 4, "surplus_vcpu_hours": 100}
    of = {line.what: line.usd for line in cost.lines(cost.LOADS[0], PRICES, more)}
    assert of["metrics by EMF"] == pytest.approx(3.0)
    assert of["detailed route metrics"] == pytest.approx(1.8)
    assert (of["alarms"], of["CPU credits"]) == (pytest.approx(0.4), pytest.approx(4.0))
