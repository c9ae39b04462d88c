"""The local cloud end to end: machines, sessions, apt proxy, repair, and removal without leftovers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.modules import session_probe
from local_cloud import cgroups, locks, network, packages, preflight
from local_cloud.credentials import DEPLOYER_KEY, ROOT_KEY, SECRET
from local_cloud.errors import CloudError
from local_cloud.settings import Settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="machines need root"),
]

PROJECT = Path(__file__).resolve().parents[2]
NAME = "self"
PORT = 5766
RANGE = "10.79"
ENDPOINT = f"http://127.0.0.1:{PORT}"
REGION = "ap-southeast-1"
SETTINGS = Settings(name=NAME)
STATE = PROJECT / ".local_cloud" / NAME
PLUGIN = PROJECT / "local_cloud/bin/session-manager-plugin"
ENTER = PROJECT / "local_cloud/bin/enter-machine"
DEPLOYER_POLICIES = PROJECT / "docs/deployer"
START = (
    *("start", "--endpoint-port", str(PORT), "--vpc-cidr", f"{RANGE}.0.0/16"),
    *("--deployer-policies", str(DEPLOYER_POLICIES)),
)
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
    "AWS_ENDPOINT_URL": ENDPOINT,
    "AWS_ACCESS_KEY_ID": ROOT_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": REGION,
}


def cloud(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run a command of the local cloud on the tests' own one."""
    return subprocess.run(
        [python, "-m", "local_cloud", *arguments, "--name", NAME],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def answer(*arguments: str) -> dict[str, Any]:
    """Run a command that must succeed and return what it says."""
    done = cloud(*arguments)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def aws(service: str, key: str = ROOT_KEY) -> Any:
    """A client of the tests' cloud, as the account's root or with another key."""
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=SECRET,
    )


def wait(condition: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def inside(machine: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as root in a machine."""
    return subprocess.run(
        [str(ENTER), str(STATE / "machines" / machine / "root"), "/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
    )


def registered(instance: str) -> bool:
    filters = [{"Key": "InstanceIds", "Values": [instance]}]
    return bool(aws("ssm").describe_instance_information(Filters=filters)["InstanceInformationList"])


class Place:
    """A VPC with a private subnet, its endpoints, and what an instance in it needs."""

    def __init__(self) -> None:
        ec2, iam = aws("ec2"), aws("iam")
        self.vpc = ec2.create_vpc(CidrBlock=f"{RANGE}.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self._subnet(ec2, f"{RANGE}.128.0/20")
        self.public = self._subnet(ec2, f"{RANGE}.0.0/20")
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        self.endpoints = [self.endpoint(one) for one in ("ssm", "ssmmessages")]
        self.group = ec2.create_security_group(GroupName="host", Description="host", VpcId=self.vpc)[
            "GroupId"
        ]
        self.profile = "host"
        iam.create_role(
            RoleName="host", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
        )
        iam.create_instance_profile(InstanceProfileName="host")
        iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
        self.may("s3:PutObject", "s3:PutObjectAcl")
        for bucket in ("transfer", "session-logs"):
            aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def may(self, *actions: str) -> None:
        """What the role of instances may do with transcripts."""
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::session-logs/*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        aws("iam").put_role_policy(RoleName="host", PolicyName="transcripts", PolicyDocument=document)

    def _subnet(self, ec2: Any, cidr: str) -> str:
        return str(ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"])

    def endpoint(self, service: str) -> str:
        """Make an interface endpoint."""
        made = aws("ec2").create_vpc_endpoint(
            VpcId=self.vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            SubnetIds=[self.subnet],
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def instance(self, last: int) -> str:
        """Start an instance at an address of the private subnet and return its id."""
        made = aws("ec2").run_instances(
            ImageId="ami-0debian13amd641",
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            SubnetId=self.subnet,
            PrivateIpAddress=f"{RANGE}.128.{last}",
            SecurityGroupIds=[self.group],
            IamInstanceProfile={"Name": self.profile},
            UserData="#!/bin/sh\ntouch /user-data-ran\n",
        )
        return str(made["Instances"][0]["InstanceId"])


@pytest.fixture(scope="module")
def running() -> Iterator[None]:
    cloud("stop")
    assert answer(*START)["changed"]
    yield
    cloud("stop")


@pytest.fixture(scope="module")
def place(running: None) -> Place:
    return Place()


@pytest.fixture(scope="module")
def host(place: Place) -> str:
    instance = place.instance(10)
    wait(lambda: registered(instance), "instance registers")
    return instance


def processes() -> list[str]:
    """Command lines of this cloud's processes: all have its directory as HOME or working directory."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_text()
            if f"HOME={STATE}\0" in environment or str(STATE) in str((place / "cwd").readlink()):
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def kill_everything() -> None:
    """Make the state after a loss of power: files, but neither processes nor a bridge."""
    for file in [*STATE.glob("run/*.json"), *STATE.glob("machines/*/run.json")]:
        record = json.loads(file.read_text())
        for one in (record.get("supervisor"), record.get("leader"), record):
            if one and "pid" in one:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one["pid"], signal.SIGKILL)
    subprocess.run(["ip", "link", "delete", "dev", SETTINGS.bridge], check=True)


# --- the instance is a machine -------------------------------------------------------------------


def test_starting_twice_changes_nothing(running: None) -> None:
    assert not answer(*START)["changed"]


def test_an_instance_is_a_machine_with_its_address_and_no_way_out(host: str) -> None:
    seen = inside(host, "ip -4 -o addr show dev host0; ip route; hostname; cat /etc/resolv.conf").stdout
    assert f"{RANGE}.128.10/20" in seen
    assert "default" not in seen
    assert f"ip-{RANGE.replace('.', '-')}-128-10" in seen
    assert "nameserver" not in seen
    assert inside(host, "systemctl is-system-running").stdout.strip() == "running"
    assert inside(host, "test -e /user-data-ran").returncode == 1
    assert len(inside(host, "cat /etc/machine-id").stdout.strip()) == 32


def test_this_computer_appears_inside_the_subnet(host: str) -> None:
    with socket.create_server((f"{RANGE}.128.1", 0)) as server:
        port = server.getsockname()[1]
        assert inside(host, f"exec 3<>/dev/tcp/{RANGE}.128.1/{port}").returncode != 127
        script = f"import socket; socket.create_connection(('{RANGE}.128.1', {port})).close()"
        assert inside(host, f'python3 -c "{script}"').returncode == 0
        server.settimeout(5)
        assert server.accept()[1][0] == f"{RANGE}.128.10"


def test_an_instance_without_a_profile_is_not_registered(place: Place, host: str) -> None:
    association = aws("ec2").describe_iam_instance_profile_associations(
        Filters=[{"Name": "instance-id", "Values": [host]}]
    )["IamInstanceProfileAssociations"][0]["AssociationId"]
    aws("ec2").disassociate_iam_instance_profile(AssociationId=association)
    assert not registered(host)
    with pytest.raises(ClientError, match=r"TargetNotConnected.*no instance profile"):
        aws("ssm").start_session(Target=host)
    aws("ec2").associate_iam_instance_profile(IamInstanceProfile={"Name": place.profile}, InstanceId=host)
    assert registered(host)


def test_without_the_endpoints_nothing_is_registered(place: Place, host: str) -> None:
    aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[place.endpoints[0]])
    with pytest.raises(ClientError, match="no interface endpoint for ssm"):
        aws("ssm").start_session(Target=host)
    place.endpoints[0] = place.endpoint("ssm")
    assert registered(host)


# --- sessions ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inventory(host: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("inventory") / "hosts.json"
    variables = {
        "ansible_connection": "amazon.aws.aws_ssm",
        "ansible_aws_ssm_instance_id": host,
        "ansible_aws_ssm_region": REGION,
        "ansible_aws_ssm_bucket_name": "transfer",
        "ansible_aws_ssm_bucket_endpoint_url": f"http://{RANGE}.0.1:{PORT}",
        "ansible_aws_ssm_s3_addressing_style": "path",
        "ansible_aws_ssm_plugin": str(PLUGIN),
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become": True,
    }
    file.write_text(json.dumps({"all": {"hosts": {"machine": variables}}}))
    return file


def play(inventory: Path, tasks: list[dict[str, Any]]) -> str:
    """Run tasks on the machine through amazon.aws.aws_ssm."""
    book = inventory.with_name("play.json")
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(book)],
        cwd=inventory.parent,
        env={**ENVIRONMENT, "ANSIBLE_INVENTORY_ENABLED": "yaml", "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


def test_ansible_carries_real_tasks(inventory: Path, host: str) -> None:
    text = "ünïcödé\n" * 3
    play(
        inventory,
        [
            {"ansible.builtin.ping": {}},
            {"ansible.builtin.command": "id -un", "register": "who", "vars": {"ansible_become": False}},
            {"ansible.builtin.assert": {"that": "who.stdout == 'ssm-user'"}},
            {"ansible.builtin.command": "id -un", "register": "root"},
            {"ansible.builtin.assert": {"that": "root.stdout == 'root'"}},
            {"ansible.builtin.command": "sh -c 'exit 7'", "register": "rc", "failed_when": "rc.rc != 7"},
            # far more than a terminal buffers
            {"ansible.builtin.command": "seq 1 60000", "register": "much"},
            {"ansible.builtin.assert": {"that": "much.stdout_lines | length == 60000"}},
            {"ansible.builtin.copy": {"content": text, "dest": "/etc/copied", "mode": "0640"}},
            {"ansible.builtin.fetch": {"src": "/etc/copied", "dest": "./", "flat": True}},
            {"ansible.builtin.setup": {"gather_subset": ["!all", "network"]}},
            {"ansible.builtin.systemd_service": {"name": "systemd-networkd", "state": "started"}},
        ],
    )
    assert inside(host, "cat /etc/copied").stdout == text
    assert inventory.with_name("copied").read_text() == text


def plugin(response: dict[str, Any], target: str) -> list[str]:
    response = {key: response[key] for key in ("SessionId", "TokenValue", "StreamUrl")}
    parameters = json.dumps({"Target": target})
    return [str(PLUGIN), json.dumps(response), REGION, "StartSession", "", parameters, ENDPOINT]


@contextlib.contextmanager
def session(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A session plugin that runs during the test."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def ignore_hangups() -> None:
    """What nohup does before it becomes the command."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("ending", "before"),
    [("end of input", None), ("kill", None), ("kill", ignore_hangups)],
    ids=["end of input", "kill", "kill under nohup"],
)
def test_the_shell_ends_when_its_caller_is_gone(
    host: str, ending: str, before: Callable[[], None] | None
) -> None:
    command = plugin(aws("ssm").start_session(Target=host), host)
    with session(command, preexec_fn=before) as process:
        assert process.stdin
        process.stdin.write(b"sleep 4711\n")
        process.stdin.flush()
        wait(lambda: inside(host, "pgrep -f '[s]leep 4711'").returncode == 0, "the command runs")
        if ending == "kill":
            process.kill()
        else:
            inside(host, "pkill -f '[s]leep 4711'")
            process.stdin.close()
        process.wait(10)
    wait(lambda: inside(host, "pgrep -f '[s]leep 4711'").returncode == 1, "the command ends")


def test_a_first_session_answers(host: str) -> None:
    opened = aws("ssm").start_session(Target=host)
    printed, ending = session_probe.talk(plugin(opened, host), 20)
    assert session_probe.ANSWER in printed
    assert ending == "it ended with code 0"


def test_a_deployer_opens_and_ends_sessions_and_one_without_the_channel_gets_none(host: str) -> None:
    ssm, iam = aws("ssm", DEPLOYER_KEY), aws("iam")
    document, ports = "AWS-StartPortForwardingSession", {"portNumber": ["22"]}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ssm.start_session(Target=host)  # another's instance
    own = {"Key": "Name", "Value": "SBW_EC2_ShinyDWH"}
    aws("ec2").create_tags(Resources=[host], Tags=[own])
    opened = ssm.start_session(Target=host, DocumentName=document, Parameters=ports)
    assert opened["SessionId"].startswith("deployer-")
    ssm.terminate_session(SessionId=opened["SessionId"])
    foreign = aws("ssm").start_session(Target=host)["SessionId"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ssm.terminate_session(SessionId=foreign)
    sessions = json.loads((DEPLOYER_POLICIES / "sessions.json").read_text())
    before = [one for one in sessions["Statement"] if one["Sid"] != "SessionChannel"]
    arn = "arn:aws:iam::123456789012:policy/clickstream-deployer-sessions"
    iam.detach_user_policy(UserName="deployer", PolicyArn=arn)
    old = json.dumps({**sessions, "Statement": before})
    iam.put_user_policy(UserName="deployer", PolicyName="old", PolicyDocument=old)
    opened = ssm.start_session(Target=host, DocumentName=document, Parameters=ports)
    done = subprocess.run(plugin(opened, host), capture_output=True, text=True, timeout=20)
    assert done.returncode == 255 and "ssmmessages:OpenDataChannel" in done.stderr
    iam.delete_user_policy(UserName="deployer", PolicyName="old")
    iam.attach_user_policy(UserName="deployer", PolicyArn=arn)
    aws("ec2").delete_tags(Resources=[host], Tags=[own])


def test_a_session_document_logs_to_its_bucket(place: Place, host: str) -> None:
    ssm = aws("ssm")
    content = {
        "schemaVersion": "1.0",
        "description": "Shell",
        "sessionType": "Standard_Stream",
        "inputs": {"s3BucketName": "session-logs", "s3KeyPrefix": "shells", "s3EncryptionEnabled": True},
    }
    ssm.create_document(Name="Shell", DocumentType="Session", Content=json.dumps(content))
    with pytest.raises(ClientError, match="DuplicateDocumentContent"):
        ssm.update_document(Name="Shell", Content=json.dumps(content), DocumentVersion="$LATEST")
    opened = ssm.start_session(Target=host, DocumentName="Shell")
    subprocess.run(plugin(opened, host), input=b"echo seen-$((40+2))\nexit\n", timeout=20, check=True)
    key = f"shells/{opened['SessionId']}.log"
    log = aws("s3").get_object(Bucket="session-logs", Key=key)["Body"].read()
    assert b"seen-42" in log
    place.may("s3:PutObject")  # the agent sends an ACL, which is a right of its own
    opened = ssm.start_session(Target=host, DocumentName="Shell")
    done = subprocess.run(plugin(opened, host), input=b"exit\n", timeout=20, capture_output=True)
    assert b"the transcript was not stored (HTTP 403)" in done.stderr
    place.may("s3:PutObject", "s3:PutObjectAcl")
    ssm.delete_document(Name="Shell")
    with pytest.raises(ClientError, match="InvalidDocument"):
        ssm.start_session(Target=host, DocumentName="Shell")


def test_a_port_of_the_machine_is_forwarded(host: str) -> None:
    inside(host, "echo hello > /srv/page")
    server = "systemd-run --collect --unit=web python3 -m http.server 8123 --bind 127.0.0.1 --directory /srv"
    assert inside(host, server).returncode == 0
    wait(lambda: inside(host, "ss -ltn | grep -q :8123").returncode == 0, "the server listens")
    opened = aws("ssm").start_session(
        Target=host,
        DocumentName="AWS-StartPortForwardingSession",
        Parameters={"portNumber": ["8123"], "localPortNumber": ["0"]},
    )
    with session(plugin(opened, host)) as process:
        assert process.stdout
        line = next(line for line in process.stdout if line.startswith(b"Port ")).decode()
        port = int(line.split()[1])
        assert line == f"Port {port} opened for sessionId {opened['SessionId']}.\n"
        with contextlib.ExitStack() as stack:
            address = ("127.0.0.1", port)
            sockets = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(40)]
            for one in sockets:
                one.sendall(b"GET /page HTTP/1.0\r\n\r\n")
            assert all(b"hello" in b"".join(iter(lambda one=one: one.recv(4096), b"")) for one in sockets)
        with pytest.raises(OSError, match=r"refused|reset|unreachable|timed out"):
            socket.create_connection((f"{RANGE}.128.10", port), 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    inside(host, "systemctl stop web")


# --- the proxy -----------------------------------------------------------------------------------


def fetched(host: str) -> bool:
    """Whether apt's proxy lets the machine through."""
    command = f"curl -s -m 20 -o /dev/null -w '%{{http_code}}' -x http://{RANGE}.0.1:3142"
    url = f"http://{packages.ARCHIVE}/dists/trixie/InRelease"
    return inside(host, f"{command} {url}").stdout == "200"


def test_packages_are_there_only_while_egress_is_open(place: Place, host: str) -> None:
    ec2 = aws("ec2")
    assert not fetched(host)
    gateway = ec2.create_nat_gateway(
        SubnetId=place.public, AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"]
    )["NatGateway"]["NatGatewayId"]
    route = {"RouteTableId": place.table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**route, NatGatewayId=gateway)
    everywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    wait(lambda: fetched(host), "the route opens the way")
    ec2.revoke_security_group_egress(GroupId=place.group, IpPermissions=everywhere)
    wait(lambda: not fetched(host), "the security group closes the way")
    web = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_egress(GroupId=place.group, IpPermissions=web)
    wait(lambda: fetched(host), "a rule for port 80 opens the way")
    done = inside(host, "apt-get update -qq && apt-get install -y -qq hello && hello")
    assert "Hello, world!" in done.stdout, done.stderr
    ec2.delete_route(**route)
    wait(lambda: not fetched(host), "without the route the way is closed")
    ec2.delete_nat_gateway(NatGatewayId=gateway)


def test_a_machine_that_is_no_instance(running: None) -> None:
    made = answer("machine", "start", "alone", "--address", f"{RANGE}.200.7", "--egress")
    assert made["changed"]
    assert not answer("machine", "start", "alone", "--address", f"{RANGE}.200.7", "--egress")["changed"]
    assert fetched("alone")
    assert cloud("machine", "start", "twin", "--address", f"{RANGE}.200.7").returncode == 1
    inside("alone", "touch /kept")
    assert answer("machine", "stop", "alone")["changed"]
    answer("machine", "start", "alone", "--address", f"{RANGE}.200.7", "--egress")
    assert inside("alone", "test -e /kept").returncode == 0
    assert answer("machine", "remove", "alone")["changed"]
    assert [one["name"] for one in answer("machine", "list")["machines"] if not one["instance"]] == []


# --- stop, reboot and crash ------------------------------------------------------------------------------


def booted(machine: str) -> int:
    """When a machine's first process began, in ticks of this computer's clock."""
    return int(inside(machine, "cut -d ' ' -f 22 /proc/1/stat").stdout)


def test_a_stopped_instance_keeps_its_disk(host: str) -> None:
    inside(host, "touch /kept")
    document = "AWS-StartPortForwardingSession"
    ports = {"portNumber": ["80"], "localPortNumber": ["0"]}
    opened = aws("ssm").start_session(Target=host, DocumentName=document, Parameters=ports)
    with session(plugin(opened, host)) as forwarding:
        aws("ec2").stop_instances(InstanceIds=[host])
        assert not registered(host)
        wait(lambda: inside(host, "true").returncode != 0, "the machine stops")
        assert forwarding.wait(20) == 0, "a session ends with its instance"
    aws("ec2").start_instances(InstanceIds=[host])
    wait(lambda: registered(host), "the machine starts again")
    assert inside(host, "test -e /kept").returncode == 0


@pytest.mark.parametrize("verbs", [["reboot"], ["stop", "start"]], ids=["reboot", "stop and start"])
def test_an_instance_that_boots_again_is_registered_only_then(host: str, verbs: list[str]) -> None:
    before = booted(host)
    for verb in verbs:
        getattr(aws("ec2"), f"{verb}_instances")(InstanceIds=[host])
        assert not registered(host)
    wait(lambda: registered(host), "the machine boots again")
    assert booted(host) > before


def test_a_terminated_instance_has_no_machine(place: Place) -> None:
    instance = place.instance(11)
    wait(lambda: registered(instance), "instance registers")
    aws("ec2").terminate_instances(InstanceIds=[instance])
    wait(lambda: not (STATE / "machines" / instance).exists(), "the machine is removed")


def test_killed_emulators_are_started_again(place: Place, host: str) -> None:
    for name in ("moto", "ministack", "router", "relay"):
        os.kill(json.loads((STATE / f"run/{name}.json").read_text())["pid"], signal.SIGKILL)
    assert cloud("status").returncode == 3
    assert answer(*START)["changed"]
    assert answer("status")["healthy"]
    wait(lambda: not (STATE / "machines" / host).exists(), "the forgotten instance's machine is removed")


def test_after_a_loss_of_power_it_starts_again(running: None) -> None:
    place = Place()
    instance = place.instance(12)
    wait(lambda: registered(instance), "instance registers")
    answer("machine", "start", "survivor", "--address", f"{RANGE}.200.9")
    kill_everything()
    wait(lambda: cloud("status").returncode == 3, "nothing runs")
    assert answer(*START)["changed"]
    assert answer("status")["healthy"]
    wait(lambda: not (STATE / "machines" / instance).exists(), "the forgotten instance's machine is removed")
    answer("machine", "start", "survivor", "--address", f"{RANGE}.200.9")
    assert inside("survivor", f"curl -s http://{RANGE}.0.1:{PORT}/_local_cloud/health").stdout
    answer("machine", "remove", "survivor")
    assert not answer("start")["changed"]


def test_functions_run_and_their_processes_end_with_the_cloud(running: None) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(
            "code.py",
            "import boto3\ndef handler(e, c):\n    return 'Buckets' in boto3.client('s3').list_buckets()\n",
        )
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    role = aws("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))["Role"][
        "Arn"
    ]
    listing = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    needs = json.dumps({"Version": "2012-10-17", "Statement": [listing]})
    aws("iam").put_role_policy(RoleName="function", PolicyName="needs", PolicyDocument=needs)
    code = {"ZipFile": zipped.getvalue()}
    aws("lambda").create_function(
        FunctionName="f", Runtime="python3.13", Handler="code.handler", Role=role, Code=code
    )
    before = len((STATE / "logs/access.jsonl").read_text().splitlines())
    assert json.load(aws("lambda").invoke(FunctionName="f")["Payload"]) is True
    # through the endpoint, so that its calls are in the log as well
    log = STATE / "logs/access.jsonl"
    calls = [json.loads(line)["action"] for line in log.read_text().splitlines()[before:]]
    assert "ListBuckets" in calls


def test_tags_of_gateways_are_found_by_ec2_s_names(running: None) -> None:
    ec2 = aws("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_tags(Resources=[address], Tags=[{"Key": "Name", "Value": "x"}])
    filters = [
        {"Name": "resource-id", "Values": [address]},
        {"Name": "resource-type", "Values": ["elastic-ip"]},
    ]
    [tag] = ec2.describe_tags(Filters=filters)["Tags"]
    assert tag["ResourceType"] == "elastic-ip"
    ec2.release_address(AllocationId=address)


def test_errors_name_the_variable(running: None, tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "local_cloud", "start", "--name", "other", *arguments],
            cwd=PROJECT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "Fix: " in done.stderr
        return done.stderr

    assert "local_cloud_endpoint_port" in refused("--endpoint-port", str(PORT), "--no-machines")
    assert "platform_vpc_cidr" in refused("--endpoint-port", "5776", "--vpc-cidr", f"{RANGE}.64.0/20")
    assert "platform_vpc_cidr" in refused("--vpc-cidr", "8.8.0.0/16")
    settings = tmp_path / "settings.json"
    settings.write_text('{"endpoint_prot": 1}')
    assert "endpoint_prot" in refused("--settings", str(settings))


def test_stop_leaves_nothing(running: None) -> None:
    answer("machine", "start", "last", "--address", f"{RANGE}.200.8")
    bridge = Path("/sys/class/net", SETTINGS.bridge)
    assert bridge.exists()
    assert answer("stop")["changed"]
    assert processes() == []
    assert not bridge.exists()
    assert not STATE.exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{cgroups.parent(SETTINGS).name}"))
    assert str(STATE) not in Path("/proc/mounts").read_text()
    with pytest.raises(OSError):
        urllib.request.urlopen(ENDPOINT, timeout=2)
    assert not answer("stop")["changed"]


@pytest.fixture
def bridge() -> Iterator[str]:
    """The bridge of a cloud whose processes were all killed."""
    killed = Settings(name="killed", vpc_cidr="10.78.0.0/16")
    network.ensure(killed)
    yield killed.bridge
    network.remove(killed)


@pytest.fixture
def successor() -> Iterator[Settings]:
    """A cloud with a part of the killed one's range."""
    settings = Settings(name="successor", vpc_cidr="10.78.64.0/20")
    yield settings
    network.remove(settings)


def test_the_bridge_of_a_killed_cloud_is_removed(bridge: str, successor: Settings) -> None:
    preflight._range(successor)
    assert network.ensure(successor)
    assert not Path("/sys/class/net", bridge).exists()
    assert not network.ensure(successor)


def test_the_bridge_of_a_cloud_that_runs_stays(bridge: str, successor: Settings) -> None:
    runs = rf"{bridge}, the local cloud killed of {PROJECT}, which runs.*Fix: stop it there"
    with socket.create_server(("10.78.0.1", 0)), pytest.raises(CloudError, match=runs):
        preflight._range(successor)
    # a machine is connected to its bridge by such a pair
    pair = ["lc-test-a", "type", "veth", "peer", "name", "lc-test-b"]
    subprocess.run(["ip", "link", "add", "master", bridge, *pair], check=True)
    try:
        with pytest.raises(CloudError, match=runs):
            preflight._range(successor)
    finally:
        subprocess.run(["ip", "link", "delete", "lc-test-a"], check=True)
    preflight._range(successor)


def test_the_bridge_of_a_cloud_that_is_starting_stays(
    bridge: str, successor: Settings, tmp_path: Path
) -> None:
    """In another clone; nobody listens on it yet."""
    subprocess.run(
        ["ip", "link", "set", "dev", bridge, "alias", f"the local cloud x of {tmp_path}"], check=True
    )
    with locks.hold(tmp_path), pytest.raises(CloudError, match="which runs"):
        preflight._range(successor)
    preflight._range(successor)


def test_a_bridge_that_no_cloud_made_stays(bridge: str, successor: Settings) -> None:
    subprocess.run(["ip", "link", "set", "dev", bridge, "alias", "a bridge"], check=True)
    with pytest.raises(CloudError, match=rf"\(on {bridge}\).*Fix: set platform_vpc_cidr"):
        preflight._range(successor)
