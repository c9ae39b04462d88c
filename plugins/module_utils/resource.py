"""The one mechanism behind every module of this collection: read → normalise → diff → apply.

A module describes ONE kind of AWS resource in a subclass of :class:`Resource`; :func:`run` does the rest, so
that check mode, diffs, idempotence and "pending" mean the same for all of them:

* ``read`` gives the resource as it is, in the shape of ``desired``; ``None`` where it does not exist.
* ``desired`` gives it as it should be. It may raise :class:`Missing` for a parent that does not exist (yet).
* What differs is what ``desired`` names and ``read`` answers otherwise. Nothing else is compared, and without
  a difference nothing is called.

States are plain ``dict[str, Any]`` of JSON-like values. Lists are compared in order: where AWS keeps none,
normalise with :func:`canonical_list`.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import (
    ansible_dict_to_boto3_filter_list,
)
from botocore.exceptions import BotoCoreError, ClientError

State = dict[str, Any]

COMMON_OPTIONS: dict[str, dict[str, Any]] = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "default": {}, "aliases": ["resource_tags"]},
}
"""What every module of a resource takes; documented in plugins/doc_fragments/resource.py."""


class Missing(Exception):
    """A parent does not exist (yet): ``name`` is what a person calls it, ``kind`` what it is."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name} does not exist")
        self.kind = kind
        self.name = name


class Resource(ABC):
    """One AWS resource, known by the name that its owner gave it."""

    kind: ClassVar[str]
    """What a person calls it, for messages: "route table"."""

    secret: ClassVar[frozenset[str]] = frozenset()
    """Top-level keys whose values never leave the module."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self.module = module
        self.params: Mapping[str, Any] = module.params

    @property
    def name(self) -> str:
        """The name that messages and results carry."""
        return str(self.params["name"])

    @abstractmethod
    def read(self) -> State | None:
        """The resource as it is, in the shape of :meth:`desired`; None where it does not exist.

        Raises :class:`Missing` for the parent that it would be in: then there is nothing to remove either.
        """

    @abstractmethod
    def desired(self) -> State:
        """The resource as it should be; raises :class:`Missing` where a parent does not exist."""

    @abstractmethod
    def create(self, desired: State) -> None:
        """Make it. Called only where :meth:`read` found none."""

    @abstractmethod
    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair it. ``changes`` are the top-level keys of ``desired`` that differ from ``current``."""

    @abstractmethod
    def delete(self, current: State) -> None:
        """Remove it, and wait until it is gone where its parents need that."""

    def result(self, current: State) -> State:
        """What the task returns about an existing resource; by default all of it but the secrets."""
        return {key: value for key, value in current.items() if key not in self.secret}


def differences(current: State, desired: State) -> frozenset[str]:
    """The top-level keys of ``desired`` whose value ``current`` does not have."""
    return frozenset(key for key, value in desired.items() if current.get(key) != value)


def canonical(value: Any) -> Any:
    """JSON-like data in one of its equal forms: keys sorted, a JSON string (an IAM policy, say) parsed."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            return value
        return canonical(parsed) if isinstance(parsed, dict | list) else value
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value


def canonical_list(values: Iterable[Any]) -> list[Any]:
    """A list whose order means nothing, in a fixed order and without repetitions."""
    unique = {json.dumps(canonical(value), sort_keys=True, default=str): value for value in values}
    return [canonical(unique[key]) for key in sorted(unique)]


def policy(document: Any) -> Any:
    """An IAM policy document in one of its equal forms.

    A one-element list equals its element and the order of actions, resources and principals means nothing
    (IAM User Guide, "Grammar of the IAM JSON policy language"); AWS answers in either form.
    """
    document = canonical(document)
    if not isinstance(document, dict):
        return document
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    return {**document, "Statement": canonical_list(_sets(statement) for statement in statements)}


def _sets(value: Any) -> Any:
    """A policy statement with every list of strings as a sorted list, and every lone string as one."""
    scalars = ("Sid", "Effect")
    if isinstance(value, dict):
        return {key: item if key in scalars else _sets(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({str(item) for item in value})
    return [_policy_string(value)]


def _policy_string(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def ignore_absent(action: Callable[[], Any], *codes: str) -> Any:
    """The action's answer, or None where AWS says with one of ``codes`` that there is no such thing."""
    try:
        return action()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return None
        raise


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 300, pause: float = 1.0) -> None:
    """Return when ``condition`` holds; raises TimeoutError naming ``what`` after ``seconds``."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} has not happened within {seconds:.0f} s")
        time.sleep(pause)


def retrying(action: Callable[[], Any], *codes: str, retries: int = 8) -> Any:
    """The action's answer, tried again while AWS answers "not yet" with one of ``codes``.

    For eventual consistency after a creation (a role that cannot be assumed yet, say); throttling is retried
    by botocore itself.
    """
    backoff = AWSRetry.jittered_backoff(
        retries=retries, delay=1, max_delay=20, catch_extra_error_codes=list(codes)
    )
    return backoff(action)()


def tag_list(tags: Mapping[str, Any]) -> list[dict[str, str]]:
    """Tags as EC2, IAM and S3 take them."""
    return list(ansible_dict_to_boto3_tag_list({key: str(value) for key, value in tags.items()}))


def tag_dict(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as a dict; AWS's own ``aws:`` tags are left out, for nobody may set them."""
    plain = boto3_tag_list_to_ansible_dict(list(tags or []))
    return {key: value for key, value in plain.items() if not key.startswith("aws:")}


def filters(**by: Any) -> list[dict[str, Any]]:
    """EC2 filters; ``vpc_id=…`` stands for ``vpc-id`` and ``tag__Name=…`` for ``tag:Name``."""
    named = {key.replace("__", ":").replace("_", "-"): value for key, value in by.items()}
    return list(ansible_dict_to_boto3_filter_list(named))


def run_module(
    resource: type[Resource],
    options: Mapping[str, Any],
    *,
    required_if_present: Sequence[str] = (),
    mutually_exclusive: Sequence[Sequence[str]] = (),
) -> NoReturn:
    """Run the module of a resource, whose ``options`` are those beside :data:`COMMON_OPTIONS`.

    required_if_present: the options that ``state: present`` needs and ``state: absent`` does not.
    """
    module = AnsibleAWSModule(
        argument_spec={**options, **COMMON_OPTIONS},
        required_if=[("state", "present", tuple(required_if_present))],
        mutually_exclusive=mutually_exclusive,
        supports_check_mode=True,
    )
    run(module, resource(module))


def run(module: AnsibleAWSModule, resource: Resource) -> NoReturn:
    """Bring the resource to ``state`` (or say what would be done) and end the module."""
    try:
        _run(module, resource)
    except Missing as missing:
        _pending(module, resource, missing)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"{resource.kind} {resource.name}")
    except TimeoutError as error:
        module.fail_json(msg=f"{resource.kind} {resource.name}: {error}")
    raise AssertionError("exit_json and fail_json do not return")


def _run(module: AnsibleAWSModule, resource: Resource) -> None:
    absent = module.params["state"] == "absent"
    try:
        current = resource.read()
    except Missing:
        if not absent:
            raise
        current = None
    if absent:
        if current is not None and not module.check_mode:
            resource.delete(current)
        _exit(module, resource, current is not None, current, None)
    desired = resource.desired()
    changes = differences(current, desired) if current is not None else frozenset(desired)
    if not changes and current is not None:
        _exit(module, resource, False, current, current)
    if module.check_mode:
        _exit(module, resource, True, current, {**(current or {}), **desired}, changes)
    if current is None:
        resource.create(desired)
    else:
        resource.update(current, desired, changes)
    _exit(module, resource, True, current, resource.read() or desired, changes)


def _pending(module: AnsibleAWSModule, resource: Resource, missing: Missing) -> None:
    if not module.check_mode:
        module.fail_json(
            msg=f"{resource.kind} {resource.name} needs {missing.kind} {missing.name}, which does not "
            "exist. Fix: run site.yml, which creates everything in order."
        )
    module.exit_json(
        changed=True,
        pending=missing.name,
        msg=f"pending: {resource.kind} {resource.name} needs {missing.name}",
        diff={
            "before_header": f"{resource.kind} {resource.name}",
            "after_header": f"{resource.kind} {resource.name}",
            "before": "",
            "after": f"pending: needs {missing.kind} {missing.name}\n",
        },
    )


def _exit(
    module: AnsibleAWSModule,
    resource: Resource,
    changed: bool,
    before: State | None,
    after: State | None,
    changes: frozenset[str] | None = None,
) -> None:
    module.exit_json(
        changed=changed,
        exists=before is not None if module.check_mode else after is not None,
        resource=resource.result(after) if after is not None else {},
        diff={
            "before_header": f"{resource.kind} {resource.name}",
            "after_header": f"{resource.kind} {resource.name}",
            "before": _shown(resource, before, changes) if changed else "",
            "after": _shown(resource, after, changes) if changed else "",
        },
    )


def _shown(resource: Resource, state: State | None, changes: frozenset[str] | None) -> State | str:
    """The part of a state that a diff shows: what changes, and of a secret only that it does."""
    if state is None:
        return ""
    keys = sorted(state if changes is None else changes & state.keys())
    return {key: "(secret)" if key in resource.secret else state[key] for key in keys}
