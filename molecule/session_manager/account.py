"""Role session_manager: how operators and Ansible open sessions on the hosts."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import OF_ACCOUNT, TAGS, client, tags

OPERATOR, ANSIBLE = "clickstream-operator", "clickstream-ansible"
MADE = [f"session document {OPERATOR}", f"session document {ANSIBLE}"]
BROKEN = [f"session document {OPERATOR}: content"]


def inputs(name: str) -> dict[str, Any]:
    """What a document says about its sessions."""
    document = client("ssm").get_document(Name=name)
    assert (document["DocumentType"], document["DocumentFormat"]) == ("Session", "JSON")
    return dict(json.loads(document["Content"])["inputs"])


def verify() -> None:
    """Operators' sessions leave a transcript; Ansible's leave none; both end."""
    transcript = {
        "s3BucketName": f"clickstream-s3-session-logs{OF_ACCOUNT}",
        "s3KeyPrefix": "sessions",
        "s3EncryptionEnabled": True,
    }
    assert inputs(OPERATOR).items() >= transcript.items()
    assert inputs(OPERATOR)["shellProfile"]["linux"] == "exec bash -l"
    assert not inputs(ANSIBLE).get("s3BucketName")
    # a task may be silent for half an hour
    for name, idle in ((OPERATOR, "20"), (ANSIBLE, "60")):
        assert (inputs(name)["idleSessionTimeout"], inputs(name)["maxSessionDuration"]) == (idle, "480")
        assert inputs(name)["runAsEnabled"] is False
        assert tags(client("ssm").list_tags_for_resource(ResourceType="Document", ResourceId=name)) == TAGS


def break_by_hand() -> None:
    """A newer version of the operators' document is the default one, and leaves no transcript."""
    ssm = client("ssm")
    content = json.loads(ssm.get_document(Name=OPERATOR)["Content"])
    content["inputs"]["s3BucketName"] = ""
    made = ssm.update_document(
        Name=OPERATOR, Content=json.dumps(content), DocumentVersion="$LATEST", DocumentFormat="JSON"
    )
    version = made["DocumentDescription"]["DocumentVersion"]
    ssm.update_document_default_version(Name=OPERATOR, DocumentVersion=version)
