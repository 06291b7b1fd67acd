"""The form of ``/mlops release``, through the real front, queue, worker and records; and its blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.messages.release_form import Choice, Filled, asking_form, filled_in, loading_form
from orchestrator.core.steps.reception import Reception
from tests.fakes.memory_world import configuration
from tests.slack_app.conftest import CHANNEL, SlackScene
from tests.slack_app.releasing import WORKLOAD, block, by_slack, uploaded, words


def opened(slack: SlackScene, user: str = "U0ANA") -> dict[str, Any]:
    """The form, filled by the worker."""
    slack.page.slash(user, "/mlops", "release", CHANNEL)
    (loading,) = slack.page.views(user)
    assert loading["submit"] is None
    assert slack.drain() == []
    return slack.page.wait_for_view(user)


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
