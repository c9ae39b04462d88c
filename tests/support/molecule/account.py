"""The emulated account of a Molecule scenario: clients, finding by name, what a role expects to be there.

Its endpoint and credentials are in the environment, where the inventory has put them (plugin
clickstream.aws.local_cloud).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

REGION, ACCOUNT = "ap-southeast-1", "123456789012"
OF_ACCOUNT = f"-{ACCOUNT}-{REGION}-an"
"""How names of buckets end."""
TAGS = {"Project": "clickstream"}
PUBLIC, PRIVATE = f"SBW_Project-subnet-public1-{REGION}a", f"SBW_Project-subnet-private1-{REGION}a"
PRIVATE_TABLE = f"SBW_Project-rtb-private1-{REGION}a"
ANYWHERE = "0.0.0.0/0"
ANALYTICS_GROUP, ETL_GROUP, ENDPOINTS_GROUP = "sg_analytics_ShinyDWH", "sg_Lambda_ETL", "sg_vpc_endpoints"


SENT: list[str] = []
"""The requests that the clients have sent: each is a line of the endpoint's access log, soon."""


@cache
def client(service: str) -> Any:
    """A client of the account; made once, for that takes longer than most calls."""
    import boto3  # half a second, which a step that asks for nothing does not wait

    made = boto3.client(service)
    made.meta.events.register("before-send", lambda event_name, **_: SENT.append(event_name))
    return made


def found(kind: str, **by: str) -> list[dict[str, Any]]:
    """What EC2 describes as ``kind`` ("vpcs"); ``name`` filters by the Name tag, ``vpc_id`` by vpc-id."""
    key = "".join(word.capitalize() for word in kind.split("_"))
    names = {"name": "tag:Name"}
    filters = [
        {"Name": names.get(name, name.replace("_", "-")), "Values": [value]} for name, value in by.items()
    ]
    return list(getattr(client("ec2"), f"describe_{kind}")(Filters=filters)[key])


def the(kind: str, **by: str) -> dict[str, Any]:
    """The only one that :func:`found` finds."""
    [one] = found(kind, **by)
    return one


def tags(one: Mapping[str, Any]) -> dict[str, str]:
    """The tags of what EC2, S3 or SSM described."""
    return {tag["Key"]: tag["Value"] for tag in one.get("Tags", one.get("TagSet", one.get("TagList", [])))}


def named(name: str) -> dict[str, str]:
    """The tags of a thing of the platform that is known by its Name tag."""
    return {**TAGS, "Name": name}


def absent(read: Callable[[], Any]) -> bool:
    """Whether AWS says that there is no such thing."""
    try:
        read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert any(word in code for word in ("404", "NoSuch", "NotFound")), code
        return True
    return False


# --- what a role expects to be there ------------------------------------------------------------------------


def name_tag(kind: str, name: str) -> list[dict[str, Any]]:
    """A TagSpecifications argument with a Name tag."""
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def make_network(groups: Iterable[str] = ()) -> None:
    """The VPC with its subnets, Internet gateway and private route table, and groups without rules."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=name_tag("vpc", "SBW_Project-vpc"))[
        "Vpc"
    ]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    for name, cidr in ((PUBLIC, "10.0.0.0/20"), (PRIVATE, "10.0.128.0/20")):
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=cidr,
            AvailabilityZone=f"{REGION}a",
            TagSpecifications=name_tag("subnet", name),
        )
    gateway = ec2.create_internet_gateway(TagSpecifications=name_tag("internet-gateway", "SBW_Project-igw"))
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGateway"]["InternetGatewayId"], VpcId=vpc)
    ec2.create_route_table(VpcId=vpc, TagSpecifications=name_tag("route-table", PRIVATE_TABLE))
    for group in groups:
        ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)


def make_role(name: str, service: str = "lambda.amazonaws.com", *, profile: bool = False) -> str:
    """An IAM role that a service may assume, without permissions; its profile, if wanted. Returns the ARN."""
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if profile:
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return str(arn)


def make_function(name: str) -> None:
    """A Lambda function that answers nothing, with a role of its own."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", "def handler(event, context):\n    pass\n")
    client("lambda").create_function(
        FunctionName=name,
        Role=make_role(f"{name}-role"),
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )


def permissions(function: str) -> dict[str, dict[str, Any]]:
    """Who may call a function: statements of its policy by Sid."""
    try:
        policy = client("lambda").get_policy(FunctionName=function)["Policy"]
    except ClientError:
        return {}
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def everything() -> dict[str, list[str]]:
    """The names of everything in the account, by kind."""
    iam, gone = client("iam"), ("deleted", "terminated")
    own = [{"Key": "Owner", "Values": ["Self"]}]
    reservations = client("ec2").describe_instances()["Reservations"]
    instances = [one for reservation in reservations for one in reservation["Instances"]]
    # moto keeps the interfaces of deleted NAT gateways, which AWS deletes
    deleted = [one for one in found("nat_gateways") if one["State"] == "deleted"]
    kept = {address["NetworkInterfaceId"] for one in deleted for address in one["NatGatewayAddresses"]}
    answers: dict[str, Iterable[str]] = {
        "VPCs": (one["VpcId"] for one in found("vpcs")),
        "subnets": (one["SubnetId"] for one in found("subnets")),
        "route tables": (one["RouteTableId"] for one in found("route_tables")),
        "Internet gateways": (one["InternetGatewayId"] for one in found("internet_gateways")),
        "security groups": (one["GroupId"] for one in found("security_groups")),
        "endpoints": (one["VpcEndpointId"] for one in found("vpc_endpoints") if one["State"] not in gone),
        "NAT gateways": (one["NatGatewayId"] for one in found("nat_gateways") if one["State"] not in gone),
        "flow logs": (one["FlowLogId"] for one in client("ec2").describe_flow_logs()["FlowLogs"]),
        "addresses": (one["PublicIp"] for one in found("addresses")),
        "volumes": (one["VolumeId"] for one in found("volumes")),
        "network interfaces": {one["NetworkInterfaceId"] for one in found("network_interfaces")} - kept,
        "instances": (one["InstanceId"] for one in instances if one["State"]["Name"] not in gone),
        "roles": (one["RoleName"] for one in iam.list_roles()["Roles"]),
        "policies": (one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]),
        "profiles": (one["InstanceProfileName"] for one in iam.list_instance_profiles()["InstanceProfiles"]),
        "buckets": (one["Name"] for one in client("s3").list_buckets()["Buckets"]),
        "parameters": (one["Name"] for one in client("ssm").describe_parameters()["Parameters"]),
        "documents": (
            one["Name"] for one in client("ssm").list_documents(Filters=own)["DocumentIdentifiers"]
        ),
        "functions": (one["FunctionName"] for one in client("lambda").list_functions()["Functions"]),
        "log groups": (one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]),
        "APIs": (one["Name"] for one in client("apigatewayv2").get_apis()["Items"]),
        "user pools": (
            one["Name"] for one in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        ),
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "rules": (one["Name"] for one in client("events").list_rules()["Rules"]),
    }
    return {kind: sorted(names) for kind, names in answers.items()}
