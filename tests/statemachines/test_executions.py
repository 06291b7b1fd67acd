"""Executions of both machines with scripted answers: paths, transitions, re-plans, failures and what they hand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.statemachines.interpreter import FILES, Failure, Run, definition

STAGES = {"multi_account": ("staging", "prod"), "single_account": ("prod",)}
"""Stages that are asked for."""


USUAL = object()
"""Among a test's answers: what the function answers when all goes well."""


class Script:
    """Answers as the functions do on the main path, but for what a test says of single states.

    ``changes`` holds, by the state's name, the answers of its visits in turn; the last one is repeated.
    """

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, state: str, payload: Mapping[str, Any], attempt: int) -> Any:
        self.calls.append((state, payload))
        told = self.changes.get(state, USUAL)
        if isinstance(told, list):
            told = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(told, Failure):
            raise told
        return self.usual(state, payload) if told is USUAL else told

    @staticmethod
    def usual(state: str, payload: Mapping[str, Any]) -> Any:
        """What the functions answer when all goes well."""
        if "outcome" in payload:
            failure = payload.get("failure", {})
            reason = failure.get("Cause", failure.get("Error", ""))
            return {"outcome": payload["outcome"], "error": failure.get("Error", "Failed"), "reason": reason}
        if state.startswith("Plan"):
            return {"outcome": "planned", "expires_in_seconds": 259_200, "empty": False}
        if state.startswith("WaitFor"):
            return {"decision": "approved"}
        return {"outcome": {"Package": "packaged"}.get(state, "done")}

    def payloads(self, state: str) -> list[Mapping[str, Any]]:
        """What a state's function was given, at each attempt."""
        return [payload for name, payload in self.calls if name == state]


def run(file: str, **changes: Any) -> tuple[Run, Script]:
    """One execution with these answers in place of the usual ones."""
    script = Script(**changes)
    return Run(definition(file), script), script


def named(file: str, what: str, stage: str) -> str:
    """The state of a stage: ``PlanStaging`` in the large machine, ``Plan`` in the small one."""
    return what if file == "single_account" else f"{what}{stage.capitalize()}"


def waiting(file: str, stage: str) -> str:
    """The state that waits for a stage's approval."""
    return "WaitForApproval" if file == "single_account" else f"WaitFor{stage.capitalize()}Approval"


CASES = [pytest.param(file, stage, id=f"{file}-{stage}") for file in FILES for stage in STAGES[file]]


def test_a_release_goes_through_three_stages_in_at_most_thirty_transitions() -> None:
    release, _ = run("multi_account")
    assert release.status == "SUCCEEDED"
    assert [name for name in release.path if name.startswith(("Deploy", "Verify")) or name == "Succeeded"] == [
        "DeployDev",
        "VerifyDev",
        "DeployStaging",
        "VerifyStaging",
        "DeployProd",
        "VerifyProd",
        "Succeeded",
    ]
    assert len(release.path) + 1 <= 30  # every state entered, and the start


def test_a_release_in_a_single_account_plans_asks_deploys_and_verifies() -> None:
    release, script = run("single_account")
    assert release.path == [
        "Package",
        "ContentChanged",
        "Plan",
        "WaitForApproval",
        "Decision",
        "Deploy",
        "Deployed",
        "RunJob",
        "Verify",
        "Succeeded",
    ]
    assert {payload["stage"] for _, payload in script.calls if "stage" in payload} == {"prod"}


@pytest.mark.parametrize("file", FILES)
def test_every_function_is_told_the_release_and_its_own_stage(file: str) -> None:
    _, script = run(file)
    for state, payload in script.calls:
        assert payload["release_id"] == "fraud-0001"
        stage = payload.get("stage", "")
        assert file == "single_account" or stage.capitalize() in state


@pytest.mark.parametrize(("file", "stage"), CASES)
def test_the_time_of_an_approval_is_the_plans_also_after_another_plan(file: str, stage: str) -> None:
    """The interpreter refuses a time-out that is missing or no number."""
    first = {"outcome": "planned", "expires_in_seconds": 3600, "empty": False}
    release, script = run(
        file,
        **{
            named(file, "Plan", stage): [first, {**first, "expires_in_seconds": 7200}],
            named(file, "Deploy", stage): [{"outcome": "stale"}, {"outcome": "deployed"}],
        },
    )
    assert release.status == "SUCCEEDED"
    assert release.path.count(waiting(file, stage)) == 2
    assert len(script.payloads(waiting(file, stage))) == 2


@pytest.mark.parametrize(("file", "stage"), CASES)
def test_a_token_is_the_tasks_own(file: str, stage: str) -> None:
    _, script = run(file)
    for state in (waiting(file, stage), named(file, "Deploy", stage), named(file, "RunJob", stage)):
        assert [payload["task_token"] for payload in script.payloads(state)] == [f"token-of-{state}"]


@pytest.mark.parametrize(
    ("answer", "end"),
    [({"outcome": "unchanged"}, "Unchanged"), ({"outcome": "superseded"}, "Superseded")],
    ids=["unchanged", "superseded"],
)
@pytest.mark.parametrize("file", FILES)
def test_a_release_that_needs_no_deployment_ends_by_its_name(file: str, answer: Any, end: str) -> None:
    release, _ = run(file, Package=answer)
    assert (release.status, release.path) == ("SUCCEEDED", ["Package", "ContentChanged", end])


@pytest.mark.parametrize(
    ("decision", "end"), [("rejected", "Rejected"), ("superseded", "Superseded"), ("expired", "Superseded")]
)
@pytest.mark.parametrize(("file", "stage"), CASES)
def test_a_release_that_is_not_approved_deploys_nothing(file: str, stage: str, decision: str, end: str) -> None:
    release, script = run(file, **{waiting(file, stage): {"decision": decision}})
    assert (release.status, release.path[-1]) == ("SUCCEEDED", end)
    assert script.payloads(named(file, "Deploy", stage)) == []


@pytest.mark.parametrize("cause", [None, "Task timed out"], ids=["without a cause", "with a cause"])
@pytest.mark.parametrize(("file", "stage"), CASES)
def test_an_approval_that_nobody_gives_expires(file: str, stage: str, cause: str | None) -> None:
    release, _ = run(file, **{waiting(file, stage): Failure("States.Timeout", cause)})
    assert (release.status, release.path[-1]) == ("SUCCEEDED", "Expired")


WORKING = [
    pytest.param(file, name, id=f"{file}-{name}")
    for file in FILES
    for name, state in definition(file)["States"].items()
    if state["Type"] == "Task" and "Catch" in state
]


@pytest.mark.parametrize("cause", [None, '{"errorMessage": "no"}'], ids=["without a cause", "with a cause"])
@pytest.mark.parametrize(("file", "state"), WORKING)
def test_a_failure_anywhere_is_recorded_and_named_in_the_execution(file: str, state: str, cause: str | None) -> None:
    release, script = run(file, **{state: Failure("AccessDenied", cause)})
    assert (release.status, release.path[-2:]) == ("FAILED", ["RecordFailure", "Failed"])
    told = {"Error": "AccessDenied"} | ({} if cause is None else {"Cause": cause})
    assert script.payloads("RecordFailure") == [
        {"release_id": "fraud-0001", "outcome": "failed", "failure": told},
    ]
    assert release.error == "AccessDenied"
    assert release.cause


@pytest.mark.parametrize("state", [name for name in definition("multi_account")["States"] if name.startswith("Deploy")])
def test_a_step_that_takes_too_long_is_a_failure(state: str) -> None:
    release, _ = run("multi_account", **{state: Failure("States.Timeout")})
    assert (release.status, release.error) == ("FAILED", "States.Timeout")


@pytest.mark.parametrize(
    "error",
    ["Throttled", "Conflict", "Lambda.TooManyRequestsException", "Lambda.Unknown", "Runtime.ExitError"],
)
@pytest.mark.parametrize(
    ("file", "state"),
    [(file, name) for file in FILES for name, one in definition(file)["States"].items() if one["Type"] == "Task"],
)
def test_what_passes_is_tried_again_in_every_state(file: str, state: str, error: str) -> None:
    release, script = run(file, **{state: [Failure(error), Failure(error), USUAL]}, **_way_to(file, state))
    assert len(script.payloads(state)) == 3
    assert release.status == ("FAILED" if state == "RecordFailure" else "SUCCEEDED")


def _way_to(file: str, state: str) -> dict[str, Any]:
    """Answers that lead to one of the ends."""
    wait = waiting(file, "prod")
    ways: dict[str, dict[str, Any]] = {
        "Unchanged": {"Package": {"outcome": "unchanged"}},
        "Superseded": {"Package": {"outcome": "superseded"}},
        "Rejected": {wait: {"decision": "rejected"}},
        "Expired": {wait: Failure("States.Timeout")},
        "RecordFailure": {"Package": Failure("SourceGone", "gone")},
    }
    return ways.get(state, {})


@pytest.mark.parametrize("error", ["ChangeSetPending", "StackBusy"])
@pytest.mark.parametrize(("file", "stage"), CASES)
def test_a_stack_that_is_busy_is_waited_for(file: str, stage: str, error: str) -> None:
    plan = named(file, "Plan", stage)
    release, _ = run(file, **{plan: [*[Failure(error)] * 150, USUAL]})
    assert (release.status, release.attempts[plan]) == ("SUCCEEDED", 151)


@pytest.mark.parametrize("file", FILES)
def test_a_release_waits_for_the_one_that_has_its_turn_as_long_as_that_may_take(file: str) -> None:
    busy = Failure("WorkloadBusy", "another release has its turn")
    release, _ = run(file, Package=[*[busy] * 3000, {"outcome": "packaged"}])
    assert (release.status, release.attempts["Package"]) == ("SUCCEEDED", 3001)
    delays = definition(file)["States"]["Package"]["Retry"][-1]
    longest = max(
        state.get("TimeoutSeconds", 0) for name, state in definition(file)["States"].items() if "RunJob" in name
    )
    assert delays["MaxAttempts"] * delays["MaxDelaySeconds"] >= longest


@pytest.mark.parametrize(("file", "stage"), CASES)
def test_a_plan_that_goes_stale_is_made_and_asked_anew_until_the_function_has_enough(file: str, stage: str) -> None:
    """The machine itself goes round; ``steps/plan_stage.py`` ends it by PlanKeepsMoving after three plans."""
    plan = named(file, "Plan", stage)
    release, _ = run(
        file,
        **{
            plan: [USUAL, USUAL, USUAL, Failure("PlanKeepsMoving", "three plans were overtaken")],
            named(file, "Deploy", stage): {"outcome": "stale"},
        },
    )
    assert (release.status, release.error) == ("FAILED", "PlanKeepsMoving")
    assert release.path.count(waiting(file, stage)) == 3
