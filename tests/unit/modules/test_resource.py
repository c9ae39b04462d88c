"""module_utils/resource.py: read → normalise → diff → apply, the same for every module of a resource."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.clickstream.aws.plugins.module_utils import resource
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Missing,
    Resource,
    State,
    canonical,
    canonical_list,
    differences,
    filters,
    ignore_absent,
    policy,
    run,
    tag_dict,
    tag_list,
    wait_for,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab {", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


class EndedError(Exception):
    """The module has ended with a result."""

    def __init__(self, **result: Any) -> None:
        super().__init__(result)
        self.result = result


class Module:
    """What resource.run needs of AnsibleAWSModule."""

    def __init__(self, *, check: bool = False, **params: Any) -> None:
        self.params = {"name": "it", "state": "present", **params}
        self.check_mode = check

    def exit_json(self, **result: Any) -> None:
        raise EndedError(**result)

    def fail_json(self, **result: Any) -> None:
        raise EndedError(failed=True, **result)

    def fail_json_aws(self, error: Exception, msg: str) -> None:
        raise EndedError(failed=True, msg=f"{msg}: {error}")


class Thing(Resource):
    """A resource that keeps itself in a dict."""

    kind = "thing"
    secret = frozenset({"password"})

    def __init__(self, module: Any, there: State | None, desired: Any) -> None:
        super().__init__(module)
        self.there = there
        self.wanted = desired
        self.calls: list[Any] = []

    def read(self) -> State | None:
        return None if self.there is None else dict(self.there)

    def desired(self) -> State:
        if isinstance(self.wanted, Exception):
            raise self.wanted
        return dict(self.wanted)

    def create(self, desired: State) -> None:
        self.calls.append("create")
        self.there = {"id": 1, **desired}

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        self.calls.append(("update", sorted(changes)))
        self.there = {**current, **desired}

    def delete(self, current: State) -> None:
        self.calls.append("delete")
        self.there = None


def outcome(thing: Thing) -> dict[str, Any]:
    with pytest.raises(EndedError) as ended:
        run(thing.module, thing)
    return ended.value.result


@pytest.mark.parametrize("check", [True, False])
def test_what_is_missing_is_created(check: bool) -> None:
    thing = Thing(Module(check=check), None, {"size": 1})
    result = outcome(thing)
    assert result["changed"] and result["exists"] is not check
    assert thing.calls == ([] if check else ["create"])
    assert (result["diff"]["before"], result["diff"]["after"]) == ("", {"size": 1})
    assert result["resource"]["size"] == 1


@pytest.mark.parametrize("check", [True, False])
def test_what_differs_is_repaired_and_only_that_is_shown(check: bool) -> None:
    thing = Thing(Module(check=check), {"id": 1, "size": 1, "colour": "red"}, {"size": 2, "colour": "red"})
    result = outcome(thing)
    assert result["changed"]
    assert thing.calls == ([] if check else [("update", ["size"])])
    assert (result["diff"]["before"], result["diff"]["after"]) == ({"size": 1}, {"size": 2})
    assert result["resource"] == {"id": 1, "size": 2, "colour": "red"}


@pytest.mark.parametrize("check", [True, False])
def test_what_is_right_is_left_alone(check: bool) -> None:
    thing = Thing(Module(check=check), {"id": 1, "size": 1, "extra": 3}, {"size": 1})
    result = outcome(thing)
    assert not result["changed"] and thing.calls == []
    assert result["diff"]["before"] == result["diff"]["after"] == ""


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("there", [None, {"id": 1}])
def test_what_is_not_wanted_is_removed(check: bool, there: State | None) -> None:
    thing = Thing(Module(check=check, state="absent"), there, RuntimeError("not asked"))
    result = outcome(thing)
    assert result["changed"] is (there is not None)
    assert thing.calls == (["delete"] if there and not check else [])


def test_a_missing_parent_is_pending_in_check_mode_and_an_error_with_the_fix_for_real() -> None:
    missing = Missing("parent", "mother")
    result = outcome(Thing(Module(check=True), None, missing))
    assert result["changed"] and result["pending"] == "mother"
    assert result["msg"] == "pending: thing it needs mother"
    assert result["diff"]["after_header"] == "thing it"
    result = outcome(Thing(Module(), None, missing))
    assert result["failed"] and "mother" in result["msg"] and "Fix:" in result["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_without_the_parent_that_it_would_be_in_there_is_nothing_to_remove(check: bool) -> None:
    def outcome_of(state: str) -> dict[str, Any]:
        thing = Thing(Module(check=check, state=state), None, {"size": 1})
        with mock.patch.object(thing, "read", side_effect=Missing("parent", "mother")):
            result = outcome(thing)
        assert thing.calls == []
        return result

    assert outcome_of("absent")["changed"] is False
    present = outcome_of("present")
    assert present["pending"] == "mother" if check else present["failed"]


@pytest.mark.parametrize("there", [None, {"password": "old", "size": 1}])
@pytest.mark.parametrize("check", [True, False])
def test_a_secret_leaves_the_module_in_no_way(there: State | None, check: bool) -> None:
    thing = Thing(Module(check=check), there, {"password": "tops3cret", "size": 1})
    result = outcome(thing)
    assert result["changed"] and result["diff"]["after"]["password"] == "(secret)"
    assert "tops3cret" not in json.dumps(result) and '"old"' not in json.dumps(result)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://x"),
        ClientError({"Error": {"Code": "Denied", "Message": "no"}}, "Describe"),
        TimeoutError("timed out after 3 s waiting for it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_name_the_resource(error: Exception) -> None:
    result = outcome(Thing(Module(), None, error))
    assert result["failed"] and result["msg"].startswith("thing it")


def test_only_what_is_desired_is_compared() -> None:
    assert differences({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "d": None}) == {"b"}
    assert differences({"a": 1}, {"d": 1}) == {"d"}


@given(JSON)
def test_canonical_is_its_own_canonical_form_and_keeps_equal_documents_equal(value: Any) -> None:
    assert canonical(canonical(value)) == canonical(value)
    assert canonical(json.loads(json.dumps(value))) == canonical(value)


@given(st.lists(JSON, max_size=5), st.randoms())
def test_a_canonical_list_does_not_depend_on_order_and_repetition(values: list[Any], random: Any) -> None:
    shuffled = values + values[:2]
    random.shuffle(shuffled)
    assert canonical_list(shuffled) == canonical_list(values)


ROOT = "arn:aws:iam::123456789012:root"
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": ["b", "a"]},
    "Action": ["s3:PutObject", "s3:GetObject"],
    "Resource": "arn:aws:s3:::x/*",
    "Condition": {"Bool": {"aws:SecureTransport": True}},
}


@pytest.mark.parametrize(
    "same",
    [
        {"Statement": STATEMENT},
        {"Statement": [STATEMENT, STATEMENT]},
        json.dumps({"Statement": [STATEMENT]}),
        {"Statement": [{**STATEMENT, "Principal": {"AWS": ["a", "b"]}}]},
        {"Statement": [{**STATEMENT, "Action": ["s3:GetObject", "s3:PutObject"]}]},
        {"Statement": [{**STATEMENT, "Resource": ["arn:aws:s3:::x/*"]}]},
        {"Statement": [{**STATEMENT, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]},
        {"Statement": [{**STATEMENT, "Condition": {"Bool": {"aws:SecureTransport": ["true"]}}}]},
    ],
    ids=range(8),
)
def test_equal_policies_are_equal(same: Any) -> None:
    assert policy(same) == policy({"Statement": [STATEMENT]})


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Action": ["s3:GetObject"]},
        {"Resource": "arn:aws:s3:::y/*"},
        {"Principal": "*"},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
        {"Sid": "Named"},
        {"Principal": {"AWS": ["b", ROOT]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_policies_are_not(change: dict[str, Any]) -> None:
    assert policy({"Statement": [{**STATEMENT, **change}]}) != policy({"Statement": [STATEMENT]})


EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Statement": []}, {"Version": "2008-10-17", "Statement": []}),
        ({"Statement": EVERYBODY}, {"Statement": {**EVERYBODY, "Sid": ""}}),
        ({"Statement": EVERYBODY}, {"Statement": {**EVERYBODY, "Principal": {"AWS": "*"}}}),
        (
            {"Statement": {**EVERYBODY, "Principal": {"AWS": ["123456789012", "b"]}}},
            {"Statement": {**EVERYBODY, "Principal": {"AWS": ["b", ROOT]}}},
        ),
        (
            {"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}}},
            {"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": [ROOT]}}},
        ),
    ],
    ids=["version", "Sid", "everybody", "account", "not an account"],
)
def test_what_aws_takes_for_the_same_is_the_same(one: Any, other: Any) -> None:
    assert policy(one) == policy(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Statement": []}, {"Version": "2012-10-17", "Statement": []}),
        (
            {"Statement": {**EVERYBODY, "Effect": "Deny"}},
            {"Statement": {**EVERYBODY, "Effect": "Deny", "Principal": {"AWS": "*"}}},
        ),
        ({"Statement": EVERYBODY}, {"Statement": {**EVERYBODY, "Principal": {"Service": "*"}}}),
        (
            {"Statement": {**EVERYBODY, "Principal": {"AWS": ROOT}}},
            {"Statement": {**EVERYBODY, "Principal": {"AWS": ROOT.replace("root", "user/root")}}},
        ),
        ({"Statement": {**EVERYBODY, "Sid": "a"}}, {"Statement": {**EVERYBODY, "Sid": "b"}}),
    ],
    ids=["version", "everybody denied", "services", "a user called root", "Sid"],
)
def test_what_aws_tells_apart_is_not_the_same(one: Any, other: Any) -> None:
    assert policy(one) != policy(other)


def test_input_that_aws_cannot_take_ends_the_module_before_anything_is_touched() -> None:
    thing = Thing(Module(), None, InvalidInput("70000 is no port", "write another"))
    result = outcome(thing)
    assert result["failed"] and result["msg"] == "thing it: 70000 is no port. Fix: write another."
    assert thing.calls == []


class Late(Thing):
    """A thing that AWS describes only after some answers."""

    answers: list[Any]

    def read(self) -> State | None:
        answer = self.answers.pop(0) if self.answers else super().read()
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_error(code: str, status: int = 400) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "Create")


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, without the sleep: the clock goes on by it."""
    slept: list[float] = []
    monkeypatch.setattr(resource.time, "sleep", slept.append)
    monkeypatch.setattr(resource.time, "monotonic", lambda: sum(slept))
    return slept


def test_what_was_created_is_waited_for_until_aws_describes_it(naps: list[float]) -> None:
    thing = Late(Module(), None, {"size": 1})
    thing.answers = [None, None, client_error("InvalidVpcID.NotFound"), Missing("parent", "mother")]
    result = outcome(thing)
    assert thing.calls == ["create"] and result["resource"] == {"id": 1, "size": 1}
    assert naps == [1, 1, 1]


def test_what_aws_never_describes_is_told_after_a_minute(naps: list[float]) -> None:
    thing = Late(Module(), None, {"size": 1})
    thing.answers = [None] * 100
    result = outcome(thing)
    assert result["failed"] and "describe what it has made" in result["msg"] and 60 <= sum(naps) < 65


def test_another_error_about_what_was_created_is_told_at_once(naps: list[float]) -> None:
    thing = Late(Module(), None, {"size": 1})
    thing.answers = [None, client_error("AccessDenied")]
    assert outcome(thing)["failed"] and naps == []


LOST = [ReadTimeoutError(endpoint_url="http://x"), client_error("InternalError", 500)]


@pytest.mark.parametrize("lost", LOST, ids=["no answer", "server error"])
@pytest.mark.usefixtures("naps")
def test_what_may_have_been_created_is_looked_for_and_finished_and_not_made_again(lost: Exception) -> None:
    thing = Late(Module(), None, {"size": 2})
    thing.answers = [None, None]
    with mock.patch.object(thing, "create", side_effect=lost) as create:
        thing.there = {"id": 1, "size": 1}
        result = outcome(thing)
    assert create.call_count == 1 and thing.calls == [("update", ["size"])]
    assert result["changed"] and result["resource"] == {"id": 1, "size": 2}


@pytest.mark.parametrize("refused", [*LOST, client_error("VpcLimitExceeded")], ids=str)
@pytest.mark.usefixtures("naps")
def test_what_was_not_created_is_an_error(refused: Exception) -> None:
    thing = Late(Module(), None, {"size": 2})
    thing.answers = []
    with mock.patch.object(thing, "create", side_effect=refused) as create:
        assert outcome(thing)["failed"]
    assert create.call_count == 1


def test_one_that_an_interrupted_run_made_a_moment_ago_is_seen_before_a_second_is_made(
    naps: list[float],
) -> None:
    thing = Late(Module(), {"id": 1, "size": 1}, {"size": 1})
    thing.answers = [None]
    with mock.patch.object(Late, "unseen", 1):
        result = outcome(thing)
    assert thing.calls == [] and not result["changed"] and naps == [1]


def test_an_absent_thing_is_none_and_other_errors_are_raised() -> None:
    def raises(code: str) -> Any:
        raise ClientError({"Error": {"Code": code}}, "Get")

    assert ignore_absent(lambda: 1, "NoSuchEntity") == 1
    assert ignore_absent(lambda: raises("NoSuchEntity"), "NoSuchEntity") is None
    with pytest.raises(ClientError):
        ignore_absent(lambda: raises("AccessDenied"), "NoSuchEntity")


def test_waiting_ends_with_the_condition_or_names_what_did_not_happen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource.time, "sleep", lambda _: None)
    answers = iter([False, False, True])
    wait_for(lambda: next(answers), "it")
    with pytest.raises(TimeoutError, match="timed out after 0 s waiting for the miracle"):
        wait_for(lambda: False, "the miracle", seconds=0)


def test_tags_lose_aws_s_own_and_are_text() -> None:
    assert tag_list({"a": 1}) == [{"Key": "a", "Value": "1"}]
    assert tag_dict([{"Key": "a", "Value": "1"}, {"Key": "aws:x", "Value": "2"}]) == {"a": "1"}
    assert tag_dict(None) == {}


def test_filters_are_spelled_as_ec2_spells_them() -> None:
    assert filters(tag__Name="x", vpc_id="v") == [
        {"Name": "tag:Name", "Values": ["x"]},
        {"Name": "vpc-id", "Values": ["v"]},
    ]
    assert filters(**{"association.subnet-id": ["s"]}) == [{"Name": "association.subnet-id", "Values": ["s"]}]
