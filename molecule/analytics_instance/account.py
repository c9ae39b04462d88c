"""Role analytics_instance: the EC2 instance of warehouse and dashboard."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.molecule.account import (
    ANALYTICS_GROUP,
    PRIVATE,
    client,
    make_network,
    make_role,
    named,
    tags,
    the,
)

NAME, PROFILE = "SBW_EC2_ShinyDWH", "SBW_EC2_ShinyDWH-role"
MADE = [f"instance {NAME}"]
BROKEN = [f"instance {NAME}: instance_profile, metadata"]


def prepare() -> None:
    """The subnet, the security group and the instance profile."""
    make_network(groups=[ANALYTICS_GROUP])
    make_role(PROFILE, "ec2.amazonaws.com", profile=True)


def instance() -> dict[str, Any]:
    """The only instance that is not gone."""
    by = [
        {"Name": "tag:Name", "Values": [NAME]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    [reservation] = client("ec2").describe_instances(Filters=by)["Reservations"]
    [one] = reservation["Instances"]
    return dict(one)


def attribute(name: str) -> Any:
    """One attribute of the instance, as EC2 keeps it."""
    answer = client("ec2").describe_instance_attribute(InstanceId=instance()["InstanceId"], Attribute=name)
    return answer[name[0].upper() + name[1:]]["Value"]


def associations() -> list[dict[str, Any]]:
    """The instance's profiles."""
    found = client("ec2").describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    return [one for one in found if one["State"] in ("associating", "associated")]


def verify() -> None:
    """A private host with the newest image, which installs the agent that the inventory names."""
    one = instance()
    assert (one["PrivateIpAddress"], one["SubnetId"]) == (
        "10.0.128.10",
        the("subnets", name=PRIVATE)["SubnetId"],
    )
    assert "PublicIpAddress" not in one and "KeyName" not in one
    assert [group["GroupName"] for group in one["SecurityGroups"]] == [ANALYTICS_GROUP]
    assert (one["InstanceType"], one["Monitoring"]["State"]) == ("t4g.medium", "disabled")
    options = one["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    assert [item["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1] for item in associations()] == [PROFILE]
    assert attribute("disableApiTermination") is True
    assert tags(one) == named(NAME)
    images = client("ec2").describe_images(Owners=["136693071363"])["Images"]
    arm = [image for image in images if image["Name"].startswith("debian-13-arm64-")]
    assert one["ImageId"] == max(arm, key=lambda image: image["CreationDate"])["ImageId"]
    [volume] = client("ec2").describe_volumes()["Volumes"]
    assert (volume["VolumeType"], volume["Encrypted"], volume["Size"]) == ("gp3", True, 30)
    script = base64.b64decode(attribute("userData")).decode()
    assert (
        "/3.3.3050.0/debian_arm64/amazon-ssm-agent.deb" in script
        and f"sha256='{'0123456789abcdef' * 4}'" in script
    )


def break_by_hand() -> None:
    """The metadata service answers without a token, and the instance has lost its rights."""
    ec2 = client("ec2")
    ec2.modify_instance_metadata_options(InstanceId=instance()["InstanceId"], HttpTokens="optional")
    [association] = associations()
    ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
