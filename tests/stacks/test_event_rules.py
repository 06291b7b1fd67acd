"""Rules against events in the shapes that AWS documents: what starts and resumes releases, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.events.samples import event as envelope
from tests.events.samples import model_package_changed, object_created, pipeline_changed, stack_changed
from tests.stacks.event_matching import matches
from tests.stacks.templates import ROOT, Synthesised, Template, of_type, text

BUCKET = "assets"
DEV = "222222222222"
STACK = f"arn:aws:cloudformation:us-east-1:{DEV}:stack/mlops-pipeline-fraud-byompipelinerealtimebuiltin/1a2b"
OTHER = f"arn:aws:cloudformation:us-east-1:{DEV}:stack/billing/1a2b"
PIPELINES = f"arn:aws:sagemaker:us-east-1:{DEV}:pipeline"
EXECUTION = f"{PIPELINES}/mlops-pipeline-fraud-byompipelinebatchbuiltin/execution/abc"


def pattern(template: Template, description: str) -> dict[str, Any]:
    """The pattern of the rule with this description, the assets bucket's reference filled in."""
    rules = of_type(template, "AWS::Events::Rule").values()
    (found,) = [rule["EventPattern"] for rule in rules if description in rule["Description"]]
    filled: dict[str, Any] = _filled(found)
    return filled


def _filled(value: Any) -> Any:
    match value:
        case {"Ref": str()}:
            return BUCKET
        case dict():
            return {name: _filled(one) for name, one in value.items()}
        case list():
            return [_filled(one) for one in value]
        case _:
            return value


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        pytest.param(object_created(BUCKET, "mlops-config.json", "v1"), True, id="at the top"),
        pytest.param(object_created(BUCKET, "fraud/prod/mlops-config.json", "v1"), True, id="in a folder"),
        pytest.param(object_created(BUCKET, "fraud/model.tar.gz", "v1"), True, id="a model"),
        pytest.param(object_created(BUCKET, "notes/readme.txt", "v1"), True, id="what may be nobody's"),
        pytest.param(object_created("other", "mlops-config.json", "v1"), False, id="in another bucket"),
        pytest.param(
            {**object_created(BUCKET, "mlops-config.json", "v1"), "detail-type": "Object Deleted"}, False, id="deleted"
        ),
    ],
)
def test_an_upload_is_looked_at(synthesised: Synthesised, event: dict[str, Any], starts: bool) -> None:
    assert matches(pattern(synthesised.orchestrator, "was uploaded"), event) is starts


VERSION = "arn:aws:sagemaker:us-east-1:111111111111:model-package/fraud/2"


@pytest.mark.parametrize(
    ("event", "looked_at"),
    [
        pytest.param(model_package_changed(VERSION), True, id="approved"),
        pytest.param(model_package_changed(VERSION, "Rejected"), True, id="rejected"),
        pytest.param(model_package_changed(VERSION, "PendingManualApproval"), False, id="registered"),
        pytest.param(model_package_changed(VERSION, account=DEV), False, id="of another account"),
        pytest.param(pipeline_changed(EXECUTION, "Succeeded", "111111111111"), False, id="a pipeline's end"),
    ],
)
def test_an_approval_is_looked_at(synthesised: Synthesised, event: dict[str, Any], looked_at: bool) -> None:
    assert matches(pattern(synthesised.orchestrator, "was approved or rejected"), event) is looked_at


@pytest.mark.parametrize(
    ("event", "forwarded"),
    [
        pytest.param(stack_changed(STACK, "CREATE_COMPLETE"), True, id="created"),
        pytest.param(stack_changed(STACK, "UPDATE_ROLLBACK_COMPLETE"), True, id="rolled back"),
        pytest.param(stack_changed(STACK, "UPDATE_ROLLBACK_FAILED"), True, id="stuck"),
        pytest.param(stack_changed(STACK, "UPDATE_IN_PROGRESS"), False, id="at work"),
        pytest.param(stack_changed(STACK, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), False, id="cleaning up"),
        pytest.param(stack_changed(OTHER, "CREATE_COMPLETE"), False, id="another stack"),
    ],
)
def test_a_stage_forwards_what_has_come_to_rest(multi: Synthesised, event: dict[str, Any], forwarded: bool) -> None:
    found = [
        rule["EventPattern"]
        for rule in of_type(multi.stage("dev"), "AWS::Events::Rule").values()
        if matches(rule["EventPattern"], event)
    ]

    assert bool(found) is forwarded


def job_changed(detail_type: str, detail: dict[str, Any], account: str = DEV) -> dict[str, Any]:
    source = "aws.codebuild" if detail_type.startswith("CodeBuild") else "aws.sagemaker"
    return envelope(source, detail_type, account, [], detail)


def automl_changed(status: str, account: str = DEV) -> dict[str, Any]:
    return job_changed(
        "SageMaker AutoML Job State Change",
        {"AutoMLJobName": "fraud-0a1b2c3d", "AutoMLJobStatus": status},
        account,
    )


def build_changed(project: str, status: str, account: str = DEV) -> dict[str, Any]:
    """In the shape of the "Build notifications input format reference" of the AWS CodeBuild User Guide."""
    build = f"arn:aws:codebuild:us-east-1:{account}:build/{project}:8745a7a9"
    return job_changed(
        "CodeBuild Build State Change",
        {"build-status": status, "project-name": project, "build-id": build},
        account,
    )


PROJECT = "mlops-pipeline-v1-byompipelineimagebuilder"


@pytest.mark.parametrize(
    ("event", "forwarded"),
    [
        pytest.param(pipeline_changed(EXECUTION, "Succeeded"), True, id="pipeline succeeded"),
        pytest.param(pipeline_changed(EXECUTION, "Failed"), True, id="pipeline failed"),
        pytest.param(pipeline_changed(EXECUTION, "Stopped"), True, id="pipeline stopped"),
        pytest.param(pipeline_changed(EXECUTION, "Executing"), False, id="pipeline at work"),
        pytest.param(pipeline_changed(EXECUTION, "Stopping"), False, id="pipeline stopping"),
        pytest.param(pipeline_changed(f"{PIPELINES}/nightly/execution/abc", "Failed"), False, id="another pipeline"),
        pytest.param(automl_changed("Completed"), True, id="AutoML job completed"),
        pytest.param(automl_changed("Failed"), True, id="AutoML job failed"),
        pytest.param(automl_changed("Stopped"), True, id="AutoML job stopped"),
        pytest.param(automl_changed("InProgress"), False, id="AutoML job at work"),
        *(
            pytest.param(build_changed(PROJECT, status), True, id=f"build {status}")
            for status in ("SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT")
        ),
        pytest.param(build_changed(PROJECT, "IN_PROGRESS"), False, id="build at work"),
        pytest.param(build_changed("website", "FAILED"), False, id="another project"),
        pytest.param(
            job_changed("CodeBuild Build Phase Change", {"project-name": PROJECT, "build-status": "FAILED"}),
            False,
            id="phase of a build",
        ),
        pytest.param(
            job_changed("SageMaker Training Job State Change", {"TrainingJobStatus": "Failed"}),
            False,
            id="a step's job",
        ),
    ],
)
def test_a_stage_forwards_the_end_of_a_job(multi: Synthesised, event: dict[str, Any], forwarded: bool) -> None:
    rules = of_type(multi.stage("dev"), "AWS::Events::Rule").values()

    assert any(matches(rule["EventPattern"], event) for rule in rules) is forwarded


@pytest.mark.parametrize(
    ("event", "resumes"),
    [
        pytest.param(stack_changed(STACK, "CREATE_COMPLETE"), True, id="a stack"),
        pytest.param(pipeline_changed(EXECUTION, "Succeeded"), True, id="a pipeline"),
        pytest.param(automl_changed("Completed"), True, id="an AutoML job"),
        pytest.param(build_changed(PROJECT, "SUCCEEDED"), True, id="a build"),
        pytest.param(
            build_changed(PROJECT, "SUCCEEDED", account="111111111111"),
            True,
            id="a build in the orchestrator's account",
        ),
        pytest.param(stack_changed(STACK, "CREATE_COMPLETE", account="999999999999"), False, id="another account"),
        pytest.param({**stack_changed(STACK, "CREATE_COMPLETE"), "source": "custom"}, False, id="another source"),
    ],
)
def test_what_is_forwarded_resumes(multi: Synthesised, event: dict[str, Any], resumes: bool) -> None:
    assert matches(pattern(multi.orchestrator, "has changed its status"), event) is resumes


def test_stages_forward_to_the_bus_that_resumes(synthesised: Synthesised) -> None:
    (bus,) = of_type(synthesised.orchestrator, "AWS::Events::EventBus").values()
    arn = f"arn:aws:events:us-east-1:{synthesised.settings.account}:event-bus/{bus['Name']}"
    targets = {
        target["Arn"]
        for place in synthesised.places
        for rule in of_type(synthesised.stage(place), "AWS::Events::Rule").values()
        for target in rule["Targets"]
    }

    assert targets == {arn}


def test_what_cannot_be_delivered_is_kept(synthesised: Synthesised) -> None:
    rules = of_type(synthesised.orchestrator, "AWS::Events::Rule").values()
    with_pattern = [rule for rule in rules if "EventPattern" in rule]

    assert len(with_pattern) >= 4
    assert all("DeadLetterConfig" in target for rule in with_pattern for target in rule["Targets"])
    invoked = of_type(synthesised.orchestrator, "AWS::Lambda::EventInvokeConfig").values()
    assert {text(one["DestinationConfig"]["OnFailure"]["Destination"]) for one in invoked} == {
        text(target["DeadLetterConfig"]["Arn"]) for rule in with_pattern for target in rule["Targets"]
    }


@pytest.mark.parametrize(
    ("status", "machine", "ends"),
    [
        ("ABORTED", "mlops-multi-account", True),
        ("TIMED_OUT", "mlops-single-account", True),
        ("FAILED", "mlops-multi-account", True),
        ("SUCCEEDED", "mlops-multi-account", False),
        ("RUNNING", "mlops-multi-account", False),
        ("ABORTED", "somebody-elses", False),
    ],
)
def test_an_execution_that_ended_badly_ends_its_release(
    multi: Synthesised, status: str, machine: str, ends: bool
) -> None:
    found = {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": f"arn:aws:states:us-east-1:111111111111:execution:{machine}:fraud-0123456789",
            "stateMachineArn": f"arn:aws:states:us-east-1:111111111111:stateMachine:{machine}",
            "name": "fraud-0123456789",
            "status": status,
        },
    }

    assert matches(pattern(multi.orchestrator, "An execution was stopped"), found) is ends


def test_such_an_end_is_told_as_the_state_machine_itself_would_tell_it(synthesised: Synthesised) -> None:
    rules = of_type(synthesised.orchestrator, "AWS::Events::Rule").values()
    (rule,) = (rule for rule in rules if rule["Description"].startswith("An execution was stopped"))
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]
    event = {"detail": {"name": "fraud-0123456789", "status": "ABORTED"}}
    filled = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value = event["detail"][path.removeprefix("$.detail.")]
        # EventBridge quotes a text that stands alone; inside another text it puts the bare one.
        filled = filled.replace(f":<{name}>", f":{json.dumps(value)}").replace(f"<{name}>", value)

    machine = json.loads((ROOT / "statemachines" / "multi_account.asl.json").read_text())
    told = json.loads(filled)
    assert told == {
        "release_id": "fraud-0123456789",
        "outcome": "failed",
        "failure": {"Error": "ExecutionEnded", "Cause": "The execution of the state machine has ended ABORTED."},
    }
    assert told.keys() == machine["States"]["RecordFailure"]["Arguments"]["Payload"].keys()


def test_the_bus_takes_what_stages_forward_and_nothing_else(multi: Synthesised) -> None:
    (bus,) = of_type(multi.orchestrator, "AWS::Events::EventBus").values()
    (statement,) = bus["Policy"]["Statement"]
    forwarded = [rule["EventPattern"] for rule in of_type(multi.stage("dev"), "AWS::Events::Rule").values()]
    resuming = pattern(multi.orchestrator, "has changed its status")

    taken = statement["Condition"]["StringEquals"]
    assert set(taken["events:source"]) == {one for rule in forwarded for one in rule["source"]}
    assert set(taken["events:detail-type"]) == {one for rule in forwarded for one in rule["detail-type"]}
    assert (set(resuming["source"]), set(resuming["detail-type"])) == (
        set(taken["events:source"]),
        set(taken["events:detail-type"]),
    )
    # The orchestrator's own account needs no statement: its forwarding role may put events there itself.
    assert resuming["account"] == ["111111111111", "222222222222", "333333333333", "444444444444"]


def test_deliveries_that_came_again_are_counted(synthesised: Synthesised) -> None:
    filters = of_type(synthesised.orchestrator, "AWS::Logs::MetricFilter").values()
    (found,) = [one for one in filters if one["FilterPattern"] == '{ $.outcome = "duplicate" }']
    (metric,) = found["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == ("MlopsOrchestrator", "DuplicateDeliveries")
    assert metric["MetricValue"] == "1"
