"""SSM documents, which neither emulator serves: the calls that session documents need.

They are kept in a file, so that they survive a restart of the router.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call, JsonObject, json_answer, refuse
from local_cloud.router.hooks import answers

AWS_DOCUMENTS = {
    "SSM-SessionManagerRunShell": "Standard_Stream",
    "AWS-StartInteractiveCommand": "InteractiveCommands",
    "AWS-StartPortForwardingSession": "Port",
}
"""AWS's own documents that the local cloud supports → their session type."""

_TYPES = {
    "Session": "1.0",
    "Command": "2.2",
    "Automation": "0.3",
}


class Store:
    """The documents of one cloud: name → its versions, oldest first, and its tags."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, JsonObject]:
        """Return all documents by name."""
        try:
            found: dict[str, JsonObject] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def write(self, documents: dict[str, JsonObject]) -> None:
        """Keep all documents."""
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(documents))
        partial.rename(self._file)


def store(backends: Backends) -> Store:
    """Return the documents of a cloud."""
    return Store(backends.settings.state / "documents.json")


def session_document(backends: Backends, name: str) -> JsonObject:
    """Return the content of the session document that a session asks for.

    Refuses with ``InvalidDocument`` a document that does not exist or is not of type Session.
    """
    document = store(backends).read().get(name)
    if document is None and name in AWS_DOCUMENTS:
        return {"sessionType": AWS_DOCUMENTS[name]}
    if document is None:
        refuse("InvalidDocument", f"Document with name {name} does not exist.")
    if document["type"] != "Session":
        refuse("InvalidDocument", f"Document type {document['type']} is not supported by StartSession.")
    content: JsonObject = json.loads(_version(document, "$DEFAULT")["content"])
    return content


def _version(document: JsonObject, wanted: str) -> JsonObject:
    versions: list[JsonObject] = document["versions"]
    if wanted in {"", "$DEFAULT"}:
        wanted = document["default"]
    elif wanted == "$LATEST":
        wanted = versions[-1]["number"]
    found = next((one for one in versions if one["number"] == wanted), None)
    if found is None:
        refuse("InvalidDocumentVersion", "The document version is not valid or does not exist.")
    return found


def _parsed(call: Call) -> JsonObject:
    try:
        content = json.loads(call.json.get("Content", ""))
    except ValueError:
        content = None
    kind = call.json.get("DocumentFormat", "JSON")
    if kind != "JSON":
        refuse("InvalidDocumentContent", f"the local cloud reads JSON documents only, not {kind}")
    if not isinstance(content, dict) or "schemaVersion" not in content:
        refuse("InvalidDocumentContent", "JSON not well-formed, or without schemaVersion.")
    return content


def _described(name: str, document: JsonObject, version: JsonObject) -> JsonObject:
    content = json.loads(version["content"])
    described = {
        "Name": name,
        "Owner": document["owner"],
        "CreatedDate": version["created"],
        "Status": "Active",
        "DocumentVersion": version["number"],
        "Description": content.get("description", ""),
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentType": document["type"],
        "SchemaVersion": content["schemaVersion"],
        "LatestVersion": document["versions"][-1]["number"],
        "DefaultVersion": document["default"],
        "DocumentFormat": "JSON",
        "HashType": "Sha256",
        "Hash": hashlib.sha256(version["content"].encode()).hexdigest(),
        "Tags": [{"Key": key, "Value": value} for key, value in document["tags"].items()],
    }
    if document["target"]:
        described["TargetType"] = document["target"]
    parameters = content.get("parameters")
    if parameters:
        described["Parameters"] = [
            {
                "Name": key,
                "Type": detail.get("type", "String"),
                "Description": detail.get("description", ""),
                "DefaultValue": str(detail.get("default", "")),
            }
            for key, detail in parameters.items()
        ]
    return described


def _named(call: Call, documents: dict[str, JsonObject]) -> tuple[str, JsonObject]:
    name = str(call.json.get("Name", ""))
    if name not in documents:
        refuse("InvalidDocument", f"Document with name {name} does not exist.")
    return name, documents[name]


def _tags(call: Call) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in call.json.get("Tags") or []}


@answers("ssm", "CreateDocument")
async def create_document(call: Call, backends: Backends) -> Answer:
    """Make a document."""
    documents = store(backends).read()
    name, kind = str(call.json.get("Name", "")), call.json.get("DocumentType", "Command")
    if name in documents:
        refuse("DocumentAlreadyExists", f"Document with same name {name} already exists")
    content = _parsed(call)
    expected = _TYPES.get(kind)
    if expected and kind == "Session" and content["schemaVersion"] != expected:
        refuse("InvalidDocumentSchemaVersion", f"Schema version of a {kind} document is {expected}")
    documents[name] = {
        "type": kind,
        "owner": backends.settings.account_id,
        "target": call.json.get("TargetType", ""),
        "default": "1",
        "tags": _tags(call),
        "versions": [_new_version("1", call)],
    }
    store(backends).write(documents)
    return _description(name, documents[name], "1")


def _new_version(number: str, call: Call) -> JsonObject:
    return {"number": number, "content": call.json["Content"], "created": int(time.time())}


def _description(name: str, document: JsonObject, version: str) -> Answer:
    found = _version(document, version)
    return json_answer({"DocumentDescription": _described(name, document, found)})


@answers("ssm", "UpdateDocument")
async def update_document(call: Call, backends: Backends) -> Answer:
    """Add a version; like AWS, refuse one with the content of another version."""
    documents = store(backends).read()
    name, document = _named(call, documents)
    _version(document, str(call.json.get("DocumentVersion", "$LATEST")))
    content = _parsed(call)
    if any(json.loads(one["content"]) == content for one in document["versions"]):
        refuse(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content "
            "of the document and try again.",
        )
    number = str(int(document["versions"][-1]["number"]) + 1)
    document["versions"].append(_new_version(number, call))
    store(backends).write(documents)
    return _description(name, document, number)


@answers("ssm", "UpdateDocumentDefaultVersion")
async def update_default_version(call: Call, backends: Backends) -> Answer:
    """Choose the version that sessions use."""
    documents = store(backends).read()
    name, document = _named(call, documents)
    document["default"] = _version(document, str(call.json.get("DocumentVersion", "")))["number"]
    store(backends).write(documents)
    return json_answer({"Description": {"Name": name, "DefaultVersion": document["default"]}})


@answers("ssm", "DescribeDocument")
async def describe_document(call: Call, backends: Backends) -> Answer:
    """Describe a document."""
    name, document = _named(call, store(backends).read())
    version = _version(document, str(call.json.get("DocumentVersion", "")))
    return json_answer({"Document": _described(name, document, version)})


@answers("ssm", "GetDocument")
async def get_document(call: Call, backends: Backends) -> Answer:
    """Return a document's content."""
    name, document = _named(call, store(backends).read())
    version = _version(document, str(call.json.get("DocumentVersion", "")))
    return json_answer(
        {
            "Name": name,
            "CreatedDate": version["created"],
            "DocumentVersion": version["number"],
            "Status": "Active",
            "Content": version["content"],
            "DocumentType": document["type"],
            "DocumentFormat": "JSON",
        }
    )


@answers("ssm", "ListDocumentVersions")
async def list_document_versions(call: Call, backends: Backends) -> Answer:
    """List a document's versions, the newest first."""
    name, document = _named(call, store(backends).read())
    versions = [
        {
            "Name": name,
            "DocumentVersion": version["number"],
            "CreatedDate": version["created"],
            "IsDefaultVersion": version["number"] == document["default"],
            "DocumentFormat": "JSON",
            "Status": "Active",
        }
        for version in reversed(document["versions"])
    ]
    return json_answer({"DocumentVersions": versions})


@answers("ssm", "DeleteDocument")
async def delete_document(call: Call, backends: Backends) -> Answer:
    """Remove a document with all its versions."""
    documents = store(backends).read()
    name, _ = _named(call, documents)
    del documents[name]
    store(backends).write(documents)
    return json_answer({})


@answers("ssm", "ListDocuments")
async def list_documents(call: Call, backends: Backends) -> Answer:
    """List this account's documents; the filters Name, Owner and DocumentType are understood."""
    wanted: dict[str, list[str]] = {}
    for one in [*(call.json.get("Filters") or []), *(call.json.get("DocumentFilterList") or [])]:
        wanted[str(one.get("Key") or one.get("key"))] = one.get("Values") or [str(one.get("value"))]
    found: list[dict[str, Any]] = []
    for name, document in sorted(store(backends).read().items()):
        names = wanted.get("Name", [name])
        kinds = wanted.get("DocumentType", [document["type"]])
        owners = wanted.get("Owner", ["Self"])
        if (
            any(name.startswith(one) for one in names)
            and document["type"] in kinds
            and "Amazon" not in owners
        ):
            described = _described(name, document, _version(document, ""))
            found.append({key: value for key, value in described.items() if key not in _NOT_LISTED})
    return json_answer({"DocumentIdentifiers": found})


_NOT_LISTED = {"Hash", "HashType", "Description", "Parameters", "LatestVersion", "DefaultVersion", "Status"}


@answers("ssm", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
async def document_tags(call: Call, backends: Backends) -> Answer | None:
    """Tag a document; ministack does it for parameters only."""
    if call.json.get("ResourceType") != "Document":
        return None
    documents = store(backends).read()
    name = str(call.json.get("ResourceId", ""))
    if name not in documents:
        refuse("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID.")
    tags: dict[str, str] = documents[name]["tags"]
    if call.action == "ListTagsForResource":
        return json_answer({"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]})
    tags.update(_tags(call))
    for key in call.json.get("TagKeys") or []:
        tags.pop(key, None)
    store(backends).write(documents)
    return json_answer({})
