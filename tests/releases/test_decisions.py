"""People decide, or do not in time: what happens to the stage, the message and the e-mail."""

from __future__ import annotations

from typing import Any

from botocore.credentials import Credentials

from local.settings import CHANNEL, ORCHESTRATOR, PROD, REGION, STAGING
from local.signed import call
from tests.releases.team import Team, eventually, stage

REASON = "The recall of the malignant class is below what we agreed on."


def test_rejecting_a_first_release_leaves_no_stack_and_no_change_set(multi: Team, live: str) -> None:
    name = "not-this-one"
    multi.upload(name, multi.configuration(name))
    release_id = multi.started(f"{name}-realtime")
    asked = multi.until_asked(release_id, "staging")
    assert multi.stack(STAGING, asked["stack_name"]) is not None, "a first plan makes a stack in review"
    multi.reject(release_id, REASON)
    ended = multi.ended(release_id)
    assert ended.status == "rejected"
    assert multi.stack(STAGING, asked["stack_name"]) is None
    assert multi.stack(PROD, asked["stack_name"]) is None
    message = eventually("the reason in Slack", lambda: multi.message_with(release_id, REASON))
    assert "Ben Okafor" in message
    assert '"action_id": "approve"' not in message
    (mail,) = eventually("its e-mail", lambda: multi.mails(release_id))
    assert REASON in mail["message"]


def test_a_question_that_nobody_answers_in_time_expires(multi: Team, live: str) -> None:
    name = "too-late"
    multi.upload(name, multi.configuration(name))
    release_id = multi.started(f"{name}-realtime")
    asked = multi.until_asked(release_id, "staging")
    assert multi.running.cloud.expire_tasks(asked["execution_arn"]) == 1
    assert multi.ended(release_id).status == "expired"
    assert multi.stack(STAGING, asked["stack_name"]) is None
    message = eventually("said in Slack", lambda: multi.message_with(release_id, "expired"))
    assert '"action_id": "approve"' not in message
    assert len(eventually("its e-mail", lambda: multi.mails(release_id))) == 1


def test_a_newer_release_supersedes_one_that_waits(multi: Team, live: str) -> None:
    name = "overtaken"
    multi.upload(name, multi.configuration(name))
    first = multi.started(f"{name}-realtime")
    multi.until_asked(first, "staging")
    multi.upload(name, multi.configuration(name, instance_count=2))
    second = multi.started(f"{name}-realtime", frozenset({first}))
    assert multi.ended(first).status == "superseded"
    message = eventually("said in Slack", lambda: multi.message_with(first, second))
    assert '"action_id": "approve"' not in message
    multi.until_asked(second, "staging")
    multi.reject(second, "Enough for this test.")
    assert multi.ended(second).status == "rejected"


def test_without_slack_the_api_decides_by_the_same_rules_and_the_message_heals(multi: Team, live: str) -> None:
    name = "by-api"
    multi.upload(name, multi.configuration(name))
    release_id = multi.started(f"{name}-realtime")
    asked = multi.until_asked(release_id, "staging")
    multi.message(release_id, '"action_id": "approve"')
    multi.running.slack.faults(outage=True)
    try:
        _decided_without_slack(multi, release_id, asked)
        assert '"action_id": "approve"' in multi.message(release_id), "nobody could tell Slack"
    finally:
        multi.running.slack.faults(outage=False)
    healed = eventually(
        "said in Slack too", lambda: multi.running.cloud.run_schedules() and multi.message_with(release_id, REASON)
    )
    assert '"action_id": "approve"' not in healed
    assert "Ben Okafor" in healed
    eventually("everything said", lambda: not multi.rows("unsaid", {"release_id": release_id}))


def _decided_without_slack(multi: Team, release_id: str, asked: dict[str, Any]) -> None:
    """Staging is approved, by the API and the command; the release goes on, and is rejected before prod."""
    digest = stage(asked, "staging")["plan"]["digest"]
    path = f"/releases/{release_id}/decision"
    url = multi.running.cloud.local_url(multi.running.outputs["ApiUrl"]).rstrip("/") + path

    def decide(person: str, body: dict[str, str]) -> tuple[int, dict[str, str]]:
        answer = call("POST", url, multi.credentials_of(person), REGION, body)
        return answer.status, answer.json()

    outsider = call("POST", url, Credentials(ORCHESTRATOR, "local"), REGION, {"decision": "approve", "digest": digest})
    assert outsider.status == 403
    assert "not an approver" in outsider.json()["message"]
    assert decide("ben", {"decision": "approve", "digest": "0" * 64})[0] == 409
    assert decide("ben", {"decision": "reject", "digest": digest, "reason": ""})[0] == 409
    status, answer = decide("ben", {"decision": "approve", "digest": digest})
    assert (status, answer["status"]) == (200, "pending")
    assert "one approval more" in answer["message"]
    assert "approved for staging by Ben Okafor, Chloé Martin" in multi.mlops("chloe", "approve", release_id, "--yes")
    digest = stage(multi.until_asked(release_id, "prod"), "prod")["plan"]["digest"]
    assert eventually("the question by e-mail", lambda: "[approval needed]" in str(multi.mails(release_id)))
    status, answer = decide("chloe", {"decision": "reject", "digest": digest, "reason": REASON})
    assert (status, answer["status"]) == (200, "rejected")
    assert multi.ended(release_id).status == "rejected"


def test_the_requester_may_not_approve_the_own_release(multi: Team, live: str) -> None:
    name = "my-own"
    url = multi.running.cloud.local_url(multi.running.outputs["ApiUrl"]).rstrip("/")
    started = call("POST", f"{url}/provisionpipeline", multi.credentials_of("ben"), REGION, multi.configuration(name))
    assert started.status == 200, started.body
    release_id = started.json()["release_id"]
    multi.running.slack.open_home("U0CHLOE")
    assert f"/{multi.show(release_id)['stack_name']}/" in started.json()["pipeline_id"]
    asked = stage(multi.until_asked(release_id, "staging"), "staging")
    button = eventually("an Approve button", lambda: multi.running.slack.newest_button(CHANNEL, "approve"))
    multi.running.slack.click("U0BEN", button.channel, button.ts, "approve")
    eventually("a private word to Ben", lambda: multi.private_words("U0BEN", "somebody else has to decide"))
    assert multi.show(release_id)["status"] == "awaiting_approval"
    # Chloé, who has opened her Home, sees the question there as it comes, and decides there.
    question = f"decide-{asked['approval']['approval_id']}"
    eventually("the question in Chloé's Home", lambda: multi.home("U0CHLOE", question, f"Review {name}"))
    approve_at_home(multi, "U0CHLOE", question)
    multi.until_asked(release_id, "prod")
    told = eventually("a direct message to Ben", lambda: multi.direct_words("U0BEN", f"{name}-realtime* is approved"))
    assert "by Chloé Martin" in told
    assert "Open the release's message" in told
    multi.reject(release_id, "Not today.", user="U0CHLOE")
    assert multi.ended(release_id).status == "rejected"
    eventually("the reason to Ben", lambda: multi.direct_words("U0BEN", "Not today."))
    eventually("nothing waits in her Home", lambda: question not in multi.home("U0CHLOE", "Waiting for me"))
    assert stage(multi.show(release_id), "staging")["status"] == "verified"


def approve_at_home(multi: Team, user: str, question: str) -> None:
    """Click Approve beside this question in the person's Home."""
    home = multi.running.slack.home(user)
    assert home is not None
    (row,) = [block for block in home["blocks"] if block["block_id"] == question]
    value = next(one["value"] for one in row["elements"] if one["action_id"] == "approve")
    assert multi.running.slack.act_in_view(user, home["id"], "approve", value).ok
