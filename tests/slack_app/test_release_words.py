"""``/mlops release`` by words, through the real front, queue, worker and records."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.errors import AccessDenied
from orchestrator.core.people import IdentityKind, People
from orchestrator.core.records import Status
from tests.fakes.memory_world import configuration
from tests.slack_app.conftest import CHANNEL, SlackScene
from tests.slack_app.releasing import WORKLOAD, by_slack, uploaded, words


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
