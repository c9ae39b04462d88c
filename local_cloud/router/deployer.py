"""What an administrator makes: the boundary of roles, and the user whose key the local inventory has."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from local_cloud.router.backends import Backends
from local_cloud.settings import ROLE_BOUNDARY

DEPLOYER = "deployer"


async def prepare_account(backends: Backends) -> None:
    """Make the boundary, and the deployer where there are policies for one."""
    name = f"clickstream-{ROLE_BOUNDARY.stem}"
    arn = f"arn:aws:iam::{backends.settings.account_id}:policy/{name}"
    with suppress(LookupError):  # of before; the roles that it bounds name it by its ARN, which stays
        await backends.query("iam", "DeletePolicy", {"PolicyArn": arn})
    await _make_policy(backends, name, ROLE_BOUNDARY)
    if backends.settings.deployer_policies:
        await make_deployer(backends)


async def _make_policy(backends: Backends, name: str, file: Path) -> str:
    """Make a managed policy from a file and return its ARN."""
    text = file.read_text().replace("ap-southeast-1", backends.settings.region)
    made = await backends.query("iam", "CreatePolicy", {"PolicyName": name, "PolicyDocument": text})
    return str(made.findtext(".//Arn"))


async def make_deployer(backends: Backends) -> None:
    """Make the user whose key the local inventory has, with the settings' policies and no others."""
    user = {"UserName": DEPLOYER}
    try:
        await backends.query("iam", "CreateUser", user)
    except LookupError:
        attached = await backends.query("iam", "ListAttachedUserPolicies", user)
        for one in attached.iterfind(".//AttachedPolicies/member"):
            policy = {"PolicyArn": str(one.findtext("PolicyArn"))}
            await backends.query("iam", "DetachUserPolicy", {**user, **policy})
            await backends.query("iam", "DeletePolicy", policy)
    for file in sorted(Path(backends.settings.deployer_policies).glob("*.json")):
        arn = await _make_policy(backends, f"clickstream-deployer-{file.stem}", file)
        await backends.query("iam", "AttachUserPolicy", {**user, "PolicyArn": arn})
