"""Events of the installation: uploads, what stage accounts forward, executions that ended badly, the minute's sweep."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from orchestrator.core.events import (
    AUTOML_STATUS_CHANGE,
    BUILD_STATUS_CHANGE,
    CLOUDFORMATION_SOURCE,
    CODEBUILD_SOURCE,
    EXECUTION_STATUS_CHANGE,
    MODEL_PACKAGE_CHANGE,
    PIPELINE_STATUS_CHANGE,
    S3_OBJECT_CREATED,
    S3_SOURCE,
    SAGEMAKER_SOURCE,
    STACK_STATUS_CHANGE,
    STATES_SOURCE,
)
from stacks import names
from stacks.functions import Function
from stacks.machines import machines_of
from stacks.names import Names
from stacks.queues import failures
from stacks.settings import Settings

FORWARDED_SOURCES = [CLOUDFORMATION_SOURCE, CODEBUILD_SOURCE, SAGEMAKER_SOURCE]
FORWARDED_TYPES = [STACK_STATUS_CHANGE, PIPELINE_STATUS_CHANGE, AUTOML_STATUS_CHANGE, BUILD_STATUS_CHANGE]

MAX_EVENT_AGE = Duration.hours(6)
"""Status events older than this are worth nothing: the sweeper has long looked itself."""


class EventBus(Construct):
    """The bus that stage accounts forward to, and the rules."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        assets: s3.IBucket,
        receive_request: Function,
        resume_deployment: Function,
        sweep_waits: Function,
        record_outcome: Function,
    ) -> None:
        super().__init__(scope, id)
        bus = events.EventBus(
            self, "Bus", event_bus_name=names.EVENT_BUS, description="Status events that stage accounts forward"
        )
        if settings.stage_accounts:
            cfn = bus.node.default_child
            assert isinstance(cfn, events.CfnEventBus)  # noqa: S101 - for the type checker
            cfn.policy = bus_policy(settings)
        self.requests_failed = failures(self, "ReceiveRequestFailed")
        self.events_failed = failures(self, "ResumeDeploymentFailed")
        _retried(receive_request, self.requests_failed)
        _retried(resume_deployment, self.events_failed)
        _retried(record_outcome, self.events_failed)
        events.Rule(
            self,
            "Uploaded",
            description="Something was uploaded to the assets bucket: a configuration, or what a workload may use",
            event_pattern=uploaded(assets.bucket_name),
            targets=[target(receive_request, self.requests_failed, Duration.hours(24))],
        )
        events.Rule(
            self,
            "ModelPackageChanged",
            description="A version of a model package was approved or rejected in the Model Registry",
            event_pattern=model_package_changed(settings),
            targets=[target(receive_request, self.requests_failed, Duration.hours(24))],
        )
        events.Rule(
            self,
            "StatusChanged",
            description="A stack or a job of a workload has changed its status in a stage account",
            event_bus=bus,
            event_pattern=status_forwarded([place.account for place in names.places(settings)]),
            targets=[target(resume_deployment, self.events_failed, MAX_EVENT_AGE)],
        )
        events.Rule(
            self,
            "ExecutionEnded",
            description="An execution was stopped, or failed at its own end: its release ends, the next has its turn",
            event_pattern=execution_ended(settings),
            targets=[_outcome_target(record_outcome, self.events_failed)],
        )
        events.Rule(
            self,
            "EveryMinute",
            description="Settles what a lost event should have settled",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(sweep_waits.function, retry_attempts=0)],
        )


def uploaded(bucket: str) -> events.EventPattern:
    """Every object in the assets bucket: a rule cannot know what the workloads' configurations name."""
    return events.EventPattern(
        source=[S3_SOURCE], detail_type=[S3_OBJECT_CREATED], detail={"bucket": {"name": [bucket]}}
    )


def model_package_changed(settings: Settings) -> events.EventPattern:
    """Versions of groups in the orchestrator's own registry; packages without versions have no approval."""
    return events.EventPattern(
        source=[SAGEMAKER_SOURCE],
        detail_type=[MODEL_PACKAGE_CHANGE],
        account=[settings.installation.account],
        detail={"ModelApprovalStatus": ["Approved", "Rejected"]},
    )


def status_forwarded(accounts: list[str]) -> events.EventPattern:
    """What the stage accounts forward; they have sifted it (``forwarding.py``)."""
    return events.EventPattern(source=FORWARDED_SOURCES, detail_type=FORWARDED_TYPES, account=sorted(set(accounts)))


def execution_ended(settings: Settings) -> events.EventPattern:
    """Executions of our machines that did not end well; most have recorded that themselves, and nothing happens."""
    arns = [Names(settings).machine_arn(machine) for machine in machines_of(settings)]
    return events.EventPattern(
        source=[STATES_SOURCE],
        detail_type=[EXECUTION_STATUS_CHANGE],
        detail={"stateMachineArn": arns, "status": ["ABORTED", "FAILED", "TIMED_OUT"]},
    )


def bus_policy(settings: Settings) -> dict[str, object]:
    """Who may put what on the bus: the forwarding role of each stage account, status events."""
    fixed = Names(settings)
    conditions: dict[str, object] = {
        "ArnLike": {"aws:PrincipalArn": fixed.stage_role_arns(settings.stage_accounts, names.FORWARD)},
        "StringEquals": {
            "events:source": FORWARDED_SOURCES,
            "events:detail-type": FORWARDED_TYPES,
            **({"aws:PrincipalOrgID": settings.organization_id} if settings.organization_id else {}),
        },
    }
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "StagesForward",
                "Effect": "Allow",
                "Principal": {
                    "AWS": [f"arn:{fixed.partition}:iam::{account}:root" for account in settings.stage_accounts]
                },
                "Action": "events:PutEvents",
                "Resource": fixed.event_bus_arn,
                "Condition": conditions,
            }
        ],
    }


def target(function: Function, dead_letters: sqs.Queue, age: Duration) -> targets.LambdaFunction:
    """A function behind a rule: tried again until its event is too old, then kept in a queue."""
    return targets.LambdaFunction(
        function.function, dead_letter_queue=dead_letters, max_event_age=age, retry_attempts=185
    )


def _outcome_target(record_outcome: Function, dead_letters: sqs.Queue) -> targets.LambdaFunction:
    """What the state machine's own RecordFailure would pass; the execution's name is the release's id."""
    status = events.EventField.from_path("$.detail.status")
    return targets.LambdaFunction(
        record_outcome.function,
        event=events.RuleTargetInput.from_object(
            {
                "release_id": events.EventField.from_path("$.detail.name"),
                "outcome": "failed",
                "failure": {
                    "Error": "ExecutionEnded",
                    "Cause": f"The execution of the state machine has ended {status}.",
                },
            }
        ),
        dead_letter_queue=dead_letters,
        max_event_age=Duration.hours(24),
        retry_attempts=185,
    )


def _retried(function: Function, dead_letters: sqs.Queue) -> None:
    """EventBridge's own queue takes what could not be delivered; this is for what the function failed on."""
    function.function.configure_async_invoke(
        on_failure=destinations.SqsDestination(dead_letters), retry_attempts=2, max_event_age=MAX_EVENT_AGE
    )
