"""CodePipeline as the deploy engine: what the stacks hold then and at no other time, and who may do what with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint

from orchestrator.core.pipelines.template import template
from orchestrator.core.plans import ArtifactStore
from stacks.names import Names
from tests.events.samples import event as envelope
from tests.stacks import test_policies
from tests.stacks.event_matching import matches
from tests.stacks.templates import Statement, Synthesised, app_of, of_type, settings_of, statements, synthesise
from tests.stacks.test_lint import findings

HUB = "111111111111"
PIPELINES = f"arn:aws:codepipeline:us-east-1:{HUB}:mlops-deploy-*"
ACTION_ROLES = [f"arn:aws:iam::{account}:role/mlops/mlops-pipeline-action" for account in (
    HUB, "222222222222", "333333333333", "444444444444"
)]  # fmt: skip

REVIEWED = {
    ("orchestrator", PIPELINES): "pipelines are named by their workloads",
    ("orchestrator", f"{PIPELINES}/Deploy*"): "so are their stages, by ours",
    ("orchestrator", f"{PIPELINES}/Deploy*/Approve"): "and their approvals",
    ("orchestrator", f"arn:aws:cloudformation:us-east-1:{HUB}:stack/mlops-deploy-*/*"): "and the stacks that make them",
    ("orchestrator", "<ArtifactsBucket.Arn>/*"): "CodePipeline names artifacts",
    ("orchestrator", "<BucketsPackages.Arn>/packages/*"): "packages are named by releases",
    ("orchestrator", "*"): "in a key's own policy the resource is the key itself",
    ("stage", f"arn:aws:s3:::mlops-artifacts-{HUB}-us-east-1/*"): "CodePipeline names artifacts",
    ("stage", f"arn:aws:kms:us-east-1:{HUB}:key/*"): "a key's id is not known here; its encryption context is demanded",
    ("stage", "arn:aws:cloudformation:us-east-1:<account>:stack/mlops-pipeline-*/*"): "stacks of workloads",
}
"""Kind of stack and resource of each statement with a wildcard that this engine adds → why it cannot be narrower."""


@pytest.fixture(scope="module")
def piped(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Four accounts in which CodePipeline deploys."""
    return synthesise(settings_of("multi", deploy_engine="codepipeline"), tmp_path_factory.mktemp("piped"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """One account in which it does."""
    return synthesise(settings_of("single", deploy_engine="codepipeline"), tmp_path_factory.mktemp("piped-alone"))


def policies(found: Synthesised, stack: str) -> list[Statement]:
    return list(statements(stack, found.templates[stack]))


def test_nothing_of_it_is_there_where_cloudformation_deploys(synthesised: Synthesised) -> None:
    for name, whole in synthesised.templates.items():
        text = json.dumps(whole)
        assert ":mlops-deploy-" not in text, name
        assert "mlops-pipeline-action" not in text, name
        assert "mlops-artifacts" not in text, name


def test_cfn_lint_finds_nothing(piped: Synthesised, alone: Synthesised) -> None:
    paths = [path for made in (piped, alone) for path in sorted(made.folder.glob("*.template.json"))]
    assert [finding for path in paths for finding in findings(path)] == []


def test_cdk_nag_finds_nothing_but_wildcards(tmp_path: Path) -> None:
    app = app_of(settings_of("multi", deploy_engine="codepipeline"), tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"][0]
    rules = {violation["ruleName"] for violation in report["violations"]}
    assert [rule for rule in rules if not rule.startswith("AwsSolutions-IAM5")] == []


def test_the_pipeline_that_is_made_at_run_time_is_sound(piped: Synthesised) -> None:
    text = template(
        piped.settings.installation,
        workload="fraud-realtime",
        stack_name="mlops-pipeline-fraud-byompipelinerealtimebuiltin",
        stages=("dev", "staging", "prod"),
        capabilities=("CAPABILITY_IAM",),
        packages_bucket=Names(piped.settings).packages_bucket,
        artifacts=ArtifactStore(Names(piped.settings).artifacts_bucket, f"arn:aws:kms:us-east-1:{HUB}:key/1a2b"),
        tags={"mlops:workload": "fraud-realtime"},
    )
    assert [str(match) for match in lint(text)] == []
    assert len(text) < 51_200, "CloudFormation takes no more in a call"


def wild(found: Synthesised) -> set[tuple[str, str]]:
    return {(stack, resource) for stack, resource, _ in test_policies.wild(found)}


def test_every_wildcard_that_it_adds_has_been_reviewed(
    piped: Synthesised, alone: Synthesised, multi: Synthesised, single: Synthesised
) -> None:
    added = test_policies.wild(piped) - test_policies.wild(multi)
    assert {(stack, resource) for stack, resource, _ in added} - set(REVIEWED) == set()
    in_one = {right for right in test_policies.wild(alone) - test_policies.wild(single) if right[0] == "orchestrator"}
    assert {(stack, resource) for stack, resource, _ in in_one} - set(REVIEWED) == set()
    assert {place for place in REVIEWED if place not in wild(piped)} == set()


def test_no_deputy_is_confused_but_the_one_that_cannot_be_asked_for_an_external_id(piped: Synthesised) -> None:
    found = {
        (statement.stack, statement.resource.rstrip("0123456789ABCDEF")): why
        for statement in test_policies.every_statement(piped)
        if (why := test_policies.faults(statement, test_policies.account_of(piped, statement)))
        and not statement.resource.startswith("ArtifactsKey")
    }
    told = ["a role of another account may be assumed without external id or organisation"]
    assert found == {(f"MlopsStage-{place}", "RolesPipelineAction"): told for place in piped.places}


@pytest.mark.parametrize("place", ["dev", "staging", "prod", "orchestrator"])
def test_the_role_of_the_actions_lets_in_the_pipelines_role_alone(piped: Synthesised, place: str) -> None:
    (role,) = [
        one
        for one in of_type(piped.stage(place), "AWS::IAM::Role").values()
        if one.get("RoleName") == "mlops-pipeline-action"
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{HUB}:role/mlops/mlops-pipeline"]}}
    may = {
        action: statement.raw.get("Condition")
        for statement in policies(piped, f"MlopsStage-{place}")
        if statement.kind == "identity" and statement.resource.startswith("RolesPipelineAction")
        for action in statement.actions
    }
    assert "cloudformation:RoleArn" in json.dumps(may["cloudformation:CreateChangeSet"])
    assert "iam:PassedToService" in json.dumps(may["iam:PassRole"])
    assert not {action for action in may if action.startswith(("cloudformation:Create", "cloudformation:Update"))} - {
        "cloudformation:CreateChangeSet"
    }


def test_artifacts_are_read_by_the_pipelines_and_their_actions_and_denied_to_everybody_else(piped: Synthesised) -> None:
    everything = policies(piped, "MlopsOrchestrator")
    of_bucket = [statement for statement in everything if statement.resource.startswith("ArtifactsBucketP")]
    (deny,) = [statement.raw for statement in of_bucket if statement.raw.get("Sid") == "NobodyElse"]
    assert deny["Effect"] == "Deny"
    assert deny["Principal"] == {"AWS": "*"}
    assert set(deny["Condition"]["ArnNotLike"]["aws:PrincipalArn"]) == {
        f"arn:aws:iam::{HUB}:role/mlops/mlops-pipeline",
        *ACTION_ROLES,
    }
    (read,) = [statement for statement in of_bucket if statement.allows]
    assert set(read.actions) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert set(read.raw["Condition"]["ArnLike"]["aws:PrincipalArn"]) == set(ACTION_ROLES[1:])
    (bucket,) = [
        one
        for one in of_type(piped.orchestrator, "AWS::S3::Bucket").values()
        if one.get("BucketName") == f"mlops-artifacts-{HUB}-us-east-1"
    ]
    assert "aws:kms" in json.dumps(bucket["BucketEncryption"])


def users(found: Synthesised, action: str) -> set[str]:
    """Functions that may do something."""
    return {
        matched[1]
        for statement in policies(found, "MlopsOrchestrator")
        if statement.allows and action in statement.actions
        if (matched := re.match(r"Functions(\w+?)RoleDefaultPolicy", statement.resource))
    }


@pytest.mark.parametrize(
    ("action", "functions"),
    [
        ("codepipeline:PutApprovalResult", {"PlanStage", "DeployStage", "RecordOutcome"}),
        ("codepipeline:StartPipelineExecution", {"PlanStage", "DeployStage"}),
        ("codepipeline:RetryStageExecution", {"PlanStage", "DeployStage"}),
        ("codepipeline:StopPipelineExecution", {"PlanStage", "DeployStage", "RecordOutcome"}),
        (
            "codepipeline:GetPipelineExecution",
            {"PlanStage", "DeployStage", "RecordOutcome", "ResumeDeployment", "SweepWaits"},
        ),
        ("codepipeline:GetPipelineState", {"PlanStage", "DeployStage", "RecordOutcome", "Api"}),
        ("cloudformation:CreateStack", {"Package"}),
        ("cloudformation:DeleteStack", {"Package", "RecordOutcome"}),
    ],
)
def test_what_is_done_with_pipelines_is_granted_to_those_who_do_it(
    piped: Synthesised, action: str, functions: set[str]
) -> None:
    assert users(piped, action) == functions


def test_the_deny_statement_spares_those_who_answer_and_nobody_else(piped: Synthesised) -> None:
    output = piped.orchestrator["Outputs"]["PipelineApprovalsDenyStatement"]["Value"]
    statement = json.loads(output)
    assert (statement["Effect"], statement["Action"]) == ("Deny", "codepipeline:PutApprovalResult")
    assert statement["Resource"] == f"{PIPELINES}/*"
    spared = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    names = {arn.rpartition("/")[2].removeprefix("mlops-function-").title().replace("-", "") for arn in spared}
    assert names == users(piped, "codepipeline:PutApprovalResult")


CHANGED = "An execution of a workload's pipeline"


def changed(kind: str, state: str, pipeline: str = "mlops-deploy-fraud-realtime") -> dict[str, Any]:
    detail = {"pipeline": pipeline, "execution-id": "e", "state": state}
    return envelope("aws.codepipeline", f"CodePipeline {kind} Execution State Change", HUB, [], detail)


@pytest.mark.parametrize(
    ("event", "resumes"),
    [
        (changed("Pipeline", "FAILED"), True),
        (changed("Stage", "SUCCEEDED"), True),
        (changed("Action", "SUCCEEDED"), True),
        (changed("Action", "ABANDONED"), True),
        (changed("Action", "STARTED"), False),
        (changed("Pipeline", "STOPPING"), False),
        (changed("Pipeline", "FAILED", "mlops-source-github"), False),
        (changed("Pipeline", "FAILED", "somebody-elses"), False),
    ],
)
def test_ends_of_the_workloads_pipelines_resume(alone: Synthesised, event: dict[str, Any], resumes: bool) -> None:
    rules = of_type(alone.orchestrator, "AWS::Events::Rule").values()
    (rule,) = [one for one in rules if str(one.get("Description", "")).startswith(CHANGED)]
    assert matches(rule["EventPattern"], event) is resumes


def test_an_answer_outside_the_policy_raises_an_alarm(piped: Synthesised) -> None:
    alarms = of_type(piped.orchestrator, "AWS::CloudWatch::Alarm").values()
    (alarm,) = [one for one in alarms if one["AlarmName"] == "mlops-ApprovedOutside"]
    assert alarm["AlarmActions"]
    filters = [
        one
        for one in of_type(piped.orchestrator, "AWS::Logs::MetricFilter").values()
        if one["MetricTransformations"][0]["MetricName"] == alarm["MetricName"]
    ]
    found = {one["LogGroupName"]["Ref"]: one["FilterPattern"] for one in filters}
    counted = {name.removeprefix("Functions").partition("Log")[0]: pattern for name, pattern in found.items()}
    tells, ends = "{ $.outside > 0 }", '{ $.error = "ApprovedOutside" }'
    assert counted == {
        **dict.fromkeys(("ResumeDeployment", "SweepWaits", "RecordOutcome"), tells),
        **dict.fromkeys(("PlanStage", "DeployStage"), ends),
    }
