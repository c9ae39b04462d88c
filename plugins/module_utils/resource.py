"""What every module of an AWS resource does: read → normalise → diff → apply.

A module describes one kind of resource in a subclass of :class:`Resource` and ends with :func:`run_module`,
which does the rest: check mode, diffs, idempotence and "pending" mean the same for all modules.

* ``read`` gives the resource as it is, in the shape of ``desired``; ``None`` where it does not exist.
* ``desired`` gives it as it should be. Either may raise :class:`Missing` for a parent that does not exist
  yet: "pending" in check mode, otherwise an error with the fix.
* A change is a key of ``desired`` whose value ``read`` does not have. Nothing else is compared, and without a
  change nothing is called.

States are plain ``dict[str, Any]`` of JSON-like values. Lists are compared in order: where AWS keeps none,
normalise with :func:`canonical_list`.
"""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NoReturn

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import (
    ansible_dict_to_boto3_filter_list,
)
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

State = dict[str, Any]

COMMON_OPTIONS: dict[str, dict[str, Any]] = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "default": {}, "aliases": ["resource_tags"]},
}
"""What every module of a resource takes; documented in plugins/doc_fragments/resource.py."""


class Missing(Exception):
    """A parent does not exist (yet); ``kind`` is for messages ("VPC"), ``name`` as the task has it."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name} does not exist")
        self.kind = kind
        self.name = name


class InvalidInput(Exception):
    """The task says what AWS cannot take; raised by ``desired``, before anything is touched."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. Fix: {fix}.")


class InTheWay(Exception):
    """What somebody else made uses the resource, which therefore cannot be removed; ``what`` names each."""

    def __init__(self, what: Iterable[str]) -> None:
        self.what = sorted(set(what))
        super().__init__(
            f"it cannot be removed, for this is in the way: {', '.join(self.what)}. "
            "Fix: remove that, or move it elsewhere, then run the playbook again"
        )


class Resource(ABC):
    """One AWS resource, known by the name that its owner gave it."""

    kind: ClassVar[str]
    """Its kind, for messages: "route table"."""

    secret: ClassVar[frozenset[str]] = frozenset()
    """Top-level keys whose values never leave the module."""

    unseen: ClassVar[float] = 0
    """Seconds after which AWS describes one that an interrupted run made, where it would make another of the
    same name. :meth:`read` is asked again after them, before anything is made."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self.module = module
        self.params: Mapping[str, Any] = dict(module.params)

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

    def in_the_way(self, current: State) -> list[str]:
        """What would hinder :meth:`delete` now and does not go by itself, each by kind and id."""
        return []

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

    A one-element list equals its element, and the order of actions, resources and principals is irrelevant
    (IAM User Guide, "Grammar of the IAM JSON policy language"); AWS answers in either form. Equal are also an
    account's id and the ARN of its root, and no version and the first one.
    """
    document = canonical(document)
    if not isinstance(document, dict):
        return document
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    version = document.get("Version") or FIRST_VERSION
    return {**document, "Version": version, "Statement": canonical_list(map(_statement, statements))}


FIRST_VERSION = "2008-10-17"
"""The version of a policy that names none."""

ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


def _statement(statement: Any) -> Any:
    """A statement of a policy; where something is allowed, everybody has one form."""
    if not isinstance(statement, dict):
        return _sets(statement)
    normal = {key: _sets(item) for key, item in statement.items() if (key, item) != ("Sid", "")}
    if statement.get("Effect") == "Allow" and statement.get("Principal") == "*":
        normal["Principal"] = {"AWS": ["*"]}
    for key in {"Principal", "NotPrincipal"} & normal.keys():
        if isinstance(normal[key], dict) and "AWS" in normal[key]:
            normal[key]["AWS"] = sorted({ACCOUNT.sub(r"\1", one) for one in normal[key]["AWS"]})
    scalars = {key: statement[key] for key in ("Sid", "Effect") if key in normal}
    return {**normal, **scalars}


def _sets(value: Any) -> Any:
    """A part of a statement with every list of strings as a sorted list, and every lone string as one."""
    if isinstance(value, dict):
        return {key: _sets(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({_policy_string(item) for item in value})
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
            raise TimeoutError(f"timed out after {seconds:.0f} s waiting for {what}")
        time.sleep(pause)


def created(resource: Resource, desired: State) -> State:
    """Make the resource, and return it as AWS then describes it: the next task may stand on it.

    A Describe right after a Create may not know the resource yet (eventual consistency). Where AWS's answer
    is lost, nobody knows whether it was made: then it is looked for and finished, never made again.
    """
    try:
        resource.create(desired)
    except (ConnectionClosedError, ReadTimeoutError, ClientError) as error:
        found = _described(resource, 30) if _unanswered(error) else None
        if found is None:
            raise
        changes = differences(found, desired)
        if changes:
            resource.update(found, desired, changes)
    made = _described(resource, 60)
    if made is None:
        raise TimeoutError("timed out after 60 s waiting for AWS to describe what it has made")
    return made


def _unanswered(error: BotoCoreError | ClientError) -> bool:
    if not isinstance(error, ClientError):
        return True
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


NOT_FOUND = re.compile(r"NotFound|NoSuch")
"""In the codes of AWS's errors about what does not exist (yet)."""


def _described(resource: Resource, seconds: float) -> State | None:
    """The resource, asked for until AWS knows it; None after so many seconds."""
    limit = time.monotonic() + seconds
    while True:
        try:
            found = resource.read()
        except Missing:
            found = None
        except ClientError as error:
            if not NOT_FOUND.search(error.response["Error"]["Code"]):
                raise
            found = None
        if found is not None or time.monotonic() > limit:
            return found
        time.sleep(1)


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
    several: bool = False,
) -> NoReturn:
    """Run the module of a resource, whose ``options`` are those beside :data:`COMMON_OPTIONS`.

    required_if_present: the options that ``state: present`` needs and ``state: absent`` does not.
    several: the module takes ``each``, several resources in one task; see plugins/doc_fragments/each.py.
    """
    specification = {**options, **COMMON_OPTIONS}
    rules: dict[str, Any] = {
        "required_if": [("state", "present", tuple(required_if_present))],
        "mutually_exclusive": mutually_exclusive,
    }
    if not several:
        module = AnsibleAWSModule(argument_spec=specification, supports_check_mode=True, **rules)
        run(module, resource(module))
    each: dict[str, Any] = {"type": "list", "elements": "dict"}
    if any(option.get("no_log") for option in options.values()):
        # Ansible hides only what it knows as an option. What is not given there, the task's own options say.
        each["options"] = {
            name: {key: value for key, value in option.items() if key not in ("required", "default")}
            for name, option in options.items()
        }
    optional = {name: {**option, "required": False} for name, option in specification.items()}
    module = AnsibleAWSModule(argument_spec={**optional, "each": each}, supports_check_mode=True)
    module.client = cache(module.client)  # one client for all: making it takes longer than most calls
    entries = entries_of(module, ArgumentSpecValidator(specification, **rules))
    outcomes = [outcome(module, _one_of(module, resource, entry)) for entry in entries]
    module.exit_json(**(outcomes[0] if module.params["each"] is None else _together(outcomes)))
    raise AssertionError("exit_json does not return")


def entries_of(module: AnsibleAWSModule, validator: ArgumentSpecValidator) -> list[dict[str, Any]]:
    """The parameters of each resource: an entry of ``each`` on top of the task's own options."""
    known, entries = validator.argument_spec, module.params["each"]
    common = given({name: module.params[name] for name in known}, known)
    several = [{}] if entries is None else [given(entry, known) for entry in entries]
    validated = [validator.validate({**common, **entry}) for entry in several]
    for number, one in enumerate(validated):
        if one.error_messages:
            place = "" if entries is None else f"each[{number}]: "
            module.fail_json(msg=place + "; ".join(one.error_messages))
    return [dict(one.validated_parameters) for one in validated]


def given(parameters: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a task gives, to be validated (again).

    For each that it does not give Ansible puts in a None, in suboptions too, which the rules about
    combinations would take for given.
    """
    return {
        name: _suboptions(value, options.get(name, {}).get("options"))
        for name, value in parameters.items()
        if value is not None
    }


def _suboptions(value: Any, options: Mapping[str, Any] | None) -> Any:
    if options is None:
        return value
    return [given(one, options) for one in value] if isinstance(value, list) else given(value, options)


def _one_of(module: AnsibleAWSModule, resource: type[Resource], entry: dict[str, Any]) -> Resource:
    module.params.update(entry)
    return resource(module)


def run(module: AnsibleAWSModule, resource: Resource) -> NoReturn:
    """Bring the resource to its ``state``, or in check mode report what would be done, and end the module."""
    module.exit_json(**outcome(module, resource))
    raise AssertionError("exit_json does not return")


def outcome(module: AnsibleAWSModule, resource: Resource) -> dict[str, Any]:
    """The result of a module that brings the resource to its ``state``; what is wrong ends the module."""
    try:
        return _outcome(module, resource)
    except Missing as missing:
        return _pending(module, resource, missing)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"{resource.kind} {resource.name}")
    except InTheWay as error:
        told = f"{resource.kind} {resource.name}: {error}."
        module.warn(told)  # shown also where the task's failed_when lets the run go on
        module.fail_json(msg=told, in_the_way=error.what)
    except InvalidInput as error:
        module.fail_json(msg=f"{resource.kind} {resource.name}: {error}")
    except TimeoutError as error:
        module.fail_json(
            msg=f"{resource.kind} {resource.name}: {error}. "
            "Fix: see its state in the AWS console, then run the playbook again."
        )
    raise AssertionError("fail_json does not return")


def _outcome(module: AnsibleAWSModule, resource: Resource) -> dict[str, Any]:
    absent = resource.params["state"] == "absent"
    try:
        current = resource.read()
    except Missing:
        if not absent:
            raise
        current = None
    if absent:
        if current is not None and not module.check_mode:
            resource.delete(current)
        result = _result(module, resource, current is not None, current, None)
        hindered = resource.in_the_way(current) if current is not None and module.check_mode else []
        return {**result, "in_the_way": sorted(set(hindered))} if hindered else result
    if current is None and resource.unseen and not module.check_mode:
        time.sleep(resource.unseen)
        current = resource.read()
    desired = resource.desired()
    changes = differences(current, desired) if current is not None else frozenset(desired)
    if not changes and current is not None:
        return _result(module, resource, False, current, current)
    if module.check_mode:
        return _result(module, resource, True, current, {**(current or {}), **desired}, changes)
    if current is None:
        return _result(module, resource, True, None, created(resource, desired), changes)
    resource.update(current, desired, changes)
    return _result(module, resource, True, current, resource.read() or desired, changes)


def _pending(module: AnsibleAWSModule, resource: Resource, missing: Missing) -> dict[str, Any]:
    if not module.check_mode:
        module.fail_json(
            msg=f"{resource.kind} {resource.name} needs {missing.kind} {missing.name}, which does not "
            "exist. Fix: run site.yml, which creates everything in order."
        )
    return {
        "changed": True,
        "pending": missing.name,
        "msg": f"pending: {resource.kind} {resource.name} needs {missing.name}",
        "diff": {
            "before_header": f"{resource.kind} {resource.name}",
            "after_header": f"{resource.kind} {resource.name}",
            "before": "",
            "after": f"pending: needs {missing.kind} {missing.name}\n",
        },
    }


def _result(
    module: AnsibleAWSModule,
    resource: Resource,
    changed: bool,
    before: State | None,
    after: State | None,
    changes: frozenset[str] | None = None,
) -> dict[str, Any]:
    return {
        "changed": changed,
        "exists": before is not None if module.check_mode else after is not None,
        "resource": resource.result(after) if after is not None else {},
        "diff": {
            "before_header": f"{resource.kind} {resource.name}",
            "after_header": f"{resource.kind} {resource.name}",
            "before": _shown(resource, before, changes) if changed else "",
            "after": _shown(resource, after, changes) if changed else "",
        },
    }


def _together(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """One result of several: whether any changed, and the diffs of those."""
    pending = sorted({one["pending"] for one in outcomes if "pending" in one})
    return {
        "changed": any(one["changed"] for one in outcomes),
        "resources": [
            {key: value for key, value in one.items() if key in ("exists", "resource")} for one in outcomes
        ],
        "diff": [one["diff"] for one in outcomes if one["changed"]],
        **({"pending": ", ".join(pending)} if pending else {}),
    }


def _shown(resource: Resource, state: State | None, changes: frozenset[str] | None) -> State | str:
    """The part of a state that a diff shows: what changes, and of a secret only that it does."""
    if state is None:
        return ""
    keys = sorted(state if changes is None else changes & state.keys())
    return {key: "(secret)" if key in resource.secret else state[key] for key in keys}
