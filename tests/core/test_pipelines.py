"""The pipeline of a workload, and what follows from how a stage of its execution stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.pipelines.progress import (
    ActionRun,
    Deploying,
    Planning,
    deploying,
    planning,
    progress_of,
)
from orchestrator.core.pipelines.template import (
    MAX_COMMENT,
    NO_PACKAGE,
    pipeline_name,
    shortened,
    stage_name,
    template,
    workload_of,
)
from orchestrator.core.plans import STALE, ArtifactStore, PipelineStage
from orchestrator.core.stack_names import MAX_WORKLOAD_NAME
from tests.fakes.memory_world import installation

STAGES = ("dev", "staging", "prod")
STACK = "mlops-pipeline-fraud-byompipelinerealtimebuiltin"


def made(*stages: str, capabilities: tuple[str, ...] = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")) -> dict[str, Any]:
    """The pipeline's properties."""
    text = template(
        installation(deploy_engine="codepipeline"),
        workload="fraud-realtime",
        stack_name=STACK,
        stages=stages or STAGES,
        capabilities=capabilities,
        packages_bucket="packages",
        artifacts=ArtifactStore("artifacts", "arn:aws:kms:us-east-1:111111111111:key/1"),
        tags={"mlops:workload": "fraud-realtime"},
    )
    found: dict[str, Any] = json.loads(text)["Resources"]["Pipeline"]["Properties"]
    return found


def test_every_stage_plans_stops_and_executes_what_was_planned() -> None:
    source, *stages = made()["Stages"]
    assert [stage["Name"] for stage in stages] == ["DeployDev", "DeployStaging", "DeployProd"]
    for stage, account in zip(stages, ("222222222222", "333333333333", "444444444444"), strict=True):
        plan, approve, execute = stage["Actions"]
        assert [(one["Name"], one["RunOrder"]) for one in stage["Actions"]] == [
            ("Plan", 1),
            ("Approve", 2),
            ("Execute", 3),
        ]
        assert plan["Configuration"]["ActionMode"] == "CHANGE_SET_REPLACE"
        assert execute["Configuration"]["ActionMode"] == "CHANGE_SET_EXECUTE"
        for action in (plan, execute):
            assert action["RoleArn"] == f"arn:aws:iam::{account}:role/mlops/mlops-pipeline-action"
            assert action["Configuration"]["RoleArn"] == f"arn:aws:iam::{account}:role/mlops/mlops-cloudformation"
            assert action["Configuration"]["StackName"] == STACK
        assert plan["Configuration"]["ChangeSetName"] == execute["Configuration"]["ChangeSetName"]
        assert plan["Configuration"]["TemplateConfiguration"] == f"Package::parameters/{stage['Name'][6:].lower()}.json"
        assert approve["TimeoutInMinutes"] == 60 * 24 * 60
    assert source["Actions"][0]["Configuration"]["S3ObjectKey"] == NO_PACKAGE


def test_an_approval_has_a_token_and_nothing_overtakes() -> None:
    assert made()["ExecutionMode"] == "QUEUED"
    assert made()["PipelineType"] == "V2"


def test_the_template_is_the_same_for_every_release_of_its_like() -> None:
    assert made() == made()
    assert made(capabilities=())["Stages"][1]["Actions"][0]["Configuration"].keys().isdisjoint({"Capabilities"})


def test_names() -> None:
    longest = "a" * MAX_WORKLOAD_NAME
    assert len(pipeline_name(longest)) <= 100
    assert workload_of(pipeline_name("fraud-realtime")) == "fraud-realtime"
    assert workload_of("mlops-source-github") == ""
    assert not pipeline_name("x").startswith("mlops-pipeline-"), "no stack of a workload"
    assert [stage_name(STAGES, stage) for stage in STAGES] == ["DeployDev", "DeployStaging", "DeployProd"]
    assert stage_name(("prod",), "prod") == stage_name(("orchestrator",), "orchestrator") == "DeployPipeline"
    assert PipelineStage("p", "e", "s").subject == "codepipeline:p/e"


def test_a_comment_is_one_line_and_never_too_long() -> None:
    assert shortened("one\n two", 20) == "one two"
    assert len(shortened("x" * 600, MAX_COMMENT)) == MAX_COMMENT
    assert shortened("x" * MAX_COMMENT, MAX_COMMENT) == "x" * MAX_COMMENT


def run(action: str, status: str, stage: str = "DeployDev", **more: str) -> ActionRun:
    return ActionRun(stage, action, status, **more)


DONE, ASKS = run("Plan", "Succeeded"), run("Approve", "InProgress")
OURS = "arn:aws:sts::111111111111:assumed-role/mlops-function-deploy-stage/a-session"
YES = run("Approve", "Succeeded", by="arn:of:us")
BUSY = run("Plan", "Failed", error="Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.")
LEFT = run("Plan", "Failed", error="Stack:x is in ROLLBACK_COMPLETE state and can not be updated.")
BAD = run("Plan", "Failed", error="Template error")

PLANS = {
    "not begun": ("InProgress", [], Planning.WAIT),
    "of another stage": ("InProgress", [run("Plan", "Succeeded", "DeployProd")], Planning.WAIT),
    "planning": ("InProgress", [run("Plan", "InProgress")], Planning.WAIT),
    "planned, not asking yet": ("InProgress", [DONE], Planning.WAIT),
    "asks": ("InProgress", [DONE, ASKS], Planning.ASKED),
    "rejected as stale": ("Failed", [DONE, run("Approve", "Failed", summary=STALE, by="us")], Planning.PLAN_ANEW),
    "tried again": ("InProgress", [DONE, run("Approve", "Failed", summary=STALE), DONE], Planning.WAIT),
    "asks again": ("InProgress", [DONE, run("Approve", "Failed", summary=STALE), DONE, ASKS], Planning.ASKED),
    "rejected by us, and CodePipeline does not tell why": (
        "Failed",
        [DONE, run("Approve", "Failed", by=OURS)],
        Planning.PLAN_ANEW,
    ),
    "rejected by somebody": ("Failed", [DONE, run("Approve", "Failed", by="arn:x")], Planning.BYPASSED),
    "approved by somebody": ("InProgress", [DONE, YES], Planning.BYPASSED),
    "approved by nobody knows whom": ("InProgress", [DONE, run("Approve", "Succeeded")], Planning.BYPASSED),
    "out of time": ("Failed", [DONE, run("Approve", "Failed")], Planning.FAILED),
    "stack busy": ("Failed", [BUSY], Planning.MAKE_WAY),
    "a failed creation left": ("Failed", [LEFT], Planning.MAKE_WAY),
    "bad template": ("Failed", [BAD], Planning.FAILED),
    "failed, its stage not ended": ("InProgress", [BAD], Planning.WAIT),
    "source failed": ("Failed", [run("Package", "Failed", "Source", error="denied")], Planning.FAILED),
    "stopped": ("Stopped", [DONE, run("Approve", "Abandoned")], Planning.FAILED),
    "overtaken": ("Superseded", [], Planning.FAILED),
}


@pytest.mark.parametrize("case", PLANS)
def test_what_is_done_about_a_plan_that_is_wanted(case: str) -> None:
    status, runs, wanted = PLANS[case]
    decision = planning(progress_of(status, runs, "DeployDev"))
    assert decision.planning is wanted
    assert bool(decision.reason) is (wanted in {Planning.BYPASSED, Planning.MAKE_WAY, Planning.FAILED})


DEPLOYMENTS = {
    "asks": ("InProgress", [DONE, ASKS], Deploying.NOT_BEGUN),
    "approved": ("InProgress", [DONE, YES], Deploying.RUNNING),
    "approved, then stopped": ("Stopped", [DONE, YES], Deploying.FAILED),
    "executes": ("InProgress", [DONE, YES, run("Execute", "InProgress")], Deploying.RUNNING),
    "executes, being stopped": ("Stopping", [DONE, YES, run("Execute", "InProgress")], Deploying.RUNNING),
    "executed": ("InProgress", [DONE, YES, run("Execute", "Succeeded")], Deploying.DONE),
    "executed, a later stage failed": ("Failed", [DONE, YES, run("Execute", "Succeeded")], Deploying.DONE),
    "failed": ("Failed", [DONE, YES, run("Execute", "Failed", error="why")], Deploying.FAILED),
    "abandoned": ("Stopped", [DONE, YES, run("Execute", "Abandoned")], Deploying.FAILED),
    "rejected": ("Failed", [DONE, run("Approve", "Failed")], Deploying.FAILED),
    "rejected by us as stale": ("Failed", [DONE, run("Approve", "Failed", by=OURS)], Deploying.STALE),
    "nothing listed yet": ("InProgress", [], Deploying.NOT_BEGUN),
    "its approval not listed yet": ("InProgress", [DONE], Deploying.NOT_BEGUN),
    "ended before it was asked": ("Failed", [], Deploying.FAILED),
}


@pytest.mark.parametrize("case", DEPLOYMENTS)
def test_how_a_deployment_stands(case: str) -> None:
    status, runs, wanted = DEPLOYMENTS[case]
    assert deploying(progress_of(status, runs, "DeployDev")) is wanted


def test_the_last_failure_is_told_whichever_stage_it_was_in() -> None:
    found = progress_of("Failed", [run("Package", "Failed", "Source", error="denied")], "DeployDev")
    assert (found.plan, found.error) == (None, "denied")
    assert planning(found).reason == "its execution in CodePipeline has ended Failed: denied"


def test_a_failure_that_was_mended_by_another_try_is_told_no_more() -> None:
    runs = [BUSY, DONE, YES, run("Execute", "Failed", error="no capacity")]
    assert progress_of("Failed", runs, "DeployDev").error == "no capacity"
    assert progress_of("Failed", [BUSY, DONE, run("Approve", "Failed")], "DeployDev").error == ""


@pytest.mark.parametrize(
    ("by", "outside"),
    [(OURS, False), ("arn:aws:iam::111111111111:user/mlops-function-deploy-stage", True), ("arn:of:mallory", True)],
)
def test_who_has_approved_past_us(by: str, outside: bool) -> None:
    assert run("Approve", "Succeeded", by=by).outside is outside
