"""moto's server with fixes to its EC2; run with moto's own Python.

Each function below names what moto 5.2 does and what AWS does. They are here and not in the router because
moto holds the data: the router would have to keep a copy.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidParameterCombination
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.monitoring import Monitoring
from moto.ec2.responses.vpcs import VPCs
from moto.s3.models import S3Backend
from moto.server import main

METADATA_ARGUMENTS = {
    "http_tokens": "http_tokens",
    "http_put_response_hop_limit": "hop_limit",
    "http_endpoint": "http_endpoint",
    "http_protocol_ipv6": "http_protocol",
    "instance_metadata_tags": "metadata_tags",
}
"""Attribute of moto's metadata options -> argument of its function."""

SERVICES = ("ec2messages", "logs", "monitoring", "s3", "ssm", "ssmmessages")
"""The services with endpoints; this region is old enough to have ec2messages."""

FIXES: list[Callable[[], None]] = []


def fix(function: Callable[[], None]) -> Callable[[], None]:
    """Register a function that changes moto when the server starts."""
    FIXES.append(function)
    return function


def _peer(rule: Any) -> dict[str, str]:
    """The part of a rule that holds its peer (range, group or prefix list) and its description."""
    return rule.ip_range or rule.source_group or rule.prefix_list  # type: ignore[no-any-return]


def _identity(rule: Any) -> tuple[Any, ...]:
    peer = _peer(rule)
    keys = ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId")
    return (rule.ip_protocol, rule.from_port, rule.to_port, *(peer.get(key) for key in keys))


@fix
def rule_descriptions() -> None:
    """moto loses prefix lists' descriptions and changes those of IP ranges only; AWS keeps and changes all.

    It also counts a group's description as part of the rule, so that none without it is the same rule.
    """
    make, flatten = SecurityGroupRule.__init__, SecurityGroup._flattened_rules

    @wraps(make)
    def with_prefix_list(self: Any, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        given = signature(make).bind(self, *args, **more).arguments
        self.prefix_list = dict(given.get("prefix_list_id") or {})

    def with_descriptions(self: Any, rules: list[Any]) -> list[Any]:
        views: list[Any] = flatten(self, rules)
        for view in views:
            for shown in view.prefix_list_ids:
                for rule in rules:
                    same = (rule.ip_protocol, rule.from_port, rule.to_port, rule.prefix_list_id)
                    if same == (view.ip_protocol, view.from_port, view.to_port, shown["PrefixListId"]):
                        shown.update(rule.prefix_list)
        return views

    def describe(self: Any, security_rule: Any, rule: Any) -> None:
        _peer(rule).pop("Description", None)
        if "Description" in _peer(security_rule):
            _peer(rule)["Description"] = _peer(security_rule)["Description"]

    SecurityGroupRule.__init__ = with_prefix_list
    SecurityGroupRule.__eq__ = lambda self, other: _identity(self) == _identity(other)
    SecurityGroupRule.description = property(lambda self: _peer(self).get("Description"))
    SecurityGroup._flattened_rules = with_descriptions
    SecurityGroupBackend._sg_update_description = describe


@fix
def protocols_without_ports() -> None:
    """moto wants ports for every protocol; AWS has none for others than TCP, UDP and ICMP."""
    make = SecurityGroupRule.__init__
    have_ports = ("tcp", "udp", "icmp", "icmpv6", "6", "17", "1", "58", "-1")

    @wraps(make)
    def without_ports(self: Any, *args: Any, **more: Any) -> None:
        given = signature(make).bind(self, *args, **more)
        portless = str(given.arguments["ip_protocol"]).lower() not in have_ports
        if portless:
            given.arguments |= {"from_port": -1, "to_port": -1}
        make(*given.args, **given.kwargs)
        if portless:
            self.from_port = self.to_port = None

    SecurityGroupRule.__init__ = without_ports


@fix
def termination_protection_at_start() -> None:
    """moto ignores DisableApiTermination of RunInstances; AWS takes it."""
    respond, start = InstanceResponse.run_instances, InstanceBackend.run_instances

    def run(self: Any) -> Any:
        self.ec2_backend.protect_next = bool(self._get_param("DisableApiTermination"))
        return respond(self)

    def protected(self: Any, *args: Any, **more: Any) -> Any:
        reservation = start(self, *args, **more)
        for instance in reservation.instances:
            instance.disable_api_termination = getattr(self, "protect_next", False)
        self.protect_next = False
        return reservation

    InstanceResponse.run_instances = run
    InstanceBackend.run_instances = protected


@fix
def metadata_options_that_are_not_named() -> None:
    """moto forgets the metadata options that ModifyInstanceMetadataOptions does not name; AWS keeps them."""
    modify = InstanceBackend.modify_instance_metadata_options

    def keep(self: Any, instance_id: str, **named: Any) -> Any:
        there = vars(self.get_instance(instance_id).metadata_options)
        now = modify(self, instance_id, **named)
        for key, argument in METADATA_ARGUMENTS.items():
            if named.get(argument) is None:
                setattr(now, key, there[key])
        return now

    InstanceBackend.modify_instance_metadata_options = keep


@fix
def groups_of_the_first_interface() -> None:
    """moto gives an instance no groups where its network interface names them; on AWS they are the same."""
    start = InstanceBackend.run_instances

    def run(self: Any, *args: Any, **more: Any) -> Any:
        reservation = start(self, *args, **more)
        for instance in reservation.instances:
            if not instance.security_groups and instance.nics:
                instance.security_groups = list(instance.nics[0].group_set)
        return reservation

    InstanceBackend.run_instances = run


@fix
def replaced_profile() -> None:
    """moto shows an instance with the profile that ReplaceIamInstanceProfileAssociation took away.

    It also replaces that of an instance which does not run; AWS's API Reference: "for the specified running
    instance".
    """
    replace = IamInstanceProfileAssociationBackend.replace_iam_instance_profile_association

    def shown(self: Any, association_id: str, *args: Any, **more: Any) -> Any:
        found, _ = self.describe_iam_instance_profile_associations([association_id])
        if any(one.instance._state.name != "running" for one in found):
            raise EC2ClientError(
                "IncorrectState", f"The association {association_id} is not the active association"
            )
        association = replace(self, association_id, *args, **more)
        profile = {"Arn": association.iam_instance_profile.arn, "Id": association.association_id}
        self.modify_instance_attribute(association.instance.id, "iam_instance_profile", profile)
        return association

    IamInstanceProfileAssociationBackend.replace_iam_instance_profile_association = shown


@fix
def monitoring() -> None:
    """moto answers 500 to MonitorInstances and UnmonitorInstances."""

    def switch(state: str) -> Callable[[Any], Any]:
        def respond(self: Any) -> Any:
            instances = [self.ec2_backend.get_instance(one) for one in self._get_param("InstanceIds", [])]
            for instance in instances:
                instance.monitoring_state = state
            shown = [{"InstanceId": one.id, "Monitoring": {"State": state}} for one in instances]
            return ActionResult({"InstanceMonitorings": shown})

        return respond

    Monitoring.monitor_instances = switch("enabled")
    Monitoring.unmonitor_instances = switch("disabled")


@fix
def cpu_credits() -> None:
    """moto answers "standard" for all and cannot change it; on AWS newer burstable types start as unlimited.

    Other types have no credits, and AWS refuses whoever names some for them.
    """
    respond = InstanceResponse.run_instances

    def run(self: Any) -> Any:
        wanted = (self._get_param("CreditSpecification") or {}).get("CpuCredits")
        kind = self._get_param("InstanceType") or ""
        if wanted and not kind.startswith("t"):
            raise InvalidParameterCombination(f"the instance type {kind} has no CPU credits to be {wanted}")
        there = {one.id for one in self.ec2_backend.all_instances()}
        answer = respond(self)
        for one in self.ec2_backend.all_instances():
            if one.id not in there:
                one.cpu_credits = wanted or (
                    "standard" if one.instance_type.startswith("t2.") else "unlimited"
                )
        return answer

    def describe(self: Any) -> Any:
        instances = [self.ec2_backend.get_instance(one) for one in self._get_param("InstanceIds", [])]
        shown = [{"InstanceId": one.id, "CpuCredits": one.cpu_credits} for one in instances]
        return ActionResult({"InstanceCreditSpecifications": shown})

    def modify(self: Any) -> Any:
        asked = self._get_param("InstanceCreditSpecifications", [])
        for one in asked:
            self.ec2_backend.get_instance(one["InstanceId"]).cpu_credits = one["CpuCredits"]
        changed = [{"InstanceId": one["InstanceId"]} for one in asked]
        return ActionResult({"SuccessfulInstanceCreditSpecifications": changed})

    InstanceResponse.run_instances = run
    InstanceResponse.describe_instance_credit_specifications = describe
    InstanceResponse.modify_instance_credit_specification = modify


@fix
def endpoint_filter() -> None:
    """moto does not know DescribeVpcEndpoints' filter vpc-endpoint-id."""
    known = VPCEndPoint.get_filter_value

    def value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
        return self.id if filter_name == "vpc-endpoint-id" else known(self, filter_name, method_name)

    VPCEndPoint.get_filter_value = value


@fix
def endpoint_services() -> None:
    """moto answers 500 to DescribeVpcEndpointServices: it loads all its services, and some lack a package.

    It also reads "Value" for "Values" of the filter service-name.
    """

    def collect(_account: str, region: str) -> list[dict[str, Any]]:
        found = RegionsAndZonesBackend.zones.get(region, [])
        zones = [zone.name for zone in found]
        made = [BaseBackend.default_vpc_endpoint_service_factory(region, zones, one) for one in SERVICES]
        return [service for services in made for service in services]

    chosen = VPCBackend._filter_endpoint_services

    def choose(names: list[str], filters: list[dict[str, Any]], services: Any) -> Any:
        return chosen(names, [{"Value": one.get("Values", []), **one} for one in filters], services)

    VPCBackend._collect_default_endpoint_services = staticmethod(collect)
    VPCBackend._filter_endpoint_services = staticmethod(choose)


@fix
def endpoint_services_exist() -> None:
    """moto makes an endpoint of any service; AWS of those that the region has."""
    make = VPCBackend.create_vpc_endpoint

    def create(self: Any, vpc_id: str, service_name: str, *more: Any, **named: Any) -> Any:
        if service_name not in [f"com.amazonaws.{self.region_name}.{one}" for one in SERVICES]:
            raise EC2ClientError(
                "InvalidServiceName", f"The Vpc Endpoint Service '{service_name}' does not exist"
            )
        return make(self, vpc_id, service_name, *more, **named)

    VPCBackend.create_vpc_endpoint = create


@fix
def endpoint_settings() -> None:
    """moto ignores PrivateDnsEnabled and ResetPolicy of ModifyVpcEndpoint; AWS takes both."""
    respond = VPCs.modify_vpc_endpoint

    def modify(self: Any) -> Any:
        answer = respond(self)
        endpoint_id = self._get_param("VpcEndpointId")
        endpoint = self.ec2_backend.describe_vpc_endpoints(vpc_end_point_ids=[endpoint_id])[0]
        private_dns = self._get_param("PrivateDnsEnabled")
        if private_dns is not None:
            endpoint.private_dns_enabled = str(private_dns).lower() == "true"
        if str(self._get_param("ResetPolicy", "")).lower() == "true":
            endpoint.policy_document = VPCEndPoint(
                self.ec2_backend, "", "", "", None, None, []
            ).policy_document
        return answer

    VPCs.modify_vpc_endpoint = modify


@fix
def what_is_in_use() -> None:
    """moto removes what network interfaces and attachments still use; AWS answers DependencyViolation.

    It also keeps the network interfaces of NAT gateways and instances that are gone, and deletes one that is
    attached.
    """
    delete_subnet, delete_group = SubnetBackend.delete_subnet, SecurityGroupBackend.delete_security_group
    delete_vpc, detach = VPCBackend.delete_vpc, InternetGatewayBackend.detach_internet_gateway
    terminate = InstanceBackend.terminate_instances
    delete_nat = NatGatewayBackend.delete_nat_gateway
    delete_interface = ElasticNetworkInterfaces.delete_network_interface

    def refuse_if(used: Any, message: str) -> None:
        if used:
            raise DependencyViolationError(message)

    def subnet(self: Any, subnet_id: str) -> Any:
        used = any(eni.subnet.id == subnet_id for eni in self.enis.values())
        refuse_if(used, f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        return delete_subnet(self, subnet_id)

    def group(self: Any, name: str | None = None, group_id: str | None = None) -> Any:
        interfaces = (one.id for eni in self.enis.values() for one in eni.group_set)
        groups = (one for by_id in self.groups.values() for one in by_id.values() if one.id != group_id)
        rules = (rule for one in groups for rule in [*one.ingress_rules, *one.egress_rules])
        peers = (rule.source_group.get("GroupId") for rule in rules if rule.source_group)
        refuse_if(group_id in {*interfaces, *peers}, f"resource {group_id} has a dependent object")
        return delete_group(self, name, group_id)

    def vpc(self: Any, vpc_id: str) -> Any:
        used = [
            *(one for one in self.groups[vpc_id].values() if one.name != "default"),
            *(one for one in self.internet_gateways.values() if one.vpc and one.vpc.id == vpc_id),
            *(one for one in self.network_acls.values() if one.vpc_id == vpc_id and not one.default),
        ]
        refuse_if(used, f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        return delete_vpc(self, vpc_id)

    def gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> Any:
        used = any(eni.public_ip and eni.subnet.vpc_id == vpc_id for eni in self.enis.values())
        refuse_if(
            used, f"Network {vpc_id} has some mapped public address(es). Please unmap those before detaching."
        )
        return detach(self, internet_gateway_id, vpc_id)

    def instances(self: Any, instance_ids: list[str]) -> Any:
        ended = terminate(self, instance_ids)
        for one, _ in ended:
            for eni in one.nics.values():
                if eni.device_index == 0:
                    self.enis.pop(eni.id, None)
        return ended

    def nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        gone = delete_nat(self, nat_gateway_id)
        self.enis.pop(gone._eni.id, None)
        return gone

    def interface(self: Any) -> Any:
        eni_id = self._get_param("NetworkInterfaceId")
        eni = self.ec2_backend.enis.get(eni_id)
        if eni and (eni.attachment_id or eni.status == "in-use"):
            raise EC2ClientError(
                "InvalidParameterValue", f"Network interface '{eni_id}' is currently in use."
            )
        return delete_interface(self)

    SubnetBackend.delete_subnet, SecurityGroupBackend.delete_security_group = subnet, group
    VPCBackend.delete_vpc, InternetGatewayBackend.detach_internet_gateway = vpc, gateway
    NatGatewayBackend.delete_nat_gateway = nat_gateway
    InstanceBackend.terminate_instances = instances
    ElasticNetworkInterfaces.delete_network_interface = interface


@fix
def flow_logs_to_buckets() -> None:
    """moto looks for a flow log's bucket in its own S3, prefix and all; the router asks ministack."""
    S3Backend.get_bucket = lambda *_, **__: None


LAMBDA_INTERFACE = "AWS Lambda VPC ENI-"
"""How the description of a network interface of Lambda begins."""


@fix
def interfaces_of_lambda() -> None:
    """moto knows no Lambda; AWS keeps a function's network interfaces, in use, long after the function.

    The router makes one when a function of a VPC goes, and it goes LAMBDA_INTERFACE_SECONDS later (AWS: 20 to
    45 minutes, at times over an hour).
    """
    make = NetworkInterfaceBackend.create_network_interface
    seconds = float(os.environ.get("LAMBDA_INTERFACE_SECONDS", "3"))

    def create(self: Any, *args: Any, **more: Any) -> Any:
        eni = make(self, *args, **more)
        if eni.description.startswith(LAMBDA_INTERFACE):
            eni.interface_type, eni.requester_managed, eni.status = "lambda", True, "in-use"
            end = threading.Timer(seconds, self.enis.pop, [eni.id, None])
            end.daemon = True
            end.start()
        return eni

    NetworkInterfaceBackend.create_network_interface = create


if __name__ == "__main__":
    for each in FIXES:
        each()
    main(sys.argv[1:])
