"""With detailed error messages off, nobody is told AWS's own words; the record keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core import errors, views
from orchestrator.core.disclosure import OUR_OWN_WORDS, told_release, told_stage
from orchestrator.core.errors import AccessDenied
from orchestrator.core.jobs import JobKind, JobRun, JobStatus
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.pipeline_state import pipeline_state
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, StageRecord, StageStatus, Status
from orchestrator.core.steps.notify_release import gather
from tests.fakes.memory_world import MemoryWorld, installation
from tests.steps.journeys import asked, in_dev, packaged

ROLE = "arn:aws:iam::222222222222:role/mlops/mlops-deploy"
SECRET = f"User: {ROLE} is not authorized to perform: sagemaker:CreateModel"


def quiet() -> MemoryWorld:
    """An installation with detailed error messages off."""
    return MemoryWorld(installation=installation(detailed_errors=False))


def failed(world: MemoryWorld, error: str, cause: str = SECRET) -> Release:
    """A release that has failed in dev."""
    release = in_dev(world)
    world.end(release.release_id, Status.FAILED, error, cause)
    return world.of(release.release_id)


def everything_shown(world: MemoryWorld, release_id: str) -> dict[str, str]:
    """Whatever people can see of a release, as text, by where."""
    facts = gather(release_id, world.store, world.installation)
    release, stages = world.of(release_id), world.memory.under(StageRecord, f"RELEASE#{release_id}")
    detail: dict[str, Any] = views.detail(release, stages, {}, world.installation)
    for stage in detail["stages"]:
        stage["outputs"] = {}
    return {
        "list": json.dumps(views.summary(release, world.installation)),
        "detail": json.dumps(detail),
        "state": json.dumps(pipeline_state(release, stages, {}, world.installation)),
        "slack": json.dumps([release_message(facts).text, release_message(facts).blocks]),
        "mail": end_letter(facts).text,
    }


@pytest.mark.parametrize(
    ("error", "what", "where"),
    [
        (
            "DeploymentFailed",
            "CloudFormation could not deploy in dev.",
            "in the events of the stack mlops-pipeline-fraud-detector-byompipelinerealtimebuiltin and in Step",
        ),
        ("PlanFailed", "CloudFormation could not make the plan in dev.", "in Step Functions, execution"),
        ("JobFailed", "The job did not succeed in dev.", "on the job's page in the AWS console and in Step Functions"),
        ("VerificationFailed", "What was deployed did not pass its check in dev.", "in Step Functions, execution"),
        ("AccessDenied", "A right is missing in dev.", "in Step Functions, execution"),
        ("CallRefused", "An AWS service refused a call in dev.", "in Step Functions, execution"),
        ("KeyError", "Something failed in dev.", "in Step Functions, execution"),
        ("", "Something failed in dev.", "in Step Functions, execution"),
    ],
)
def test_what_failed_and_where_its_owner_finds_why(error: str, what: str, where: str) -> None:
    world = quiet()
    release = failed(world, error)
    told = told_release(release, world.installation).reason
    assert told.startswith(f"{what} The owner of the installation finds the reason {where}")
    assert told.endswith(f"execution {release.release_id}.")
    assert release.reason == SECRET


@pytest.mark.parametrize("error", ["DeploymentFailed", "JobFailed", "AccessDenied", "CallRefused", "KeyError"])
def test_nobody_is_told_awss_own_words(error: str) -> None:
    world = quiet()
    release = failed(world, error)
    for where, text in everything_shown(world, release.release_id).items():
        assert SECRET not in text, where
        assert ROLE not in text, where
    assert world.of(release.release_id).reason == SECRET


def test_by_default_everybody_is() -> None:
    world = MemoryWorld()
    release = failed(world, "DeploymentFailed")
    assert all(
        SECRET in text for where, text in everything_shown(world, release.release_id).items() if where != "state"
    )


@pytest.mark.parametrize("error", sorted(OUR_OWN_WORDS))
def test_our_own_words_are_told(error: str) -> None:
    world = quiet()
    release = failed(world, error, "$.model_name: is required but missing.")
    assert told_release(release, world.installation) == release


def test_the_names_of_our_errors_are_those_of_the_tree() -> None:
    ours = {name for name, error in vars(errors).items() if isinstance(error, type)} | {BadConfiguration.__name__}
    assert OUR_OWN_WORDS - ours == {"States.Timeout", "ExecutionEnded"}


def test_before_the_release_has_ended_its_stage_says_no_more() -> None:
    """Settling a deployment marks the stage failed; the state machine ends the release a moment later."""
    world = quiet()
    release = packaged(world)
    world.stacks("dev").fails_with = SECRET
    world.deploy(release.release_id, "dev")
    record = world.stage(release.release_id, "dev")
    assert (record.status, record.note) == (StageStatus.FAILED, SECRET)
    assert not world.of(release.release_id).status.ended
    shown = everything_shown(world, release.release_id)
    assert all(SECRET not in text for where, text in shown.items() if where != "mail")


def test_a_jobs_reason_is_told_in_our_words() -> None:
    world = quiet()
    release = in_dev(world)
    job = JobRun(JobKind.CODEBUILD, "arn:aws:codebuild:us-east-1:2:build/p:1", JobStatus.FAILED, "t", "t", SECRET)
    record = replace(world.stage(release.release_id, "dev"), job=job)
    shown = told_stage(record, release, world.installation)
    assert shown.job is not None
    assert shown.job.reason.startswith("The job did not succeed in dev.")
    assert told_stage(record, release, installation()) == record


def test_a_plan_that_could_not_be_deleted_is_told_without_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    world = quiet()
    release = asked(world)

    def denied(plan: object, *, rejected: str = "") -> None:
        raise AccessDenied(SECRET)

    monkeypatch.setattr(world.stacks("staging"), "discard", denied)
    world.end(release.release_id, Status.EXPIRED)
    kept = world.of(release.release_id)
    assert SECRET in kept.reason
    told = told_release(kept, world.installation).reason
    assert told == "Nobody decided about staging in time. (The plan could not be deleted.)"


def test_other_ends_are_told_as_they_are() -> None:
    world = quiet()
    release = asked(world)
    world.end(release.release_id, Status.EXPIRED)
    kept = world.of(release.release_id)
    assert told_release(kept, world.installation) == kept
    assert kept.failure == ""
