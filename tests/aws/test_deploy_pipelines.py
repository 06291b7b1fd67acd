"""The adapter of the workloads' pipelines: what it calls, and what it makes of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.deploy_pipelines import LOOKS, CodePipelines, pipelines_of
from orchestrator.core.errors import AccessDenied, CallRefused, PipelineFailed, PlanFailed, StackBusy, Throttled
from orchestrator.core.plans import PackageVersion, PipelineStage
from tests.aws.service_double import Refusal, ServiceDouble
from tests.fakes.memory_world import installation

NAME = "mlops-deploy-fraud-realtime"
ROLE = "arn:aws:iam::111111111111:role/mlops/mlops-pipeline-stacks"
RUN = PipelineStage(NAME, "execution-1", "DeployStaging")
TOKEN = "00000000-1111-2222-3333-444444444444"
TEMPLATE = json.dumps({"Resources": {}})
WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Stacks(ServiceDouble):
    """CloudFormation with one stack: each call of DescribeStacks takes the next status, the last one stays."""

    service = "cloudformation"

    def __init__(self, *statuses: str, reason: str = "") -> None:
        super().__init__()
        self.statuses, self.reason = list(statuses), reason

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == "ABSENT":
            raise Refusal("ValidationError", f"Stack with id {NAME} does not exist")
        return {"Stacks": [{"StackName": NAME, "StackId": "id", "StackStatus": status, "CreationTime": WHEN}]}

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        event = {
            "StackId": "id",
            "EventId": "1",
            "StackName": NAME,
            "LogicalResourceId": "Pipeline",
            "ResourceType": "AWS::CodePipeline::Pipeline",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": self.reason,
            "Timestamp": WHEN,
        }
        return {"StackEvents": [event]}

    def create_stack(self, **_: Any) -> dict[str, Any]:
        return {"StackId": "id"}

    def update_stack(self, **_: Any) -> dict[str, Any]:
        return {"StackId": "id"}

    def delete_stack(self, **_: Any) -> dict[str, Any]:
        return {}


class Service(ServiceDouble):
    """CodePipeline with one execution, which asks for an approval in staging."""

    service = "codepipeline"
    status = "InProgress"

    def start_pipeline_execution(self, **_: Any) -> dict[str, Any]:
        return {"pipelineExecutionId": "execution-1"}

    def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
        known = {"execution-1": "InProgress", "by-hand": "InProgress", "halting": "Stopping", "old": "Failed"}
        return {
            "pipelineExecutionSummaries": [
                {"pipelineExecutionId": one, "status": status} for one, status in known.items()
            ]
        }

    def get_pipeline_execution(self, **_: Any) -> dict[str, Any]:
        return {"pipelineExecution": {"status": self.status}}

    def list_action_executions(self, **given: Any) -> dict[str, Any]:
        if given.get("nextToken") is None:
            asks = {"stageName": "DeployStaging", "actionName": "Approve", "status": "InProgress"}
            return {"actionExecutionDetails": [{**asks, "actionExecutionId": "a-3"}], "nextToken": "more"}
        failed = {"message": "denied"}
        return {
            "actionExecutionDetails": [
                {
                    "stageName": "DeployStaging",
                    "actionName": "Plan",
                    "status": "Succeeded",
                    "actionExecutionId": "a-2",
                    "output": {"executionResult": {"externalExecutionSummary": "made"}},
                },
                {
                    "stageName": "DeployDev",
                    "actionName": "Execute",
                    "status": "Failed",
                    "actionExecutionId": "a-1",
                    "updatedBy": "arn:x",
                    "output": {"executionResult": {"errorDetails": failed}},
                },
            ]
        }

    def get_pipeline_state(self, **_: Any) -> dict[str, Any]:
        latest = {"status": "InProgress", "actionExecutionId": "a-3", "token": TOKEN, "lastStatusChange": WHEN}
        action = {"actionName": "Approve", "latestExecution": latest}
        others = {"actionName": "Approve", "latestExecution": {**latest, "actionExecutionId": "a-9", "token": "other"}}
        return {
            "pipelineName": NAME,
            "stageStates": [
                {"stageName": "DeployProd", "actionStates": [others]},
                {"stageName": "DeployStaging", "actionStates": [{"actionName": "Plan"}, action]},
            ],
        }

    def put_approval_result(self, **_: Any) -> dict[str, Any]:
        return {"approvedAt": WHEN}

    def retry_stage_execution(self, **_: Any) -> dict[str, Any]:
        return {"pipelineExecutionId": "execution-1"}

    def stop_pipeline_execution(self, **_: Any) -> dict[str, Any]:
        return {"pipelineExecutionId": "execution-1"}


def adapter(stacks: Stacks | None = None, service: Service | None = None) -> CodePipelines:
    service, stacks = service or Service(), stacks or Stacks("ABSENT")
    return CodePipelines(service.client, stacks.client, ROLE, lambda seconds: None)


def test_a_pipeline_is_made_by_a_stack_of_its_name_with_cloudformations_role() -> None:
    stacks = Stacks("ABSENT", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    adapter(stacks).provision(NAME, TEMPLATE)
    assert stacks.made("create_stack") == [{"StackName": NAME, "TemplateBody": TEMPLATE, "RoleARN": ROLE}]


def test_a_pipeline_that_is_as_it_should_be_is_left_alone() -> None:
    stacks = Stacks("CREATE_COMPLETE")
    stacks.refusals["update_stack"] = [Refusal("ValidationError", "No updates are to be performed.")]
    adapter(stacks).provision(NAME, TEMPLATE)
    assert stacks.made("create_stack") == []


def test_a_pipeline_is_changed() -> None:
    stacks = Stacks("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    adapter(stacks).provision(NAME, TEMPLATE)
    assert len(stacks.made("update_stack")) == 1


def test_what_another_call_is_making_is_waited_for() -> None:
    stacks = Stacks("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    stacks.refusals["update_stack"] = [Refusal("ValidationError", "No updates are to be performed.")]
    adapter(stacks).provision(NAME, TEMPLATE)
    stuck = Stacks("CREATE_IN_PROGRESS")
    with pytest.raises(StackBusy):
        adapter(stuck).provision(NAME, TEMPLATE)
    assert len(stuck.made("describe_stacks")) == LOOKS


def test_a_creation_of_two_calls_at_once_is_one() -> None:
    stacks = Stacks("ABSENT", "CREATE_COMPLETE")
    stacks.refusals["create_stack"] = [Refusal("AlreadyExistsException", "exists")]
    adapter(stacks).provision(NAME, TEMPLATE)


def test_a_pipeline_that_cannot_be_made_is_told_with_the_reason_and_made_anew_next_time() -> None:
    stacks = Stacks("ABSENT", "ROLLBACK_COMPLETE", reason="A pipeline with the name already exists")
    with pytest.raises(PipelineFailed, match="A pipeline with the name already exists"):
        adapter(stacks).provision(NAME, TEMPLATE)
    again = Stacks("ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "ABSENT", "CREATE_COMPLETE")
    adapter(again).provision(NAME, TEMPLATE)
    assert [call for call, _ in again.calls if call.endswith("_stack")] == ["delete_stack", "create_stack"]


def test_a_refusal_of_cloudformation_is_a_core_error() -> None:
    stacks = Stacks("ABSENT")
    stacks.refusals["create_stack"] = [Refusal("AccessDenied", "no", 403)]
    with pytest.raises(AccessDenied):
        adapter(stacks).provision(NAME, TEMPLATE)


def test_a_pipeline_goes_with_its_stack() -> None:
    stacks = Stacks("CREATE_COMPLETE")
    adapter(stacks).retire(NAME)
    assert stacks.made("delete_stack") == [{"StackName": NAME, "RoleARN": ROLE}]


def test_an_execution_is_started_with_exactly_one_object_version() -> None:
    service = Service()
    package = PackageVersion("packages/fraud-0001.zip", "v1")
    assert adapter(service=service).start(NAME, package, "fraud-0001") == "execution-1"
    (call,) = service.made("start_pipeline_execution")
    assert call["clientRequestToken"] == "fraud-0001"
    assert {one["revisionType"]: one["revisionValue"] for one in call["sourceRevisions"]} == {
        "S3_OBJECT_KEY": "packages/fraud-0001.zip",
        "S3_OBJECT_VERSION_ID": "v1",
    }


def test_what_is_in_the_way_is_stopped_and_nothing_else() -> None:
    service = Service()
    service.refusals["stop_pipeline_execution"] = [Refusal("PipelineExecutionNotStoppableException", "has ended")]
    assert adapter(service=service).clear(NAME, "execution-1", "x" * 300) == 1
    stopped = service.made("stop_pipeline_execution")
    assert [one["pipelineExecutionId"] for one in stopped] == ["by-hand", "halting"]
    assert all(one["abandon"] and len(one["reason"]) == 200 for one in stopped)


def test_a_stages_progress_is_read_from_its_own_execution_page_by_page() -> None:
    found = adapter().progress(RUN)
    assert found.asks
    assert found.plan is not None
    assert (found.plan.status, found.plan.summary, found.error) == ("Succeeded", "made", "denied")
    assert found.execute is None, "that of dev is another stage's"


@pytest.mark.parametrize(
    ("code", "status"),
    [("PipelineExecutionNotFoundException", "InProgress"), ("PipelineNotFoundException", "Stopped")],
)
def test_an_execution_that_does_not_show_yet_goes_on_and_one_of_no_pipeline_does_not(code: str, status: str) -> None:
    service = Service()
    service.refusals["get_pipeline_execution"] = [Refusal(code, "unknown")]
    found = adapter(service=service).progress(RUN)
    assert (found.execution, found.plan) == (status, None)


@pytest.mark.parametrize(("approved", "status"), [(True, "Approved"), (False, "Rejected")])
def test_an_approval_is_answered_with_the_token_of_this_run_alone(approved: bool, status: str) -> None:
    service = Service()
    assert adapter(service=service).answer(RUN, approved=approved, comment="y" * 600)
    (call,) = service.made("put_approval_result")
    assert (call["stageName"], call["actionName"], call["token"]) == ("DeployStaging", "Approve", TOKEN)
    assert call["result"]["status"] == status
    assert len(call["result"]["summary"]) == 512


def test_an_approval_that_is_not_asked_for_is_not_answered() -> None:
    service = Service()
    assert not adapter(service=service).answer(
        PipelineStage(NAME, "execution-1", "DeployProd"), approved=True, comment="yes"
    )
    assert service.made("put_approval_result") == []


@pytest.mark.parametrize("code", ["ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"])
def test_an_approval_that_somebody_else_has_answered_is_none_of_ours(code: str) -> None:
    service = Service()
    service.refusals["put_approval_result"] = [Refusal(code, "too late")]
    assert not adapter(service=service).answer(RUN, approved=True, comment="yes")


def test_a_stage_is_tried_again_in_whole_or_where_it_failed() -> None:
    service = Service()
    adapter(service=service).retry(RUN, everything=True)
    service.refusals["retry_stage_execution"] = [Refusal("StageNotRetryableException", "goes on already")]
    adapter(service=service).retry(RUN, everything=False)
    assert [one["retryMode"] for one in service.made("retry_stage_execution")] == ["ALL_ACTIONS", "FAILED_ACTIONS"]


def test_a_stage_that_another_execution_has_entered_cannot_be_tried_again() -> None:
    service = Service()
    service.refusals["retry_stage_execution"] = [Refusal("NotLatestPipelineExecutionException", "not the latest")]
    with pytest.raises(PlanFailed, match="another execution"):
        adapter(service=service).retry(RUN, everything=True)


@pytest.mark.parametrize("code", ["ConflictException", "ConcurrentPipelineExecutionsLimitExceededException"])
@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("start_pipeline_execution", lambda found: found.start(NAME, PackageVersion("key", "v"), "token")),
        ("stop_pipeline_execution", lambda found: found.stop(RUN, "why")),
        ("retry_stage_execution", lambda found: found.retry(RUN, everything=True)),
    ],
)
def test_a_busy_pipeline_is_asked_again_later(operation: str, call: Any, code: str) -> None:
    service = Service()
    service.refusals[operation] = [Refusal(code, "busy")]
    pipelines = adapter(service=service)
    with pytest.raises(Throttled, match="CodePipeline is busy"):
        call(pipelines)
    call(pipelines)


def test_stopping_what_has_ended_is_harmless_and_other_refusals_are_not() -> None:
    service = Service()
    service.refusals["stop_pipeline_execution"] = [
        Refusal("PipelineExecutionNotStoppableException", "has ended"),
        Refusal("ValidationException", "what?"),
        Refusal("ThrottlingException", "slower", 400),
    ]
    pipelines = adapter(service=service)
    assert pipelines.stop(RUN, "why") is False
    with pytest.raises(CallRefused):
        pipelines.stop(RUN, "why")
    service.refusals["list_pipeline_executions"] = [Refusal("ThrottlingException", "slower")] * 10
    with pytest.raises(Throttled):
        pipelines.clear(NAME, "", "why")


def test_the_state_that_is_shown_has_no_tokens_and_times_as_text() -> None:
    shown = json.dumps(adapter().state(NAME))
    assert TOKEN not in shown
    assert "2026-03-01T12:00:00.000Z" in shown
    assert "ResponseMetadata" not in shown


def test_the_state_of_a_pipeline_that_is_gone_is_none() -> None:
    service = Service()
    service.refusals["get_pipeline_state"] = [
        Refusal("PipelineNotFoundException", "unknown"),
        Refusal("ValidationException", "what?"),
    ]
    assert adapter(service=service).state(NAME) == {}
    with pytest.raises(CallRefused):
        adapter(service=service).state(NAME)


def test_an_installations_pipelines_are_made_with_its_own_role() -> None:
    stacks, service = Stacks("CREATE_COMPLETE"), Service()
    clients = {"cloudformation": stacks.client, "codepipeline": service.client}
    pipelines_of(installation(), lambda name: clients[name]()).retire(NAME)
    assert stacks.made("delete_stack")[0]["RoleARN"] == ROLE
