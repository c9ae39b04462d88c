#!/usr/bin/python
"""Ansible module: a Lambda function with its configuration and who may call it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_function
short_description: A Lambda function with its configuration and who may call it
description:
  - Creates, repairs or removes the function called O(name).
  - Code is uploaded only where its SHA-256 or its architecture differs.
  - A permission that neither O(permissions) nor O(foreign_permissions) names is removed.
  - Waits until an update has taken effect before it makes the next one, and until a new role can be assumed.
  - Before a change, waits until Lambda has made the function or the last change; a failure is an error with
    Lambda's reason.
  - After the removal of a function in a VPC, AWS keeps its network interfaces for 20 to 45 minutes, at times
    for over an hour; see M(clickstream.aws.function_interfaces).
options:
  name:
    description: Name of the function.
    type: str
    required: true
  zip:
    description:
      - The code, on the machine that runs the module. Required when O(state=present).
      - In check mode, a file that is not there yet makes the function pending.
    type: path
  handler:
    description: Module and function that Lambda calls. Required when O(state=present).
    type: str
  runtime:
    description: Lambda runtime. Required when O(state=present).
    type: str
  architecture:
    description: Processor that the code is built for.
    choices: [arm64, x86_64]
    default: arm64
    type: str
  role:
    description: Name of the IAM role of the function. Required when O(state=present).
    type: str
  memory:
    description: Memory in MB; CPU grows with it.
    type: int
    default: 256
  timeout:
    description: Seconds after which AWS stops a call.
    type: int
    default: 30
  storage:
    description: Size of C(/tmp) in MB.
    type: int
    default: 512
  environment:
    description: Environment variables.
    type: dict
    default: {}
  vpc:
    description: Name tag of the VPC that the function runs in. By default it runs in none.
    type: str
  subnets:
    description: Name tags of its subnets in O(vpc).
    type: list
    elements: str
    default: []
  security_groups:
    description: Names of its security groups in O(vpc).
    type: list
    elements: str
    default: []
  layers:
    description: ARNs of layer versions.
    type: list
    elements: str
    default: []
  tracing:
    description: Whether Lambda samples calls for X-Ray (V(Active)) or leaves that to the caller.
    choices: [Active, PassThrough]
    default: PassThrough
    type: str
  log_group:
    description: Name of the log group; by default C(/aws/lambda/) and the name of the function.
    type: str
  log_format:
    description: Format of the log lines.
    choices: [JSON, Text]
    default: JSON
    type: str
  log_level:
    description: With O(log_format=JSON), the lowest level of the function's log lines that is kept.
    choices: [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]
    default: INFO
    type: str
  reserved_concurrency:
    description:
      - How many calls may run at the same time. By default only the account's limit counts.
      - What the account has not got left is an error with the fix. Lambda keeps 100 for functions without a
        reservation, and all of it where the account has fewer.
    type: int
  reserve_if_possible:
    description:
      - As O(reserved_concurrency), but nothing is reserved where the account has not got so many left.
      - Only other functions' reservations and the account's limit count, so a second run finds the same.
    type: int
  permissions:
    description: Which services may call the function.
    type: list
    elements: dict
    default: []
    suboptions:
      sid:
        description: Id of the statement.
        type: str
        required: true
      principal:
        description: The service, such as V(events.amazonaws.com).
        type: str
        required: true
      source_arn:
        description: The one resource of that service that may call.
        type: str
      source_account:
        description: The account of that resource, where the ARN does not say it.
        type: str
  foreign_permissions:
    description: Ids of statements that other tasks manage.
    type: list
    elements: str
    default: []
  asynchronous:
    description: What happens to asynchronous calls. By default what AWS does.
    type: dict
    suboptions:
      max_retries:
        description: How often a failed call is tried again.
        type: int
        default: 2
      max_age_seconds:
        description: How long a call may wait for a free instance.
        type: int
        default: 21600
      on_failure:
        description: ARN of the topic, queue, bus or function that gets the events that failed for good.
        type: str
  description:
    description: What the function is for.
    type: str
    default: ""
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the ETL function
  clickstream.aws.lambda_function:
    name: SBW_Lamda_ETL
    zip: .build/etl.zip
    handler: etl.handler.handler
    runtime: python3.13
    role: SBW_Lamda_ETL-role
    timeout: 900
    vpc: SBW_Project-vpc
    subnets: [SBW_Project-subnet-private1-ap-southeast-1a]
    security_groups: [sg_Lambda_ETL]
    permissions:
      - sid: schedule
        principal: events.amazonaws.com
        source_arn: arn:aws:events:ap-southeast-1:123456789012:rule/SBW_ETL_HOURLY_RULE
"""

RETURN = r"""
exists:
  description: Whether the function exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The function after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the function does not exist.
  returned: unless pending
  type: dict
  contains:
    arn:
      description: ARN of the function.
      type: str
      sample: arn:aws:lambda:ap-southeast-1:123456789012:function:SBW_Lamda_ETL
    code:
      description: What runs.
      type: dict
      contains:
        sha256:
          description: SHA-256 of the zip in base64, Lambda's C(CodeSha256).
          type: str
          sample: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        architecture:
          description: Processor that it runs on.
          type: str
    configuration:
      description: The configuration in the words of Lambda's C(UpdateFunctionConfiguration).
      type: dict
      sample: {Handler: etl.handler.handler, Runtime: python3.13}
    healthy:
      description: Whether neither its creation nor its last update failed, nor its role was made anew since.
      type: bool
    reserved_concurrency:
      description: How many calls may run at the same time; null where nothing is reserved.
      type: int
    permissions:
      description: Which services may call it, but for O(foreign_permissions).
      type: dict
      contains:
        <statement id>:
          description: One entry for each statement of the function's policy.
          type: dict
          contains:
            principal:
              description: Service that may call.
              type: str
              sample: events.amazonaws.com
            action:
              description: What it may do.
              type: str
              sample: lambda:InvokeFunction
            source_arn:
              description: The one resource of that service that may call; null for any.
              type: str
            source_account:
              description: Account of that resource; null for any.
              type: str
            conditions:
              description: Further conditions, which this module cannot set.
              returned: where somebody else wrote such a statement
              type: dict
    asynchronous:
      description: What happens to asynchronous calls; null for what AWS does by itself.
      type: dict
      contains:
        max_retries:
          description: How often a failed call is tried again.
          type: int
        max_age_seconds:
          description: How long a call may wait for a free instance.
          type: int
        on_failure:
          description: ARN of the topic, queue, bus or function that is told of a call that failed for good.
          type: str
    tags:
      description: All tags.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

import base64
import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import Finder, names_to_ids
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Missing,
    Resource,
    State,
    ignore_absent,
    run_module,
    wait_for,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    function_permission,
    function_permissions,
    map_tags,
    repair_function_permissions,
    repair_tags,
    text_tags,
    together,
)

ABSENT = "ResourceNotFoundException"

NO_RIGHT = "does not have permissions to call"
NOT_YET = ("cannot be assumed", NO_RIGHT, "CreateGrant")
"""Phrases of Lambda's errors about a role that IAM has not made known everywhere yet."""

KEPT_UNRESERVED = 100
"""Lambda Developer Guide, "Configuring reserved concurrency": what functions without one always have."""

EXECUTIONS_QUOTA = "L-B99A9384"
PERMISSION_OPTIONS = {
    "sid": {"required": True},
    "principal": {"required": True},
    "source_arn": {},
    "source_account": {},
}
ASYNCHRONOUS_OPTIONS = {
    "max_retries": {"type": "int", "default": 2},
    "max_age_seconds": {"type": "int", "default": 21600},
    "on_failure": {},
}


def code_digest(code: bytes) -> str:
    """The SHA-256 of a zip in Lambda's form."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def described_configuration(function: dict[str, Any]) -> dict[str, Any]:
    """The configuration as Lambda answers it, in the form in which it is set."""
    vpc = function.get("VpcConfig") or {}
    logging = function.get("LoggingConfig") or {}
    return {
        **{key: function.get(key, "") for key in ("Description", "Handler", "Role", "Runtime")},
        **{key: function.get(key) for key in ("MemorySize", "Timeout")},
        "Environment": {"Variables": (function.get("Environment") or {}).get("Variables", {})},
        "EphemeralStorage": {"Size": (function.get("EphemeralStorage") or {}).get("Size", 512)},
        "Layers": [layer["Arn"] for layer in function.get("Layers") or []],
        "LoggingConfig": {key: value for key, value in logging.items() if key != "SystemLogLevel"},
        "TracingConfig": {"Mode": (function.get("TracingConfig") or {}).get("Mode", "PassThrough")},
        "VpcConfig": {key: sorted(vpc.get(key) or []) for key in ("SecurityGroupIds", "SubnetIds")},
    }


def described_asynchronous(answer: dict[str, Any] | None) -> dict[str, Any] | None:
    """The configuration of asynchronous calls, in the form of the task's option."""
    return answer and {
        "max_retries": answer.get("MaximumRetryAttempts", 2),
        "max_age_seconds": answer.get("MaximumEventAgeInSeconds", 21600),
        "on_failure": (answer.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination"),
    }


def unfinished(function: dict[str, Any]) -> bool:
    """Whether Lambda is still making the function, or an update of it."""
    return function.get("State") == "Pending" or function.get("LastUpdateStatus") == "InProgress"


def failure(function: dict[str, Any]) -> str | None:
    """What Lambda says about a creation or an update that failed; None where neither did."""
    for status in ("State", "LastUpdateStatus"):
        if function.get(status) == "Failed":
            told = (function.get(f"{status}ReasonCode"), function.get(f"{status}Reason"))
            return f"{status} Failed ({': '.join(str(part) for part in told if part) or 'without a reason'})"
    return None


def orphaned(function: dict[str, Any], role: dict[str, Any] | None) -> bool:
    """Whether its role was made anew after the function was last changed.

    Then the key of its environment variables is granted to a role that is no more, and Lambda refuses every
    call (KMSAccessDeniedException); to be told of the same role again does not mend it (AWS re:Post, "How do
    I resolve AWS KMS exceptions in Lambda").
    """
    if role is None or role["Arn"] != function.get("Role") or "LastModified" not in function:
        return False
    changed = datetime.strptime(function["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z")
    return bool(role["CreateDate"] > changed)


def wanted_asynchronous(calls: dict[str, Any] | None) -> dict[str, Any] | None:
    """The task's option in the form of :func:`described_asynchronous`; no destination has one form."""
    return calls and {**calls, "on_failure": calls["on_failure"] or None}


def reservable(limits: dict[str, Any], own: int) -> int:
    """How many calls a function that has ``own`` reserved can have, by the account's ``AccountLimit``."""
    everything = limits["ConcurrentExecutions"]
    return int(limits["UnreservedConcurrentExecutions"] + own - min(KEPT_UNRESERVED, everything))


class LambdaFunction(Resource):
    """A function, by its name."""

    kind = "Lambda function"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.client = module.client("lambda")
        self.by = {"FunctionName": self.name}
        self.busy = self.orphaned = False
        self.reserved = 0
        self.foreign: dict[str, Any] = {}

    def read(self) -> State | None:
        """code, configuration, healthy, reserved_concurrency, permissions, asynchronous, tags, and arn."""
        client = self.client
        found = together(
            function=lambda: ignore_absent(lambda: client.get_function(**self.by), ABSENT),
            permissions=lambda: function_permissions(client, self.name),
            calls=lambda: ignore_absent(lambda: client.get_function_event_invoke_config(**self.by), ABSENT),
            role=lambda: self.role,
        )
        if found["function"] is None:
            return None
        function = found["function"]["Configuration"]
        self.busy = unfinished(function)
        self.orphaned = orphaned(function, found["role"])
        reserved = (found["function"].get("Concurrency") or {}).get("ReservedConcurrentExecutions")
        self.reserved = reserved or 0
        granted = found["permissions"]
        self.foreign = {sid: granted[sid] for sid in self.params["foreign_permissions"] if sid in granted}
        return {
            "arn": function["FunctionArn"],
            "code": {
                "sha256": function["CodeSha256"],
                "architecture": function.get("Architectures", ["x86_64"])[0],
            },
            "configuration": described_configuration(function),
            "healthy": failure(function) is None and not self.orphaned,
            "reserved_concurrency": reserved,
            "permissions": {sid: one for sid, one in granted.items() if sid not in self.foreign},
            "asynchronous": described_asynchronous(found["calls"]),
            "tags": map_tags(found["function"].get("Tags")),
        }

    def desired(self) -> State:
        """As the task says; needs the role, the zip and, in a VPC, subnets and security groups."""
        return {
            "configuration": self.configuration(),
            "code": {"sha256": code_digest(self.code()), "architecture": self.params["architecture"]},
            "healthy": True,
            "reserved_concurrency": self.concurrency(),
            "permissions": {
                item["sid"]: function_permission(
                    item["principal"], item["source_arn"], item["source_account"]
                )
                for item in self.params["permissions"]
            },
            "asynchronous": wanted_asynchronous(self.params["asynchronous"]),
            "tags": text_tags(self.params["tags"]),
        }

    def configuration(self) -> dict[str, Any]:
        """The configuration in Lambda's words."""
        params = self.params
        logging = {
            "LogFormat": params["log_format"],
            "LogGroup": params["log_group"] or f"/aws/lambda/{self.name}",
        }
        if params["log_format"] == "JSON":
            logging["ApplicationLogLevel"] = params["log_level"]
        return {
            "Description": params["description"],
            "Environment": {"Variables": {k: str(v) for k, v in params["environment"].items()}},
            "EphemeralStorage": {"Size": params["storage"]},
            "Handler": params["handler"],
            "Layers": params["layers"],
            "LoggingConfig": logging,
            "MemorySize": params["memory"],
            "Role": self.role_arn(),
            "Runtime": params["runtime"],
            "Timeout": params["timeout"],
            "TracingConfig": {"Mode": params["tracing"]},
            "VpcConfig": self.vpc_config(),
        }

    def concurrency(self) -> int | None:
        """How many calls to reserve; InvalidInput where the task insists on more than there are."""
        wanted, insisted = self.params["reserve_if_possible"], self.params["reserved_concurrency"]
        if not (wanted or insisted):
            return insisted  # type: ignore[no-any-return]
        left = reservable(self.client.get_account_settings()["AccountLimit"], self.reserved)
        if insisted is None:
            return wanted if wanted <= left else None
        if insisted > left:
            raise InvalidInput(
                f"{insisted} calls at the same time cannot be reserved: the account has {max(left, 0)} left",
                f"reserve fewer or none, or ask for more of the quota {EXECUTIONS_QUOTA} (Service Quotas, "
                "AWS Lambda, Concurrent executions)",
            )
        return int(insisted)

    def code(self) -> bytes:
        """The zip; raises Missing where it has not been built."""
        path = Path(self.params["zip"])
        if not path.is_file():
            raise Missing("package", str(path))
        return path.read_bytes()

    @cached_property
    def role(self) -> dict[str, Any] | None:
        """IAM's description of the task's role; None where there is none, or where the task names none."""
        name = self.params.get("role")
        if not name:
            return None
        iam = self.module.client("iam")
        answer = ignore_absent(lambda: iam.get_role(RoleName=name), "NoSuchEntity")
        return dict(answer["Role"]) if answer else None

    def role_arn(self) -> str:
        """The ARN of the function's role."""
        if self.role is None:
            raise Missing("IAM role", self.params["role"])
        return str(self.role["Arn"])

    def vpc_config(self) -> dict[str, list[str]]:
        """The ids of subnets and security groups; empty lists outside a VPC (and so to leave one)."""
        if not self.params["vpc"]:
            return {"SecurityGroupIds": [], "SubnetIds": []}
        find = Finder(self.module, self.module.client("ec2"))
        vpc_id = find.vpc(self.params["vpc"])
        return {
            "SecurityGroupIds": names_to_ids(
                self.params["security_groups"], partial(find.security_group, vpc_id)
            ),
            "SubnetIds": names_to_ids(self.params["subnets"], partial(find.subnet, vpc_id)),
        }

    def create(self, desired: State) -> None:
        """Make the function, wait until it can be called, then set the rest."""
        self.when_role_is_known(
            lambda: self.client.create_function(
                **self.by,
                **desired["configuration"],
                Code={"ZipFile": self.code()},
                Architectures=[desired["code"]["architecture"]],
                Tags=desired["tags"],
            )
        )
        self.wait()
        rest = frozenset({"reserved_concurrency", "permissions", "asynchronous"})
        new: State = {"permissions": {}, "reserved_concurrency": None, "asynchronous": None}
        self.update(new, desired, frozenset(key for key in rest if desired[key] != new[key]))

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair what differs, one update after the other; where none helps, make another function."""
        if self.orphaned:
            self.delete(current)
            self.create(desired)
            repair_function_permissions(self.client, self.name, {}, self.foreign)
            return
        if self.busy and changes & {"code", "configuration"}:
            # for what an interrupted run began: until then Lambda refuses a change
            self.wait(healthy=False)
        if "code" in changes:
            self.client.update_function_code(
                **self.by, ZipFile=self.code(), Architectures=[desired["code"]["architecture"]]
            )
            self.wait()
        if changes & {"configuration", "healthy"}:
            self.when_role_is_known(
                lambda: self.client.update_function_configuration(**self.by, **desired["configuration"])
            )
            self.wait()
        if "reserved_concurrency" in changes:
            self.put_concurrency(desired["reserved_concurrency"])
        if "permissions" in changes:
            repair_function_permissions(
                self.client, self.name, current["permissions"], desired["permissions"]
            )
        if "asynchronous" in changes:
            # Lambda asks IAM whether the role may send to the destination
            self.when_role_is_known(lambda: self.put_asynchronous(desired["asynchronous"]))
        if "tags" in changes:
            arn = current["arn"]
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.client.tag_resource(Resource=arn, Tags=tags),
                lambda keys: self.client.untag_resource(Resource=arn, TagKeys=keys),
            )

    def when_role_is_known(self, action: Callable[[], Any]) -> None:
        """Run the action, again and again while Lambda does not know the function's new role (a minute)."""
        for pause in (1, 2, 3, 5, 5, 10, 10, 10, 15, 0):
            try:
                action()
                return
            except ClientError as error:
                reason = error.response["Error"]
                role = any(phrase in reason["Message"] for phrase in NOT_YET)
                if reason["Code"] != "InvalidParameterValueException" or not role:
                    raise
                if not pause and NO_RIGHT in reason["Message"]:
                    self.module.fail_json(
                        msg=f"{self.kind} {self.name}: {reason['Message'].rstrip('.')}. Fix: give the role "
                        "that right (role iam does, for the platform's own); an administrator brings its "
                        "boundary up to date (docs/role-boundary.json; README, Deploy to AWS, step 1)."
                    )
                if not pause:
                    raise
                time.sleep(pause)

    def wait(self, *, healthy: bool = True) -> None:
        """Return when Lambda has made the function or its last update; a failure is told with its reason."""
        answers: list[dict[str, Any]] = []

        def idle() -> bool:
            found = ignore_absent(lambda: self.client.get_function_configuration(**self.by), ABSENT) or {}
            answers.append(found)
            return bool(found) and not unfinished(found)

        wait_for(idle, "Lambda to finish what it does with the function", seconds=600)
        why = failure(answers[-1])
        if healthy and why:
            self.module.fail_json(
                msg=f"{self.kind} {self.name}: {why}. Fix: see to the reason, then run the playbook again."
            )

    def put_concurrency(self, reserved: int | None) -> None:
        """Reserve so many simultaneous calls, or none."""
        if reserved is None:
            self.client.delete_function_concurrency(**self.by)
        else:
            self.client.put_function_concurrency(**self.by, ReservedConcurrentExecutions=reserved)

    def put_asynchronous(self, calls: dict[str, Any] | None) -> None:
        """Configure asynchronous calls, or leave them to AWS's defaults."""
        if calls is None:
            self.client.delete_function_event_invoke_config(**self.by)
            return
        on_failure = {"OnFailure": {"Destination": calls["on_failure"]}} if calls["on_failure"] else {}
        self.client.put_function_event_invoke_config(
            **self.by,
            MaximumRetryAttempts=calls["max_retries"],
            MaximumEventAgeInSeconds=calls["max_age_seconds"],
            DestinationConfig=on_failure,
        )

    def delete(self, current: State) -> None:
        """Remove it, once Lambda is done with it; its log group stays."""
        if self.busy:
            self.wait(healthy=False)
        self.client.delete_function(**self.by)
        self.busy = self.orphaned = False

        def gone() -> bool:
            return ignore_absent(lambda: self.client.get_function(**self.by), ABSENT) is None

        wait_for(gone, "Lambda to remove the function")


def main() -> None:
    """Run the module."""
    run_module(
        LambdaFunction,
        {
            "name": {"required": True},
            "zip": {"type": "path"},
            "handler": {},
            "runtime": {},
            "architecture": {"choices": ["arm64", "x86_64"], "default": "arm64"},
            "role": {},
            "memory": {"type": "int", "default": 256},
            "timeout": {"type": "int", "default": 30},
            "storage": {"type": "int", "default": 512},
            "environment": {"type": "dict", "default": {}},
            "vpc": {},
            "subnets": {"type": "list", "elements": "str", "default": []},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "layers": {"type": "list", "elements": "str", "default": []},
            "tracing": {"choices": ["Active", "PassThrough"], "default": "PassThrough"},
            "log_group": {},
            "log_format": {"choices": ["JSON", "Text"], "default": "JSON"},
            "log_level": {
                "choices": ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"],
                "default": "INFO",
            },
            "reserved_concurrency": {"type": "int"},
            "reserve_if_possible": {"type": "int"},
            "permissions": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": PERMISSION_OPTIONS,
            },
            "foreign_permissions": {"type": "list", "elements": "str", "default": []},
            "asynchronous": {"type": "dict", "options": ASYNCHRONOUS_OPTIONS},
            "description": {"default": ""},
        },
        required_if_present=("zip", "handler", "runtime", "role"),
        mutually_exclusive=[("reserved_concurrency", "reserve_if_possible")],
    )


if __name__ == "__main__":
    main()
