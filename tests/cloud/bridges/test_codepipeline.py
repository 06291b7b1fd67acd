"""Executions of pipelines: packages through stages and accounts, approvals, failures, stops and retries, events."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from local.cloud.codepipeline.artifacts import zipped
from tests.cloud.accounts import DEV, HUB, REGION, STAGING, eventually, receive, statement, watch_events
from tests.cloud.bridges.releasing import QUEUE, TOPIC, Line, action

pytestmark = pytest.mark.cloud


@pytest.fixture
def line(cloud: EmbeddedCloud) -> Line:
    """A pipeline with one stage, in another account than its own."""
    made = Line(cloud)
    made.provision()
    return made


def parameters(stack: dict[str, Any]) -> dict[str, str]:
    return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}


def told(cloud: EmbeddedCloud, queue: str, count: int) -> list[dict[str, Any]]:
    """The details of so many events."""
    return [json.loads(receive(cloud, HUB, queue)["Body"])["detail"] for _ in range(count)]


def test_exactly_the_given_package_goes_through_every_account(cloud: EmbeddedCloud) -> None:
    line = Line(cloud, DEV, STAGING)
    queue = watch_events(cloud, HUB, {"source": ["aws.codepipeline"], "detail": {"pipeline": [line.name]}})
    line.provision()
    told(cloud, queue, 6)  # of the execution that making the pipeline starts
    version = line.package("one")
    execution = line.start(version, clientRequestToken="a-release")
    assert line.start(version, clientRequestToken="a-release") == execution
    token = line.asked(execution)
    newer = line.package("two")
    assert newer != version
    line.answer(token)
    line.approve(execution, 2)
    line.until(execution, "Succeeded")

    for account, stage in ((DEV, "1"), (STAGING, "2")):
        stack = line.workload(account)
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert parameters(stack) == {"Title": f"one-{account}"}
        assert {"Key": "stage", "Value": stage} in stack["Tags"]
        assert stack["RoleARN"] == line.stack_roles[account]
    found = line.pipelines.get_pipeline_execution(pipelineName=line.name, pipelineExecutionId=execution)
    (revision,) = found["pipelineExecution"]["artifactRevisions"]
    assert (revision["name"], revision["revisionId"]) == ("Package", version)
    assert line.executions()[0]["sourceRevisions"][0]["revisionId"] == version
    assert line.executions()[0]["trigger"]["triggerType"] == "StartPipelineExecution"
    assert line.executions()[1]["trigger"]["triggerType"] == "CreatePipeline"

    runs = line.runs(execution)
    assert [(run["stageName"], run["actionName"], run["status"]) for run in runs] == [
        ("Source", "Fetch", "Succeeded"),
        *((stage, name, "Succeeded") for stage in ("Stage1", "Stage2") for name in ("Plan", "Approve", "Execute")),
    ]
    assert runs[1]["input"]["roleArn"] == line.action_roles[DEV]
    assert runs[3]["output"]["executionResult"]["externalExecutionId"] == line.workload(DEV)["StackId"]
    place = runs[0]["output"]["outputArtifacts"][0]["s3location"]
    kept = cloud.client("s3", HUB).head_object(Bucket=place["bucket"], Key=place["key"])
    assert kept["SSEKMSKeyId"] == line.key

    by = [call["principal"] for call in cloud.calls() if call["action"] == "ExecuteChangeSet"]
    assert any(f":assumed-role/{line.action_roles[STAGING].rpartition('/')[2]}/" in principal for principal in by)

    events = [event for event in told(cloud, queue, 22) if event["execution-id"] == execution]
    assert [(event.get("stage"), event.get("action"), event["state"]) for event in events[:5]] == [
        (None, None, "STARTED"),
        ("Source", None, "STARTED"),
        ("Source", "Fetch", "STARTED"),
        ("Source", "Fetch", "SUCCEEDED"),
        ("Source", None, "SUCCEEDED"),
    ]
    assert (events[-1].get("stage"), events[-1]["state"]) == (None, "SUCCEEDED")
    assert len(events) == 22
    fetched = events[3]
    assert fetched["type"] == {"owner": "AWS", "category": "Source", "provider": "S3", "version": "1"}
    assert fetched["execution-result"]["external-execution-id"] == version
    assert fetched["output-artifacts"] == [{"name": "Package", "s3location": place}]
    assert (fetched["version"], fetched["pipeline-execution-attempt"]) == (1.0, 1.0)
    assert events[0]["execution-trigger"]["trigger-type"] == "StartPipelineExecution"


def test_a_rejection_fails_the_stage_with_the_reviewers_words(line: Line) -> None:
    execution = line.start(line.package("one"))
    token = line.asked(execution)
    state = line.stage_state()
    assert state["latestExecution"] == {"pipelineExecutionId": execution, "status": "InProgress", "type": "STANDARD"}
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        line.answer("00000000-0000-0000-0000-000000000000")
    with pytest.raises(ClientError, match="length less than or equal to 512"):
        line.answer(token, "Rejected", summary="x" * 513)
    line.answer(token, "Rejected", summary="not today")
    line.until(execution, "Failed")
    answered = line.action_state("Approve")
    assert (answered["status"], answered["summary"], answered["lastUpdatedBy"]) == (
        "Failed",
        "not today",
        f"arn:aws:iam::{HUB}:root",
    )
    assert "token" not in answered
    assert line.stage_state()["latestExecution"]["status"] == "Failed"
    assert line.workload()["StackStatus"] == "REVIEW_IN_PROGRESS"
    with pytest.raises(ClientError, match="ApprovalAlreadyCompleted"):
        line.answer(token)


def test_an_approval_that_nobody_gives_in_time_fails(line: Line) -> None:
    execution = line.start(line.package("one"))
    token = line.asked(execution)
    assert line.cloud.expire_approvals(line.name, account=HUB) == 1
    assert "timed out" in line.failure(execution)
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        line.answer(token)


def test_an_approval_is_asked_for_by_a_topic(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    topic = cloud.client("sns", HUB).create_topic(Name=line.name)["TopicArn"]
    cloud.client("sns", HUB).subscribe(TopicArn=topic, Protocol="email", Endpoint="reviewers@example.com")
    given = {"NotificationArn": topic, "CustomData": "Version #{Source.VersionId} for #{variables.Team}"}
    variables = [{"Name": "Team", "DefaultValue": "anybody"}]
    line.provision(line.stage(DEV, configuration=given, TimeoutInMinutes=60), Variables=variables)
    version = line.package("one")
    denied = line.start(version)
    assert "sns:Publish" in line.failure(denied)
    line.grant(HUB, line.role, statement("sns:Publish", topic))
    execution = line.start(version, variables=[{"name": "Team", "value": "fraud"}])
    mail = eventually(lambda: next((one for one in cloud.mail() if one["topic"] == topic), {}))
    assert mail["subject"] == f"APPROVAL NEEDED: AWS CodePipeline {line.name} for action Approve"
    message = json.loads(mail["message"])
    assert message["approval"]["customData"] == f"Version {version} for fraud"
    assert (message["approval"]["stageName"], message["approval"]["actionName"]) == ("Stage1", "Approve")
    assert message["approval"]["token"] == line.asked(execution)
    line.approve(execution)
    line.until(execution, "Succeeded")


def test_a_change_set_without_changes_is_not_executed_and_fails_nothing(line: Line) -> None:
    version = line.package("one")
    first = line.start(version)
    line.approve(first)
    line.until(first, "Succeeded")
    again = line.start(version)
    line.approve(again)
    line.until(again, "Succeeded")
    plan, _, execute = line.runs(again)[1:]
    assert "has no changes" in plan["output"]["executionResult"]["externalExecutionSummary"]
    assert "was not executed" in execute["output"]["executionResult"]["externalExecutionSummary"]
    assert line.workload()["StackStatus"] == "CREATE_COMPLETE"
    changed = line.start(line.package("two"))
    line.approve(changed)
    line.until(changed, "Succeeded")
    assert line.workload()["StackStatus"] == "UPDATE_COMPLETE"
    assert parameters(line.workload()) == {"Title": f"two-{DEV}"}


def test_a_stack_that_fails_is_told_with_its_reason_and_retried(line: Line) -> None:
    queue = watch_events(line.cloud, HUB, {"source": ["aws.codepipeline"], "detail": {"state": ["FAILED", "RESUMED"]}})
    first = line.start(line.package("one"))
    line.approve(first)
    line.until(first, "Succeeded")
    execution = line.start(line.package("two", Topic=TOPIC, Queue=QUEUE))
    line.approve(execution)
    reason = line.failure(execution)
    assert "UPDATE_ROLLBACK_COMPLETE" in reason
    assert "sqs:CreateQueue" in reason
    failed = line.action_state("Execute")
    assert failed["errorDetails"]["code"] == "JobFailed"
    assert failed["externalExecutionId"] == line.workload()["StackId"]
    for _ in range(2):
        line.grant(DEV, line.stack_roles[DEV], statement("sqs:*", "*"))
        # The change set was executed: what failed alone cannot succeed any more, the whole stage can.
        line.pipelines.retry_stage_execution(
            pipelineName=line.name, stageName="Stage1", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
        )
        assert "InvalidChangeSetStatus" in line.failure(execution)
    line.pipelines.retry_stage_execution(
        pipelineName=line.name, stageName="Stage1", pipelineExecutionId=execution, retryMode="ALL_ACTIONS"
    )
    line.approve(execution)
    line.until(execution, "Succeeded")
    assert parameters(line.workload()) == {"Title": f"two-{DEV}"}
    details = told(line.cloud, queue, 5)
    assert [(one.get("action"), one.get("stage"), one["state"]) for one in details] == [
        ("Execute", "Stage1", "FAILED"),
        (None, "Stage1", "FAILED"),
        (None, None, "FAILED"),
        (None, None, "RESUMED"),
        (None, "Stage1", "RESUMED"),
    ]
    assert details[0]["execution-result"]["error-code"] == "JobFailed"
    assert (details[2]["pipeline-execution-attempt"], details[3]["pipeline-execution-attempt"]) == (1.0, 2.0)
    with pytest.raises(ClientError, match="StageNotRetryable"):
        line.pipelines.retry_stage_execution(
            pipelineName=line.name, stageName="Stage1", pipelineExecutionId=execution, retryMode="ALL_ACTIONS"
        )


def test_an_execution_is_stopped_at_once_or_when_its_action_has_ended(line: Line) -> None:
    queue = watch_events(
        line.cloud, HUB, {"detail": {"pipeline": [line.name], "state": ["STOPPING", "STOPPED", "ABANDONED"]}}
    )
    execution = line.start(line.package("one"))
    token = line.asked(execution)
    named = {"pipelineName": line.name, "pipelineExecutionId": execution}
    line.pipelines.stop_pipeline_execution(**named, reason="wait")
    assert line.status(execution) == "Stopping"
    assert line.stage_state()["latestExecution"]["status"] == "Stopping"
    with pytest.raises(ClientError, match="DuplicatedStopRequest"):
        line.pipelines.stop_pipeline_execution(**named)
    line.answer(token)
    line.until(execution, "Stopped")
    assert [run["actionName"] for run in line.runs(execution)] == ["Fetch", "Plan", "Approve"]
    assert line.executions()[0]["stopTrigger"] == {"reason": "wait"}
    with pytest.raises(ClientError, match="NotStoppable"):
        line.pipelines.stop_pipeline_execution(**named)
    line.pipelines.retry_stage_execution(stageName="Stage1", retryMode="FAILED_ACTIONS", **named)
    line.until(execution, "Succeeded")

    abandoned = line.start(line.package("two"))
    token = line.asked(abandoned)
    line.pipelines.stop_pipeline_execution(pipelineName=line.name, pipelineExecutionId=abandoned, abandon=True)
    line.until(abandoned, "Stopped")
    assert line.runs(abandoned)[-1]["status"] == "Abandoned"
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        line.answer(token)
    told_states = [(one.get("action"), one.get("stage"), one["state"]) for one in told(line.cloud, queue, 9)]
    ends = [(None, "Stage1", "STOPPED"), (None, None, "STOPPED")]
    begins = [(None, None, "STOPPING"), (None, "Stage1", "STOPPING")]
    assert told_states == [*begins, *ends, *begins, ("Approve", "Stage1", "ABANDONED"), *ends]


def test_a_waiting_execution_is_superseded_by_a_newer_one(line: Line) -> None:
    queue = watch_events(line.cloud, HUB, {"detail": {"pipeline": [line.name], "state": ["SUPERSEDED"]}})
    version = line.package("one")
    first = line.start(version)
    token = line.asked(first)
    second = line.start(version)
    eventually(lambda: line.stage_state().get("inboundExecution", {}).get("pipelineExecutionId") == second)
    third = line.start(version)
    line.until(second, "Superseded")
    assert told(line.cloud, queue, 1)[0]["execution-id"] == second
    assert line.status(first) == "InProgress"
    line.answer(token, "Rejected")
    line.until(first, "Failed")
    token = line.asked(third)
    with pytest.raises(ClientError, match="NotLatestPipelineExecution"):
        line.pipelines.retry_stage_execution(
            pipelineName=line.name, stageName="Stage1", pipelineExecutionId=first, retryMode="ALL_ACTIONS"
        )
    line.answer(token)
    line.until(third, "Succeeded")


def test_queued_executions_take_their_turn_and_a_closed_transition_holds_them(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    line.provision(mode="QUEUED")
    one, two = line.package("one"), line.package("two")
    first = line.start(one)
    token = line.asked(first)
    second = line.start(two)
    eventually(lambda: len(line.stage_state().get("inboundExecutions", [])) == 1)
    third = line.start(one)
    eventually(lambda: len(line.stage_state().get("inboundExecutions", [])) == 2)
    waiting = [entry["pipelineExecutionId"] for entry in line.stage_state()["inboundExecutions"]]
    assert waiting == [second, third]
    named = {"pipelineName": line.name, "stageName": "Stage1", "transitionType": "Inbound"}
    line.pipelines.disable_stage_transition(**named, reason="not on Fridays")
    line.answer(token)
    line.until(first, "Succeeded")
    held = line.stage_state()
    assert held["latestExecution"]["pipelineExecutionId"] == first
    assert held["inboundTransitionState"]["disabledReason"] == "not on Fridays"
    line.pipelines.stop_pipeline_execution(pipelineName=line.name, pipelineExecutionId=third)
    line.until(third, "Stopped")
    line.pipelines.enable_stage_transition(**named)
    line.approve(second)
    line.until(second, "Succeeded")
    assert parameters(line.workload()) == {"Title": f"two-{DEV}"}


def test_parallel_executions_do_not_wait_and_show_no_tokens(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    line.provision({"Name": "Stage1", "Actions": [action("Approve", "Approval", "Manual", {})]}, mode="PARALLEL")
    version = line.package("one")

    def asked(execution: str) -> str:
        runs = line.runs(execution)
        found = runs[-1]["output"]["executionResult"].get("externalExecutionId", "")
        return str(found) if runs[-1]["actionName"] == "Approve" else ""

    both = [line.start(version), line.start(version)]
    tokens = {execution: eventually(partial(asked, execution)) for execution in both}
    assert "token" not in line.action_state("Approve")
    for execution, token in tokens.items():
        line.answer(token)
        line.until(execution, "Succeeded")


def test_actions_of_one_run_order_run_at_once_and_only_the_failed_one_again(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    both = [action(name, "Approval", "Manual", {}) for name in ("Approve", "Also")]
    line.provision({"Name": "Stage1", "Actions": both})
    cloud.jobs(hold=True)
    try:
        execution = line.start(line.package("one"))
        eventually(lambda: line.stage_state(0).get("latestExecution", {}).get("pipelineExecutionId") == execution)
        assert line.runs(execution) == []
    finally:
        cloud.jobs(hold=False)
    token = line.asked(execution)
    also = eventually(lambda: line.action_state("Also").get("token"))
    line.answer(token, "Rejected")
    eventually(lambda: line.action_state("Approve")["status"] == "Failed")
    assert line.status(execution) == "InProgress"
    line.pipelines.put_approval_result(
        pipelineName=line.name,
        stageName="Stage1",
        actionName="Also",
        token=also,
        result={"status": "Approved", "summary": ""},
    )
    line.until(execution, "Failed")
    line.pipelines.retry_stage_execution(
        pipelineName=line.name, stageName="Stage1", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    line.answer(eventually(lambda: str(line.action_state("Approve").get("token", ""))))
    line.until(execution, "Succeeded")
    names = [run["actionName"] for run in line.runs(execution)]
    assert (names.count("Approve"), names.count("Also")) == (2, 1)


def test_a_delivered_commit_becomes_one_object(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    connection = f"arn:aws:codeconnections:{REGION}:{HUB}:connection/one"
    given = {"ConnectionArn": connection, "FullRepositoryId": "team/models", "BranchName": "main"}
    fetch = action("Fetch", "Source", "CodeStarSourceConnection", given, OutputArtifacts=[{"Name": "Commit"}])
    key = "archives/#{Git.CommitId}.zip"
    target = {"BucketName": line.packages, "Extract": "false", "ObjectKey": key, "KMSEncryptionKeyARN": line.key}
    put = action("Deliver", "Deploy", "S3", target, InputArtifacts=[{"Name": "Commit"}])
    line.provision({"Name": "Deliver", "Actions": [put]}, source={**fetch, "Namespace": "Git"}, first="")
    assert line.executions() == []
    archive, commit = zipped({"mlops-config.json": b"{}"}), {"CommitId": "a1b2c3", "CommitMessage": "First"}
    with pytest.raises(RuntimeError, match="codeconnections:UseConnection"):
        cloud.deliver(line.name, archive, commit, account=HUB)
    line.grant(HUB, line.role, statement("codeconnections:UseConnection", connection))
    with pytest.raises(RuntimeError, match="s3:PutObject"):
        cloud.deliver(line.name, archive, commit, account=HUB)
    line.grant(HUB, line.role, statement("s3:PutObject", f"arn:aws:s3:::{line.packages}/archives/*"))
    execution = cloud.deliver(line.name, archive, commit, account=HUB)
    assert line.runs(execution)[0]["output"]["outputVariables"] == commit
    found = cloud.client("s3", HUB).get_object(Bucket=line.packages, Key="archives/a1b2c3.zip")
    assert (found["Body"].read(), found["SSEKMSKeyId"]) == (archive, line.key)


def test_stacks_are_made_changed_and_deleted_without_change_sets(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    deploy = line.deploy("CREATE_UPDATE", DEV, OutputFileName="outputs.json", ParameterOverrides='{"Title": "over"}')
    deploy |= {"OutputArtifacts": [{"Name": "Outputs"}], "Namespace": "Stack"}
    later = line.deploy("CREATE_UPDATE", DEV, 2)
    later["Configuration"]["ParameterOverrides"] = json.dumps(
        {"Title": {"Fn::GetParam": ["Outputs", "outputs.json", "Name"]}}
    )
    later["InputArtifacts"].append({"Name": "Outputs"})
    remove = line.deploy("DELETE_ONLY", DEV)
    line.provision(
        {"Name": "Stage1", "Actions": [deploy, {**later, "Name": "Again"}]},
        {"Name": "Stage2", "Actions": [action("Approve", "Approval", "Manual", {"CustomData": "#{Stack.Name}"})]},
        {"Name": "Stage3", "Actions": [remove]},
    )
    line.grant(
        DEV,
        line.action_roles[DEV],
        statement("s3:PutObject", f"arn:aws:s3:::{line.artifacts}/*"),
        statement("kms:GenerateDataKey", line.key),
    )
    policy = json.loads(cloud.client("s3", HUB).get_bucket_policy(Bucket=line.artifacts)["Policy"])
    policy["Statement"][0]["Action"] = ["s3:GetObject", "s3:PutObject"]
    cloud.client("s3", HUB).put_bucket_policy(Bucket=line.artifacts, Policy=json.dumps(policy))
    root = statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
    abroad = statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{DEV}:root"})
    cloud.client("kms", HUB).put_key_policy(
        KeyId=line.key, PolicyName="default", Policy=json.dumps({"Statement": [root, abroad]})
    )
    execution = line.start(line.package("one"))
    line.approve(execution, 2)
    line.until(execution, "Succeeded")
    runs = line.runs(execution)
    summaries = [run["output"]["executionResult"]["externalExecutionSummary"] for run in runs[1:]]
    assert summaries == [
        f"Stack {line.stack} was created.",
        f"Stack {line.stack} is up to date.",
        "seen",
        f"Stack {line.stack} was deleted.",
    ]
    assert runs[1]["output"]["outputVariables"] == {"Name": "over"}
    assert runs[3]["input"]["resolvedConfiguration"] == {"CustomData": "over"}
    with pytest.raises(ClientError, match="does not exist"):
        line.workload()
