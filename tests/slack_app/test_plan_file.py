"""A plan that is too long for its message is a file in the thread: once, whatever dies, and never instead of the
question."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.errors import ChatUnavailable
from orchestrator.core.messages.details import is_abridged, plan_file
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.plans import AccessChange, Area, ParameterChange, Plan, Reach, ResourceChange
from orchestrator.core.records import Release, StageRecord
from tests.slack_app import samples
from tests.slack_app.fake_chat import Died
from tests.slack_app.test_notify_release import Scene

MANY = tuple(ParameterChange(f"Parameter{n:03}", "before", f"after{n}") for n in range(100))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def planned(scene: Scene, parameters: tuple[ParameterChange, ...]) -> Release:
    """A release whose plan of staging changes these parameters."""
    release = scene.waiting()
    key = (f"RELEASE#{release.release_id}", "STAGE#staging")

    def changed(record: StageRecord) -> StageRecord:
        assert record.plan is not None
        return replace(record, plan=replace(record.plan, parameters=parameters))

    scene.world.store.update(StageRecord, key, changed)
    return release


def long_plan(scene: Scene) -> Release:
    """One that changes a hundred."""
    return planned(scene, MANY)


def shown(scene: Scene) -> str:
    return json.dumps(scene.chat.messages[0].message.blocks, ensure_ascii=False)


def test_a_long_plan_is_a_file_in_the_thread_once(scene: Scene) -> None:
    name = long_plan(scene).release_id
    assert scene.notify(name).said == ("posted", "asked", "attached")
    assert scene.notify(name).said == ()
    ((posted, file),) = scene.chat.files
    assert posted.ts == scene.chat.messages[0].ts
    assert "- Parameter099: before → after99\n" in file.text
    approval = scene.world.approval(name, "staging")
    assert file.name == f"plan-staging-{approval.approval_id[:12]}.md"
    assert f"the file in the thread, or `mlops status {name}`" in shown(scene)


def test_a_short_plan_is_no_file(scene: Scene) -> None:
    scene.notify(planned(scene, MANY[:1]).release_id)
    assert scene.chat.files == []
    assert "The whole plan" not in shown(scene)


def test_where_the_file_is_refused_the_message_says_where_else_the_plan_is(scene: Scene) -> None:
    name = long_plan(scene).release_id
    scene.chat.refuses_files = "missing_scope"
    assert scene.notify(name).said == ("posted", "asked", "updated")
    assert f":page_facing_up: The whole plan: `mlops status {name}`" in shown(scene)
    assert scene.chat.messages[0].actions == ["approve", "approve_comment", "reject"]
    assert scene.notify(name).said == ()
    assert scene.chat.calls.count("attach") == 1


def test_while_files_cannot_be_sent_the_question_is_asked_and_the_file_comes_later(scene: Scene) -> None:
    name = long_plan(scene).release_id
    scene.chat.loses_files = "before"
    with pytest.raises(ChatUnavailable):
        scene.notify(name)
    assert [shown.key.split(":")[0] for shown in scene.chat.shown] == ["message", "asked"]
    assert scene.world.mail.sent == []
    assert scene.notify(name).said == ("attached",)
    assert len(scene.chat.files) == 1


def test_a_file_whose_answer_was_lost_is_not_sent_again(scene: Scene) -> None:
    name = long_plan(scene).release_id
    scene.chat.loses_files = "after"
    with pytest.raises(ChatUnavailable):
        scene.notify(name)
    assert scene.notify(name).said == ("attached",)
    assert len(scene.chat.files) == 1


def test_a_call_that_dies_after_the_file_leaves_one(scene: Scene) -> None:
    name = long_plan(scene).release_id
    scene.chat.dies_after = "attach"
    with pytest.raises(Died):
        scene.notify(name)
    scene.world.clock.pass_seconds(200)
    scene.notify(name)
    assert len(scene.chat.files) == 1


def test_an_outage_keeps_the_question_for_later_too(scene: Scene) -> None:
    name = long_plan(scene).release_id
    scene.chat.down = True
    with pytest.raises(ChatUnavailable):
        scene.notify(name)
    scene.chat.down = False
    assert scene.notify(name).said[-2:] == ("asked", "attached")


OPENED = AccessChange(Area.IAM, Reach.WIDENS, "Role", "AWS::IAM::Role", "may s3:* on anything")


@pytest.mark.parametrize(
    ("plan", "abridged"),
    [
        (samples.plan(), False),
        (samples.plan(parameters=MANY[:10]), False),
        (samples.plan(parameters=MANY[:11]), True),
        (samples.plan(parameters=[ParameterChange("Long", "x" * 200, "y")]), True),
        (samples.plan([ResourceChange("add", f"R{n}", "AWS::X") for n in range(6)]), True),
        (samples.plan([ResourceChange("modify", "R", "AWS::X", tuple("abcdefg"))]), False),
        (replace(samples.plan(), access=(OPENED,) * 10), False),
        (replace(samples.plan(), access=tuple(replace(OPENED, told=f"may {n}") for n in range(11))), True),
    ],
)
def test_a_file_is_needed_where_the_message_leaves_something_out(plan: Plan, abridged: bool) -> None:
    assert is_abridged(plan) is abridged
    assert ("The whole plan" in json.dumps(release_message(samples.facts(planned=plan)).blocks)) is abridged


def test_the_file_says_everything() -> None:
    plan = replace(samples.plan(), access=(OPENED,))
    facts = replace(samples.facts(planned=plan), live_since={"dev": "2026-02-27T09:00:00.000Z"})
    assert _file(facts).splitlines() == [
        "# Plan of fraud-detector for staging",
        "",
        "Release fraud-detector-0123456789, digest " + samples.plan().digest,
        "Stack mlops-pipeline-fraud-detector",
        "In dev since 2026-02-27T09:00:00.000Z (2 days 3 h when this was asked)",
        "",
        "## What it opens",
        "",
        "- widens IAM access: Role (AWS::IAM::Role): may s3:* on anything",
        "",
        "## Resources: 1 resource replaced, 1 removed, 1 added and 1 changed",
        "",
        "- replaced: Endpoint (AWS::SageMaker::Endpoint): EndpointConfigName, Name",
        "- removed: OldQueue (AWS::SQS::Queue)",
        "- added: Alarm (AWS::CloudWatch::Alarm)",
        "- changed in place: EndpointConfig (AWS::SageMaker::EndpointConfig): KmsKeyId",
        "",
        "## Parameters and documents, before → after",
        "",
        "- InferenceInstance: ml.m5.large → ml.m5.xlarge",
        "- KmsKeyArn: (empty) → arn:aws:kms:us-east-1:1:key/1",
        "- New: (new) → value",
        "- Gone: value → (dropped)",
        "- Password: **** → ****",
    ]


def test_a_message_without_its_buttons_promises_no_file() -> None:
    """A copy for one person has no thread with the file in it."""
    facts = samples.facts(planned=samples.plan(parameters=MANY))
    copy = json.dumps(release_message(facts, buttons=False).blocks)
    assert "The whole plan: `mlops status" in copy


def _file(facts: Facts) -> str:
    waiting = facts.waiting
    assert waiting is not None
    assert waiting.record.plan is not None
    return plan_file(facts, waiting, waiting.record.plan).text
