"""What an examination asks AWS: the roles of a stage, the subscriptions of the topic; and how the API asks for one."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from orchestrator.aws.accounts import AssumedAccounts
from orchestrator.aws.examination import ExamineFunction
from orchestrator.aws.subscriptions import TopicSubscriptions
from orchestrator.core.errors import AccessDenied, Refused, Throttled
from orchestrator.core.examination.ports import Role, Subscription
from orchestrator.core.stage_roles import DEPLOY, OBSERVE
from tests.aws.service_double import Refusal, ServiceDouble
from tests.aws.test_accounts import Sts
from tests.fakes.memory_world import installation

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}


class Iam(ServiceDouble):
    """IAM of a stage that has one role; documents are percent-encoded, as IAM has them."""

    service = "iam"

    def get_role(self, *, RoleName: str) -> dict[str, Any]:
        if RoleName != DEPLOY:
            raise Refusal("NoSuchEntity", f"The role with name {RoleName} cannot be found.", 404)
        return {"Role": {"AssumeRolePolicyDocument": quote(json.dumps(TRUST))}}


@pytest.fixture
def iam() -> Iam:
    return Iam()


@pytest.fixture
def sts() -> Sts:
    return Sts()


@pytest.fixture
def accounts(iam: Iam, sts: Sts) -> AssumedAccounts:
    return AssumedAccounts(installation(), sts.client(), lambda *_, **__: iam.client(), "mlops-doctor")


def test_roles_are_read_through_the_one_that_observes(accounts: AssumedAccounts, sts: Sts) -> None:
    assert accounts.roles("prod", [DEPLOY, "mlops-gone"]) == (Role(DEPLOY, TRUST), Role("mlops-gone", None))
    (assumed,) = sts.made("assume_role")
    assert assumed["RoleArn"] == f"arn:aws:iam::444444444444:role/mlops/{OBSERVE}"
    assert assumed["ExternalId"] == installation().external_id


def test_a_role_that_cannot_be_assumed(accounts: AssumedAccounts, sts: Sts) -> None:
    sts.refusals["assume_role"] = [Refusal("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)]
    with pytest.raises(AccessDenied, match="role/mlops/mlops-observe"):
        accounts.roles("prod", [DEPLOY])


def test_a_role_that_may_not_look(accounts: AssumedAccounts, iam: Iam) -> None:
    iam.refusals["get_role"] = [Refusal("AccessDenied", "not authorized to perform: iam:GetRole", 403)]
    with pytest.raises(AccessDenied, match="iam:GetRole"):
        accounts.roles("prod", [DEPLOY])


class Sns(ServiceDouble):
    """A topic with three subscriptions on two pages."""

    service = "sns"

    def list_subscriptions_by_topic(self, **given: Any) -> dict[str, Any]:
        def one(endpoint: str, arn: str) -> dict[str, str]:
            return {"Protocol": "email", "Endpoint": endpoint, "SubscriptionArn": arn}

        if "NextToken" in given:
            return {"Subscriptions": [one("late@example.com", "PendingConfirmation")]}
        first = [one("team@example.com", "arn:aws:sns:us-east-1:1:t:s"), one("gone@example.com", "Deleted")]
        return {"Subscriptions": first, "NextToken": "more"}


def test_subscriptions_of_every_page() -> None:
    assert TopicSubscriptions(Sns().client(), "arn:aws:sns:us-east-1:111111111111:t").all() == (
        Subscription("email", "team@example.com", confirmed=True),
        Subscription("email", "late@example.com", confirmed=False),
    )


class Lambda(ServiceDouble):
    """A function that answers."""

    service = "lambda"

    def __init__(self, payload: Any, error: str = "") -> None:
        super().__init__()
        self._answer_of_function = {"Payload": io.BytesIO(json.dumps(payload).encode())}
        if error:
            self._answer_of_function["FunctionError"] = error  # type: ignore[assignment]

    def invoke(self, **_: Any) -> dict[str, Any]:
        return self._answer_of_function


def test_an_examination_is_waited_for() -> None:
    function = Lambda({"findings": [{"check": "mail"}], "faults": 0})
    assert ExamineFunction(function.client(), "mlops-examine").findings() == [{"check": "mail"}]
    assert function.made("invoke")[0]["FunctionName"] == "mlops-examine"


def test_one_that_fails_itself_is_refused_in_words() -> None:
    function = Lambda({"errorType": "KeyError", "errorMessage": "'secret'"}, "Unhandled")
    with pytest.raises(Refused, match=r"failed \(KeyError\); the log /aws/lambda/mlops-examine") as caught:
        ExamineFunction(function.client(), "mlops-examine").findings()
    assert "secret" not in str(caught.value)


def test_one_that_is_asked_too_often_may_be_asked_again() -> None:
    function = Lambda({})
    function.refusals["invoke"] = [Refusal("TooManyRequestsException", "Rate Exceeded.", 429)] * 9
    with pytest.raises(Throttled):
        ExamineFunction(function.client(), "mlops-examine").findings()
