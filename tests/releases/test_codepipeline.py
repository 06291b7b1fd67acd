"""Releases through CodePipeline: what its users see of them there, and what they do there all the same.

In the short run what needs a real pipeline to be seen; ``tests/steps/test_codepipeline.py`` has every path in memory.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.follow import waiting_approval
from local.inference import ask_endpoint, ask_model
from local.settings import ORCHESTRATOR
from local.timeline import entered_states
from orchestrator.core.pipelines.template import CHANGE_SET
from tests.releases.pipelines import Line, asked
from tests.releases.team import Team, eventually, stage

REASON = "The recall of the malignant class is below what we agreed on."


def test_the_example_goes_through_its_pipeline_and_answers(piped: Team, live_piped: str) -> None:
    line = Line(piped, piped.example_workload)
    ended = piped.ended(live_piped)
    assert ask_endpoint(piped.running, ended, piped.example).value == ask_model(piped.example).value
    through = dict.fromkeys(("Plan", "Approve", "Execute"), "Succeeded")
    expected = {"Source": ("Succeeded", {"Package": "Succeeded"})}
    assert line.state() == expected | dict.fromkeys(line.stages, ("Succeeded", through))
    assert line.status(line.execution_of(live_piped)) == "Succeeded"
    place, _, called = line.asking
    told = line.action(called, "Approve")
    assert "Ben Okafor" in told["summary"]
    assert told["lastUpdatedBy"].startswith(f"arn:aws:sts::{ORCHESTRATOR}:assumed-role/mlops-function-deploy-stage/")
    shown = piped.show(live_piped)["pipeline"]
    assert (shown["name"], shown["execution_id"]) == (line.name, line.execution_of(live_piped))
    assert eventually("the link in Slack", lambda: piped.message_with(live_piped, f"<{shown['console']}|{line.name}>"))
    states = [name for _, name in entered_states(piped.running, ended.execution_arn)]
    assert states[0] == "Package"
    assert states[-1] == "Succeeded"
    assert stage(piped.show(live_piped), place)["approval"]["status"] == "approved"


def test_the_executions_source_is_the_releases_package_and_no_other(piped: Team, live_piped: str) -> None:
    line = Line(piped, piped.example_workload)
    row = (piped.row(f"RELEASE#{live_piped}", "RELEASE") or {})["body"]["M"]
    found = line.client.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]
    ours = next(one for one in found if one["pipelineExecutionId"] == line.execution_of(live_piped))
    assert ours["sourceRevisions"][0]["revisionId"] == row["package_version"]["S"]
    # The one that CodePipeline starts by itself has no package, and has come to nothing.
    (first,) = [one for one in found if one["trigger"]["triggerType"] == "CreatePipeline"]
    assert first["status"] == "Failed"


def test_a_newer_object_that_is_written_meanwhile_is_not_deployed(piped: Team, live_piped: str) -> None:
    name = "raced"
    line = Line(piped, f"{name}-realtime")
    s3, bucket = piped.client("s3", ORCHESTRATOR), piped.running.outputs["PackagesBucketName"]
    other = (piped.row(f"RELEASE#{live_piped}", "RELEASE") or {})["body"]["M"]["package_key"]["S"]
    piped.running.cloud.faults(hold_jobs=True)
    try:
        piped.upload(name, piped.configuration(name))
        release_id = piped.started(line.workload)

        def held() -> dict[str, Any] | None:
            row = (piped.row(f"RELEASE#{release_id}", "RELEASE") or {})["body"]["M"]
            return row if row["pipeline_execution"]["S"] else None

        row = eventually("an execution that has fetched nothing yet", held)
        assert line.state()["Source"][1]["Package"] != "InProgress"
        key = row["package_key"]["S"]
        newer = s3.put_object(Bucket=bucket, Key=key, Body=s3.get_object(Bucket=bucket, Key=other)["Body"].read())
        assert newer["VersionId"] != row["package_version"]["S"]
    finally:
        piped.running.cloud.faults(hold_jobs=False)
    piped.until_asked(release_id, line.asking[0])
    found = line.client.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]
    ours = next(one for one in found if one["pipelineExecutionId"] == line.execution_of(release_id))
    assert ours["sourceRevisions"][0]["revisionId"] == row["package_version"]["S"]
    parameters = stage(piped.show(release_id), line.asking[0])["plan"]["parameters"]
    assert any(name in str(one["after"]) for one in parameters)
    piped.put_aside(release_id)


def test_what_somebody_starts_in_the_console_deploys_nothing(piped: Team, live_piped: str) -> None:
    line = Line(piped, piped.example_workload)
    before = piped.stack_updates()
    execution = line.client.start_pipeline_execution(name=line.name)["pipelineExecutionId"]
    line.until(execution, "Failed")
    assert line.state()["Source"][0] == "Failed"
    assert piped.stack_updates() == before


def test_the_state_of_the_pipeline_tells_each_point_and_so_does_the_api(piped: Team, live_piped: str) -> None:
    name = "looked-at"
    release_id, line = asked(piped, name)
    place, account, called = line.asking
    status, actions = line.state()[called]
    assert (status, actions) == ("InProgress", {"Plan": "Succeeded", "Approve": "InProgress", "Execute": ""})
    for later in line.stages[line.stages.index(called) + 1 :]:
        assert line.state()[later][0] == ""
    plan = stage(piped.show(release_id), place)["plan"]
    row = (piped.row(f"RELEASE#{release_id}", f"STAGE#{place}") or {})["body"]["M"]["plan"]["M"]
    made = piped.client("cloudformation", account).describe_change_set(
        StackName=piped.show(release_id)["stack_name"], ChangeSetName=CHANGE_SET
    )
    assert row["change_set_arn"]["S"] == made["ChangeSetId"]
    assert len(plan["resources"]) == len(made["Changes"])

    stack = piped.show(release_id)["stack_name"]
    pipeline_id = f"arn:aws:cloudformation:us-east-1:{ORCHESTRATOR}:stack/{stack}/{release_id}"
    answer = piped.follower.api("POST", "/pipelinestatus", {"pipeline_id": pipeline_id})
    assert answer.status == 200, answer.body
    state = answer.json()
    assert state["pipelineName"] == line.name
    shown = {one["stageName"]: one.get("latestExecution", {}).get("status", "") for one in state["stageStates"]}
    assert shown == {name: found for name, (found, _) in line.state().items()}
    token = line.action(called, "Approve")["token"]
    assert token not in json.dumps(state)

    piped.reject(release_id, REASON)
    assert piped.ended(release_id).status == "rejected"
    execution = line.execution_of(release_id)
    line.until(execution, "Failed")
    assert line.state()[called][1]["Approve"] == "Failed"
    assert REASON in line.action(called, "Approve")["summary"]
    assert piped.stack(account, stack) is None
    message = eventually("the reason in Slack", lambda: piped.message_with(release_id, REASON))
    assert '"action_id": "approve"' not in message
    for function in ("plan-stage", "deploy-stage", "record-outcome", "resume-deployment", "api"):
        assert not [line for line in piped.log_lines(function) if token in line], function


@pytest.mark.long
def test_a_question_that_nobody_answers_in_time_stops_the_execution(piped: Team, live_piped: str) -> None:
    release_id, line = asked(piped, "too-late")
    found = piped.show(release_id)
    assert piped.running.cloud.expire_tasks(found["execution_arn"]) == 1
    assert piped.ended(release_id).status == "expired"
    line.until(line.execution_of(release_id), "Stopped")
    assert piped.stack(line.asking[1], found["stack_name"]) is None


@pytest.mark.long
def test_a_newer_release_supersedes_one_that_waits(piped: Team, live_piped: str) -> None:
    name = "overtaken"
    first, line = asked(piped, name)
    second, _ = asked(piped, name, instance_count=2)
    assert piped.ended(first).status == "superseded"
    line.until(line.execution_of(first), "Stopped")
    assert line.execution_of(second) != line.execution_of(first)
    assert line.action(line.asking[2], "Approve")["status"] == "InProgress"
    piped.put_aside(second)


@pytest.mark.long
def test_a_plan_that_has_become_stale_is_made_and_asked_anew(piped: Team, live_piped: str) -> None:
    name = "moving"
    first = piped.release(name, piped.configuration(name))
    assert first["status"] == "succeeded", first["reason"]
    release_id, line = asked(piped, name, inference_instance="ml.m5.2xlarge")
    place, account, called = line.asking
    before = stage(piped.show(release_id), place)["approval"]["approval_id"]
    cloudformation = piped.client("cloudformation", account)
    stack = piped.stack(account, first["stack_name"])
    assert stack is not None
    cloudformation.update_stack(
        StackName=first["stack_name"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in stack["Parameters"]],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": "by", "Value": "hand"}],
    )
    piped.approve(before)

    def asked_anew() -> str:
        found = piped.show(release_id)
        approval = waiting_approval(found) if found["status"] == "awaiting_approval" else ""
        return approval if approval and approval != before else ""

    piped.approve(eventually("another question", asked_anew))
    ended = piped.follower.until_end(release_id, decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    assert line.plans(line.execution_of(release_id), called) == 2
    line.until(line.execution_of(release_id), "Succeeded")


def test_an_approval_in_the_console_flows_back_and_is_told_as_outside_the_policy(piped: Team, live_piped: str) -> None:
    release_id, line = asked(piped, "by-console")
    place, _, called = line.asking
    line.answer(called, "Approved", "I know better")
    eventually("it flows back", lambda: stage(piped.show(release_id), place)["approval"]["status"] == "approved")
    ended = piped.follower.until_end(release_id, decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    approval = stage(piped.show(release_id), place)["approval"]
    assert approval["status"] == "approved"
    (vote,) = approval["votes"]
    assert vote["by"].endswith("(outside the policy)")
    assert vote["via"] == "codepipeline"
    rows, _ = piped.ledger(line.workload, release_id)
    (told,) = [row["entry"] for row in rows if (row["entry"]["kind"], row["entry"]["stage"]) == ("decision", place)]
    assert f"arn:aws:iam::{ORCHESTRATOR}:root" in json.dumps(told["actor"])
    assert told["via"] == "codepipeline"
    assert eventually("told in Slack", lambda: piped.message_with(release_id, "outside the policy"))
    seen = [*piped.logged("resume-deployment"), *piped.logged("sweep-waits")]
    assert sum(line.get("outside", 0) for line in seen) == 1, "what the alarm counts"


@pytest.mark.long
def test_going_back_deploys_the_earlier_package_though_a_newer_object_has_its_key(piped: Team, live_piped: str) -> None:
    name = "returning"
    line = Line(piped, f"{name}-realtime")
    first = piped.release(name, piped.configuration(name, description="The one that worked."))
    second = piped.release(name, piped.configuration(name, inference_instance="ml.m5.2xlarge"))
    assert [first["status"], second["status"]] == ["succeeded", "succeeded"]
    packages = {one["release_id"]: piped.row(f"RELEASE#{one['release_id']}", "RELEASE") for one in (first, second)}
    keys = {name: row["body"]["M"]["package_key"]["S"] for name, row in packages.items() if row}
    s3, bucket = piped.client("s3", ORCHESTRATOR), piped.running.outputs["PackagesBucketName"]
    newer = s3.get_object(Bucket=bucket, Key=keys[second["release_id"]])["Body"].read()
    s3.put_object(Bucket=bucket, Key=keys[first["release_id"]], Body=newer)
    known = frozenset(one["release_id"] for one in piped.releases(line.workload))
    reply = piped.follower.api("POST", f"/releases/{first['release_id']}/rollback", {"reason": REASON})
    assert reply.status < 300, reply.body
    back = piped.started(line.workload, known)
    ended = piped.follower.until_end(back, decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    _, account, _ = line.asking
    stack = piped.stack(account, first["stack_name"])
    assert stack is not None
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert parameters["InferenceInstance"] != "ml.m5.2xlarge"


@pytest.mark.long
def test_the_same_content_again_passes_through_and_changes_nothing(piped: Team, live_piped: str) -> None:
    line = Line(piped, piped.example_workload)
    before = piped.stack_updates()
    known = frozenset(one["release_id"] for one in piped.releases(line.workload))
    reply = piped.follower.api(
        "POST", "/provisionpipeline?force=true", json.loads(piped.example.configuration.read_text())
    )
    assert reply.status == 200, reply.body
    release_id = piped.started(line.workload, known)
    ended = piped.follower.until_end(release_id, decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    line.until(line.execution_of(release_id), "Succeeded")
    changed = {
        account: [one for one in stacks if one not in before[account]]
        for account, stacks in piped.stack_updates().items()
    }
    assert all(one[0] != ended.stack_name for stacks in changed.values() for one in stacks)


@pytest.mark.long
def test_a_removal_takes_the_pipeline_too(piped: Team, live_piped: str) -> None:
    name = "leaving"
    line = Line(piped, f"{name}-realtime")
    released = piped.release(name, piped.configuration(name))
    assert released["status"] == "succeeded", released["reason"]
    reply = piped.follower.api("DELETE", f"/workloads/{line.workload}")
    assert reply.status == 202, reply.body
    ended = piped.follower.until_end(str(reply.json()["release_id"]), decide=piped.approve)
    assert ended.status == "succeeded", ended.reason
    for account in piped.running.stages.values():
        assert piped.stack(account, released["stack_name"]) is None

    def gone() -> bool:
        return line.name not in {one["name"] for one in line.client.list_pipelines()["pipelines"]}

    eventually("the pipeline is gone", gone, 30)
