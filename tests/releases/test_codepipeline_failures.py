"""Releases through CodePipeline when something goes wrong: stacks, permissions, events, and people in the console."""

from __future__ import annotations

import json

import pytest

from local.follow import waiting_approval
from local.settings import ORCHESTRATOR
from orchestrator.core.events import ACTION_STATE_CHANGE, EXECUTION_STATE_CHANGE, STAGE_STATE_CHANGE
from tests.events.samples import event, object_created
from tests.releases.pipelines import Line, asked
from tests.releases.team import Team, eventually, stage
from tests.releases.test_failures import without


@pytest.mark.long
def test_an_execution_that_is_stopped_in_the_console_ends_its_release(piped: Team, live_piped: str) -> None:
    release_id, line = asked(piped, "stopped")
    line.client.stop_pipeline_execution(
        pipelineName=line.name, pipelineExecutionId=line.execution_of(release_id), abandon=True, reason="not now"
    )
    ended = piped.ended(release_id)
    assert ended.status == "failed"
    assert "Stopped" in ended.reason
    assert piped.stack(line.asking[1], ended.stack_name) is None


@pytest.mark.long
def test_a_stack_that_fails_is_told_with_its_reason_and_released_again(piped: Team, live_piped: str) -> None:
    name = "fails"
    place, account, called = Line(piped, f"{name}-realtime").asking
    sagemaker = piped.client("sagemaker", account)
    endpoint = stage(piped.show(live_piped), place)["outputs"]["EndpointName"]
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    taken = "taken-already"
    sagemaker.create_endpoint(EndpointName=taken, EndpointConfigName=config)
    names = {one: taken if one == place else f"{name}-{one}" for one in piped.running.stages}
    several = len(names) > 1
    failed = piped.release(name, piped.configuration(name, endpoint_name=names if several else taken))
    assert failed["status"] == "failed"
    assert "Endpoint (AWS::SageMaker::Endpoint)" in failed["reason"]
    assert taken in failed["reason"]
    line = Line(piped, f"{name}-realtime")
    line.until(line.execution_of(failed["release_id"]), "Failed")
    assert line.state()[called][1] == {"Plan": "Succeeded", "Approve": "Succeeded", "Execute": "Failed"}
    assert "taken-already" in eventually("the reason in Slack", lambda: piped.message_with(failed["release_id"], taken))
    sagemaker.delete_endpoint(EndpointName=taken)
    # What the failed creation left of the stack is cleared away before CodePipeline plans.
    again = piped.release(name, piped.configuration(name))
    assert again["status"] == "succeeded", again["reason"]


def test_the_sweeper_alone_completes_a_release_and_late_events_change_nothing(piped: Team, live_piped: str) -> None:
    name = "swept"
    cloud = piped.running.cloud
    line = Line(piped, f"{name}-realtime")
    cloud.faults(job_events=False, status_events=False)
    try:
        before = piped.invocations("resume-deployment")
        piped.upload(name, piped.configuration(name))
        release_id = piped.started(line.workload)

        def swept() -> bool:
            cloud.run_schedules()
            found = piped.show(release_id)
            approval = waiting_approval(found) if found["status"] == "awaiting_approval" else ""
            if approval:
                piped.approve(approval)
            return str(found["status"]) == "succeeded"

        eventually("released by the sweeper", swept, 180)
        assert piped.invocations("resume-deployment") == before
    finally:
        cloud.faults(job_events=True, status_events=True)
    told = piped.show(release_id)
    execution = line.execution_of(release_id)
    late = event(
        "aws.codepipeline",
        EXECUTION_STATE_CHANGE,
        ORCHESTRATOR,
        [f"arn:aws:codepipeline:us-east-1:{ORCHESTRATOR}:{line.name}"],
        {"pipeline": line.name, "execution-id": execution, "state": "FAILED", "version": 1.0},
    )
    for _ in range(2):
        cloud.inject_event(late, ORCHESTRATOR)
    eventually("both handled", lambda: piped.invocations("resume-deployment") >= before + 2)
    assert piped.show(release_id) == told


@pytest.mark.long
def test_everything_that_comes_again_is_one_release_and_one_execution(piped: Team, live_piped: str) -> None:
    name = "again"
    cloud = piped.running.cloud
    version = piped.upload(name, piped.configuration(name))
    uploaded = object_created(piped.assets_bucket, f"{name}/mlops-config.json", version, "0055AED6DCD90281E5")
    for _ in range(5):
        cloud.inject_event(uploaded, ORCHESTRATOR)
    line = Line(piped, f"{name}-realtime")
    release_id = piped.started(line.workload)
    ended = piped.follower.until_end(release_id, decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    told, execution = piped.show(release_id), line.execution_of(release_id)
    before = piped.invocations("resume-deployment")
    kinds = (EXECUTION_STATE_CHANGE, STAGE_STATE_CHANGE, ACTION_STATE_CHANGE)
    for kind in kinds:
        detail = {"pipeline": line.name, "execution-id": execution, "state": "SUCCEEDED", "version": 1.0}
        pipeline = f"arn:aws:codepipeline:us-east-1:{ORCHESTRATOR}:{line.name}"
        for _ in range(3):
            cloud.inject_event(event("aws.codepipeline", kind, ORCHESTRATOR, [pipeline], detail), ORCHESTRATOR)
    eventually("all handled", lambda: piped.invocations("resume-deployment") >= before + 3 * len(kinds))
    assert piped.show(release_id) == told
    assert [one["release_id"] for one in piped.releases(line.workload)] == [release_id]
    found = line.client.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]
    assert {one["pipelineExecutionId"]: one["status"] for one in found}.pop(execution) == "Succeeded"
    assert len(found) == 2, "and the one that CodePipeline has started by itself"


@pytest.mark.long
def test_a_missing_permission_ends_the_release_with_the_role_and_the_action(piped: Team, live_piped: str) -> None:
    name = "forbidden"
    account = next(iter(piped.running.stages.values()))
    iam, role = piped.client("iam", account), "mlops-pipeline-action"
    policies = {
        one: iam.get_role_policy(RoleName=role, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    for one, document in policies.items():
        left = json.dumps(without("cloudformation:CreateChangeSet", document))
        iam.put_role_policy(RoleName=role, PolicyName=one, PolicyDocument=left)
    try:
        ended = piped.release(name, piped.configuration(name))
    finally:
        for one, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=one, PolicyDocument=json.dumps(document))
    assert ended["status"] == "failed"
    assert role in ended["reason"]
    assert "cloudformation:CreateChangeSet" in ended["reason"]
    assert piped.stack(account, ended["stack_name"]) is None
