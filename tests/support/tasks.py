"""The arguments of one task for each module, as the tests of the modules use them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
VPC, PUBLIC, PRIVATE, GATEWAY = "vpc-a", "subnet-public", "subnet-private", "igw-a"
TAGS = {"Project": "clickstream"}
S3, SSM = "com.amazonaws.ap-southeast-1.s3", "com.amazonaws.ap-southeast-1.ssm"
ANYWHERE = "0.0.0.0/0"
IN_A_VPC = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
VPC_ARGUMENTS = {"name": VPC, "cidr": "10.9.0.0/16", "tags": TAGS}
SUBNETS = {PUBLIC: "10.9.0.0/20", PRIVATE: "10.9.128.0/20"}
GATEWAY_ARGUMENTS = {"name": GATEWAY, "vpc": VPC, "tags": TAGS}
PUBLIC_TABLE = {
    "name": "rtb-public",
    "vpc": VPC,
    "subnets": [PUBLIC],
    "routes": [{"destination": ANYWHERE, "internet_gateway": GATEWAY}],
    "tags": TAGS,
}
PRIVATE_TABLE = {"name": "rtb-private", "vpc": VPC, "subnets": [PRIVATE], "tags": TAGS}
GROUPS = {
    "vpc": VPC,
    "tags": TAGS,
    "groups": [
        {
            "name": "sg-app",
            "description": "Application",
            "egress": [
                {"ports": "443", "prefix_list": S3, "description": "S3"},
                {"ports": "5432", "groups": ["sg-db"], "description": "Warehouse"},
            ],
        },
        {
            "name": "sg-db",
            "description": "Database",
            "ingress": [
                {"ports": "5432", "groups": ["sg-app"], "description": "Application"},
                {"ports": "3838", "self": True},
                {"ports": "80-90", "cidrs": ["192.0.2.0/24", "198.51.100.7/32"], "description": "Office"},
                {"protocol": "-1", "cidrs": ["2001:db8::/64"]},
            ],
        },
    ],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
    ],
}
S3_ENDPOINT = {
    "name": "vpce-s3",
    "vpc": VPC,
    "service": S3,
    "type": "Gateway",
    "route_tables": ["rtb-private"],
    "policy": POLICY,
    "tags": TAGS,
}
SSM_ENDPOINT = {
    "name": "vpce-ssm",
    "vpc": VPC,
    "service": SSM,
    "subnets": [PRIVATE],
    "security_groups": ["sg-db"],
    "tags": TAGS,
}
NAT = {"name": "nat-a", "vpc": VPC, "subnet": PUBLIC, "tags": TAGS}
INSTANCE = {
    "name": "host",
    "vpc": VPC,
    "subnet": PRIVATE,
    "private_ip": "10.9.128.10",
    "security_groups": ["sg-db"],
    "image_owner": "136693071363",
    "image_name": "debian-13-arm64-*",
    "type": "t4g.medium",
    "instance_profile": "host-role",
    "user_data": "#!/bin/sh\nexit 0\n",
    "tags": TAGS,
}
SUBNET_ARGUMENTS = {
    "name": PUBLIC,
    "vpc": VPC,
    "cidr": SUBNETS[PUBLIC],
    "zone": "ap-southeast-1a",
    "tags": TAGS,
}
BUCKET = {
    "name": "services-raw",
    "versioning": True,
    "lifecycle_rules": [
        {"id": "rejected", "prefix": "rejected/", "expire_days": 90},
        {"id": "tidy", "expire_noncurrent_days": 30, "abort_multipart_days": 1},
    ],
    "cors_rules": [{"allowed_origins": ["https://shop.example.com"], "allowed_methods": ["GET"]}],
    "access_log": {"bucket": "services-log-target", "prefix": "access/raw/"},
    "policy_statements": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::services-raw/*",
        }
    ],
    "tags": TAGS,
}


DELIVERS = {"Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}}
LOG_BUCKET = {
    "name": "services-logs-of-aws",
    "policy_statements": [
        {
            **DELIVERS,
            "Sid": "Write",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::services-logs-of-aws/flow-logs*/AWSLogs/{ACCOUNT}/*",
        },
        {
            **DELIVERS,
            "Sid": "Look",
            "Action": "s3:GetBucketAcl",
            "Resource": "arn:aws:s3:::services-logs-of-aws",
        },
    ],
}
FLOW_LOG = {"name": "flow-refused", "vpc": "flow-vpc", "bucket": "services-logs-of-aws", "tags": TAGS}


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(action: str, resource: str = "arn:aws:s3:::a/*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


LOGS = "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"
ROLE = {
    "name": "services-host",
    "trust": trust("ec2.amazonaws.com"),
    "inline_policies": {"store": allow("s3:PutObject"), "read": allow("s3:GetObject")},
    "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
    "managed_policies": [LOGS],
    "instance_profile": True,
    "description": "The host",
    "tags": TAGS,
}
GENERATED = {
    "name": "/services/password",
    "generate": {"length": 32},
    "description": "A password",
    "tags": TAGS,
}
GROUP = {"name": "/services/log", "retention_days": 30, "tags": TAGS}
QUEUE = {"name": "services-failed", "retention_days": 14, "tags": TAGS}
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:services-failed"
CODE = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event.get("rawPath"))}
"""
BY_FUNCTION = {"FunctionName": "services-function"}
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/services-rule"
RULE = {
    "name": "services-rule",
    "schedule": "rate(1 hour)",
    "function": "services-function",
    "input": {"prefix": "events/"},
    "description": "Hourly",
    "tags": TAGS,
}
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:services-function"
ORIGIN = "https://shop.example.com"
JWT = {"issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_abc", "audience": ["client"]}
POOL = {"name": "services-users", "tags": TAGS}
APP = {"name": "services-web", "user_pool": "services-users"}
API = {
    "name": "services-api",
    "function": "services-function",
    "routes": [{"key": "POST /clickstream"}, {"key": "POST /clickstream/me", "jwt": True}],
    "jwt": JWT,
    "cors": {"allow_origins": [ORIGIN]},
    "access_log_group": "/services/access",
    "description": "Collector",
    "tags": TAGS,
}
DOCUMENT = {
    "name": "services-session",
    "log_bucket": "services-logs",
    "shell_profile": "exec bash -l",
    "tags": TAGS,
}


def function(zip_file: str | Path, **more: Any) -> dict[str, Any]:
    """A function of :data:`CODE` with the role ``services-role``, where ``more`` says nothing else."""
    short = {"name": "services-function", "handler": "app.handler", "runtime": "python3.13"}
    return {**short, "zip": str(zip_file), "role": "services-role", **more}


def in_a_vpc(name: str) -> dict[str, Any]:
    """A role of a function that works in a VPC."""
    return {"name": name, "trust": trust("lambda.amazonaws.com"), "managed_policies": [IN_A_VPC]}


def zip_of(code: str) -> bytes:
    """A zip that is the same for the same code."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), code)
    return file.getvalue()
