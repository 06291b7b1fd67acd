"""What people hear of uploads and of rejected models: the news once, and of what nobody meant nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.errors import ChatUnavailable
from orchestrator.core.notices import SHOWN, Notice
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.speaking import HOLD
from orchestrator.core.steps.start_releases import refuse
from stacks.telling import SHOWN_KINDS
from tests.slack_app.fake_chat import Died
from tests.slack_app.test_notify_release import Scene
from tests.steps.journeys import asked, live

MODEL = "fraud/model.tar.gz"


@pytest.fixture
def scene() -> Scene:
    return Scene()


def noticed(scene: Scene) -> Notice:
    """A release that is live and told of, and something that has happened to it."""
    release = live(scene.world)
    scene.world.memory.update(Release, release.key(), lambda found: replace(found, models=("arn/1",)))
    scene.notify(release.release_id)
    notice = Notice(release.release_id, "n1", "Version 1 of fraud was rejected", ("Do this:", "  aws <now>"))
    scene.world.memory.insert(notice)
    return notice


def test_a_notice_is_a_message_of_its_own_and_an_email(scene: Scene) -> None:
    notice = noticed(scene)
    mails = len(scene.world.mail.sent)
    assert scene.notify(notice.release_id).said == ("mailed", "told")
    assert len(scene.chat.messages) == 2
    shown = json.dumps(scene.chat.messages[1].message.blocks)
    assert "*Version 1 of fraud was rejected*" in shown
    assert "`aws &lt;now&gt;`" in shown
    (subject, text) = scene.world.mail.sent[mails]
    assert subject == "[notice] Version 1 of fraud was rejected"
    assert "  aws <now>" in text
    assert scene.notify(notice.release_id).said == ()


def test_a_notice_is_told_once_whatever_dies(scene: Scene) -> None:
    notice = noticed(scene)
    scene.chat.dies_after = "post"
    with pytest.raises(Died):
        scene.notify(notice.release_id)
    scene.world.clock.pass_seconds(HOLD.total_seconds() + 1)
    scene.notify(notice.release_id)
    assert len(scene.chat.messages) == 2


def test_slack_down_still_mails_the_notice_and_is_repeated(scene: Scene) -> None:
    notice = noticed(scene)
    mails = len(scene.world.mail.sent)
    scene.chat.down = True
    with pytest.raises(ChatUnavailable):
        scene.notify(notice.release_id)
    scene.chat.down = False
    scene.notify(notice.release_id)
    assert len(scene.world.mail.sent) == mails + 1
    assert len(scene.chat.messages) == 2


def test_the_stream_wakes_the_function_for_every_row_that_is_shown() -> None:
    assert set(SHOWN_KINDS) == {shown.KIND for shown in SHOWN} == {"approval", "notice", "release", "stage"}


def test_a_new_model_is_told_of_once_it_is_certain_that_something_changes(scene: Scene) -> None:
    live(scene.world)
    (release,) = scene.world.deliver(scene.world.put_asset(MODEL, b"a better model")).releases
    assert scene.notify(release.release_id).said == ()
    scene.world.package(release.release_id)
    scene.world.deploy(release.release_id, "dev")
    assert scene.notify(release.release_id).said == ("posted",)
    assert MODEL in json.dumps(scene.chat.messages[0].message.blocks)


def test_the_same_model_again_makes_no_noise(scene: Scene) -> None:
    live(scene.world)
    mails = len(scene.world.mail.sent)
    (release,) = scene.world.deliver(scene.world.put_asset(MODEL, b"a model")).releases
    scene.notify(release.release_id)
    assert scene.world.package(release.release_id) == {"outcome": "unchanged"}
    scene.notify(release.release_id)
    scene.world.end(release.release_id, Status.UNCHANGED)
    scene.notify(release.release_id)
    assert scene.chat.messages == []
    assert len(scene.world.mail.sent) == mails


def test_a_model_that_a_newer_one_has_overtaken_makes_no_noise(scene: Scene) -> None:
    live(scene.world)
    older, newer = scene.world.put_asset(MODEL, b"older"), scene.world.put_asset(MODEL, b"newer")
    scene.world.deliver(newer)
    (old,) = scene.world.deliver(older).releases
    assert scene.notify(old.release_id).said == ()


def test_a_model_that_cannot_be_packaged_is_told_of(scene: Scene) -> None:
    live(scene.world)
    (release,) = scene.world.deliver(scene.world.put_asset(MODEL, b"gone soon")).releases
    scene.world.end(release.release_id, Status.FAILED, "SourceGone", "it does not exist")
    assert scene.notify(release.release_id).said == ("mailed", "posted")


def test_a_version_rejected_while_its_release_is_under_way_is_told_at_once(scene: Scene) -> None:
    release = asked(scene.world)
    scene.world.memory.update(Release, release.key(), lambda found: replace(found, models=("arn/1",)))
    scene.notify(release.release_id)
    mails = len(scene.world.mail.sent)
    notice = Notice(release.release_id, "n1", "Version 1 of fraud was rejected", ("Do this:",))
    scene.world.memory.insert(notice)
    assert set(scene.notify(release.release_id).said) >= {"mailed", "told"}
    assert [subject for subject, _ in scene.world.mail.sent[mails:]] == ["[notice] Version 1 of fraud was rejected"]
    assert scene.notify(release.release_id).said == ()


@pytest.mark.parametrize(
    ("source", "headline", "sentence"),
    [
        (Source(SourceKind.ASSET, "assets", "fraud/model.tar.gz", "v1"), "File refused", "The file fraud/model.tar.gz"),
        (Source(SourceKind.REGISTRY, key="arn/2"), "Model package refused", "The model package arn/2"),
        (Source(SourceKind.COMMIT, "ml-models", "", "c1"), "Commit refused", "The commit in ml-models"),
        (
            Source(SourceKind.COMMIT, "ml-models", "a/mlops-config.json", "c1"),
            "Configuration refused",
            "configuration a/",
        ),
    ],
    ids=["asset", "model package", "commit", "configuration"],
)
def test_what_was_refused_is_called_by_its_name(scene: Scene, source: Source, headline: str, sentence: str) -> None:
    receipt = refuse(source, UNKNOWN, ["It is broken."], scene.world.reception)
    scene.notify(receipt.releases[0].release_id)
    shown = scene.chat.messages[-1].message
    assert headline in json.dumps(shown.blocks)
    assert f"{sentence}" in shown.text
    assert "was refused; nothing was deployed" in shown.text
    (subject, _) = scene.world.mail.sent[-1]
    assert subject == f"[refused] {source.thing}"
