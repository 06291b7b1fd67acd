"""What people start themselves, by a call and in Slack, goes all the way, and says who started it and how."""

from __future__ import annotations

import pytest

from local.settings import REGION, Mode
from local.signed import call
from tests.releases.team import Team, eventually

TOLD = {"api": "API request", "slack": "asked for with /mlops release"}
SHORT = {("api", "single"), ("slack", "multi")}


def by_api(team: Team) -> str:
    """Ana calls as the old product's clients do; the release's id."""
    name = "by-a-call"
    url = team.running.cloud.local_url(team.running.outputs["ApiUrl"]).rstrip("/") + "/provisionpipeline"
    answer = call("POST", url, team.credentials_of("ana"), REGION, team.configuration(name))
    assert answer.status == 200, answer.json()
    return str(answer.json()["release_id"])


def by_slack(team: Team) -> str:
    """Ana writes a command; the release's id."""
    workload = team.example_workload
    known = frozenset(one["release_id"] for one in team.releases(workload))
    team.running.slack.slash("U0ANA", "/mlops", f"release {workload} --force", "ml-releases")
    return team.started(workload, known)


@pytest.mark.parametrize(
    ("way", "mode"),
    [
        pytest.param(way, mode, marks=[] if (way, mode) in SHORT else [pytest.mark.long])
        for way in TOLD
        for mode in ("multi", "single")
    ],
)
def test_it_is_deployed_and_says_who_started_it_and_how(way: str, mode: Mode, request: pytest.FixtureRequest) -> None:
    team: Team = request.getfixturevalue(mode)
    request.getfixturevalue("live" if mode == "multi" else "live_single")
    release_id = by_api(team) if way == "api" else by_slack(team)
    ended = team.follower.until_end(release_id, decide=team.approve)
    assert ended.status == "succeeded", ended.reason
    message = eventually("how, in the message", lambda: team.message_with(release_id, TOLD[way]))
    assert "Ana Silva" in message
    told = team.printed_status(release_id)
    assert "Ana Silva" in told
    assert ("api request" if way == "api" else "asked for in Slack") in told
