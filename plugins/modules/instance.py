#!/usr/bin/python
"""Ansible module: an EC2 instance with a fixed address and no way in but Session Manager, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: An EC2 instance with a fixed address, by name
description:
  - Creates, repairs, starts or removes the instance called O(name) in the VPC called O(vpc).
  - It has no key pair, no public address, an encrypted gp3 root volume, and an instance metadata service
    that answers with session tokens only (IMDSv2).
  - Repairs the instance profile, security groups, metadata service, termination protection, detailed
    monitoring (kept off), type (by a stop and a start), CPU credits and tags; starts it where it is stopped.
  - The image is the newest that matches at creation. A newer image, another O(user_data) or O(volume_size)
    is no change afterwards; for these, remove the instance and create it again.
  - The instance, its volume and its network interface get the tags.
options:
  name:
    description: Name tag of the instance.
    type: str
    required: true
  vpc:
    description: Name tag of the VPC.
    type: str
    required: true
  subnet:
    description: Name tag of the subnet. Required when O(state=present).
    type: str
  private_ip:
    description: Private address in the subnet. Required when O(state=present).
    type: str
  security_groups:
    description: Names of its security groups.
    type: list
    elements: str
    default: []
  image_owner:
    description: Account id of the image's owner. Required when O(state=present).
    type: str
  image_name:
    description: Name of the image, with C(*) for the parts that change. Required when O(state=present).
    type: str
  type:
    description: Instance type. Required when O(state=present).
    type: str
  cpu_credits:
    description:
      - What an instance of a burstable type (T2, T3, T3a, T4g) does when its CPU credits are used up.
        V(standard) slows it down; V(unlimited), which is EC2's default for most of them, charges for more.
      - Other types have no credits.
    type: str
    choices: [standard, unlimited]
    default: standard
  instance_profile:
    description: Name of its instance profile. Required when O(state=present).
    type: str
  volume_size:
    description: Size of the root volume in GiB.
    type: int
    default: 20
  metadata_hop_limit:
    description: How many network hops an answer of the metadata service may take; V(1) keeps it on the
      instance.
    type: int
    default: 1
  termination_protection:
    description: Whether an API call to terminate it is refused. O(state=absent) switches it off first.
    type: bool
    default: true
  user_data:
    description: What cloud-init runs at the first boot.
    type: str
    default: ""
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the analytics host
  clickstream.aws.instance:
    name: SBW_EC2_ShinyDWH
    vpc: SBW_Project-vpc
    subnet: SBW_Project-subnet-private1-ap-southeast-1a
    private_ip: 10.0.128.10
    security_groups: [sg_analytics_ShinyDWH]
    image_owner: "136693071363"
    image_name: debian-13-arm64-*
    type: t4g.medium
    instance_profile: SBW_EC2_ShinyDWH-role
"""

RETURN = r"""
exists:
  description: Whether the instance exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The instance after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the instance does not exist.
  returned: unless pending
  type: dict
  contains:
    instance_id:
      description: Id of the instance.
      type: str
      sample: i-0123456789abcdef0
    image_id:
      description: Id of the image that it was made from.
      type: str
      sample: ami-0123456789abcdef0
    instance_state:
      description: State in EC2's words.
      type: str
      sample: running
    subnet_id:
      description: Id of its subnet.
      type: str
      sample: subnet-0123456789abcdef0
    private_ip:
      description: Its address in the subnet.
      type: str
      sample: 10.0.128.10
    type:
      description: Instance type.
      type: str
      sample: t4g.medium
    instance_profile:
      description: Name of its instance profile; empty where it has none. It says so where that was removed.
      type: str
    security_groups:
      description: Ids of its security groups.
      type: list
      elements: str
    metadata:
      description: Options of the instance metadata service.
      type: dict
      contains:
        HttpEndpoint:
          description: V(enabled) or V(disabled).
          type: str
        HttpTokens:
          description: V(required) where it answers with session tokens only (IMDSv2), otherwise V(optional).
          type: str
        HttpPutResponseHopLimit:
          description: How many network hops an answer may take.
          type: int
    termination_protection:
      description: Whether an API call to terminate it is refused.
      type: bool
    cpu_credits:
      description: V(standard) or V(unlimited); empty where the type has no CPU credits.
      type: str
    monitoring:
      description: Whether CloudWatch gets detailed metrics, which cost extra.
      type: bool
    tags:
      description: All tags, C(Name) included.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    described_tags,
    names_to_ids,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Missing,
    State,
    filters,
    ignore_absent,
    run_module,
    tag_list,
    wait_for,
)

BURSTABLE = re.compile(r"t\d")
"""The types with CPU credits (EC2 User Guide, "Burstable performance instances")."""

METADATA = ("HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens")


class Instance(Ec2Resource):
    """An instance, by its Name tag in a VPC; terminated ones are no longer there."""

    kind = "instance"
    found: dict[str, Any] | None = None
    profile = ""
    image: dict[str, Any]

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        there = ["pending", "running", "stopping", "stopped"]
        by = {"tag__Name": self.name, "vpc_id": self.vpc_id, "instance_state_name": there}
        found = self.find.all("describe_instances", "Reservations", **by)
        instances: list[dict[str, Any]] = [item for reservation in found for item in reservation["Instances"]]
        if len(instances) > 1:
            self.module.fail_json(
                msg=f"{len(instances)} instances are called {self.name}: "
                f"{', '.join(item['InstanceId'] for item in instances)}. "
                "Fix: rename or remove all but one of them."
            )
        return instances[0] if instances else None

    def read(self) -> State | None:
        """What :meth:`desired` names, and instance_id and image_id."""
        found = self.found = self.describe()
        if found is None:
            return None
        protection = self.ec2.describe_instance_attribute(
            InstanceId=found["InstanceId"], Attribute="disableApiTermination"
        )
        self.profile = self._profile(found["InstanceId"])
        return {
            "instance_id": found["InstanceId"],
            "image_id": found["ImageId"],
            "instance_state": found["State"]["Name"],
            "subnet_id": found["SubnetId"],
            "private_ip": found["PrivateIpAddress"],
            "type": found["InstanceType"],
            "instance_profile": self.profile,
            "security_groups": sorted(group["GroupId"] for group in found["SecurityGroups"]),
            "metadata": {key: found.get("MetadataOptions", {}).get(key) for key in METADATA},
            "termination_protection": bool(protection["DisableApiTermination"]["Value"]),
            "cpu_credits": self._credits(found),
            "monitoring": found["Monitoring"]["State"] not in ("disabled", "disabling"),
            "tags": described_tags(found),
        }

    def _association(self, instance_id: str) -> dict[str, Any]:
        """EC2's description of the instance's association with a profile; empty where it has none."""
        by = {"instance_id": instance_id, "state": ["associating", "associated"]}
        call = "describe_iam_instance_profile_associations"
        return next(iter(self.find.all(call, "IamInstanceProfileAssociations", **by)), {})

    def _profile(self, instance_id: str) -> str:
        """The profile's name. One that was removed is told apart, made again since under its name or not:
        the instance has no credentials from it."""
        there = self._association(instance_id).get("IamInstanceProfile", {})
        name = str(there.get("Arn", "")).rsplit("/", 1)[-1]
        if name != self.params.get("instance_profile"):
            return name  # somebody else's, which this identity may not be allowed to look at
        made = self._made_profile(name).get("InstanceProfileId")
        return name if made == there.get("Id") else f"{name}, which was removed"

    def _made_profile(self, name: str) -> dict[str, Any]:
        """IAM's description of the profile of that name; empty where there is none."""
        iam = self.module.client("iam")
        answer = ignore_absent(lambda: iam.get_instance_profile(InstanceProfileName=name), "NoSuchEntity")
        return dict(answer["InstanceProfile"]) if answer else {}

    def _credits(self, found: dict[str, Any]) -> str:
        if not BURSTABLE.match(found["InstanceType"]):
            return ""
        answer = self.ec2.describe_instance_credit_specifications(InstanceIds=[found["InstanceId"]])
        return str(answer["InstanceCreditSpecifications"][0]["CpuCredits"])

    def desired(self) -> State:
        """As the task says; needs VPC, subnet, groups, and for an instance without it the profile."""
        desired = {
            "instance_state": "running",
            "subnet_id": self.find.subnet(self.vpc_id, self.params["subnet"]),
            "private_ip": self.params["private_ip"],
            "type": self.params["type"],
            "instance_profile": self.params["instance_profile"],
            "security_groups": names_to_ids(
                self.params["security_groups"], partial(self.find.security_group, self.vpc_id)
            ),
            "metadata": {
                "HttpEndpoint": "enabled",
                "HttpPutResponseHopLimit": self.params["metadata_hop_limit"],
                "HttpTokens": "required",
            },
            "termination_protection": self.params["termination_protection"],
            "cpu_credits": self.params["cpu_credits"] if BURSTABLE.match(self.params["type"]) else "",
            "monitoring": False,
            "tags": self.wanted_tags(),
        }
        if self.profile != desired["instance_profile"] and not self._made_profile(
            desired["instance_profile"]
        ):
            raise Missing("instance profile", desired["instance_profile"])
        if self.found is None:
            self.image = self._newest_image()
        return desired

    def _newest_image(self) -> dict[str, Any]:
        """EC2's description of the newest image of that owner and name; none ends the module with the fix."""
        images: list[dict[str, Any]] = self.ec2.describe_images(
            Owners=[self.params["image_owner"]],
            Filters=filters(name=self.params["image_name"], state="available"),
        )["Images"]
        if not images:
            self.module.fail_json(
                msg=f"Account {self.params['image_owner']} has no image {self.params['image_name']} in "
                f"{self.ec2.meta.region_name}. Fix: choose a region that has it, or another image name."
            )
        return max(images, key=lambda image: str(image["CreationDate"]))

    def create(self, desired: State) -> None:
        """Start an instance of the newest image and wait until it runs."""
        self._wait_for_the_address()
        volume = {
            "VolumeType": "gp3",
            "VolumeSize": self.params["volume_size"],
            "Encrypted": True,
            "DeleteOnTermination": True,
        }
        interface = {
            "DeviceIndex": 0,
            "SubnetId": desired["subnet_id"],
            "PrivateIpAddress": desired["private_ip"],
            "Groups": desired["security_groups"],
            "AssociatePublicIpAddress": False,
            "DeleteOnTermination": True,
        }
        tags = tag_list(desired["tags"])
        request = {
            "ImageId": self.image["ImageId"],
            "InstanceType": desired["type"],
            "MinCount": 1,
            "MaxCount": 1,
            "BlockDeviceMappings": [{"DeviceName": self.image["RootDeviceName"], "Ebs": volume}],
            "NetworkInterfaces": [interface],
            "IamInstanceProfile": {"Name": desired["instance_profile"]},
            "MetadataOptions": desired["metadata"],
            "DisableApiTermination": desired["termination_protection"],
            "Monitoring": {"Enabled": False},
            **(
                {"CreditSpecification": {"CpuCredits": desired["cpu_credits"]}}
                if desired["cpu_credits"]
                else {}
            ),
            **({"UserData": self.params["user_data"]} if self.params["user_data"] else {}),
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume", "network-interface")
            ],
        }
        answer = self._when_profile_is_known(lambda: self.ec2.run_instances(**request))
        instance_id = answer["Instances"][0]["InstanceId"]
        self._wait("instance_exists", instance_id)
        self._wait("instance_running", instance_id)

    def _wait_for_the_address(self) -> None:
        """Return when one that somebody has terminated is gone: until then it has the address."""
        by = {"tag__Name": self.name, "vpc_id": self.vpc_id, "instance_state_name": "shutting-down"}
        for reservation in self.find.all("describe_instances", "Reservations", **by):
            for going in reservation["Instances"]:
                self._wait("instance_terminated", going["InstanceId"])

    def _when_profile_is_known(self, call: Callable[[], Any]) -> Any:
        """The call's answer; EC2 learns of a new instance profile some seconds after IAM."""
        answers: list[Any] = []

        def accepted() -> bool:
            try:
                answers.append(call())
            except ClientError as error:
                problem = error.response["Error"]
                unknown = "IAM Instance Profile" in problem.get("Message", "")
                if problem["Code"] != "InvalidParameterValue" or not unknown:
                    raise
                return False
            return True

        wait_for(
            accepted,
            f"instance profile {self.params['instance_profile']}, which EC2 does not know yet",
            seconds=90,
            pause=3,
        )
        return answers[0]

    def _wait(self, waiter: str, instance_id: str) -> None:
        config = {"Delay": 3, "MaxAttempts": 200}
        try:
            self.ec2.get_waiter(waiter).wait(InstanceIds=[instance_id], WaiterConfig=config)
        except WaiterError as error:
            found = self.find.all("describe_instances", "Reservations", instance_id=instance_id)
            [instance] = [one for each in found for one in each["Instances"]] or [{}]
            state = instance.get("State", {}).get("Name", "unknown")
            why = instance.get("StateReason", {}).get("Message") or str(error)
            self.module.fail_json(
                msg=f"instance {self.name} ({instance_id}) is {state}: {why}. "
                "Fix: see to the reason, then run the playbook again."
            )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair whatever differs; the subnet and the address are fixed."""
        if changes & {"subnet_id", "private_ip"}:
            self.module.fail_json(
                msg=f"instance {self.name} is {current['private_ip']} in {current['subnet_id']}, "
                "and AWS cannot move it. Fix: set the variables to that, or remove the instance first."
            )
        repairs: dict[str, Callable[[str, Any], None]] = {
            "termination_protection": self._set_protection,
            "type": self._set_type,
            "instance_state": self._start,  # EC2 replaces the profile of one that runs only
            "instance_profile": self._set_profile,
            "security_groups": self._set_groups,
            "metadata": self._set_metadata,
            "monitoring": self._stop_monitoring,
            "cpu_credits": self._set_credits,
        }
        for key, repair in repairs.items():
            if key in changes:
                repair(current["instance_id"], desired[key])
        if "tags" in changes:
            self.repair_tags(current["instance_id"], current["tags"], desired["tags"])

    def _set_protection(self, instance_id: str, wanted: bool) -> None:
        self.ec2.modify_instance_attribute(InstanceId=instance_id, DisableApiTermination={"Value": wanted})

    def _set_profile(self, instance_id: str, wanted: str) -> None:
        """Replace the profile where there is one, which is never without; else associate it."""
        there = self._association(instance_id)
        profile = {"IamInstanceProfile": {"Name": wanted}}
        if there:
            ids = {"AssociationId": there["AssociationId"]}
            self._when_profile_is_known(
                lambda: self.ec2.replace_iam_instance_profile_association(**ids, **profile)
            )
        else:
            self._when_profile_is_known(
                lambda: self.ec2.associate_iam_instance_profile(InstanceId=instance_id, **profile)
            )

    def _set_groups(self, instance_id: str, wanted: list[str]) -> None:
        self.ec2.modify_instance_attribute(InstanceId=instance_id, Groups=wanted)

    def _set_metadata(self, instance_id: str, wanted: State) -> None:
        self.ec2.modify_instance_metadata_options(InstanceId=instance_id, **wanted)

    def _stop_monitoring(self, instance_id: str, wanted: bool) -> None:
        self.ec2.unmonitor_instances(InstanceIds=[instance_id])

    def _set_credits(self, instance_id: str, wanted: str) -> None:
        if wanted:  # else the new type has none
            self.ec2.modify_instance_credit_specification(
                InstanceCreditSpecifications=[{"InstanceId": instance_id, "CpuCredits": wanted}]
            )

    def _set_type(self, instance_id: str, wanted: str) -> None:
        """AWS changes the type of a stopped instance only."""
        self.ec2.stop_instances(InstanceIds=[instance_id])
        self._wait("instance_stopped", instance_id)
        self.ec2.modify_instance_attribute(InstanceId=instance_id, InstanceType={"Value": wanted})
        self._start(instance_id, "running")

    def _start(self, instance_id: str, wanted: str) -> None:
        """Start it, once it has stopped where it is stopping; one that is starting is only waited for."""
        state = (self.describe() or {}).get("State", {}).get("Name")
        if state == "stopping":
            self._wait("instance_stopped", instance_id)
        if state in ("stopping", "stopped"):
            self.ec2.start_instances(InstanceIds=[instance_id])
        self._wait(f"instance_{wanted}", instance_id)

    def delete(self, current: State) -> None:
        """Switch the protection off, terminate, and wait until it is gone."""
        instance_id = current["instance_id"]
        if current["termination_protection"]:
            self._set_protection(instance_id, False)
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        self._wait("instance_terminated", instance_id)


def main() -> None:
    """Run the module."""
    needed = ("subnet", "private_ip", "image_owner", "image_name", "type", "instance_profile")
    run_module(
        Instance,
        {
            "name": {"required": True},
            "vpc": {"required": True},
            **{key: {} for key in needed},
            "security_groups": {"type": "list", "elements": "str", "default": []},
            "cpu_credits": {"choices": ["standard", "unlimited"], "default": "standard"},
            "volume_size": {"type": "int", "default": 20},
            "metadata_hop_limit": {"type": "int", "default": 1},
            "termination_protection": {"type": "bool", "default": True},
            "user_data": {"default": ""},
        },
        required_if_present=needed,
    )


if __name__ == "__main__":
    main()
