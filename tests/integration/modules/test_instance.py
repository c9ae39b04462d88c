"""The module instance: create, repair, remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Account
from tests.support.network import group, instance, instance_id, profile_name, protected, subnet, tags
from tests.support.tasks import INSTANCE, PRIVATE, TAGS


def test_an_instance_is_created(profile: Account) -> None:
    profile.converge("instance", **INSTANCE)
    found = instance(profile)
    assert found is not None
    assert found["State"]["Name"] == "running"
    assert (found["PrivateIpAddress"], found["SubnetId"]) == (
        "10.9.128.10",
        subnet(profile, PRIVATE)["SubnetId"],
    )
    assert "PublicIpAddress" not in found and "KeyName" not in found
    assert [item["GroupId"] for item in found["SecurityGroups"]] == [group(profile, "sg-db")["GroupId"]]
    assert (found["InstanceType"], found["Monitoring"]["State"]) == ("t4g.medium", "disabled")
    assert cpu_credits(profile, found["InstanceId"]) == "standard"
    options = found["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    assert profile_name(profile, found["InstanceId"]) == "host-role"
    assert protected(profile, found["InstanceId"])
    assert tags(found) == {**TAGS, "Name": "host"}
    images = profile.ec2.describe_images(Owners=["136693071363"])["Images"]
    arm = [image for image in images if image["Name"].startswith("debian-13-arm64-")]
    assert found["ImageId"] == max(arm, key=lambda image: image["CreationDate"])["ImageId"]
    [volume] = profile.ec2.describe_volumes()["Volumes"]
    assert (volume["VolumeType"], volume["Encrypted"], volume["Size"]) == ("gp3", True, 20)
    data = profile.ec2.describe_instance_attribute(InstanceId=found["InstanceId"], Attribute="userData")
    assert data["UserData"]["Value"] == "IyEvYmluL3NoCmV4aXQgMAo="


def cpu_credits(account: Account, instance_id: str) -> str:
    answer = account.ec2.describe_instance_credit_specifications(InstanceIds=[instance_id])
    return str(answer["InstanceCreditSpecifications"][0]["CpuCredits"])


def test_cpu_credits_may_be_unlimited_where_that_is_said(profile: Account) -> None:
    profile.converge("instance", **INSTANCE, cpu_credits="unlimited")
    assert cpu_credits(profile, instance_id(profile)) == "unlimited"


def test_a_type_without_cpu_credits_is_asked_for_none(profile: Account) -> None:
    profile.converge("instance", **{**INSTANCE, "type": "m7g.medium"})
    profile.converge("instance", **INSTANCE)
    assert cpu_credits(profile, instance_id(profile)) == "standard"
    profile.converge("instance", **{**INSTANCE, "type": "m7g.medium"})


def test_the_endpoint_refuses_credits_for_a_type_without(profile: Account) -> None:
    with pytest.raises(ClientError) as refused:
        profile.ec2.run_instances(
            ImageId="ami-0debian13arm641",
            InstanceType="m7g.medium",
            MinCount=1,
            MaxCount=1,
            CreditSpecification={"CpuCredits": "standard"},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterCombination"


def test_newer_images_and_other_user_data_are_no_drift(profile: Account) -> None:
    profile.ok("instance", **{**INSTANCE, "image_name": "debian-13-arm64-20260901-*"})
    later = {**INSTANCE, "user_data": "#!/bin/sh\n", "volume_size": 40}
    assert not profile.ok("instance", **later)["changed"]


def test_a_region_without_the_image_is_said_before_anything_is_made(profile: Account) -> None:
    wrote = len(profile.writes)
    for check in (True, False):
        result = profile.run("instance", check=check, **{**INSTANCE, "image_name": "debian-99-*"})
        assert result["failed"]
        assert all(
            word in result["msg"] for word in ("debian-99-*", "136693071363", "ap-southeast-1", "Fix:")
        )
    assert profile.writes[wrote:] == []


def test_an_instance_cannot_move(profile: Account) -> None:
    profile.ok("instance", **INSTANCE)
    result = profile.run("instance", **{**INSTANCE, "private_ip": "10.9.128.11"})
    assert result["failed"] and "10.9.128.10" in result["msg"] and "Fix:" in result["msg"]


def _profile_gone(account: Account) -> None:
    by = [{"Name": "instance-id", "Values": [instance_id(account)]}]
    answer = account.ec2.describe_iam_instance_profile_associations(Filters=by)
    for item in answer["IamInstanceProfileAssociations"]:
        account.ec2.disassociate_iam_instance_profile(AssociationId=item["AssociationId"])


def _other_profile(account: Account) -> None:
    by = [{"Name": "instance-id", "Values": [instance_id(account)]}]
    [there] = account.ec2.describe_iam_instance_profile_associations(Filters=by)[
        "IamInstanceProfileAssociations"
    ]
    account.ec2.replace_iam_instance_profile_association(
        AssociationId=there["AssociationId"], IamInstanceProfile={"Name": "other-role"}
    )


def _profile_made_again(account: Account) -> None:
    by = {"InstanceProfileName": "host-role"}
    account.iam.remove_role_from_instance_profile(**by, RoleName="host-role")
    account.iam.delete_instance_profile(**by)
    account.iam.create_instance_profile(**by)
    account.iam.add_role_to_instance_profile(**by, RoleName="host-role")


def _stopped_with_another_profile(account: Account) -> None:
    _other_profile(account)
    account.ec2.stop_instances(InstanceIds=[instance_id(account)])


def _instance_groups(account: Account) -> None:
    account.ec2.modify_instance_attribute(
        InstanceId=instance_id(account), Groups=[group(account, "sg-app")["GroupId"]]
    )


def _instance_type(account: Account) -> None:
    account.ec2.stop_instances(InstanceIds=[instance_id(account)])
    account.ec2.modify_instance_attribute(
        InstanceId=instance_id(account), InstanceType={"Value": "t4g.small"}
    )
    account.ec2.start_instances(InstanceIds=[instance_id(account)])


INSTANCE_DRIFT: dict[str, Callable[[Account], Any]] = {
    "profile detached": _profile_gone,
    "another profile": _other_profile,
    "a profile that was made again": _profile_made_again,
    "stopped, with another profile": _stopped_with_another_profile,
    "other groups": _instance_groups,
    "another type": _instance_type,
    "IMDSv1": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=instance_id(a), HttpTokens="optional"
    ),
    "metadata for containers": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=instance_id(a), HttpPutResponseHopLimit=2
    ),
    "no metadata": lambda a: a.ec2.modify_instance_metadata_options(
        InstanceId=instance_id(a), HttpEndpoint="disabled"
    ),
    "unprotected": lambda a: a.ec2.modify_instance_attribute(
        InstanceId=instance_id(a), DisableApiTermination={"Value": False}
    ),
    "stopped": lambda a: a.ec2.stop_instances(InstanceIds=[instance_id(a)]),
    "unlimited credits": lambda a: a.ec2.modify_instance_credit_specification(
        InstanceCreditSpecifications=[{"InstanceId": instance_id(a), "CpuCredits": "unlimited"}]
    ),
    "monitored": lambda a: a.ec2.monitor_instances(InstanceIds=[instance_id(a)]),
    "tags": lambda a: a.ec2.create_tags(
        Resources=[instance_id(a)], Tags=[{"Key": "Project", "Value": "x"}, {"Key": "Owner", "Value": "me"}]
    ),
}


def profile_id(account: Account, instance_id: str) -> str:
    by = [{"Name": "instance-id", "Values": [instance_id]}]
    answer = account.ec2.describe_iam_instance_profile_associations(Filters=by)
    return "".join(one["IamInstanceProfile"]["Id"] for one in answer["IamInstanceProfileAssociations"])


def described_instance(account: Account) -> dict[str, Any]:
    found = instance(account)
    assert found is not None
    keys = ("InstanceId", "InstanceType", "PrivateIpAddress", "SubnetId", "ImageId")
    return {
        **{key: found[key] for key in keys},
        "state": found["State"]["Name"],
        "groups": [item["GroupId"] for item in found["SecurityGroups"]],
        "metadata": {
            key: found["MetadataOptions"][key]
            for key in ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint")
        },
        "monitoring": found["Monitoring"]["State"],
        "profile": profile_name(account, found["InstanceId"]),
        "profile is the one that IAM has": profile_id(account, found["InstanceId"])
        == account.iam.get_instance_profile(InstanceProfileName="host-role")["InstanceProfile"][
            "InstanceProfileId"
        ],
        "protected": protected(account, found["InstanceId"]),
        "credits": cpu_credits(account, found["InstanceId"]),
        "tags": tags(found),
    }


@pytest.mark.parametrize("case", INSTANCE_DRIFT)
def test_instance_drift_is_seen_in_check_mode_and_repaired(profile: Account, case: str) -> None:
    profile.ok("instance", **INSTANCE)
    before = described_instance(profile)
    INSTANCE_DRIFT[case](profile)
    broken = described_instance(profile)
    assert broken != before, "the case breaks nothing"
    assert profile.ok("instance", check=True, **INSTANCE)["changed"]
    assert described_instance(profile) == broken
    profile.converge("instance", **INSTANCE)
    assert described_instance(profile) == before
