"""Pipelines that are made, changed and refused, and what their roles must be allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from local.cloud.codepipeline import resources, structure
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    failed_events,
    make_role,
    service_trust,
    statement,
    trust,
    unique,
)
from tests.cloud.bridges.releasing import Line

pytestmark = pytest.mark.cloud

Declaration = dict[str, Any]


def kind(category: str, provider: str) -> dict[str, str]:
    return {"category": category, "owner": "AWS", "provider": provider, "version": "1"}


def declaration() -> Declaration:
    """One that breaks no rule."""
    return {
        "name": "a-pipeline",
        "roleArn": f"arn:aws:iam::{HUB}:role/pipeline",
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "a-bucket"},
        "stages": [
            {
                "name": "Source",
                "actions": [
                    {
                        "name": "Fetch",
                        "actionTypeId": kind("Source", "S3"),
                        "configuration": {"S3Bucket": "b", "S3ObjectKey": "k"},
                        "outputArtifacts": [{"name": "Package"}],
                    }
                ],
            },
            {
                "name": "Deploy",
                "actions": [
                    {
                        "name": "Plan",
                        "actionTypeId": kind("Deploy", "CloudFormation"),
                        "runOrder": 1,
                        "configuration": {
                            "ActionMode": "CHANGE_SET_REPLACE",
                            "StackName": "s",
                            "ChangeSetName": "c",
                            "RoleArn": "r",
                            "TemplatePath": "Package::t.json",
                        },
                        "inputArtifacts": [{"name": "Package"}],
                    },
                    {
                        "name": "Approve",
                        "actionTypeId": kind("Approval", "Manual"),
                        "runOrder": 2,
                        "timeoutInMinutes": 5,
                    },
                ],
            },
        ],
    }


def source(found: Declaration) -> Any:
    return found["stages"][0]["actions"][0]


def plan(found: Declaration) -> Any:
    return found["stages"][1]["actions"][0]


BROKEN = [
    pytest.param(lambda d: d["stages"].pop(), "InvalidStructure", "minimum of 2 stages", id="one stage"),
    pytest.param(
        lambda d: d["stages"].reverse(), "InvalidStructure", "only contains source actions", id="no source first"
    ),
    pytest.param(
        lambda d: d["stages"][1]["actions"].append({**source(d), "name": "More", "outputArtifacts": [{"name": "B"}]}),
        "InvalidStructure",
        "first stage only",
        id="a source later",
    ),
    pytest.param(
        lambda d: d["stages"][1].update(name="Source"), "InvalidStage", "unique within a pipeline", id="stages"
    ),
    pytest.param(lambda d: plan(d).update(name="Approve"), "InvalidAction", "unique within a stage", id="actions"),
    pytest.param(lambda d: d.pop("artifactStore"), "InvalidStructure", "Exactly one of artifactStore", id="no store"),
    pytest.param(
        lambda d: d.update(pipelineType="V1", executionMode="QUEUED"),
        "InvalidStructure",
        "needs a pipeline of type V2",
        id="V1",
    ),
    pytest.param(
        lambda d: plan(d).update(
            inputArtifacts=[{"name": "Other"}], configuration={**plan(d)["configuration"], "TemplatePath": "Other::t"}
        ),
        "InvalidStructure",
        "not the output of an earlier action",
        id="unknown artifact",
    ),
    pytest.param(
        lambda d: plan(d).update(
            outputArtifacts=[{"name": "Package"}], configuration={**plan(d)["configuration"], "OutputFileName": "o"}
        ),
        "InvalidStructure",
        "has been used more than once",
        id="artifact made twice",
    ),
    pytest.param(
        lambda d: source(d)["configuration"].pop("S3Bucket"), "InvalidAction", "missing required", id="missing"
    ),
    pytest.param(
        lambda d: source(d)["configuration"].update(Bucket="b"),
        "InvalidAction",
        "unknown configuration 'Bucket'",
        id="unknown",
    ),
    pytest.param(
        lambda d: plan(d)["configuration"].pop("ChangeSetName"), "InvalidAction", "'ChangeSetName'", id="no name"
    ),
    pytest.param(
        lambda d: plan(d)["configuration"].update(ActionMode="GUESS"), "InvalidAction", "unknown ActionMode", id="mode"
    ),
    pytest.param(
        lambda d: plan(d)["configuration"].update(TemplatePath="t.json"), "InvalidAction", "names no file", id="path"
    ),
    pytest.param(lambda d: plan(d).update(timeoutInMinutes=5), "InvalidAction", "only manual approvals", id="time-out"),
    pytest.param(
        lambda d: plan(d).update(actionTypeId=kind("Build", "CodeBuild")), "InvalidAction", "does not run", id="kind"
    ),
    pytest.param(
        lambda d: d.update(artifactStores={"eu-west-1": d.pop("artifactStore")}),
        "InvalidStructure",
        f"region {REGION}",
        id="no store in the region",
    ),
    pytest.param(
        lambda d: plan(d).update(region="eu-west-1"), "InvalidAction", "in the pipeline's region only", id="region"
    ),
]


@pytest.mark.parametrize(("spoil", "code", "words"), BROKEN)
def test_a_declaration_that_breaks_a_rule(spoil: Callable[[Declaration], Any], code: str, words: str) -> None:
    assert structure.problem(declaration(), REGION) is None
    broken = declaration()
    spoil(broken)
    found = structure.problem(broken, REGION)
    assert found is not None
    assert found[0].startswith(code)
    assert words in found[1]


def test_a_templates_properties_become_a_declaration() -> None:
    store = {"Type": "S3", "Location": "a-bucket", "EncryptionKey": {"Id": "a-key", "Type": "KMS"}}
    kind_id = {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"}
    fetch = {
        "Name": "Fetch",
        "ActionTypeId": kind_id,
        "Configuration": {"S3Bucket": "b", "PollForSourceChanges": False},
        "OutputArtifacts": [{"Name": "Package"}],
    }
    found = resources.declaration_of(
        "a-pipeline",
        {
            "RoleArn": f"arn:aws:iam::{HUB}:role/pipeline",
            "PipelineType": "V2",
            "ArtifactStores": [{"Region": REGION, "ArtifactStore": store}],
            "Variables": [{"Name": "Team", "DefaultValue": "a"}],
            "Stages": [{"Name": "Source", "Actions": [fetch]}],
            "RestartExecutionOnUpdate": False,
        },
    )
    assert found == {
        "name": "a-pipeline",
        "roleArn": f"arn:aws:iam::{HUB}:role/pipeline",
        "pipelineType": "V2",
        "artifactStores": {
            REGION: {"type": "S3", "location": "a-bucket", "encryptionKey": {"id": "a-key", "type": "KMS"}}
        },
        "variables": [{"name": "Team", "defaultValue": "a"}],
        "stages": [
            {
                "name": "Source",
                "actions": [
                    {
                        "name": "Fetch",
                        "actionTypeId": kind("Source", "S3"),
                        "configuration": {"S3Bucket": "b", "PollForSourceChanges": "false"},
                        "outputArtifacts": [{"name": "Package"}],
                    }
                ],
            }
        ],
    }
    with pytest.raises(resources.PipelineFailed, match="failed to satisfy constraint"):
        resources.declaration_of("no spaces", {"RoleArn": "arn:aws:iam::1:role/x", "Stages": []})


def test_a_pipeline_is_made_changed_and_removed_by_the_api(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, HUB, service_trust("codepipeline"))
    client, name = cloud.client("codepipeline", HUB), unique("by-hand")
    given = {**declaration(), "name": name, "roleArn": role}
    made = client.create_pipeline(pipeline=given, tags=[{"key": "team", "value": "a"}])
    assert (made["pipeline"]["version"], made["pipeline"]["executionMode"]) == (1, "SUPERSEDED")
    with pytest.raises(ClientError, match="PipelineNameInUse"):
        client.create_pipeline(pipeline=given)
    assert client.update_pipeline(pipeline={**given, "executionMode": "QUEUED"})["pipeline"]["version"] == 2
    arn = f"arn:aws:codepipeline:{REGION}:{HUB}:{name}"
    found = client.get_pipeline(name=name)
    assert found["metadata"]["pipelineArn"] == arn
    assert found["pipeline"]["stages"][1]["actions"][1]["timeoutInMinutes"] == 5
    client.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "b"}, {"key": "more", "value": "c"}])
    client.untag_resource(resourceArn=arn, tagKeys=["more"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "b"}]
    assert name in [one["name"] for one in client.list_pipelines()["pipelines"]]
    client.delete_pipeline(name=name)
    client.delete_pipeline(name=name)
    with pytest.raises(ClientError, match="PipelineNotFound"):
        client.get_pipeline_state(name=name)


REFUSED = [
    pytest.param("start_pipeline_execution", {"name": "absent"}, "PipelineNotFound", id="pipeline"),
    pytest.param(
        "start_pipeline_execution",
        {"sourceRevisions": [{"actionName": "No", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "1"}]},
        "no source action No",
        id="source",
    ),
    pytest.param(
        "start_pipeline_execution",
        {"sourceRevisions": [{"actionName": "Fetch", "revisionType": "COMMIT_ID", "revisionValue": "1"}]},
        "no revisions of COMMIT_ID",
        id="revision",
    ),
    pytest.param(
        "start_pipeline_execution", {"variables": [{"name": "X", "value": "1"}]}, "no variables X", id="variable"
    ),
    pytest.param(
        "get_pipeline_execution",
        {"pipelineExecutionId": "0" * 8 + "-0000" * 3 + "-" + "0" * 12},
        "ExecutionNotFound",
        id="execution",
    ),
    pytest.param("put_approval_result", {"stageName": "No", "actionName": "Approve"}, "StageNotFound", id="stage"),
    pytest.param("put_approval_result", {"stageName": "Stage1", "actionName": "No"}, "ActionNotFound", id="action"),
]


@pytest.fixture(scope="module")
def made(cloud: EmbeddedCloud) -> Line:
    """A pipeline that nothing is released with."""
    line = Line(cloud)
    line.provision()
    return line


@pytest.mark.parametrize(("call", "given", "words"), REFUSED)
def test_calls_about_what_is_not_there(made: Line, call: str, given: dict[str, Any], words: str) -> None:
    named: dict[str, Any] = {"name" if call.startswith("start") else "pipelineName": made.name}
    if call.startswith("put"):
        named |= {"token": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "result": {"status": "Approved", "summary": ""}}
    with pytest.raises(ClientError, match=words):
        getattr(made.pipelines, call)(**{**named, **given})


def test_a_changed_pipeline_ends_its_executions_and_starts_one_only_where_told(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    line.provision()
    version = line.package("one")
    execution = line.start(version)
    token = line.asked(execution)
    stack = line.provision(mode="QUEUED")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    line.answer(token)
    line.until(execution, "Cancelled")
    assert len(line.executions()) == 2
    with pytest.raises(ClientError, match="StageNotRetryable"):
        line.pipelines.retry_stage_execution(
            pipelineName=line.name, stageName="Stage1", pipelineExecutionId=execution, retryMode="ALL_ACTIONS"
        )
    closed = [{"StageName": "Stage1", "Reason": "later"}]
    line.provision(mode="QUEUED", RestartExecutionOnUpdate=True, DisableInboundStageTransitions=closed)
    eventually(lambda: line.stage_state().get("inboundExecution"))
    assert len(line.executions()) == 3
    cloud.client("cloudformation", HUB).delete_stack(StackName=line.template)
    eventually(lambda: line.name not in [one["name"] for one in line.pipelines.list_pipelines()["pipelines"]])


def test_a_template_that_breaks_a_rule_fails_its_stack(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    stage = line.stage(DEV)
    stage["Actions"][0]["Configuration"].pop("StackName")
    assert line.provision(stage, first="")["StackStatus"] == "ROLLBACK_COMPLETE"
    (event,) = failed_events(cloud, HUB, line.template)[:1]
    assert "missing required configuration 'StackName'" in event["ResourceStatusReason"]
    other = Line(cloud)
    other.role = make_role(cloud, HUB, service_trust("lambda"))
    other.provision(first="")
    assert (
        "not authorized to perform AssumeRole" in failed_events(cloud, HUB, other.template)[0]["ResourceStatusReason"]
    )


def test_each_right_of_the_pipelines_role_is_asked_for(cloud: EmbeddedCloud) -> None:
    line = Line(cloud)
    line.provision()
    version = line.package("one")
    words = {
        "source": f"access the Amazon S3 bucket named {line.packages}",
        "versioning": f"access the Amazon S3 bucket named {line.packages}",
        "artifacts": "s3:PutObject",
        "key": "kms:GenerateDataKey",
        "assume": f"not authorized to perform AssumeRole on role {line.action_roles[DEV]}",
    }
    for lacking, expected in words.items():
        line.have(*(name for name in line.rights if name != lacking))
        assert expected in line.failure(line.start(version)), lacking
    line.have(*line.rights)
    assert "cannot be read" in line.failure(line.start("no-such-version"))
    line.asked(line.start(version))


def _distrust(line: Line) -> None:
    name = line.action_roles[DEV].rpartition("/")[2]
    line.cloud.client("iam", DEV).update_assume_role_policy(
        RoleName=name, PolicyDocument=trust({"AWS": f"arn:aws:iam::{DEV}:root"})
    )


def _closed_bucket(line: Line) -> None:
    line.cloud.client("s3", HUB).delete_bucket_policy(Bucket=line.artifacts)


def _no_change_sets(line: Line) -> None:
    role = line.action_roles[DEV]
    line.grant(DEV, role, {**statement("cloudformation:CreateChangeSet", "*"), "Effect": "Deny"})


def _not_passed(line: Line) -> None:
    line.grant(DEV, line.action_roles[DEV], {**statement("iam:PassRole", "*"), "Effect": "Deny"})


ABROAD = [
    pytest.param(_distrust, "not authorized to perform AssumeRole", id="the role does not trust the pipeline"),
    pytest.param(_closed_bucket, "GetObject", id="the artifacts are closed"),
    pytest.param(_no_change_sets, "cloudformation:CreateChangeSet", id="no change sets"),
    pytest.param(_not_passed, "iam:PassRole", id="the stack's role is not passed"),
]


@pytest.mark.parametrize(("spoil", "words"), ABROAD)
def test_each_right_of_the_action_role_is_asked_for(
    cloud: EmbeddedCloud, spoil: Callable[[Line], None], words: str
) -> None:
    line = Line(cloud)
    line.provision()
    spoil(line)
    execution = line.start(line.package("one"))
    assert words in line.failure(execution)
    assert line.action_state("Plan")["errorDetails"]["code"] == "PermissionError"


def test_iam_is_asked_about_stages_and_actions(made: Line) -> None:
    arn = f"arn:aws:codepipeline:{REGION}:{HUB}:{made.name}"
    approver = make_role(
        made.cloud,
        HUB,
        trust({"AWS": f"arn:aws:iam::{HUB}:root"}),
        statement("codepipeline:PutApprovalResult", f"{arn}/Stage1/Approve"),
        statement("codepipeline:GetPipelineState", arn),
    )
    client = made.cloud.client_as("codepipeline", approver, HUB)
    client.get_pipeline_state(name=made.name)
    given: dict[str, Any] = {
        "pipelineName": made.name,
        "token": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
        "result": {"status": "Approved", "summary": ""},
    }
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        client.put_approval_result(stageName="Stage1", actionName="Approve", **given)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_approval_result(stageName="Stage2", actionName="Approve", **given)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.start_pipeline_execution(name=made.name)
