"""Step Functions: both machines of the product, run with functions that play their parts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    HUB,
    REGION,
    eventually,
    make_function,
    make_queue,
    make_role,
    receive,
    service_trust,
    statement,
    trust,
    unique,
    watch_events,
)

pytestmark = pytest.mark.cloud

MACHINES = Path(__file__).resolve().parents[3] / "statemachines"

PLAYER = """
import boto3, json, os, tempfile

ME = "{me}"
states = boto3.client("stepfunctions")
attempts = {{}}

class Throttled(Exception): pass
class PlanFailed(Exception): pass

def answer(event):
    plot = event["release_id"]
    if ME == "Package":
        return {{"outcome": "unchanged" if plot.startswith("unchanged") else "packaged"}}
    if ME == "PlanStage":
        return {{"expires_in_seconds": 86400}}
    if ME == "RequestApproval":
        decision = "rejected" if plot.startswith("rejected") else "approved"
        return {{"decision": decision}}
    if ME == "RecordOutcome":
        failure = event.get("failure") or {{}}
        cause = failure.get("Cause") or ""
        reason = json.loads(cause)["errorMessage"] if cause.startswith("{{") else cause
        return {{**event, "error": failure.get("Error", ""), "reason": reason}}
    return {{"outcome": "done"}}

def handler(event, context):
    plot, stage = event["release_id"], event.get("stage", "")
    attempts[plot] = attempts.get(plot, 0) + 1
    if ME == "DeployStage" and plot.startswith("flaky") and attempts[plot] == 1:
        raise Throttled("Rate exceeded")
    mark = os.path.join(tempfile.gettempdir(), plot)
    if ME == "VerifyStage" and plot.startswith("dying") and not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(1)
    if ME == "DeployStage" and plot.startswith("broken"):
        raise PlanFailed("the template has no resources")
    if ME == "RequestApproval" and plot.startswith("waiting"):
        return None
    if "task_token" in event:
        states.send_task_success(taskToken=event["task_token"], output=json.dumps(answer(event)))
        return None
    return answer(event)
"""


def make_machine(cloud: EmbeddedCloud, definition: str, invoked: list[str]) -> str:
    role = make_role(cloud, HUB, service_trust("states"), statement("lambda:InvokeFunction", invoked))
    made: str = cloud.client("stepfunctions", HUB).create_state_machine(
        name=unique("machine"), definition=definition, roleArn=role
    )["stateMachineArn"]
    return made


@pytest.fixture(scope="module")
def functions(cloud: EmbeddedCloud) -> dict[str, str]:
    """The ARN of a function for each placeholder of the two files."""
    placeholders = {
        name for path in MACHINES.glob("*.json") for name in re.findall(r"\$\{(\w+)FunctionArn\}", path.read_text())
    }
    answering = statement("states:SendTask*", f"arn:aws:states:{REGION}:{HUB}:stateMachine:machine-*")
    return {name: make_function(cloud, HUB, PLAYER.format(me=name), answering) for name in sorted(placeholders)}


@pytest.fixture(scope="module", params=["multi_account", "single_account"])
def machine(request: pytest.FixtureRequest, cloud: EmbeddedCloud, functions: dict[str, str]) -> str:
    definition = (MACHINES / f"{request.param}.asl.json").read_text()
    for name, arn in functions.items():
        definition = definition.replace(f"${{{name}FunctionArn}}", arn)
    return make_machine(cloud, definition, list(functions.values()))


def start(cloud: EmbeddedCloud, machine: str, name: str) -> str:
    found: str = cloud.client("stepfunctions", HUB).start_execution(
        stateMachineArn=machine, name=name, input='{"stage": "prod"}'
    )["executionArn"]
    return found


def ended(cloud: EmbeddedCloud, execution: str) -> dict[str, Any]:
    client = cloud.client("stepfunctions", HUB)

    def over() -> dict[str, Any]:
        found: dict[str, Any] = client.describe_execution(executionArn=execution)
        return {} if found["status"] == "RUNNING" else found

    return eventually(over)


def entered(cloud: EmbeddedCloud, execution: str) -> list[str]:
    pages = cloud.client("stepfunctions", HUB).get_paginator("get_execution_history")
    events = [event for page in pages.paginate(executionArn=execution) for event in page["events"]]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


ENDS = [
    pytest.param("accepted", "SUCCEEDED", "Succeeded", id="everything goes well"),
    pytest.param("unchanged", "SUCCEEDED", "Unchanged", id="the same content again"),
    pytest.param("rejected", "SUCCEEDED", "Rejected", id="an approver says no"),
    pytest.param("broken", "FAILED", "Failed", id="a deployment fails"),
]


@pytest.mark.parametrize(("plot", "status", "last"), ENDS)
def test_the_products_machine_reaches_its_ends(
    cloud: EmbeddedCloud, machine: str, plot: str, status: str, last: str
) -> None:
    execution = start(cloud, machine, unique(plot))
    found = ended(cloud, execution)
    assert found["status"] == status, found
    assert entered(cloud, execution)[-1] == last


def test_a_function_that_fails_in_a_callback_task_fails_it_at_once_with_its_class_and_words(
    cloud: EmbeddedCloud, machine: str
) -> None:
    found = ended(cloud, start(cloud, machine, unique("broken")))
    assert (found["error"], found["cause"]) == ("PlanFailed", "the template has no resources")


def test_a_class_that_the_machine_retries_is_retried_with_a_new_token(cloud: EmbeddedCloud, machine: str) -> None:
    former = cloud.scale_waits(0)
    try:
        execution = start(cloud, machine, unique("flaky"))
        assert ended(cloud, execution)["status"] == "SUCCEEDED"
    finally:
        cloud.scale_waits(former)
    assert entered(cloud, execution)[-1] == "Succeeded"


def test_a_process_that_dies_is_tried_again_as_on_aws(cloud: EmbeddedCloud, machine: str) -> None:
    former = cloud.scale_waits(0)
    try:
        execution = start(cloud, machine, unique("dying"))
        assert ended(cloud, execution)["status"] == "SUCCEEDED"
    finally:
        cloud.scale_waits(former)
    pages = cloud.client("stepfunctions", HUB).get_paginator("get_execution_history").paginate(executionArn=execution)
    errors = [
        event.get("taskFailedEventDetails", event.get("lambdaFunctionFailedEventDetails", {})).get("error")
        for page in pages
        for event in page["events"]
        if event["type"] in {"TaskFailed", "LambdaFunctionFailed"}
    ]
    assert errors == ["Runtime.ExitError"]


def test_an_approval_of_hours_expires_on_request(cloud: EmbeddedCloud, machine: str) -> None:
    execution = start(cloud, machine, unique("waiting"))
    eventually(lambda: [name for name in entered(cloud, execution) if name.startswith("WaitFor")])
    assert eventually(lambda: cloud.expire_tasks(execution)) == 1
    assert ended(cloud, execution)["status"] == "SUCCEEDED"
    assert entered(cloud, execution)[-1] == "Expired"


def test_the_same_start_twice_answers_the_same_execution_and_another_input_is_refused(
    cloud: EmbeddedCloud, machine: str
) -> None:
    name = unique("waiting")
    execution = start(cloud, machine, name)
    assert start(cloud, machine, name) == execution
    client = cloud.client("stepfunctions", HUB)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(stateMachineArn=machine, name=name, input='{"other": 1}')
    client.stop_execution(executionArn=execution)


WAITS = {
    "QueryLanguage": "JSONata",
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": "", "MessageBody": "{% $states.context.Task.Token %}"},
            "TimeoutSeconds": "{% $states.input.seconds %}",
            "End": True,
        }
    },
}


def waiting_machine(cloud: EmbeddedCloud) -> tuple[str, str, str]:
    """A machine whose only task waits; its ARN, an execution of it that waits, and the task's token."""

    url, _ = make_queue(cloud, HUB)
    definition = json.loads(json.dumps(WAITS))
    definition["States"]["Wait"]["Arguments"]["QueueUrl"] = url
    machine = make_machine(cloud, json.dumps(definition), ["*"])
    execution: str = cloud.client("stepfunctions", HUB).start_execution(
        stateMachineArn=machine, input='{"seconds": 3600}'
    )["executionArn"]
    return machine, execution, receive(cloud, HUB, url)["Body"]


def test_a_late_answer_and_a_made_up_token_are_told_apart(cloud: EmbeddedCloud) -> None:
    _, execution, token = waiting_machine(cloud)
    client = cloud.client("stepfunctions", HUB)
    client.send_task_success(taskToken=token, output='{"n": 1}')
    with pytest.raises(ClientError, match="TaskTimedOut"):
        client.send_task_success(taskToken=token, output='{"n": 2}')
    assert json.loads(ended(cloud, execution)["output"]) == {"n": 1}
    with pytest.raises(ClientError, match="TaskTimedOut"):
        client.send_task_failure(taskToken=token, error="x", cause="y")
    with pytest.raises(ClientError, match="InvalidToken"):
        client.send_task_success(taskToken="made-up", output="{}")


def test_a_role_answers_the_tasks_of_its_machine_only(cloud: EmbeddedCloud) -> None:
    machine, execution, token = waiting_machine(cloud)
    trusted = trust({"AWS": f"arn:aws:iam::{HUB}:root"})
    of_this = make_role(cloud, HUB, trusted, statement("states:SendTaskSuccess", machine))
    of_other = make_role(cloud, HUB, trusted, statement("states:SendTaskSuccess", machine + "-other"))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client_as("stepfunctions", of_other, HUB).send_task_success(taskToken=token, output="{}")
    cloud.client_as("stepfunctions", of_this, HUB).send_task_success(taskToken=token, output="{}")
    assert ended(cloud, execution)["status"] == "SUCCEEDED"


def test_a_machine_invokes_only_what_its_role_may(cloud: EmbeddedCloud, functions: dict[str, str]) -> None:
    definition = {
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": functions["Package"], "Payload": {"release_id": "x"}},
                "End": True,
            }
        },
    }
    machine = make_machine(cloud, json.dumps(definition), [functions["Package"] + "-other"])
    found = ended(cloud, start(cloud, machine, unique("denied")))
    assert found["error"] == "Lambda.AWSLambdaException"
    assert "not authorized to perform: lambda:InvokeFunction" in found["cause"]


def test_the_history_shows_what_each_task_was_given(cloud: EmbeddedCloud) -> None:
    _, execution, token = waiting_machine(cloud)
    client = cloud.client("stepfunctions", HUB)
    events = client.get_execution_history(executionArn=execution)["events"]
    (given,) = [
        event["taskScheduledEventDetails"]["parameters"] for event in events if event["type"] == "TaskScheduled"
    ]
    assert json.loads(given)["MessageBody"] == token
    client.stop_execution(executionArn=execution)


def test_an_execution_that_fails_is_an_event(cloud: EmbeddedCloud, machine: str) -> None:
    url = watch_events(cloud, HUB, {"source": ["aws.states"], "detail": {"status": ["FAILED"]}})
    execution = start(cloud, machine, unique("broken"))

    eventually(lambda: json.loads(receive(cloud, HUB, url)["Body"])["detail"]["executionArn"] == execution)
