"""The module preflight_info: what would fail late is an error or a warning before anything is made."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.clickstream.aws.plugins.modules import preflight_info
from tests.support.fakes import error
from tests.support.modules import PROJECT
from tests.support.services import Cloud
from tests.support.tasks import REGION

ACCOUNT = {
    "buckets": ["services-raw"],
    "role_boundary": "arn:aws:iam::123456789012:policy/clickstream-role-boundary",
    "image_owner": "136693071363",
    "image_name": "debian-13-arm64-*",
    "instance_name": "host",
    "instance_type": "t4g.medium",
    "architecture": "arm64",
    "zone": f"{REGION}a",
    "session_manager_plugin": str(PROJECT / "local_cloud/bin/session-manager-plugin"),
}
FREE = {"accountPlanType": "FREE"}


def test_an_account_that_can_take_it_has_neither_errors_nor_warnings(cloud: Cloud) -> None:
    told = cloud.ok("preflight_info", check=True, **ACCOUNT)
    assert (told["errors"], told["advice"]) == ([], [])


def test_the_caller_is_named(cloud: Cloud) -> None:
    told = cloud.ok("caller_info", check=True)
    assert (told["account"], told["region"]) == ("123456789012", REGION)
    assert told["arn"].startswith("arn:aws:")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"zone": f"{REGION}z"}, "platform_zone"),
        ({"instance_type": "t9.huge"}, "has no instance type t9.huge"),
        ({"architecture": "amd64"}, "is not amd64"),
        ({"buckets": ["shop-owned-by-somebody-else"]}, "platform_bucket_suffix"),
        ({"role_boundary": "arn:aws:iam::123456789012:policy/other"}, "There is no policy arn:aws:iam:"),
        ({"instance_type": "m7g.16xlarge"}, "64 vCPUs"),
    ],
)
def test_what_would_fail_late_is_an_error_with_its_fix(
    cloud: Cloud, wrong: dict[str, Any], says: str
) -> None:
    [told] = cloud.ok("preflight_info", **{**ACCOUNT, **wrong})["errors"]
    assert says in told and "Fix:" in told


@pytest.mark.parametrize(
    ("operation", "answer", "errors", "warnings"),
    [
        ("GetAccountPlanState", FREE, ["Free plan"], []),
        ("GetAccountPlanState", error("ResourceNotFoundException"), [], []),
        ("GetAccountPlanState", error("AccessDeniedException"), [], ["freetier:GetAccountPlanState"]),
        ("GetPolicy", error("AccessDenied"), ["iam:GetPolicy"], []),
        ("GetServiceQuota", {"Quota": {"Value": 1.0}}, ["L-1216C47A"], []),
        ("GetServiceQuota", error("AccessDeniedException"), [], ["servicequotas:GetServiceQuota"]),
        ("GetAccountSettings", {"AccountLimit": {"ConcurrentExecutions": 10}}, [], ["L-B99A9384"]),
        ("GetAccountSettings", {"AccountLimit": {"ConcurrentExecutions": 100}}, [], []),
        ("GetAccountSettings", error("AccessDeniedException"), [], ["lambda:GetAccountSettings"]),
    ],
)
def test_plan_and_quotas(
    cloud: Cloud, operation: str, answer: Any, errors: list[str], warnings: list[str]
) -> None:
    told = asked(cloud, operation, answer)
    for found, wanted in ((told["errors"], errors), (told["advice"], warnings)):
        assert len(found) == len(wanted)
        assert all(
            word in sentence and "Fix:" in sentence for word, sentence in zip(wanted, found, strict=True)
        )


def asked(cloud: Cloud, operation: str, answer: Any) -> dict[str, Any]:
    """What the module says where AWS answers ``answer`` to one operation."""
    for service in ("freetier", "iam", "service-quotas", "lambda"):
        client = cloud.client(service)
        method = next(
            (name for name, one in client.meta.method_to_api_mapping.items() if one == operation), None
        )
        if method:
            stand_in = mock.Mock(
                **{"side_effect" if isinstance(answer, Exception) else "return_value": answer}
            )
            with mock.patch.object(client, method, stand_in):
                return cloud.ok("preflight_info", **ACCOUNT)
    raise AssertionError(operation)


@pytest.mark.parametrize(
    ("kind", "counts"),
    [("t4g.medium", True), ("im4gn.large", True), ("inf2.xlarge", False), ("mac2.metal", False)],
)
def test_only_types_of_the_standard_families_share_their_quota(kind: str, counts: bool) -> None:
    client = mock.Mock()
    client.return_value.get_service_quota.return_value = {"Quota": {"Value": 0.0}}
    client.return_value.get_paginator.return_value.paginate.return_value = []
    wanted = {"InstanceType": kind, "VCpuInfo": {"DefaultVCpus": 2}}
    found = preflight_info.vcpu_findings(client, wanted, {"instance_name": "host"})
    assert bool(found.errors) is counts


def test_types_that_the_free_plan_starts_are_no_error() -> None:
    client = mock.Mock()
    client.return_value.get_account_plan_state.return_value = FREE
    eligible = {"InstanceType": "t4g.small", "FreeTierEligible": True}
    assert preflight_info.plan_findings(client, eligible, {}).errors == []


def test_the_vcpus_of_other_instances_count_and_those_of_ours_do_not() -> None:
    def running(name: str) -> mock.Mock:
        one = {
            "InstanceType": "m7g.large",
            "CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 1},
            "Tags": [{"Key": "Name", "Value": name}],
        }
        client = mock.Mock()
        client.return_value.get_service_quota.return_value = {"Quota": {"Value": 5.0}}
        pages = client.return_value.get_paginator.return_value.paginate
        pages.return_value = [{"Reservations": [{"Instances": [one]}]}]
        return client

    wanted = {"InstanceType": "t4g.medium", "VCpuInfo": {"DefaultVCpus": 2}}
    [told] = preflight_info.vcpu_findings(running("another"), wanted, {"instance_name": "host"}).errors
    assert "4 are in use" in told
    assert preflight_info.vcpu_findings(running("host"), wanted, {"instance_name": "host"}).errors == []
