"""The IAM user whose access key the local inventory has."""

from __future__ import annotations

from pathlib import Path

from local_cloud.router.backends import Backends

DEPLOYER = "deployer"


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
        text = file.read_text().replace("ap-southeast-1", backends.settings.region)
        named = {"PolicyName": f"clickstream-deployer-{file.stem}", "PolicyDocument": text}
        made = await backends.query("iam", "CreatePolicy", named)
        await backends.query("iam", "AttachUserPolicy", {**user, "PolicyArn": str(made.findtext(".//Arn"))})
