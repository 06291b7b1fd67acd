"""What a release in Slack begins with: a configuration in the bucket, words in the channel, an input of the form."""

from __future__ import annotations

from typing import Any

from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import configuration
from tests.slack_app.conftest import CHANNEL, SlackScene

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


def block(view: dict[str, Any], action_id: str) -> dict[str, Any]:
    """The input with this action_id."""
    return next(one for one in view["blocks"] if one["type"] == "input" and one["element"]["action_id"] == action_id)
