"""A model that is worse than the live one by too much goes no further, or is asked about with a warning."""

from __future__ import annotations

from typing import Any

from local.settings import PROD, STAGING
from tests.fakes.memory_world import evaluation
from tests.releases.team import Team, eventually, stage

NAME = "guarded"
WORSE = "auc 0.91 (live 0.97): worse than live by 0.06, allowed is 0.01"


def version(team: Team, number: int, auc: float, instance: str, on_failure: str) -> dict[str, Any]:
    """A version of the model, its evaluation uploaded, with a gate for staging and prod."""
    key = f"{NAME}/{number}/evaluation.json"
    team.upload_asset(key, evaluation(auc=auc))
    gate = {"metric": "auc", "not_worse_than_live_by": 0.01, "stages": ["staging", "prod"], "on_failure": on_failure}
    return team.configuration(NAME, metrics=key, inference_instance=instance, gates=[gate])


def started(team: Team, configuration: dict[str, Any]) -> str:
    """Upload; the release that it starts."""
    known = frozenset(found["release_id"] for found in team.releases(f"{NAME}-realtime"))
    team.upload(NAME, configuration)
    return team.started(f"{NAME}-realtime", known, by="s3")


def test_a_worse_version_is_stopped_in_staging_and_with_warn_it_is_asked_about(multi: Team, live: str) -> None:
    first = multi.release(NAME, version(multi, 1, 0.97, "ml.m5.large", "stop"))
    assert first["status"] == "succeeded", first["reason"]
    (gate,) = stage(first, "prod")["gates"]
    assert gate["told"] == "auc 0.97: nothing is live yet to compare with"
    before = multi.stack_updates()

    stopped = started(multi, version(multi, 2, 0.91, "ml.m5.xlarge", "stop"))
    ended = multi.ended(stopped)
    assert (ended.status, ended.reason) == ("failed", f"Stopped before staging by a quality gate: {WORSE}.")
    shown = multi.show(stopped)
    assert [(one["stage"], one["status"]) for one in shown["stages"]] == [("dev", "verified"), ("staging", "failed")]
    assert stage(shown, "staging")["gates"][0]["live_release"] == first["release_id"]
    after = multi.stack_updates()
    assert {account: after[account] for account in (STAGING, PROD)} == {
        account: before[account] for account in (STAGING, PROD)
    }
    changes = multi.client("cloudformation", STAGING).list_change_sets(StackName=shown["stack_name"])["Summaries"]
    assert [change["ChangeSetName"] for change in changes if stopped in change["ChangeSetName"]] == []
    message = eventually("the reason in Slack", lambda: multi.message_with(stopped, "> Stopped before staging by a"))
    assert f"{NAME}-realtime: stopped before staging by its quality gates" in message
    assert ":x: auc 0.91 (live 0.97): *worse than live by 0.06, allowed is 0.01*" in message
    assert '"action_id": "approve"' not in message
    (mail,) = eventually("its e-mail", lambda: multi.mails(stopped))
    assert WORSE in mail["message"]

    warned = started(multi, version(multi, 3, 0.91, "ml.m5.xlarge", "warn"))
    asked = multi.until_asked(warned, "staging")
    assert stage(asked, "staging")["gates"][0]["status"] == "warned"
    message = eventually("the warning in Slack", lambda: multi.message_with(warned, ":warning: auc 0.91 (live 0.97)"))
    assert '"action_id": "approve"' in message
    followed = multi.follower.until_end(warned, decide=multi.approve)
    assert followed.status == "succeeded", followed.reason
    assert stage(multi.show(warned), "prod")["gates"][0]["live"] == 0.97
