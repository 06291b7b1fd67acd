"""The two definitions as they stand: valid, complete in every state, and named for what happens."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from orchestrator.core import errors
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.records import Status
from tests.statemachines.interpreter import FILES, FOLDER, definition

FUNCTIONS = Path(__file__).parents[2] / "functions"

ENDS = {"Succeeded", "Unchanged", "Rejected", "Expired", "Superseded", "Failed"}
RECORDING = {*(ENDS - {"Failed"}), "RecordFailure"}

OF_STEP_FUNCTIONS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "States.ALL",
    "States.Timeout",
}
"""Sources: "Handling transient Lambda service exceptions" of the AWS Step Functions Developer Guide; the errors of
functions in the AWS Lambda Developer Guide."""

OURS = {name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, OrchestratorError)}


NO_STEPS_OWN = {"ChatUnavailable", "ChatPutOff"}
"""Raised by the sender of messages, behind the table's stream and its retries."""


def states(kind: str = "") -> list[Any]:
    """Every state (of a kind) of both machines, as a parameter of a test."""
    return [
        pytest.param(name, state, id=f"{file}-{name}")
        for file in FILES
        for name, state in definition(file)["States"].items()
        if kind in {"", state["Type"]}
    ]


def targets(state: Mapping[str, Any]) -> Iterator[str]:
    """Where a state may lead."""
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (one["Next"] for key in ("Catch", "Choices") for one in state.get(key, ()))


def placeholders(text: str) -> set[str]:
    """Names of the ``${…}`` in a text."""
    return set(re.findall(r"\$\{(\w+)\}", text))


@pytest.mark.parametrize("file", FILES)
def test_cfn_lint_finds_nothing_but_the_expression_for_a_time(file: str) -> None:
    """Its schema wants a number; in JSONata states Step Functions takes an expression as well."""
    text = (FOLDER / f"{file}.asl.json").read_text()
    properties = {
        "RoleArn": "arn:aws:iam::111111111111:role/machine",
        "DefinitionString": text,
        "DefinitionSubstitutions": dict.fromkeys(
            placeholders(text), "arn:aws:lambda:us-east-1:111111111111:function:f"
        ),
    }
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    found = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))
    expected = "'{% $states.input.expires_in_seconds %}' is not of type 'number'"
    assert [one.message for one in found if not one.message.startswith(expected)] == []
    assert len(found) == sum(name.startswith("WaitFor") for name in definition(file)["States"])


@pytest.mark.parametrize("file", FILES)
def test_the_file_is_small_enough_and_has_each_name_once(file: str) -> None:
    text = (FOLDER / f"{file}.asl.json").read_text()
    assert len(text.encode()) < 1_048_576  # Step Functions, "Quotas": size of a definition

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    parsed = json.loads(text, object_pairs_hook=unique)
    assert parsed["QueryLanguage"] == "JSONata"


@pytest.mark.parametrize("file", FILES)
def test_every_state_is_reached_and_every_target_exists(file: str) -> None:
    machine = definition(file)
    reached, ahead = set[str](), [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += targets(machine["States"][name])
    assert reached == set(machine["States"])


@pytest.mark.parametrize("file", FILES)
def test_the_ends_have_their_names(file: str) -> None:
    found = {name for name, state in definition(file)["States"].items() if state.get("End") or state["Type"] == "Fail"}
    assert found == ENDS


@pytest.mark.parametrize(("name", "state"), states())
def test_every_state_says_what_happens(name: str, state: dict[str, Any]) -> None:
    assert state["Type"] in {"Task", "Choice", "Fail"}
    assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
    assert state["Type"] == "Fail" or len(state["Comment"]) > 10


@pytest.mark.parametrize(("name", "state"), states("Task"))
def test_every_task_has_a_time_a_retry_and_a_way_to_fail(name: str, state: dict[str, Any]) -> None:
    assert state["TimeoutSeconds"]
    transient, throttled, own = state["Retry"]
    assert {error for error in transient["ErrorEquals"] if error in OF_STEP_FUNCTIONS} == OF_STEP_FUNCTIONS - {
        "States.ALL",
        "States.Timeout",
    }
    assert "Conflict" in transient["ErrorEquals"]
    assert throttled["ErrorEquals"] == ["Throttled"]
    for retrier in (transient, throttled):
        assert (retrier["JitterStrategy"], retrier["BackoffRate"]) == ("FULL", 2)
    # Throttling is waited out, not failed: with full jitter a wait is half of the delay on average.
    assert throttled["MaxAttempts"] * throttled["MaxDelaySeconds"] / 2 > 2 * 3600
    assert own["MaxDelaySeconds"] <= (780 if name == "Package" else 120)
    if name in RECORDING:
        assert "Catch" not in state
    else:
        assert state["Catch"][-1] == {
            "ErrorEquals": ["States.ALL"],
            "Output": {"failure": "{% $states.errorOutput %}"},
            "Next": "RecordFailure",
        }


@pytest.mark.parametrize(("name", "state"), states("Task"))
def test_every_error_that_is_named_exists(name: str, state: dict[str, Any]) -> None:
    named = {error for one in (*state["Retry"], *state.get("Catch", ())) for error in one["ErrorEquals"]}
    assert named <= OF_STEP_FUNCTIONS | set(OURS)


def test_every_error_that_is_worth_another_try_is_tried_again_where_it_is_raised() -> None:
    retried = {
        error for parameter in states("Task") for one in parameter.values[1]["Retry"] for error in one["ErrorEquals"]
    }
    worth_it = {name for name, cls in OURS.items() if issubclass(cls, errors.TryAgain | errors.Conflict)}
    assert worth_it - {"TryAgain", *NO_STEPS_OWN} == retried - OF_STEP_FUNCTIONS
    assert not retried & {name for name, cls in OURS.items() if issubclass(cls, errors.StepFailed | errors.Refused)}


@pytest.mark.parametrize("file", FILES)
def test_an_execution_that_waits_for_days_stays_within_its_history(file: str) -> None:
    """25,000 events (Step Functions, "Quotas"); an attempt that failed makes three."""
    retriers = [one for state in definition(file)["States"].values() for one in state.get("Retry", ())]
    assert max(one["MaxAttempts"] for one in retriers) * 3 < 20_000


@pytest.mark.parametrize(("name", "state"), states("Task"))
def test_a_placeholder_is_a_whole_value_and_has_its_folder(name: str, state: dict[str, Any]) -> None:
    (placeholder,) = placeholders(json.dumps(state))
    assert state["Arguments"]["FunctionName"] == f"${{{placeholder}}}"
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", placeholder.removesuffix("FunctionArn")).lower()
    assert placeholder.endswith("FunctionArn")
    assert (FUNCTIONS / folder / "handler.py").is_file()


@pytest.mark.parametrize(("name", "state"), states("Task"))
def test_a_task_that_waits_hands_its_token_over_and_no_other_does(name: str, state: dict[str, Any]) -> None:
    waits = state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert waits or state["Resource"] == "arn:aws:states:::lambda:invoke"
    assert waits == ("task_token" in state["Arguments"]["Payload"])
    assert state["Output"] == ("{% $states.result %}" if waits else "{% $states.result.Payload %}")
    assert state["Arguments"]["Payload"]["release_id"] == "{% $states.context.Execution.Name %}"


@pytest.mark.parametrize(("name", "state"), [one for one in states("Task") if one.values[0] in RECORDING])
def test_an_end_records_its_outcome(name: str, state: dict[str, Any]) -> None:
    assert state["Arguments"]["FunctionName"] == "${RecordOutcomeFunctionArn}"
    assert Status(state["Arguments"]["Payload"]["outcome"]).ended
    assert name == "RecordFailure" or state["Arguments"]["Payload"]["outcome"] == name.lower()


def test_expressions_pick_fields_and_compute_nothing() -> None:
    found = set(re.findall(r"\{%.*?%\}", "".join((FOLDER / f"{file}.asl.json").read_text() for file in FILES)))
    assert all(re.fullmatch(r"\{% \$states\.[\w.]+( = '\w+')? %\}", expression) for expression in found), found
