#!/usr/bin/python
"""Ansible module: the security groups of a VPC that refer to each other, with exactly these rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: security_groups
short_description: Security groups of a VPC, with exactly these rules
description:
  - Creates, repairs or removes the security groups O(groups) of the VPC called O(vpc); other groups are
    left alone.
  - It takes several groups because these refer to each other. All groups are made before any rule.
  - O(state=absent) also removes the rules of other groups that refer to these.
  - A rule that the task does not name is revoked, AWS's default "everything out" included. Missing rules are
    added first, so that nothing is cut off in between.
  - A group called V(default) is the VPC's own; it cannot be removed, but it can be closed by giving it no
    rule.
  - AWS cannot change the description of a group; it is used for a new group only.
options:
  vpc:
    description: Name tag of the VPC.
    type: str
    required: true
  groups:
    description: The groups.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      description:
        description: What the group is for; used for a new group only.
        type: str
        default: Managed by Ansible
      ingress:
        description: What may come in; a list of rules (see O(groups[].egress)).
        type: list
        elements: dict
        default: []
        suboptions: &rule
          protocol:
            description: >-
              Protocol; V(tcp), V(udp), V(icmp), V(icmpv6), a protocol's number, or V(-1) for all of them.
            type: str
            default: tcp
          ports:
            description: >-
              A port (V(443)) or a range (V(8000-8080)), for ICMP a type and a code (V(8-0)); left out, all of
              them. Other protocols have no ports.
            type: str
          cidrs:
            description: IPv4 or IPv6 ranges on the other side; an empty list allows nobody.
            type: list
            elements: str
          groups:
            description: Names of groups in the same VPC on the other side.
            type: list
            elements: str
          prefix_list:
            description: Name of a prefix list on the other side, for example
              V(com.amazonaws.ap-southeast-1.s3).
            type: str
          self:
            description: The group itself is on the other side.
            type: bool
          description:
            description: What the rule is for.
            type: str
            default: ""
      egress:
        description: What may go out; a list of rules.
        type: list
        elements: dict
        default: []
        suboptions: *rule
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Let the ETL function reach the warehouse and nothing else
  clickstream.aws.security_groups:
    vpc: SBW_Project-vpc
    groups:
      - name: sg_Lambda_ETL
        description: ETL function
        egress:
          - {ports: "5432", groups: [sg_analytics_ShinyDWH], description: Warehouse}
          - {ports: "443", prefix_list: com.amazonaws.ap-southeast-1.s3}
      - name: sg_analytics_ShinyDWH
        description: Analytics host
        ingress:
          - {ports: "5432", groups: [sg_Lambda_ETL], description: ETL function}

- name: Close the VPC's default security group
  clickstream.aws.security_groups:
    vpc: SBW_Project-vpc
    groups: [{name: default}]
"""

RETURN = r"""
exists:
  description: Whether any of the groups exists after the task; in check mode, whether any exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The groups after the task; in check mode as they would be, without the ids that AWS has yet to give.
    - Groups that do not exist are left out.
  returned: unless pending
  type: dict
  contains:
    <name of the group>:
      description: One entry for each group.
      type: dict
      contains:
        group_id:
          description: Id of the group; null where it does not exist yet.
          type: str
          sample: sg-0123456789abcdef0
        ingress:
          description: What may come in; one entry for each peer.
          type: list
          elements: dict
          contains: &rules
            protocol:
              description: Protocol; V(-1) stands for all.
              type: str
              sample: tcp
            ports:
              description: A port or a range of ports; empty for all.
              type: str
              sample: "443"
            peer:
              description: The other side; an IP range, the name of a group or prefix list, or its id.
              type: str
              sample: sg_analytics_ShinyDWH
            description:
              description: What the rule is for.
              type: str
        egress:
          description: What may go out; one entry for each peer.
          type: list
          elements: dict
          contains: *rules
        tags:
          description: All tags, C(Name) included.
          type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
in_the_way:
  description: What somebody else made and what would hinder the removal, each by kind and id.
  returned: in check mode with O(state=absent), and where the removal fails for it
  type: list
  elements: str
  sample: [instance i-0123456789abcdef0 (theirs)]
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    cidr,
    delete_when_free,
    described_tags,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InTheWay,
    InvalidInput,
    Missing,
    State,
    canonical_list,
    run_module,
    tag_list,
    wait_for,
)
from ansible_collections.clickstream.aws.plugins.module_utils.users import lasting

# A rule in one of its equal forms: protocol, ports, peer, description. The peer is an IP range, the name of a
# security group or prefix list, or the id of one whose name is unknown.
Rule = dict[str, str]
DIRECTIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
IDENTITY = (*PEERS.values(), "UserId", "VpcId", "VpcPeeringConnectionId")
PROTOCOLS = {"all": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
ALL_PORTS = {"tcp": (0, 65535), "udp": (0, 65535), "icmp": (-1, -1), "icmpv6": (-1, -1)}
"""What EC2 takes for "all ports" of the protocols that have any; ICMP has a type and a code."""

PORTS = re.compile(r"(-?\d+)(?:-(-?\d+))?")


def protocol_form(protocol: str) -> str:
    """A task's protocol as EC2 keeps it: the name of the four that it has names for, otherwise a number."""
    text = protocol.strip().lower()
    text = str(int(text)) if text.isdecimal() else text
    text = PROTOCOLS.get(text, text)
    if text not in ("-1", *ALL_PORTS) and not (text.isdecimal() and int(text) <= 255):
        raise InvalidInput(
            f"{protocol} is not a protocol that EC2 knows", "write tcp, udp, icmp, icmpv6, -1 or a number"
        )
    return text


def ports_form(protocol: str, ports: str | None) -> str:
    """A task's ports as :func:`ports_text` shows them."""
    text = (ports or "").replace(" ", "")
    if not text or protocol not in ALL_PORTS:
        return ""
    match = PORTS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -2)
    least, most = (0, 65535) if protocol in ("tcp", "udp") else (-1, 255)
    if not (least <= first <= most and least <= last <= most) or (most == 65535 and first > last):
        raise InvalidInput(f"{ports} is no port and no range of ports", "write 443 or 8000-8080")
    return ports_text({"IpProtocol": protocol, "FromPort": first, "ToPort": last})


def ports_text(permission: Mapping[str, Any]) -> str:
    """ "443", "80-90", or "" for all."""
    first, last = permission.get("FromPort", -1), permission.get("ToPort", -1)
    if permission["IpProtocol"] not in ALL_PORTS or (first, last) in ((-1, -1), (0, 65535)):
        return ""
    return str(first) if first == last else f"{first}-{last}"


def ports_argument(protocol: str, ports: str) -> dict[str, int]:
    """The ports as EC2 takes them; TCP and UDP want a range even for "all"."""
    match = PORTS.fullmatch(ports)
    if match:
        return {"FromPort": int(match[1]), "ToPort": int(match[2] or match[1])}
    pair = ALL_PORTS.get(protocol)
    return {"FromPort": pair[0], "ToPort": pair[1]} if pair else {}


def described_rules(permissions: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Rule]:
    """The rules in an EC2 description, one per peer; ``names`` gives names for ids."""
    rules = []
    for permission in permissions:
        for key, peer_key in PEERS.items():
            for peer in permission.get(key, []):
                rule = {
                    "protocol": permission["IpProtocol"],
                    "ports": ports_text(permission),
                    "peer": names.get(peer[peer_key], peer[peer_key]),
                    "description": peer.get("Description", ""),
                }
                rules.append(rule)
    return canonical_list(rules)


def wanted_rules(rules: Iterable[Mapping[str, Any]], own_name: str) -> list[Rule]:
    """The rules of a task, one per peer, in the form of :func:`described_rules`."""
    expanded: dict[tuple[str, str, str], Rule] = {}
    for rule in rules:
        protocol = protocol_form(rule["protocol"])
        for peer in _peers(rule, own_name):
            described = {"peer": peer, "description": rule["description"]}
            one = {"protocol": protocol, "ports": ports_form(protocol, rule["ports"]), **described}
            if expanded.setdefault(without_description(one), one) != one:
                raise InvalidInput(
                    f"the same rule about {peer} has two descriptions, and EC2 keeps one", "leave one out"
                )
    return canonical_list(expanded.values())


def _peers(rule: Mapping[str, Any], own_name: str) -> Iterator[str]:
    yield from map(cidr, rule["cidrs"] or [])
    yield from rule["groups"] or []
    if rule["prefix_list"]:
        yield rule["prefix_list"]
    if rule["self"]:
        yield own_name


def without_description(rule: Rule) -> tuple[str, str, str]:
    """What AWS knows a rule by."""
    return rule["protocol"], rule["ports"], rule["peer"]


class SecurityGroups(Ec2Resource):
    """Several security groups of a VPC; the state has one key per group."""

    kind = "security groups"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.groups: dict[str, dict[str, Any]] = {group["name"]: group for group in self.params["groups"]}
        self.ids: dict[str, str] = {}
        """Ids of all groups of the VPC and of the prefix lists in use, by name."""

    @property
    def name(self) -> str:
        """The groups' names."""
        return ", ".join(self.groups)

    def describe(self) -> dict[str, Any]:
        """EC2's descriptions of all groups of the VPC, by name."""
        found = self.find.all("describe_security_groups", "SecurityGroups", vpc_id=self.vpc_id)
        return {group["GroupName"]: group for group in found}

    def read(self) -> State | None:
        """Per existing group of the task its ingress, egress and tags; None where none of them exists."""
        found = self.describe()
        self.ids = {**self._prefix_lists(), **{name: group["GroupId"] for name, group in found.items()}}
        names = {resource_id: name for name, resource_id in self.ids.items()}
        return {
            name: {
                **{way: described_rules(found[name][key], names) for way, key in DIRECTIONS.items()},
                "tags": described_tags(found[name]),
            }
            for name in self.groups
            if name in found
        } or None

    def _prefix_lists(self) -> dict[str, str]:
        """Ids of the prefix lists that the task's rules name, by name; a removal needs none of them."""
        if self.params["state"] == "absent":
            return {}
        names = {rule["prefix_list"] for rule in self._rules() if rule["prefix_list"]}
        return {name: self.find.prefix_list(name) for name in sorted(names)}

    def _rules(self) -> list[dict[str, Any]]:
        """All rules of the task."""
        return [rule for group in self.groups.values() for way in DIRECTIONS for rule in group[way]]

    def desired(self) -> State:
        """As the task says; needs the groups that rules name."""
        for peer in (peer for rule in self._rules() for peer in rule["groups"] or []):
            if peer not in self.ids and peer not in self.groups:
                raise Missing("security group", peer)
        return {
            name: {
                **{way: wanted_rules(group[way], name) for way in DIRECTIONS},
                "tags": {**self.wanted_tags(), "Name": name},
            }
            for name, group in self.groups.items()
        }

    def create(self, desired: State) -> None:
        """Make all groups, then their rules."""
        self.update({}, desired, frozenset(desired))

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Make the groups that are missing, then repair rules and tags."""
        missing = [name for name in self.groups if name in changes and name not in current]
        for name in missing:
            self._create_group(name, desired[name]["tags"])
        if missing:
            wait_for(lambda: self.groups.keys() <= (self.read() or {}).keys(), "the new groups")
            current = self.read() or {}
        for name in sorted(changes):
            for way in DIRECTIONS:
                self._set_rules(name, way, current[name][way], desired[name][way])
            if current[name]["tags"] != desired[name]["tags"]:
                self.repair_tags(self.ids[name], current[name]["tags"], desired[name]["tags"])

    def _create_group(self, name: str, tags: Mapping[str, str]) -> None:
        if name == "default":
            self.module.fail_json(
                msg=f"VPC {self.params['vpc']} has no default security group. Fix: make the VPC again."
            )
        self.ec2.create_security_group(
            GroupName=name,
            Description=self.groups[name]["description"],
            VpcId=self.vpc_id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(tags)}],
        )

    def _set_rules(self, name: str, way: str, old: list[Rule], new: list[Rule]) -> None:
        """Add, describe, revoke, in this order."""
        there = {without_description(rule): rule for rule in old}
        wanted = {without_description(rule): rule for rule in new}
        added = [rule for key, rule in wanted.items() if key not in there]
        described = [rule for key, rule in wanted.items() if key in there and there[key] != rule]
        revoked = [rule for key, rule in there.items() if key not in wanted]
        for verb, rules in (
            (f"authorize_security_group_{way}", added),
            (f"update_security_group_rule_descriptions_{way}", described),
            (f"revoke_security_group_{way}", revoked),
        ):
            if rules:
                call = getattr(self.ec2, verb)
                call(GroupId=self.ids[name], IpPermissions=[self._permission(rule) for rule in rules])

    def _permission(self, rule: Rule) -> dict[str, Any]:
        """The rule as EC2 takes it."""
        peer = self.ids.get(rule["peer"], rule["peer"])
        if peer.startswith("sg-"):
            key = "UserIdGroupPairs"
        elif peer.startswith("pl-"):
            key = "PrefixListIds"
        else:
            key = "Ipv6Ranges" if ":" in peer else "IpRanges"
        described = {"Description": rule["description"]} if rule["description"] else {}
        return {
            "IpProtocol": rule["protocol"],
            **ports_argument(rule["protocol"], rule["ports"]),
            key: [{PEERS[key]: peer, **described}],
        }

    def delete(self, current: State) -> None:
        """Revoke the rules of and about these groups, which may refer to each other; then remove them.

        What somebody else uses stays, and is named when all others are gone.
        """
        for group in self.describe().values():
            for way, key in DIRECTIONS.items():
                going = [
                    permission
                    for permission in _one_peer_each(group[key])
                    if group["GroupName"] in current or _refers_to(permission, {self.ids[n] for n in current})
                ]
                if going:
                    revoke = getattr(self.ec2, f"revoke_security_group_{way}")
                    revoke(GroupId=group["GroupId"], IpPermissions=going)
        hindered: list[str] = []
        for name in sorted(current):
            remove = partial(self.ec2.delete_security_group, GroupId=self.ids[name])
            try:
                delete_when_free(remove, name, partial(self.users.of_group, self.ids[name]))
            except InTheWay as error:
                hindered += error.what
        if hindered:
            raise InTheWay(hindered)

    def in_the_way(self, current: State) -> list[str]:
        """Whose network interface has one of the groups."""
        interfaces = (self.users.of_group(self.ids[name]) for name in current)
        ours = {f"security group {self.ids[name]} ({name})" for name in current}
        return [user for found in interfaces for user in lasting(found) if user not in ours]

    def result(self, current: State) -> State:
        """The groups with their ids."""
        return {name: {"group_id": self.ids.get(name), **group} for name, group in current.items()}


def _one_peer_each(permissions: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """EC2's permissions taken apart: one for each peer."""
    for permission in permissions:
        base = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for key in PEERS:
            for peer in permission.get(key, []):
                yield {**base, key: [{part: peer[part] for part in IDENTITY if part in peer}]}


def _refers_to(permission: Mapping[str, Any], group_ids: set[str]) -> bool:
    return any(pair["GroupId"] in group_ids for pair in permission.get("UserIdGroupPairs", []))


def main() -> None:
    """Run the module."""
    rules = {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "protocol": {"default": "tcp"},
            "ports": {},
            "cidrs": {"type": "list", "elements": "str"},
            "groups": {"type": "list", "elements": "str"},
            "prefix_list": {},
            "self": {"type": "bool"},
            "description": {"default": ""},
        },
        "mutually_exclusive": [("cidrs", "groups", "prefix_list", "self")],
        "required_one_of": [("cidrs", "groups", "prefix_list", "self")],
    }
    group = {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"required": True},
            "description": {"default": "Managed by Ansible"},
            "ingress": rules,
            "egress": rules,
        },
    }
    run_module(
        SecurityGroups,
        {"vpc": {"required": True}, "groups": group},
    )


if __name__ == "__main__":
    main()
