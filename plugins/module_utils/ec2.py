"""What the EC2 modules share: finding resources by name inside a VPC, and their tags."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from ipaddress import ip_network
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.patience import patient
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InTheWay,
    InvalidInput,
    Missing,
    Resource,
    State,
    filters,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.users import (
    LAMBDA_SECONDS,
    LEFT_BY_LAMBDA,
    User,
    Users,
    lasting,
)


class Finder:
    """Ids of EC2 resources by the names that people gave them; every method raises Missing, or AWS's errors.

    Names are Name tags (security groups: their group names). Two resources of one name are an error, for then
    nobody can say which is meant.
    """

    def __init__(self, module: AnsibleAWSModule, ec2: Any) -> None:
        self.module = module
        self.ec2 = ec2
        self._known: dict[str, dict[str, Any]] = {}

    def vpc(self, name: str) -> str:
        """The id of the VPC."""
        return str(self._one("VPC", name, "describe_vpcs", "Vpcs", tag__Name=name)["VpcId"])

    def subnet(self, vpc_id: str, name: str) -> str:
        """The id of the subnet in that VPC."""
        by = {"tag__Name": name, "vpc_id": vpc_id}
        return str(self._one("subnet", name, "describe_subnets", "Subnets", **by)["SubnetId"])

    def security_group(self, vpc_id: str, name: str) -> str:
        """The id of the security group in that VPC."""
        by = {"group_name": name, "vpc_id": vpc_id}
        group = self._one("security group", name, "describe_security_groups", "SecurityGroups", **by)
        return str(group["GroupId"])

    def route_table(self, vpc_id: str, name: str) -> str:
        """The id of the route table in that VPC."""
        by = {"tag__Name": name, "vpc_id": vpc_id}
        table = self._one("route table", name, "describe_route_tables", "RouteTables", **by)
        return str(table["RouteTableId"])

    def internet_gateway(self, name: str) -> str:
        """The id of the Internet gateway."""
        gateway = self._one(
            "Internet gateway",
            name,
            "describe_internet_gateways",
            "InternetGateways",
            tag__Name=name,
        )
        return str(gateway["InternetGatewayId"])

    def nat_gateway(self, name: str) -> str:
        """The id of the NAT gateway that is there or coming up."""
        by = {"tag__Name": name, "state": ["pending", "available"]}
        gateway = self._one("NAT gateway", name, "describe_nat_gateways", "NatGateways", **by)
        return str(gateway["NatGatewayId"])

    def prefix_list(self, name: str) -> str:
        """The id of a prefix list, AWS's own included (com.amazonaws.<region>.s3)."""
        found = self._one(
            "prefix list",
            name,
            "describe_managed_prefix_lists",
            "PrefixLists",
            prefix_list_name=name,
        )
        return str(found["PrefixListId"])

    def all(self, call: str, key: str, **by: Any) -> list[dict[str, Any]]:
        """Every page of a describe call's answer."""
        if not self.ec2.can_paginate(call):
            return list(getattr(self.ec2, call)(Filters=filters(**by))[key])
        singular = ("describe_nat_gateways", "describe_flow_logs")
        filter_argument = "Filter" if call in singular else "Filters"
        pages = self.ec2.get_paginator(call).paginate(**{filter_argument: filters(**by)})
        return [item for page in pages for item in page[key]]

    def maybe(self, kind: str, name: str, call: str, key: str, **by: Any) -> dict[str, Any] | None:
        """The one resource that matches, or None; more than one ends the module with the fix."""
        found = self.all(call, key, **by)
        if len(found) > 1:
            self.module.fail_json(
                msg=f"{len(found)} resources are called {kind} {name}. "
                "Fix: rename or remove all but one of them."
            )
        return found[0] if found else None

    def _one(self, kind: str, name: str, call: str, key: str, **by: Any) -> dict[str, Any]:
        """The resource; asked for once, for parents do not come and go while a module runs."""
        question = f"{kind} {name} {by}"
        if question not in self._known:
            found = self.maybe(kind, name, call, key, **by)
            if found is None:
                raise Missing(kind, name)
            self._known[question] = found
        return self._known[question]


class Ec2Resource(Resource):
    """An EC2 resource with a Name tag (and the tags of the task)."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.ec2 = patient(module.client("ec2"))
        self.find = Finder(module, self.ec2)

    @property
    def vpc_id(self) -> str:
        """The id of the VPC that the task names; raises Missing."""
        return self.find.vpc(self.params["vpc"])

    @abstractmethod
    def describe(self) -> dict[str, Any] | None:
        """EC2's own description of the resource, or None; raises Missing without its VPC."""

    @cached_property
    def users(self) -> Users:
        """Who uses what is to be removed."""
        return Users(self.ec2, self.module.client("lambda"), look_only=self.module.check_mode)

    def wanted_tags(self) -> dict[str, str]:
        """The task's tags and the name."""
        return {**{k: str(v) for k, v in self.params["tags"].items()}, "Name": self.name}

    def tag_specification(self, resource_type: str) -> list[dict[str, Any]]:
        """For create calls: tagged from the first moment, so that a crash leaves nothing nameless."""
        return [{"ResourceType": resource_type, "Tags": tag_list(self.wanted_tags())}]

    def repair_tags(self, resource_id: str, current: Mapping[str, str], desired: Mapping[str, str]) -> None:
        """Set what is missing or different; remove what the task does not name."""
        extra = [{"Key": key} for key in current if key not in desired]
        if extra:
            self.ec2.delete_tags(Resources=[resource_id], Tags=extra)
        self.ec2.create_tags(Resources=[resource_id], Tags=tag_list(desired))


def delete_when_free(
    delete: Callable[[], Any],
    what: str,
    users: Callable[[], list[User]] = list,
    seconds: float = 300,
    codes: tuple[str, ...] = ("DependencyViolation",),
) -> None:
    """Call ``delete`` again while AWS answers with one of ``codes`` that something still uses the resource.

    What does not go by itself is named at once (:class:`InTheWay`). What does is waited for as long as it
    takes: a deleted function's network interfaces up to two hours, all else so many ``seconds``. Then
    TimeoutError names ``what``.
    """
    end = time.monotonic() + LAMBDA_SECONDS
    limit = time.monotonic() + seconds
    while True:
        try:
            delete()
        except ClientError as error:
            if error.response["Error"]["Code"] not in codes:
                raise
        else:
            return
        found = users()
        if lasting(found):
            raise InTheWay(lasting(found))
        if any(user.kind == LEFT_BY_LAMBDA for user in found):
            limit = time.monotonic() + seconds
        if time.monotonic() > min(limit, end):
            still = ", ".join(str(user) for user in found) or "something"
            raise TimeoutError(f"timed out waiting for the removal of {what}, which {still} still uses")
        time.sleep(10)


def described_tags(description: Mapping[str, Any]) -> dict[str, str]:
    """The tags in an EC2 description."""
    return tag_dict(description.get("Tags"))


def names_to_ids(names: Iterable[str], find: Callable[[str], str]) -> list[str]:
    """Sorted ids of several names, each once; ``find`` gives the id of one and raises Missing."""
    return sorted({find(name) for name in names})


def cidr(text: str) -> str:
    """An IPv4 or IPv6 range as EC2 keeps it: bits of a host are cleared, IPv6 is short, in small letters."""
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise InvalidInput(
            f"{text} is not an address range ({error})", "write one such as 10.0.0.0/16"
        ) from error


__all__ = ["Ec2Resource", "Finder", "State", "cidr", "delete_when_free", "described_tags", "names_to_ids"]
