"""The custom resource that stands before everything: it always answers, and it never passes what cannot be used."""

from __future__ import annotations

import json
import urllib.request
from contextlib import nullcontext
from typing import Any
from urllib.request import Request

import pytest

import functions.check_assets_bucket.handler as module
from functions.check_assets_bucket.handler import ATTEMPTS, PHYSICAL_ID, failure_of, handler
from orchestrator.core.assets_bucket import BucketState
from orchestrator.core.errors import AccessDenied, SourceGone, Throttled

GOOD = BucketState("us-east-1", "Enabled", True)


def request(kind: str = "Create", **properties: str) -> dict[str, Any]:
    """As CloudFormation sends it."""
    return {
        "RequestType": kind,
        "RequestId": "request-1",
        "ResponseURL": "https://cloudformation-custom-resource-response.example/answer?Signature=secret",
        "StackId": "arn:aws:cloudformation:us-east-1:111111111111:stack/MlopsOrchestrator/1",
        "ResourceType": "Custom::AssetsBucketCheck",
        "LogicalResourceId": "Passed",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:111111111111:function:mlops-check-assets-bucket",
            "Bucket": "uploads",
            "Account": "111111111111",
            "Region": "us-east-1",
            "KeyArn": "",
            **properties,
        },
    }


class Reading:
    """``read_state`` with given answers, one after the other; the last one stays."""

    def __init__(self, *answers: BucketState | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, client: Any, bucket: str, owner: str) -> BucketState:
        self.asked.append((bucket, owner))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def pauses() -> list[float]:
    return []


def failure(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], event: dict[str, Any], *answers: BucketState | Exception
) -> tuple[str, Reading]:
    reading = Reading(*answers)
    monkeypatch.setattr(module, "read_state", reading)
    return failure_of(event, object, pauses.append), reading


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_good_bucket_passes(monkeypatch: pytest.MonkeyPatch, pauses: list[float], kind: str) -> None:
    found, reading = failure(monkeypatch, pauses, request(kind), GOOD)

    assert found == ""
    assert reading.asked == [("uploads", "111111111111")]
    assert pauses == []


def test_a_bucket_that_lacks_something_does_not(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    found, _ = failure(monkeypatch, pauses, request(Region="eu-west-1"), BucketState("us-east-1", "", False))

    assert found.startswith("The bucket uploads of existing_assets_bucket cannot be used: it lies in us-east-1")
    assert "versioning" in found
    assert "EventBridge" in found


def test_the_key_of_the_settings_counts(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    key = "arn:aws:kms:us-east-1:111111111111:key/1"
    state = BucketState("us-east-1", "Enabled", True, key)

    assert failure(monkeypatch, pauses, request(KeyArn=key), state)[0] == ""
    assert "existing_assets_bucket_key is not set" in failure(monkeypatch, pauses, request(), state)[0]


def test_a_role_that_iam_does_not_know_everywhere_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    found, reading = failure(monkeypatch, pauses, request(), AccessDenied("no"), AccessDenied("no"), GOOD)

    assert found == ""
    assert len(reading.asked) == 3
    assert len(pauses) == 2


def test_a_bucket_that_is_never_shown_is_told(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    found, reading = failure(monkeypatch, pauses, request(), AccessDenied("no"))

    assert "belongs to another account, or a policy" in found
    assert len(reading.asked) == ATTEMPTS
    assert sum(pauses) < 45, "the function has 60 seconds"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(SourceGone("gone"), "there is no bucket of this name", id="no bucket"),
        pytest.param(Throttled("slower"), "could not be checked (slower)", id="S3 is busy"),
        pytest.param(KeyError("x"), "could not be checked (KeyError)", id="a fault of our own"),
    ],
)
def test_whatever_happens_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], error: Exception, told: str
) -> None:
    found, _ = failure(monkeypatch, pauses, request(), error)

    assert told in found


def test_going_asks_nothing(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    found, reading = failure(monkeypatch, pauses, request("Delete"), AccessDenied("no"))

    assert found == ""
    assert reading.asked == []


class Receiver:
    """Stands for ``urlopen``: keeps what would be put to S3's presigned address."""

    def __init__(self) -> None:
        self.received: list[tuple[Request, dict[str, Any]]] = []

    def __call__(self, request: Request, timeout: float) -> nullcontext[None]:
        assert isinstance(request.data, bytes)
        assert timeout < 60
        self.received.append((request, json.loads(request.data)))
        return nullcontext()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()
    monkeypatch.setattr(urllib.request, "urlopen", found)
    monkeypatch.setattr(module, "client", lambda service: object())
    return found


@pytest.mark.parametrize(
    ("state", "status"),
    [
        pytest.param(GOOD, "SUCCESS", id="good"),
        pytest.param(BucketState("", "", False), "FAILED", id="bad"),
    ],
)
def test_the_answer_is_put_where_cloudformation_waits(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    receiver: Receiver,
    state: BucketState,
    status: str,
) -> None:
    monkeypatch.setattr(module, "read_state", Reading(state))

    handler(request(), None)

    ((sent, body),) = receiver.received
    assert (sent.get_method(), sent.full_url) == ("PUT", request()["ResponseURL"])
    assert sent.get_header("Content-type") == "", "the address is signed for a request without a type"
    assert body["Status"] == status
    assert (status == "FAILED") == ("Reason" in body)
    assert {name: body[name] for name in ("PhysicalResourceId", "RequestId", "LogicalResourceId")} == {
        "PhysicalResourceId": PHYSICAL_ID,
        "RequestId": "request-1",
        "LogicalResourceId": "Passed",
    }
    assert body["StackId"] == request()["StackId"]
    assert "Signature" not in "".join(capsys.readouterr())


def test_a_long_reason_is_cut(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.setattr(module, "read_state", Reading(Throttled("x" * 9_000)))

    handler(request(), None)

    assert len(json.dumps(receiver.received[0][1])) <= 4_096
