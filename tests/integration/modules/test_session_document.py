"""The module session_document: create, repair, remove."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.modules import Act
from tests.support.services import Cloud, gone, tag_map
from tests.support.tasks import DOCUMENT, TAGS

BY_DOCUMENT = {"Name": "services-session"}


def session_inputs(cloud: Cloud) -> dict[str, Any]:
    document = cloud.ssm.get_document(**BY_DOCUMENT)
    assert (document["DocumentType"], document["DocumentFormat"]) == ("Session", "JSON")
    return dict(json.loads(document["Content"])["inputs"])


def assert_document(cloud: Cloud) -> None:
    inputs = session_inputs(cloud)
    assert (inputs["s3BucketName"], inputs["s3KeyPrefix"]) == ("services-logs", "sessions")
    assert (inputs["s3EncryptionEnabled"], inputs["runAsEnabled"]) == (True, False)
    assert (inputs["idleSessionTimeout"], inputs["maxSessionDuration"]) == ("20", "480")
    assert inputs["shellProfile"]["linux"] == "exec bash -l"
    by = {"ResourceType": "Document", "ResourceId": "services-session"}
    assert tag_map(cloud.ssm.list_tags_for_resource(**by)["TagList"]) == TAGS


def test_a_session_document_is_created_and_removed(cloud: Cloud) -> None:
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.converge("session_document", name="services-session", state="absent")
    assert gone(lambda: cloud.ssm.get_document(**BY_DOCUMENT))


def without_transcript(cloud: Cloud) -> None:
    """A newer version is the default one, and logs nothing."""
    content = json.loads(cloud.ssm.get_document(**BY_DOCUMENT)["Content"])
    content["inputs"]["s3BucketName"] = ""
    made = cloud.ssm.update_document(
        **BY_DOCUMENT, Content=json.dumps(content), DocumentVersion="$LATEST", DocumentFormat="JSON"
    )
    version = made["DocumentDescription"]["DocumentVersion"]
    cloud.ssm.update_document_default_version(**BY_DOCUMENT, DocumentVersion=version)


def back_to_the_first(cloud: Cloud) -> None:
    """The newest version is right, but an older one is the default."""
    without_transcript(cloud)
    cloud.ok("session_document", **DOCUMENT)
    versions = cloud.ssm.list_document_versions(**BY_DOCUMENT)["DocumentVersions"]
    bad = [
        item["DocumentVersion"]
        for item in versions
        if not json.loads(
            cloud.ssm.get_document(**BY_DOCUMENT, DocumentVersion=item["DocumentVersion"])["Content"]
        )["inputs"]["s3BucketName"]
    ]
    cloud.ssm.update_document_default_version(**BY_DOCUMENT, DocumentVersion=bad[0])


@pytest.mark.parametrize("drift", [without_transcript, back_to_the_first])
def test_a_session_document_is_repaired(cloud: Cloud, drift: Act) -> None:
    cloud.ok("session_document", **DOCUMENT)
    drift(cloud)
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.ok("session_document", name="services-session", state="absent")


def test_tags_of_a_session_document_are_repaired(cloud: Cloud) -> None:
    cloud.ok("session_document", **DOCUMENT)
    by = {"ResourceType": "Document", "ResourceId": "services-session"}
    cloud.ssm.add_tags_to_resource(**by, Tags=[{"Key": "x", "Value": "y"}])
    cloud.converge("session_document", **DOCUMENT)
    assert_document(cloud)
    cloud.ok("session_document", name="services-session", state="absent")
