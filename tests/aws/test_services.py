"""The small adapters: task tokens, mail, endpoints, the Slack secret."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from orchestrator.aws.endpoints import SageMakerEndpoints
from orchestrator.aws.machines import StepFunctionsTasks
from orchestrator.aws.mail import MAX_MESSAGE, SnsMail
from orchestrator.aws.outcomes import RecordOutcomeFunction
from orchestrator.aws.secrets import SlackSecret, slack_secret
from orchestrator.core.errors import AccessDenied, CallRefused, Throttled
from orchestrator.core.ports import Answer
from orchestrator.core.records import TaskToken
from tests.aws.service_double import Refusal, ServiceDouble

# Step Functions.

MACHINE = "arn:aws-us-gov:states:us-gov-west-1:111111111111:stateMachine:MultiAccount"
EXECUTION = "arn:aws-us-gov:states:us-gov-west-1:111111111111:execution:MultiAccount:fraud-0001"
TOKEN = TaskToken("AQCEAAAAKgAAAAMAAAAA-the-secret-of-the-task")


class States(ServiceDouble):
    """Step Functions that accepts everything."""

    service = "stepfunctions"

    def start_execution(self, **_: Any) -> dict[str, Any]:
        return {"executionArn": EXECUTION}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return {"executionArn": EXECUTION, "status": "ABORTED"}

    def send_task_success(self, **_: Any) -> dict[str, Any]:
        return {}

    def send_task_failure(self, **_: Any) -> dict[str, Any]:
        return {}


@pytest.fixture
def states() -> States:
    """Step Functions."""
    return States()


@pytest.fixture
def tasks(states: States) -> StepFunctionsTasks:
    """The adapter."""
    return StepFunctionsTasks(states.client())


def test_an_execution_is_named_by_its_release(states: States, tasks: StepFunctionsTasks) -> None:
    assert tasks.start(MACHINE, "fraud-0001", {"stage": "dev", "release_id": "fraud-0001"}) == EXECUTION
    (call,) = states.made("start_execution")
    assert (call["stateMachineArn"], call["name"]) == (MACHINE, "fraud-0001")
    assert json.loads(call["input"]) == {"release_id": "fraud-0001", "stage": "dev"}


def test_an_execution_that_exists_is_adopted(states: States, tasks: StepFunctionsTasks) -> None:
    """Also when it has ended, or has another input: the name is the release's, so it is the same release."""
    states.refusals["start_execution"] = [Refusal("ExecutionAlreadyExists", "Execution Already Exists")]
    assert tasks.start(MACHINE, "fraud-0001", {}) == EXECUTION


def test_an_execution_says_how_it_stands(states: States, tasks: StepFunctionsTasks) -> None:
    assert tasks.status(EXECUTION) == "ABORTED"
    assert states.made("describe_execution") == [{"executionArn": EXECUTION}]


def test_an_execution_that_nobody_knows_has_no_status(states: States, tasks: StepFunctionsTasks) -> None:
    states.refusals["describe_execution"] = [Refusal("ExecutionDoesNotExist", "Execution Does Not Exist")]
    assert tasks.status(EXECUTION) == ""


def test_a_task_is_answered_with_json(states: States, tasks: StepFunctionsTasks) -> None:
    assert tasks.succeed(TOKEN, {"outcome": "deployed"}) is True
    assert states.made("send_task_success") == [{"taskToken": TOKEN.value, "output": '{"outcome": "deployed"}'}]


def test_a_failure_fits_into_what_step_functions_takes(states: States, tasks: StepFunctionsTasks) -> None:
    assert tasks.fail(TOKEN, "E" * 300, "c" * 40_000) is True
    (call,) = states.made("send_task_failure")
    assert (len(call["error"]), len(call["cause"])) == (256, 32_768)


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize("operation", ["send_task_success", "send_task_failure"])
def test_a_task_that_is_closed_is_no_error(
    states: States, tasks: StepFunctionsTasks, operation: str, code: str
) -> None:
    states.refusals[operation] = [Refusal(code, "Task Timed Out")]
    answered = tasks.succeed(TOKEN, {}) if operation == "send_task_success" else tasks.fail(TOKEN, "E", "c")
    assert answered is False


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("ThrottlingException", "Rate exceeded"), Throttled),
        (Refusal("AccessDeniedException", "no"), AccessDenied),
        (Refusal("InvalidOutput", "Invalid Output"), CallRefused),
    ],
    ids=["throttled", "denied", "refused"],
)
def test_an_error_of_step_functions_never_holds_the_token(
    states: States, tasks: StepFunctionsTasks, refusal: Refusal, error: type[Exception]
) -> None:
    states.refusals["send_task_success"] = [refusal]
    with pytest.raises(error) as raised:
        tasks.succeed(TOKEN, {})
    assert TOKEN.value not in str(raised.value)
    assert TOKEN.value not in repr(raised.value.__cause__)


# The function that ends releases.


class Lambda(ServiceDouble):
    """Lambda that takes every call."""

    service = "lambda"

    def invoke(self, **_: Any) -> dict[str, Any]:
        return {"StatusCode": 202}


def test_a_report_is_the_event_of_a_failed_execution_and_is_not_waited_for() -> None:
    service = Lambda()
    RecordOutcomeFunction(service.client(), "mlops-record-outcome").report("fraud-1", "ExecutionEnded", "It is gone.")
    (call,) = service.made("invoke")
    assert (call["FunctionName"], call["InvocationType"]) == ("mlops-record-outcome", "Event")
    assert json.loads(call["Payload"]) == {
        "release_id": "fraud-1",
        "outcome": "failed",
        "failure": {"Error": "ExecutionEnded", "Cause": "It is gone."},
    }


# SNS.


class Sns(ServiceDouble):
    """A topic."""

    service = "sns"

    def publish(self, **_: Any) -> dict[str, Any]:
        return {"MessageId": "1"}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("fraud-detector is live in prod", "fraud-detector is live in prod"),
        ("Chloé rejected “fraud” — Größe 2 → 3", 'Chloe rejected "fraud" - Grosse 2 -> 3'),
        ("line\nbreak\tand\x07bell", "line break and bell"),
        ("🚀 live", "? live"),
        ("модель", "??????"),
        ("x" * 150, "x" * 100),
        ("\n", "MLOps Orchestrator"),
    ],
    ids=["plain", "typographic", "control", "emoji", "other letters", "long", "empty"],
)
def test_a_subject_is_one_that_sns_takes(subject: str, expected: str) -> None:
    sns = Sns()
    SnsMail(sns.client(), "arn:topic").send(subject, "text")
    (call,) = sns.made("publish")
    assert (call["Subject"], call["TopicArn"]) == (expected, "arn:topic")


def test_a_text_is_cut_between_characters_and_is_never_empty() -> None:
    sns = Sns()
    mail = SnsMail(sns.client(), "arn:topic")
    mail.send("long", "é" * MAX_MESSAGE)
    mail.send("short", "")
    long, short = (call["Message"] for call in sns.made("publish"))
    assert set(long) == {"é"}
    assert MAX_MESSAGE - 2048 < len(long.encode()) <= MAX_MESSAGE
    assert short == "short"


# SageMaker.


class SageMaker(ServiceDouble):
    """Endpoints."""

    service = "sagemaker"

    def __init__(self) -> None:
        super().__init__()
        self.answer: dict[str, Any] = {}

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        return self.answer

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"[0.9]"), "ContentType": "application/json"}


@pytest.fixture
def sagemaker() -> SageMaker:
    """SageMaker in a stage's account."""
    return SageMaker()


@pytest.fixture
def endpoints(sagemaker: SageMaker) -> SageMakerEndpoints:
    """The adapter."""
    return SageMakerEndpoints(sagemaker.client(), lambda _: sagemaker.client("sagemaker-runtime"), "arn:observe")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"EndpointStatus": "InService"}, ("InService", "")),
        ({"EndpointStatus": "Failed", "FailureReason": "No capacity"}, ("Failed", "No capacity")),
    ],
    ids=["in service", "failed"],
)
def test_an_endpoint_has_a_status_and_a_reason(
    sagemaker: SageMaker, endpoints: SageMakerEndpoints, answer: dict[str, Any], expected: tuple[str, str]
) -> None:
    sagemaker.answer = answer
    assert endpoints.status("fraud") == expected


def test_an_endpoint_that_does_not_exist_is_absent(sagemaker: SageMaker, endpoints: SageMakerEndpoints) -> None:
    sagemaker.refusals["describe_endpoint"] = [Refusal("ValidationException", 'Could not find endpoint "arn:…"')]
    assert endpoints.status("fraud") == ("Absent", "")


def test_an_endpoint_answers(sagemaker: SageMaker, endpoints: SageMakerEndpoints) -> None:
    assert endpoints.invoke("fraud", b"1,2", "text/csv", 60) == Answer(200, b"[0.9]", "application/json")
    assert sagemaker.made("invoke_endpoint") == [
        {"EndpointName": "fraud", "Body": b"1,2", "ContentType": "text/csv"},
    ]


def test_an_error_of_the_model_is_the_models_answer(sagemaker: SageMaker, endpoints: SageMakerEndpoints) -> None:
    said = {"OriginalStatusCode": 415, "OriginalMessage": "text/csv is not supported"}
    sagemaker.refusals["invoke_endpoint"] = [Refusal("ModelError", "Received client error (415)", 424, said)]
    assert endpoints.invoke("fraud", b"1", "text/csv", 60) == Answer(415, b"text/csv is not supported", "text/plain")


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (Refusal("ModelNotReadyException", "Model is not ready", 429), Throttled, "slower pace"),
        (Refusal("InternalDependencyException", "", 530), Throttled, "slower pace"),
        (Refusal("ServiceUnavailable", "", 503), Throttled, "slower pace"),
        (Refusal("ValidationError", "Endpoint fraud not found", 400), CallRefused, "Endpoint fraud not found"),
        (
            Refusal("AccessDeniedException", "no", 403),
            AccessDenied,
            "IAM refused sagemaker:InvokeEndpoint to arn:observe",
        ),
    ],
    ids=["not ready", "dependency", "unavailable", "no endpoint", "denied"],
)
def test_what_sagemaker_refuses_is_a_core_error(
    sagemaker: SageMaker, endpoints: SageMakerEndpoints, refusal: Refusal, error: type[Exception], words: str
) -> None:
    sagemaker.refusals["invoke_endpoint"] = [refusal]
    with pytest.raises(error, match=words):
        endpoints.invoke("fraud", b"1", "text/csv", 60)


# The Slack secret.


class Secrets(ServiceDouble):
    """Secrets Manager with one secret."""

    service = "secretsmanager"

    def __init__(self, value: dict[str, Any]) -> None:
        super().__init__()
        self.value = value

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        return self.value


@pytest.mark.parametrize(
    ("value", "expected", "configured"),
    [
        ({"SecretString": '{"bot_token": "xoxb-1", "signing_secret": "s"}'}, SlackSecret("xoxb-1", "s"), True),
        ({"SecretString": '{"bot_token": "", "signing_secret": ""}'}, SlackSecret("", ""), False),
        ({"SecretString": '{"bot_token": null, "signing_secret": 7}'}, SlackSecret("", ""), False),
        ({"SecretString": "put the token here"}, SlackSecret("", ""), False),
        ({"SecretString": "[]"}, SlackSecret("", ""), False),
        ({"SecretBinary": b"\x00"}, SlackSecret("", ""), False),
    ],
    ids=["filled", "placeholder", "other types", "no JSON", "a list", "binary"],
)
def test_a_secret_is_read_or_counts_as_not_configured(
    value: dict[str, Any], expected: SlackSecret, configured: bool
) -> None:
    secret = slack_secret(Secrets(value).client(), "arn:secret")
    assert secret == expected
    assert secret.configured is configured


def test_a_secret_prints_as_nothing() -> None:
    assert repr(SlackSecret("xoxb-1", "s")) == "SlackSecret()"
