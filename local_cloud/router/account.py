"""What AWS knows about an account beside its resources: plan and quotas, which neither emulator has."""

from __future__ import annotations

from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call, json_answer, refuse
from local_cloud.router.hooks import answers

VCPUS = 32.0
"""An account's usual quota of standard on-demand vCPUs (L-1216C47A); a new one has as few as five."""


@answers("freetier", "GetAccountPlanState")
async def account_plan(call: Call, backends: Backends) -> Answer:
    """The account is on the paid plan, where nothing is refused."""
    account = backends.settings.account_id
    return json_answer({"accountId": account, "accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"})


@answers("servicequotas", "GetServiceQuota")
async def service_quota(call: Call, backends: Backends) -> Answer:
    """Answer the quota that preflight asks for, and no other."""
    service, code = call.json.get("ServiceCode"), call.json.get("QuotaCode")
    if (service, code) != ("ec2", "L-1216C47A"):
        refuse("NoSuchResourceException", f"the local cloud has no quota {code} of {service}")
    return json_answer({"Quota": {"ServiceCode": service, "QuotaCode": code, "Value": VCPUS}})
