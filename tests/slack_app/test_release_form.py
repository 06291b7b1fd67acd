"""``/mlops release``: by words and by the form, through the real front, queue, worker and records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.errors import AccessDenied
from orchestrator.core.messages.release_form import Choice, Filled, asking_form, filled_in, loading_form
from orchestrator.core.origins import SourceKind
from orchestrator.core.people import IdentityKind, People
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.reception import Reception
from tests.fakes.memory_world import configuration
from tests.slack_app.conftest import CHANNEL, SlackScene
from tests.slack_app.requests import FakeFront, command, form

WORKLOAD = "fraud-detector-realtime"


def uploaded(slack: SlackScene, **changes: Any) -> str:
    """A configuration that lies in the bucket, and has been released; its version."""
    upload = slack.world.put_configuration(configuration(**changes))
    release = slack.world.receive(upload).releases[0]
    slack.world.package(release.release_id)
    slack.world.end(release.release_id, Status.FAILED, "E", "for the test")
    return upload.version_id


def by_slack(slack: SlackScene) -> list[Release]:
    """Releases that were asked for in Slack."""
    return [one for one in slack.world.memory.all(Release) if one.source.kind is SourceKind.SLACK]


def words(slack: SlackScene, text: str, user: str = "U0ANA") -> str:
    """What somebody is told about a command."""
    slack.page.slash(user, "/mlops", text, CHANNEL)
    assert slack.work() == []
    return slack.told(user)


def test_by_words_the_newest_version_is_released_for_who_asked(slack: SlackScene) -> None:
    uploaded(slack)
    newest = uploaded(slack, description="newest")
    told = words(slack, f"release {WORKLOAD}")
    (release,) = by_slack(slack)
    assert release.release_id in told
    assert (release.source.version_id, release.source.key) == (newest, "fraud/mlops-config.json")
    assert (release.requester.kind, release.requester.value, release.requester.verified) == (
        IdentityKind.SLACK,
        "U0ANA",
        True,
    )
    assert release.description == "newest"
    assert release.release_id in slack.world.fake_tasks.started
    assert "asked for with /mlops release" in json.dumps(slack.message["blocks"])
    assert "Ana Silva" in json.dumps(slack.message["blocks"])


def test_by_words_another_version_and_by_force(slack: SlackScene) -> None:
    older = uploaded(slack, description="older")
    uploaded(slack)
    words(slack, f"release {WORKLOAD} --version {older} --force")
    (release,) = by_slack(slack)
    assert (release.source.version_id, release.force, release.description) == (older, True, "older")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("release nothing-like-it", "There is no workload nothing-like-it"),
        (f"release {WORKLOAD} --version", "Write /mlops release WORKLOAD"),
        (f"release {WORKLOAD} --later", "Write /mlops release WORKLOAD"),
        (f"release {WORKLOAD} and more", "Write /mlops release WORKLOAD"),
        (f"release {WORKLOAD} --version v99", "is not there"),
    ],
)
def test_what_cannot_be_released_is_told_and_leaves_nothing(slack: SlackScene, text: str, told: str) -> None:
    uploaded(slack)
    assert told in words(slack, text)
    assert by_slack(slack) == []


def test_what_aws_refuses_is_told_and_not_tried_again(slack: SlackScene, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded(slack)

    def refused(*_: object, **__: object) -> object:
        raise AccessDenied("IAM refused s3:GetObject to the function's role")

    monkeypatch.setattr(slack.world.buckets, "describe", refused)
    assert "IAM refused s3:GetObject" in words(slack, f"release {WORKLOAD}")
    assert by_slack(slack) == []


@pytest.mark.parametrize(
    ("user", "told"),
    [("U0GUS", "Guests may not"), ("U0PIA", "other workspaces"), ("U0EVE", "settings name")],
    ids=["guest", "partner", "nobody the settings know"],
)
def test_who_may_not_start_a_release(slack: SlackScene, user: str, told: str) -> None:
    uploaded(slack)
    if user == "U0EVE":
        user = "U0DEV"
        people = slack.world.installation.people
        everybody = tuple(person for person in people.everybody if "U0DEV" not in person.slack_ids)
        slack.world.installation = replace(slack.world.installation, people=People(everybody))
    assert told in words(slack, f"release {WORKLOAD}", user)
    assert by_slack(slack) == []


def test_a_configuration_with_problems_is_told_with_all_of_them(slack: SlackScene) -> None:
    uploaded(slack)
    slack.world.put_configuration(configuration(inference_instance=7, colour="red"))
    told = words(slack, f"release {WORKLOAD}")
    assert "nothing was started" in told
    assert "$.inference\\_instance" in told or "$.inference_instance" in told
    assert "colour" in told
    assert by_slack(slack) == []


def test_what_came_by_a_call_is_released_once_more(slack: SlackScene) -> None:
    first = slack.world.release(configuration(description="by a call"))
    slack.world.package(first.release_id)
    slack.world.end(first.release_id, Status.FAILED, "E", "for the test")
    words(slack, f"release {WORKLOAD}")
    (release,) = by_slack(slack)
    assert release.description == "by a call"
    assert "no versions there" in words(slack, f"release {WORKLOAD} --version v1")


def test_a_command_delivered_twice_is_one_release(slack: SlackScene) -> None:
    uploaded(slack)
    slack.page.slash("U0ANA", "/mlops", f"release {WORKLOAD}", CHANNEL)
    slack.aws.queue.append(slack.aws.sent[-1])
    slack.work()
    assert len(by_slack(slack)) == 1


# The form.


def opened(slack: SlackScene, user: str = "U0ANA") -> dict[str, Any]:
    """The form, filled by the worker."""
    slack.page.slash(user, "/mlops", "release", CHANNEL)
    (loading,) = slack.page.views(user)
    assert loading["submit"] is None
    assert slack.drain() == []
    return slack.page.wait_for_view(user)


def block(view: dict[str, Any], action_id: str) -> dict[str, Any]:
    """The input with this action_id."""
    return next(one for one in view["blocks"] if one["type"] == "input" and one["element"]["action_id"] == action_id)


def chosen(slack: SlackScene, user: str = "U0ANA") -> dict[str, Any]:
    """The form with the workload chosen, and its versions."""
    view = opened(slack, user)
    assert slack.page.act_in_view(user, view["id"], "workload", WORKLOAD).ok
    assert slack.drain() == []
    return slack.page.wait_for_view(user)


def test_the_form_offers_workloads_then_versions_and_starts_what_was_chosen(slack: SlackScene) -> None:
    older = uploaded(slack, description="older")
    newest = uploaded(slack, description="newest")
    uploaded_elsewhere = slack.world.release(configuration(model_name="churn"))
    slack.world.package(uploaded_elsewhere.release_id)
    view = opened(slack)
    workloads = block(view, "workload")["element"]["options"]
    assert [one["value"] for one in workloads] == ["churn-realtime", WORKLOAD]
    view = chosen(slack)
    versions = block(view, "version")
    assert [one["value"] for one in versions["element"]["options"]] == [newest, older]
    assert versions["element"]["initial_option"]["value"] == newest
    answers = {"workload": WORKLOAD, versions["block_id"]: older, "force": ["force"]}
    assert slack.page.submit_view("U0ANA", view["id"], answers).ok
    (starting,) = slack.page.views("U0ANA")
    assert "being started" in json.dumps(starting["blocks"])
    assert slack.work() == []
    (release,) = by_slack(slack)
    assert (release.source.version_id, release.force, release.requester.value) == (older, True, "U0ANA")
    (done,) = slack.page.views("U0ANA")
    assert release.release_id in json.dumps(done["blocks"])
    assert done["submit"] is None


def test_without_a_workload_the_form_says_so_in_itself(slack: SlackScene) -> None:
    uploaded(slack)
    view = opened(slack)
    answer = slack.page.submit_view("U0ANA", view["id"], {})
    assert not answer.ok
    assert "workload" in answer.errors
    assert by_slack(slack) == []


def test_problems_are_told_in_the_form_which_keeps_what_was_filled_in(slack: SlackScene) -> None:
    uploaded(slack)
    view = chosen(slack)
    slack.world.buckets.remove("mlops-assets", "fraud/model.tar.gz")
    answers = {"workload": WORKLOAD, "force": ["force"]}
    assert slack.page.submit_view("U0ANA", view["id"], answers).ok
    assert slack.work() == []
    again = slack.page.wait_for_view("U0ANA")
    assert "fraud/model.tar.gz" in json.dumps(again["blocks"])
    assert block(again, "workload")["element"]["initial_option"]["value"] == WORKLOAD
    assert block(again, "force")["element"]["initial_options"][0]["value"] == "force"
    slack.world.buckets.put("mlops-assets", "fraud/model.tar.gz", b"a model")
    assert slack.page.submit_view("U0ANA", again["id"], answers).ok
    assert slack.work() == []
    assert len(by_slack(slack)) == 1


def test_a_form_that_was_closed_answers_in_the_channel(slack: SlackScene) -> None:
    uploaded(slack)
    view = chosen(slack)
    slack.page.submit_view("U0ANA", view["id"], {"workload": WORKLOAD})
    slack.page.close_view("U0ANA", view["id"])
    assert slack.work() == []
    (release,) = by_slack(slack)
    assert release.release_id in slack.told("U0ANA")


def test_a_form_that_did_not_open_is_told(slack: SlackScene) -> None:
    uploaded(slack)
    slack.page.faults(expired_triggers=True)
    assert "did not open in time" in words(slack, "release")


def test_a_stranger_is_told_in_the_form(slack: SlackScene) -> None:
    uploaded(slack)
    slack.page.slash("U0GUS", "/mlops", "release", CHANNEL)
    slack.drain()
    (view,) = slack.page.views("U0GUS")
    assert "Guests may not" in json.dumps(view["blocks"])
    assert view["submit"] is None


def test_before_anything_was_released_there_is_nothing_to_choose(slack: SlackScene) -> None:
    slack.page.slash("U0ANA", "/mlops", "release", CHANNEL)
    slack.drain()
    (view,) = slack.page.views("U0ANA")
    assert "upload a configuration first" in json.dumps(view["blocks"])


# What the front does by itself.


def test_the_front_opens_the_form_and_queues_the_rest() -> None:
    front = FakeFront()
    assert front.answer(command("release")).outcome == "command"
    ((_, trigger, view),) = front.opened
    assert trigger == "123.456.abc"
    assert view["callback_id"] == "release_form"
    assert [replay.group for replay in front.queue] == ["command-U0BEN"]
    front.answer(command("release fraud-detector"))
    assert len(front.opened) == 1


def payload(kind: str, **view: Any) -> dict[str, Any]:
    """Something done in the form."""
    return {
        "type": kind,
        "user": {"id": "U0BEN", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "view": {"id": "V1", "callback_id": "release_form", "private_metadata": CHANNEL, "hash": "1.a", **view},
    }


@pytest.mark.parametrize(
    "state", [None, 7, {}, {"values": 7}, {"values": {"workload": 7}}, {"values": {"workload": {"workload": 7}}}]
)
def test_a_form_without_a_workload_never_reaches_the_queue(state: object) -> None:
    front = FakeFront()
    answer = front.answer(form(payload("view_submission", state=state)))
    assert answer.body == {
        "response_action": "errors",
        "errors": {"workload": "Please choose the workload to release."},
    }
    assert front.queue == []


@pytest.mark.parametrize("action", ["force", "version", "approve", ""])
def test_only_the_choice_of_a_workload_reaches_the_queue(action: str) -> None:
    front = FakeFront()
    assert front.answer(form(payload("block_actions") | {"actions": [{"action_id": action}]})).outcome == "ignored"
    assert front.queue == []


def test_a_submission_twice_is_queued_under_one_id() -> None:
    front = FakeFront()
    state = {"values": {"workload": {"workload": {"selected_option": {"value": WORKLOAD}}}}}
    for _ in range(2):
        front.answer(form(payload("view_submission", state=state)))
    first, second = front.queue
    assert first.deduplication == second.deduplication
    front.answer(form(payload("view_submission", state=state, hash="2.b")))
    assert front.queue[-1].deduplication != first.deduplication


# The form's blocks.


def test_more_workloads_than_a_list_holds_are_told() -> None:
    names = [f"workload-{number:03}" for number in range(101)]
    view = asking_form(CHANNEL, names, Filled())
    assert len(block(view, "workload")["element"]["options"]) == 100
    assert "The first 100" in json.dumps(view["blocks"])


def test_choosing_a_workload_reads_no_workload_types_and_starts_no_client_it_does_not_need(
    slack: SlackScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = uploaded(slack)
    made = property(lambda _: pytest.fail("it was made"))
    for name in ("catalogue", "tasks", "registry", "cards"):
        monkeypatch.setattr(Reception, name, made)
    assert block(chosen(slack), "version")["element"]["initial_option"]["value"] == newest


def test_every_workload_has_a_list_of_versions_of_its_own() -> None:
    choices = [Choice("v1", "one")]
    ids = {block(asking_form(CHANNEL, ["a", "b"], Filled(name), choices), "version")["block_id"] for name in ("a", "b")}
    assert len(ids) == 2


def test_a_version_of_another_workload_gives_way_to_the_newest() -> None:
    """It was chosen before the workload was changed."""
    view = asking_form(CHANNEL, ["a", "b"], Filled("b", "of-a"), [Choice("of-b", "newest"), Choice("older", "older")])
    assert block(view, "version")["element"]["initial_option"]["value"] == "of-b"


def test_what_is_filled_in_comes_back() -> None:
    assert filled_in(None) == filled_in({"values": []}) == Filled()
    assert loading_form(CHANNEL, "x")["external_id"] == "x"
