"""How the router identifies requests (service, operation, whether it writes) and formats errors."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("aiohttp")

from local_cloud.router.calls import Call, RefusedError, error_answer, identify
from local_cloud.router.operations import action_of, as_read, changes, refuse_unknown, rpc_action


def signed(service: str, **more: str) -> dict[str, str]:
    scope = f"Credential=local/20261121/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    return {"authorization": f"AWS4-HMAC-SHA256 {scope}", **more}


def call(method: str, path: str, service: str, body: bytes = b"", **headers: str) -> Call:
    found = identify(method, path, signed(service, **headers))
    found.body = body
    found.action = action_of(found)
    return found


FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "service"),
    [
        ("POST", "/", signed("ec2"), "ec2"),
        ("GET", "/b/k?X-Amz-Credential=local%2F20261121%2Feu-west-1%2Fs3%2Faws4_request", {}, "s3"),
        ("GET", "/b/k?AWSAccessKeyId=local&Signature=x&Expires=1", {}, "s3"),
        ("POST", "/_aws/execute-api/abc/clickstream", {}, "execute-api"),
        ("POST", "/clickstream", {"host": "0123abcd.execute-api.127.0.0.1:4566"}, "execute-api"),
        ("POST", "/", {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"}, "cognito-idp"),
        ("GET", "/bucket/key", {}, "s3"),
        ("GET", "/b/k", {"host": "0123abcd.execute-api.elsewhere", **signed("s3")}, "s3"),
        ("POST", "/", {"x-amz-target": "Unheard.Of"}, "s3"),
        ("GET", "/bucket/key", signed("execute-api"), ""),
    ],
)
def test_the_service_is_found(method: str, path: str, headers: dict[str, str], service: str) -> None:
    assert identify(method, path, headers).service == service


@pytest.mark.parametrize(
    ("method", "path", "service", "action", "mutating"),
    [
        ("PUT", "/bucket", "s3", "CreateBucket", True),
        ("HEAD", "/bucket", "s3", "HeadBucket", False),
        ("GET", "/bucket?list-type=2&prefix=a", "s3", "ListObjectsV2", False),
        ("PUT", "/bucket?cors", "s3", "PutBucketCors", True),
        ("GET", "/bucket?publicAccessBlock", "s3", "GetPublicAccessBlock", False),
        ("PUT", "/bucket/a/b/c.json", "s3", "PutObject", True),
        ("POST", "/bucket?delete", "s3", "DeleteObjects", True),
        ("POST", "/2015-03-31/functions", "lambda", "CreateFunction", True),
        ("GET", "/2015-03-31/functions/f", "lambda", "GetFunction", False),
        ("PUT", "/2015-03-31/functions/f/configuration", "lambda", "UpdateFunctionConfiguration", True),
        ("POST", "/2015-03-31/functions/f/invocations", "lambda", "Invoke", True),
        ("GET", "/v2/apis/abc/routes", "apigateway", "GetRoutes", False),
        ("PATCH", "/v2/apis/abc", "apigateway", "UpdateApi", True),
        ("DELETE", "/unheard/of", "lambda", "DELETE /unheard/of", True),
        ("GET", "/b/k?Action=ListBuckets", "s3", "GetObject", False),
    ],
)
def test_rest_calls_are_named(method: str, path: str, service: str, action: str, mutating: bool) -> None:
    found = call(method, path, service)
    assert found.action == action
    assert changes(found) is mutating


def test_a_copy_is_distinguished_from_a_put() -> None:
    assert call("PUT", "/b/k", "s3", **{"x-amz-copy-source": "/b/j"}).action == "CopyObject"


@pytest.mark.parametrize(
    ("service", "body", "action", "mutating"),
    [
        ("ec2", b"Action=DescribeVpcs&Version=2016-11-15", "DescribeVpcs", False),
        ("ec2", b"Action=CreateVpc&CidrBlock=10.0.0.0%2F16", "CreateVpc", True),
        ("ec2", b"Action=RunInstances&DryRun=true", "RunInstances", False),
        ("iam", b"Action=SimulatePrincipalPolicy", "SimulatePrincipalPolicy", False),
        ("sts", b"Action=GetCallerIdentity", "GetCallerIdentity", False),
    ],
)
def test_form_calls_are_named(service: str, body: bytes, action: str, mutating: bool) -> None:
    found = call("POST", "/", service, body, **FORM)
    assert found.action == action
    assert changes(found) is mutating


@pytest.mark.parametrize(
    ("service", "target", "mutating"),
    [
        ("ssm", "AmazonSSM.GetParameter", False),
        ("ssm", "AmazonSSM.PutParameter", True),
        ("ssm", "AmazonSSM.StartSession", False),
        ("kms", "TrentService.Decrypt", False),
        ("kms", "TrentService.CreateKey", True),
        ("logs", "Logs_20140328.FilterLogEvents", False),
        ("events", "AWSEvents.PutRule", True),
    ],
)
def test_json_calls_are_named(service: str, target: str, mutating: bool) -> None:
    found = call("POST", "/", service, **{"x-amz-target": target})
    assert found.action == target.partition(".")[2]
    assert changes(found) is mutating


def test_cbor_calls_are_named() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"
    assert call("POST", path, "monitoring").action == "PutMetricAlarm"


def test_a_call_to_the_collector_is_a_write_unless_it_is_a_get() -> None:
    for method, mutating in (("POST", True), ("OPTIONS", False), ("GET", False)):
        found = identify(method, "/_aws/execute-api/abc/clickstream", {})
        found.action = action_of(found)
        assert found.action == f"{method} /clickstream"
        assert changes(found) is mutating


@pytest.mark.parametrize("service", ["ec2", "iam", "s3", "lambda"])
def test_errors_speak_the_service_s_protocol(service: str) -> None:
    answer = error_answer(call("POST", "/x", service), RefusedError(409, "Taken", "a < b"))
    assert answer.status == 409
    if service == "lambda":
        assert json.loads(answer.body)["__type"] == "Taken"
        assert answer.headers["x-amzn-ErrorType"] == "Taken"
    else:
        assert b"<Code>Taken</Code><Message>a &lt; b</Message>" in answer.body


def test_the_form_can_be_edited() -> None:
    found = call("POST", "/", "ec2", b"Action=X&Filter.1.Name=a%2Fb&Empty=", **FORM)
    assert found.param("Filter.1.Name") == "a/b"
    assert found.params("Filter.") == ["a/b"]
    found.replace_form([*found.form, ("New", "ü")])
    assert found.body == b"Action=X&Filter.1.Name=a%2Fb&Empty=&New=%C3%BC"


def test_a_target_changes_nothing_where_the_protocol_has_none() -> None:
    """ministack goes by it first of all: an upload to S3 would be a call of another service."""
    target = {"x-amz-target": "AmazonSSM.GetParameter"}
    assert call("PUT", "/b/k", "s3", **target).action == "PutObject"
    assert not rpc_action(call("PUT", "/b/k", "s3", **target))  # the server drops it
    assert rpc_action(call("POST", "/", "ssm", **target)) == "GetParameter"


def test_a_host_says_no_bucket() -> None:
    """ministack would read one from it, and IAM is asked about the path's."""
    assert "host" not in identify("GET", "/b/k", signed("s3", host="other.s3.amazonaws.com")).headers


def test_a_signature_of_the_caller_s_own_making_names_no_service() -> None:
    found = identify(
        "GET", "/b/k", {"authorization": "Credential=a/b/c/ssm/d, " + signed("s3")["authorization"]}
    )
    assert (found.service, found.key, found.headers) == ("s3", "", {})


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (("POST", "/", "events", b"{}", {"x-amz-target": "AmazonSSM.PutParameter"}), "UnknownOperation"),
        (("POST", "/", "ssm", b"{}", {"x-amz-target": "AmazonSSM.putParameter"}), "UnknownOperation"),
        (("POST", "/", "ssm", b"{}", {}), "UnknownOperation"),
        (("POST", "/service/AmazonSSM/operation/PutParameter", "monitoring", b"", {}), "UnknownOperation"),
        (("POST", "/unheard/of", "lambda", b"", {}), "UnknownOperation"),
        (("POST", "/", "ec2", b"Action=runInstances", FORM), "InvalidAction"),
        (("POST", "/", "ec2", b"", {}), "InvalidAction"),
        (("POST", "/", "iam", b"Action=GetRole&RoleName=a&RoleName=b", FORM), "MalformedQueryString"),
        (("POST", "/bucket", "s3", b"", {}), "MethodNotAllowed"),
        (("GET", "/", "unheard", b"", {}), "InvalidSignature"),
        (("GET", "/bucket", "execute-api", b"", {}), "InvalidSignature"),
    ],
)
def test_what_a_service_does_not_have_is_refused(
    made: tuple[str, str, str, bytes, dict[str, str]], code: str
) -> None:
    method, path, service, body, headers = made
    with pytest.raises(RefusedError) as refused:
        refuse_unknown(call(method, path, service, body, **headers))
    assert refused.value.code.startswith(code)


def test_what_a_service_has_passes() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"
    for made in (
        call("POST", path, "monitoring"),
        call("POST", "/", "monitoring", b"Action=PutMetricAlarm", **FORM),
        call("POST", "/", "ssm", **{"x-amz-target": "AmazonSSM.PutParameter"}),
        call("POST", "/", "ec2", b"Action=RunInstances", **FORM),
        call("GET", "/v2/apis/abc/routes", "apigateway"),
        call("GET", "/bucket/key", "s3"),
    ):
        refuse_unknown(made)


def test_parameters_in_the_query_string_are_judged_and_sent_as_the_body_s() -> None:
    scope = "X-Amz-Credential=k%2F20261121%2Feu-west-1%2Fec2%2Faws4_request"
    found = identify(
        "GET", f"/?Action=RunInstances&IamInstanceProfile.Name=p&{scope}", {"content-length": "0"}
    )
    found.take_form(b"MinCount=1")
    assert found.form == [("Action", "RunInstances"), ("IamInstanceProfile.Name", "p"), ("MinCount", "1")]
    assert found.body == b"Action=RunInstances&IamInstanceProfile.Name=p&MinCount=1"
    assert (found.method, found.path) == ("POST", f"/?{scope}")
    assert found.headers == {"content-type": "application/x-www-form-urlencoded"}


def test_parameters_that_an_operation_does_not_have_are_not_read() -> None:
    body = b'{"Name": "/mine", "Names": ["/other"], "Tags": []}'
    assert as_read(call("POST", "/", "ssm", body, **{"x-amz-target": "AmazonSSM.PutParameter"})).json == {
        "Name": "/mine",
        "Tags": [],
    }
    event = b'{"Tags": {"Project": "x"}}'  # of an Invoke the body is the caller's own
    assert not as_read(call("POST", "/2015-03-31/functions/f/invocations", "lambda", event)).json
    form = b"Action=RunInstances&Foo.Tag.1.Key=Name&TagSpecification.1.ResourceType=instance"
    read = as_read(call("POST", "/", "ec2", form, **FORM)).form
    assert read == [("Action", "RunInstances"), ("TagSpecification.1.ResourceType", "instance")]
    role = as_read(call("POST", "/v2/apis", "apigateway", b'{"name": "n", "Name": "m"}'))
    assert role.json == {"name": "n", "Name": "m"}
