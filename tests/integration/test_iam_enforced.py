"""IAM on the local cloud: what AWS would deny to the deployer, a function or an unknown key is denied."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.credentials import DEPLOYER_KEY, ROOT_KEY, SECRET
from tests.support.services import free_ports
from tests.support.tasks import IN_A_VPC

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).resolve().parents[2]
NAME = f"iam{os.getpid()}"
ACCOUNT, REGION = "123456789012", "ap-southeast-1"
RAW = "clickstream-s3-ingest"
ROLE = "SBW_function-role"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/clickstream-role-boundary"
CODE = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"], config=Config(retries={"max_attempts": 1}))
    try:
        getattr(client, event["call"])(**event["with"])
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return ["", ""]
"""

Client = Callable[[str], Any]


def local_cloud(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "local_cloud", *arguments, "--name", NAME],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout)) if done.stdout else {}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local cloud whose deployer has the policies of docs/deployer."""
    port = free_ports(4)
    policies = ["--deployer-policies", str(PROJECT / "docs/deployer")]
    try:
        local_cloud("start", "--endpoint-port", str(port), "--no-machines", *policies)
        yield f"http://127.0.0.1:{port}"
    finally:
        local_cloud("stop")


def client_of(endpoint: str, key: str) -> Client:
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRET, region_name=REGION)
    return lambda service: session.client(service, endpoint_url=endpoint)


@pytest.fixture(scope="module")
def root(endpoint: str) -> Client:
    return client_of(endpoint, ROOT_KEY)


@pytest.fixture(scope="module")
def deployer(endpoint: str) -> Client:
    return client_of(endpoint, DEPLOYER_KEY)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


@pytest.fixture(scope="module")
def network(deployer: Client) -> dict[str, str]:
    """A subnet whose way to S3 is an endpoint, made by the deployer."""
    ec2 = deployer("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table], VpcEndpointType="Gateway"
    )
    group = ec2.create_security_group(GroupName="f", Description="f", VpcId=vpc)["GroupId"]
    return {"subnet": subnet, "group": group, "endpoint": made["VpcEndpoint"]["VpcEndpointId"]}


@pytest.fixture(scope="module")
def functions(root: Client, deployer: Client, network: dict[str, str]) -> Client:
    """Two functions with one role, in the subnet and outside; they call what their event says.

    The role is an administrator's, without a boundary, so that what is judged is its policy.
    """
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = root("iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=IN_A_VPC)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("code.py", CODE)
    inside = {"SubnetIds": [network["subnet"]], "SecurityGroupIds": [network["group"]]}
    for name, place in (("SBW_inside", inside), ("SBW_outside", {})):
        deployer("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="code.handler",
            Role=role,
            Code={"ZipFile": zipped.getvalue()},
            VpcConfig=place,
            Timeout=30,
        )
    deployer("s3").create_bucket(Bucket=RAW, CreateBucketConfiguration={"LocationConstraint": REGION})
    return deployer


def tries(
    functions: Client, service: str, call: str, *, function: str = "SBW_outside", **more: Any
) -> list[str]:
    """The code and the message of the error that a function gets; empty where it may."""
    event = json.dumps({"service": service, "call": call, "with": more})
    answer = functions("lambda").invoke(FunctionName=function, Payload=event)
    told = json.load(answer["Payload"])
    assert isinstance(told, list), told
    return told


def puts(functions: Client, key: str, function: str = "SBW_outside") -> list[str]:
    return tries(functions, "s3", "put_object", function=function, Bucket=RAW, Key=key, Body="x")


def may(functions: Client, *statements: dict[str, Any]) -> None:
    root = client_of(functions("iam").meta.endpoint_url, ROOT_KEY)
    root("iam").put_role_policy(RoleName=ROLE, PolicyName="needs", PolicyDocument=policy(*statements))


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as error:
        call()
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_the_deployer_is_a_user_with_the_policies_of_docs(root: Client, deployer: Client) -> None:
    assert deployer("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/deployer"
    attached = root("iam").list_attached_user_policies(UserName="deployer")["AttachedPolicies"]
    files = sorted(file.stem for file in (PROJECT / "docs/deployer").glob("*.json"))
    assert sorted(one["PolicyName"] for one in attached) == [f"clickstream-deployer-{stem}" for stem in files]


def test_what_the_policies_do_not_allow_is_refused_in_each_protocol_s_own_form(deployer: Client) -> None:
    ec2 = refused(lambda: deployer("ec2").create_key_pair(KeyName="x"))
    assert ec2[:2] == ("UnauthorizedOperation", 403) and "ec2:CreateKeyPair" in ec2[2]
    assert refused(lambda: deployer("iam").create_user(UserName="x"))[:2] == ("AccessDenied", 403)
    assert refused(lambda: deployer("iam").delete_role(RoleName="other"))[:2] == ("AccessDenied", 403)
    bucket = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    s3 = refused(lambda: deployer("s3").create_bucket(Bucket="other-bucket", **bucket))
    assert s3[:2] == ("AccessDenied", 403)
    ssm = refused(lambda: deployer("ssm").get_parameter(Name="/other/parameter"))
    assert ssm[:2] == ("AccessDeniedException", 400)
    function = refused(lambda: deployer("lambda").get_function(FunctionName="other"))
    assert function[:2] == ("AccessDeniedException", 403)
    user = refused(lambda: deployer("cognito-idp").list_users(UserPoolId=f"{REGION}_1"))
    assert user[0] == "AccessDeniedException" and "cognito-idp:ListUsers" in user[2]
    elsewhere = deployer("ec2").meta.endpoint_url
    session = boto3.Session(aws_access_key_id=DEPLOYER_KEY, aws_secret_access_key=SECRET)
    foreign = session.client("ec2", endpoint_url=elsewhere, region_name="eu-west-1")
    assert refused(foreign.describe_vpcs)[0] == "UnauthorizedOperation"


def test_the_deployer_makes_and_removes_the_accounts_user_pool(deployer: Client) -> None:
    """Every call of the modules user_pool and user_pool_client."""
    cognito = deployer("cognito-idp")
    tags = {"Project": "clickstream"}
    pool = cognito.create_user_pool(PoolName="clickstream-users", UserPoolTags=tags)["UserPool"]
    by = {"UserPoolId": pool["Id"]}
    assert cognito.list_user_pools(MaxResults=60)["UserPools"]
    cognito.update_user_pool(**by)
    cognito.tag_resource(ResourceArn=pool["Arn"], Tags=tags)
    cognito.untag_resource(ResourceArn=pool["Arn"], TagKeys=["Project"])
    made = cognito.create_user_pool_client(**by, ClientName="clickstream-web")["UserPoolClient"]
    app = {**by, "ClientId": made["ClientId"]}
    assert cognito.list_user_pool_clients(**by)["UserPoolClients"]
    assert cognito.describe_user_pool_client(**app) and cognito.update_user_pool_client(**app)
    cognito.create_user_pool_domain(**by, Domain="clickstream-shop")
    assert cognito.describe_user_pool(**by)["UserPool"]["Domain"] == "clickstream-shop"
    cognito.delete_user_pool_domain(**by, Domain="clickstream-shop")
    cognito.delete_user_pool_client(**app)
    cognito.delete_user_pool(**by)


def test_a_key_that_nobody_has_is_nobody(endpoint: str, root: Client) -> None:
    unknown = client_of(endpoint, "AKIAUNKNOWN")
    assert refused(unknown("ec2").describe_vpcs)[0] == "InvalidClientTokenId"
    root("iam").create_user(UserName="somebody")
    key = root("iam").create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    somebody = client_of(endpoint, key)
    assert refused(somebody("ec2").describe_vpcs)[0] == "UnauthorizedOperation"
    reading = policy(allow("ec2:DescribeVpcs", "*"))
    root("iam").put_user_policy(UserName="somebody", PolicyName="reads", PolicyDocument=reading)
    assert somebody("ec2").describe_vpcs()["Vpcs"]


def test_a_function_may_do_what_its_role_may(functions: Client) -> None:
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/events/*"))
    assert puts(functions, "events/1") == ["", ""]
    code, message = puts(functions, "rejected/1")
    assert code == "AccessDenied"
    assert f"assumed-role/{ROLE}/SBW_outside is not authorized to perform: s3:PutObject" in message
    assert tries(functions, "s3", "delete_object", Bucket=RAW, Key="events/1")[0] == "AccessDenied"
    secret = tries(functions, "ssm", "get_parameter", Name="/clickstream/x")
    assert secret[0] == "AccessDeniedException"
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*"))
    assert puts(functions, "rejected/1") == ["", ""]


def test_a_listing_is_limited_to_its_prefixes(functions: Client) -> None:
    prefix = {"StringLike": {"s3:prefix": ["events/*"]}}
    may(functions, allow("s3:ListBucket", f"arn:aws:s3:::{RAW}", Condition=prefix))
    listing = {"Bucket": RAW}
    assert tries(functions, "s3", "list_objects_v2", **listing, Prefix="events/2026")[0] == ""
    assert tries(functions, "s3", "list_objects_v2", **listing, Prefix="other/")[0] == "AccessDenied"
    assert tries(functions, "s3", "list_objects_v2", **listing)[0] == "AccessDenied"


def test_code_is_denied_what_lambda_needs_for_it(functions: Client) -> None:
    """The Deny in role iam: of the code's calls alone AWS says which function's they are."""
    assert tries(functions, "ec2", "describe_subnets")[0] == ""
    mine = {
        "ArnEquals": {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:SBW_outside"}
    }
    may(functions, deny("ec2:DescribeSubnets", "*", Condition=mine))
    assert tries(functions, "ec2", "describe_subnets")[0] == "UnauthorizedOperation"
    assert tries(functions, "ec2", "describe_subnets", function="SBW_inside")[0] == ""


def test_a_bucket_s_policy_denies(functions: Client, root: Client) -> None:
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*"))
    denial = deny("s3:PutObject", f"arn:aws:s3:::{RAW}/events/*", Principal="*")
    root("s3").put_bucket_policy(Bucket=RAW, Policy=policy(denial))
    code, message = puts(functions, "events/2")
    assert code == "AccessDenied" and "explicit deny in a resource-based policy" in message
    assert puts(functions, "rejected/2") == ["", ""]
    root("s3").delete_bucket_policy(Bucket=RAW)
    assert puts(functions, "events/2") == ["", ""]


def test_the_endpoint_s_policy_limits_what_leaves_the_private_subnet(
    functions: Client, network: dict[str, str]
) -> None:
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*"))
    ec2, endpoint = functions("ec2"), network["endpoint"]
    assert puts(functions, "events/3", "SBW_inside") == ["", ""]
    other = allow("s3:PutObject", "arn:aws:s3:::clickstream-s3-other/*", Principal="*")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(other))
    code, message = puts(functions, "events/3", "SBW_inside")
    assert code == "AccessDenied" and "VPC endpoint policy" in message
    assert puts(functions, "events/3") == ["", ""]  # not from that subnet
    ours = allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*", Principal="*")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(other, ours))
    assert puts(functions, "events/3", "SBW_inside") == ["", ""]


def test_a_role_is_passed_only_where_that_is_allowed(functions: Client, root: Client) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = root("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    update = functions("lambda").update_function_configuration
    code, _, message = refused(lambda: update(FunctionName="SBW_outside", Role=role))
    assert code == "AccessDeniedException" and "iam:PassRole" in message


def test_a_role_is_passed_to_functions_and_the_host_alone(functions: Client) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    target = {"Id": "1", "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:SBW_outside", "RoleArn": role}
    put = functions("events").put_targets
    code, _, message = refused(lambda: put(Rule="SBW_rule", Targets=[target]))
    assert code == "AccessDeniedException" and "iam:PassRole" in message


def test_a_boundary_bounds_a_role_and_the_right_to_change_it(
    endpoint: str, functions: Client, root: Client
) -> None:
    iam = root("iam")
    bound = policy(allow("s3:PutObject", f"arn:aws:s3:::{RAW}/events/*"))
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=bound)["Policy"]["Arn"]
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*"))
    assert puts(functions, "rejected/b") == ["", ""]
    iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=arn)
    assert puts(functions, "events/b") == ["", ""]
    code, message = puts(functions, "rejected/b")
    assert code == "AccessDenied" and "permissions boundary" in message
    assert (
        refused(lambda: functions("iam").delete_role_permissions_boundary(RoleName=ROLE))[0] == "AccessDenied"
    )

    iam.create_user(UserName="bounded")
    with_it = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    rights = policy(*(allow(f"iam:{one}", "*", Condition=with_it) for one in ("CreateRole", "PutRolePolicy")))
    iam.put_user_policy(UserName="bounded", PolicyName="x", PolicyDocument=rights)
    key = iam.create_access_key(UserName="bounded")["AccessKey"]["AccessKeyId"]
    bounded = client_of(endpoint, key)("iam")
    role = {"RoleName": "SBW_bounded", "AssumeRolePolicyDocument": policy()}
    put = {"PolicyName": "p", "PolicyDocument": policy(allow("s3:*", "*"))}
    assert refused(lambda: bounded.create_role(**role))[0] == "AccessDenied"
    bounded.create_role(**role, PermissionsBoundary=arn)
    bounded.put_role_policy(RoleName="SBW_bounded", **put)
    iam.delete_role_permissions_boundary(RoleName="SBW_bounded")
    assert refused(lambda: bounded.put_role_policy(RoleName="SBW_bounded", **put))[0] == "AccessDenied"
    iam.delete_role_permissions_boundary(RoleName=ROLE)


TRUST = policy(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
BOUNDED = "SBW_bounded-role"
ADMINISTRATOR = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})


@pytest.fixture(scope="module")
def bounded(functions: Client) -> Client:
    """A function of the deployer's own, whose bounded role has an administrator's policy."""
    iam = functions("iam")
    made = iam.create_role(RoleName=BOUNDED, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(RoleName=BOUNDED, PolicyName="admin", PolicyDocument=ADMINISTRATOR)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("code.py", CODE)
    functions("lambda").create_function(
        FunctionName="SBW_bounded",
        Runtime="python3.13",
        Handler="code.handler",
        Role=made["Role"]["Arn"],
        Code={"ZipFile": zipped.getvalue()},
        Timeout=30,
    )
    return functions


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("iam", "create_user", {"UserName": "x"}),
        (
            "iam",
            "attach_user_policy",
            {"UserName": "deployer", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        ("iam", "delete_role_permissions_boundary", {"RoleName": BOUNDED}),
        ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "RoleSessionName": "code"}),
        ("ssm", "get_parameter", {"Name": "/clickstream/ca/private_key"}),
        ("ec2", "describe_subnets", {}),
        ("s3", "put_object", {"Bucket": RAW, "Key": "elsewhere/1", "Body": "x"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_code_in_a_bounded_role_is_no_administrator(
    bounded: Client, service: str, call: str, arguments: dict[str, Any]
) -> None:
    code, message = tries(bounded, service, call, function="SBW_bounded", **arguments)
    assert code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}, message
    assert "permissions boundary" in message


def test_code_in_a_bounded_role_does_what_the_platform_needs(bounded: Client) -> None:
    assert puts(bounded, "events/bounded", "SBW_bounded") == ["", ""]


def test_the_deployer_makes_no_role_without_the_boundary(bounded: Client, root: Client) -> None:
    iam, other = bounded("iam"), "arn:aws:iam::aws:policy/AdministratorAccess"
    role = {"RoleName": "SBW_free", "AssumeRolePolicyDocument": TRUST}
    assert refused(lambda: iam.create_role(**role))[0] == "AccessDenied"
    assert refused(lambda: iam.create_role(**role, PermissionsBoundary=other))[0] == "AccessDenied"
    put = iam.put_role_permissions_boundary
    assert refused(lambda: put(RoleName=BOUNDED, PermissionsBoundary=other))[0] == "AccessDenied"
    remove = iam.delete_role_permissions_boundary
    code, _, message = refused(lambda: remove(RoleName=BOUNDED))
    assert code == "AccessDenied" and "explicit deny" in message


def test_the_deployer_gives_nothing_to_a_role_of_before_until_it_is_bounded(
    bounded: Client, root: Client
) -> None:
    root("iam").create_role(RoleName="SBW_before", AssumeRolePolicyDocument=TRUST)
    iam, by = bounded("iam"), {"RoleName": "SBW_before"}
    admin = {**by, "PolicyName": "admin", "PolicyDocument": ADMINISTRATOR}
    assert refused(lambda: iam.put_role_policy(**admin))[0] == "AccessDenied"
    assert refused(lambda: iam.attach_role_policy(**by, PolicyArn=IN_A_VPC))[0] == "AccessDenied"
    iam.put_role_permissions_boundary(**by, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(**admin)
    iam.attach_role_policy(**by, PolicyArn=IN_A_VPC)


def test_nor_does_it_say_who_may_be_such_a_role(bounded: Client, root: Client) -> None:
    """A role of somebody else's with such a name could do anything for whom it trusts."""
    root("iam").create_role(RoleName="clickstream-theirs", AssumeRolePolicyDocument=TRUST)
    change = partial(bounded("iam").update_assume_role_policy, PolicyDocument=TRUST)
    assert refused(partial(change, RoleName="clickstream-theirs"))[0] == "AccessDenied"
    change(RoleName=BOUNDED)


def test_the_deployer_changes_neither_the_boundary_nor_its_own_policies(deployer: Client) -> None:
    iam = deployer("iam")
    assert iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["Arn"] == BOUNDARY
    own = f"arn:aws:iam::{ACCOUNT}:policy/clickstream-deployer-roles"
    for arn in (BOUNDARY, own):
        new = {"PolicyArn": arn, "PolicyDocument": ADMINISTRATOR, "SetAsDefault": True}
        for change in (
            lambda new=new: iam.create_policy_version(**new),
            lambda arn=arn: iam.set_default_policy_version(PolicyArn=arn, VersionId="v1"),
            lambda arn=arn: iam.delete_policy(PolicyArn=arn),
        ):
            code, _, message = refused(change)
            assert code == "AccessDenied" and "explicit deny" in message
    itself = {"UserName": "deployer"}
    for change in (
        lambda: iam.attach_user_policy(**itself, PolicyArn=IN_A_VPC),
        lambda: iam.detach_user_policy(**itself, PolicyArn=own),
        lambda: iam.put_user_policy(**itself, PolicyName="admin", PolicyDocument=ADMINISTRATOR),
    ):
        code, _, message = refused(change)
        assert code == "AccessDenied" and "explicit deny" in message


def test_no_broad_policy_is_attached(functions: Client) -> None:
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    attach = functions("iam").attach_role_policy
    assert refused(lambda: attach(RoleName=ROLE, PolicyArn=administrator))[0] == "AccessDenied"


def test_the_deployer_handles_its_host_and_no_other_instance(
    deployer: Client, root: Client, network: dict[str, str]
) -> None:
    def start(client: Client, name: str) -> str:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        image = {"ImageId": "ami-0debian13amd641", "InstanceType": "t3.small", "SubnetId": network["subnet"]}
        made = client("ec2").run_instances(**image, MinCount=1, MaxCount=1, TagSpecifications=tags)
        return str(made["Instances"][0]["InstanceId"])

    assert refused(lambda: start(deployer, "other"))[0] == "UnauthorizedOperation"
    ours, other = start(deployer, "SBW_EC2_ShinyDWH"), start(root, "other")
    ec2, ssm = deployer("ec2"), deployer("ssm")
    ours_now, name = [{"Key": "Name", "Value": "SBW_EC2_ShinyDWH"}], {"Groups": [network["group"]]}
    for call in (
        lambda: ec2.terminate_instances(InstanceIds=[other]),
        lambda: ec2.stop_instances(InstanceIds=[other]),
        lambda: ec2.modify_instance_attribute(InstanceId=other, **name),
        lambda: ec2.create_tags(Resources=[other], Tags=ours_now),
        lambda: ec2.terminate_instances(InstanceIds=[ours, other]),
    ):
        assert refused(call)[0] == "UnauthorizedOperation"
    shell = {"DocumentName": "AWS-StartPortForwardingSession"}
    assert refused(lambda: ssm.start_session(Target=other, **shell))[0] == "AccessDeniedException"
    assert refused(lambda: ssm.start_session(Target=other))[0] == "AccessDeniedException"
    assert refused(lambda: ssm.start_session(Target=ours, **shell))[0] == "TargetNotConnected"  # allowed
    ec2.modify_instance_attribute(InstanceId=ours, **name)
    ec2.create_tags(Resources=[ours], Tags=ours_now)
    ec2.terminate_instances(InstanceIds=[ours])


def test_a_viewer_forwards_ports_of_the_analytics_host_and_gets_no_shell(
    endpoint: str, root: Client, network: dict[str, str]
) -> None:
    iam = root("iam")
    iam.create_user(UserName="viewer")
    document = (PROJECT / "docs/dashboard-viewer-policy.json").read_text()
    iam.put_user_policy(UserName="viewer", PolicyName="viewer", PolicyDocument=document)
    viewer = client_of(endpoint, iam.create_access_key(UserName="viewer")["AccessKey"]["AccessKeyId"])

    def host(name: str) -> str:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        image = {"ImageId": "ami-0debian13amd641", "InstanceType": "t3.small", "SubnetId": network["subnet"]}
        made = root("ec2").run_instances(**image, MinCount=1, MaxCount=1, TagSpecifications=tags)
        return str(made["Instances"][0]["InstanceId"])

    def error(target: str, **document: str) -> str:
        return refused(lambda: viewer("ssm").start_session(Target=target, **document))[0]

    ours, other = host("SBW_EC2_ShinyDWH"), host("other")
    assert viewer("ec2").describe_instances()["Reservations"]
    forward = "AWS-StartPortForwardingSession"
    # allowed, but there is no machine behind it in this cloud
    assert error(ours, DocumentName=forward) == "TargetNotConnected"
    assert error(other, DocumentName=forward) == "AccessDeniedException"
    assert error(ours, DocumentName="AWS-StartInteractiveCommand") == "AccessDeniedException"
    assert error(ours) == "AccessDeniedException"


def test_the_deployer_changes_the_profile_of_the_host_alone(
    endpoint: str, deployer: Client, root: Client
) -> None:
    iam, ec2 = root("iam"), root("ec2")
    iam.create_role(RoleName="SBW_profile", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="SBW_profile")
    iam.add_role_to_instance_profile(InstanceProfileName="SBW_profile", RoleName="SBW_profile")

    def replace(name: str) -> str:
        """The error, if any, where the deployer replaces the profile of an instance of this name."""
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        image = {"ImageId": "ami-0debian13amd641", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
        profile = {"IamInstanceProfile": {"Name": "SBW_profile"}}
        made = ec2.run_instances(**image, **profile, TagSpecifications=tags)["Instances"][0]["InstanceId"]
        by = [{"Name": "instance-id", "Values": [made]}]
        [there] = ec2.describe_iam_instance_profile_associations(Filters=by)["IamInstanceProfileAssociations"]
        ids = {"AssociationId": there["AssociationId"]}
        change = partial(deployer("ec2").replace_iam_instance_profile_association, **ids, **profile)
        try:
            change()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert replace("SBW_EC2_ShinyDWH") == ""
    assert replace("theirs") == "UnauthorizedOperation"


def test_what_is_not_signed_is_anybody_s(endpoint: str, functions: Client, root: Client) -> None:
    s3 = boto3.client(
        "s3", region_name=REGION, endpoint_url=endpoint, config=Config(signature_version=UNSIGNED)
    )
    root("s3").put_object(Bucket=RAW, Key="open/1", Body=b"x")
    get, put = partial(s3.get_object, Bucket=RAW), partial(s3.put_object, Bucket=RAW, Body=b"x")
    assert refused(partial(get, Key="open/1"))[:2] == ("AccessDenied", 403)
    assert refused(s3.list_buckets)[0] == "AccessDenied"
    reading = allow("s3:GetObject", f"arn:aws:s3:::{RAW}/open/*", Principal="*")
    ours = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    writing = allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*", Principal="*", Condition=ours)
    root("s3").put_bucket_policy(Bucket=RAW, Policy=policy(reading, writing))
    assert get(Key="open/1")["Body"].read() == b"x"
    assert refused(partial(put, Key="open/1"))[0] == "AccessDenied"
    root("s3").delete_bucket_policy(Bucket=RAW)
    ssm = boto3.client(
        "ssm", region_name=REGION, endpoint_url=endpoint, config=Config(signature_version=UNSIGNED)
    )
    assert (
        refused(lambda: ssm.put_parameter(Name="/x", Value="x"))[0] == "MissingAuthenticationTokenException"
    )


def test_a_call_is_one_of_the_service_that_it_is_signed_for(endpoint: str, functions: Client) -> None:
    def send(service: str, method: str, path: str, data: str = "", **headers: str) -> tuple[int, str]:
        scope = f"Credential={DEPLOYER_KEY}/20260101/{REGION}/{service}/aws4_request"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        asked = urllib.request.Request(endpoint + path, data.encode(), sent, method=method)  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(asked) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    other = send("events", "POST", "/", '{"Name": "/other"}', x_amz_target="AmazonSSM.PutParameter")
    assert other[0] == 400 and "UnknownOperationException" in other[1]
    for scope in ("execute-api", "unheard"):
        assert send(scope, "GET", f"/{RAW}/events/1")[0] == 403
    run = "Action=RunInstances&ImageId=ami-0debian13amd641&MinCount=1&MaxCount=1&InstanceType=t3.small"
    tag = "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name"
    host = f"/?{run}&{tag}&TagSpecification.1.Tag.1.Value=SBW_EC2_ShinyDWH"
    passing = send("ec2", "POST", f"{host}&IamInstanceProfile.Name=other")
    assert passing[0] == 403 and "iam:PassRole" in passing[1]
    names = send(
        "ssm",
        "POST",
        "/",
        '{"Name": "/other", "Value": "x", "Type": "String", "Names": ["/clickstream/x"]}',
        x_amz_target="AmazonSSM.PutParameter",
    )
    assert names[0] == 400 and "parameter/other" in names[1]


def test_a_role_is_assumed_by_whom_it_trusts(endpoint: str, functions: Client, root: Client) -> None:
    iam = root("iam")
    iam.create_user(UserName="assumes")
    rights = policy(allow("sts:AssumeRole", "*"))
    iam.put_user_policy(UserName="assumes", PolicyName="x", PolicyDocument=rights)
    key = iam.create_access_key(UserName="assumes")["AccessKey"]["AccessKeyId"]
    assume = partial(client_of(endpoint, key)("sts").assume_role, RoleSessionName="it")
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    assert refused(partial(assume, RoleArn=role))[0] == "AccessDenied"  # it trusts Lambda alone
    assert refused(partial(assume, RoleArn=f"{role}-that-is-not-there"))[0] == "AccessDenied"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    made = iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    assert assume(RoleArn=made)["AssumedRoleUser"]["Arn"].endswith("assumed-role/trusting/it")


def test_what_cannot_be_judged_is_listed(endpoint: str, functions: Client) -> None:
    before = local_cloud("unjudged")["unjudged"]
    assert before == []  # all calls of the tests above
    unsigned = Config(signature_version=UNSIGNED)
    cognito = boto3.client("cognito-idp", region_name=REGION, endpoint_url=endpoint, config=unsigned)
    with pytest.raises(ClientError):
        cognito.sign_up(ClientId="a" * 26, Username="x", Password="x" * 8)
    late = {"DateGreaterThan": {"aws:CurrentTime": "2000-01-01T00:00:00Z"}}
    may(functions, allow("s3:PutObject", f"arn:aws:s3:::{RAW}/*", Condition=late))
    puts(functions, "events/4")
    listed = {one["action"]: one["reason"] for one in local_cloud("unjudged")["unjudged"]}
    assert listed == {
        "cognito-idp:SignUp": "the call is not signed",
        "s3:PutObject": "the router does not set the condition key aws:currenttime",
    }
