"""Votes with a comment, votes taken back, votes in words: through the real front, queue and worker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Approval, ApprovalStatus, Release
from tests.slack_app.conftest import CHANNEL, SlackScene

LATER, LATEST = "2999-01-01T00:00:00.000Z", "2999-01-02T00:00:00.000Z"
COMMENT = "Recall is fine, <!channel>."


BOTH = ApprovalPolicy(((("ml-owner", 1), ("risk", 1)),))


@pytest.fixture(autouse=True)
def _two_are_needed(slack: SlackScene) -> None:
    """In prod: an owner, and somebody of risk."""
    *others, prod = slack.world.installation.stages
    slack.world.installation = replace(slack.world.installation, stages=(*others, replace(prod, approval=BOTH)))


def command(slack: SlackScene, user: str, words: str) -> str:
    """What somebody is told who writes ``/mlops WORDS``."""
    slack.page.slash(user, "/mlops", words, CHANNEL)
    assert slack.work() == []
    return slack.told(user)


def replies(slack: SlackScene) -> list[str]:
    """Texts of the answers in the newest message's thread."""
    thread = slack.message["ts"]
    return [one["text"] for one in slack.page.messages(CHANNEL) if one.get("thread_ts") == thread != one["ts"]]


def status(slack: SlackScene, release_id: str, stage: str = "prod") -> ApprovalStatus:
    return slack.world.approval(release_id, stage).status


def test_a_comment_is_asked_for_and_shown_once_in_the_thread(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    assert slack.click("U0BEN", "approve_comment")
    slack.work()
    view = slack.page.wait_for_view("U0BEN")
    long = slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": "x" * 513}})
    assert not long.ok
    assert slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": COMMENT}}).ok
    assert slack.work() == []
    assert status(slack, release_id) is ApprovalStatus.PENDING
    (vote,) = slack.world.approval(release_id, "prod").votes
    assert vote.reason == COMMENT
    slack.tell()
    said = [text for text in replies(slack) if "Recall is fine" in text]
    assert len(said) == 1
    assert "<!channel>" not in said[0]
    assert "Recall is fine" in slack.page.text_of(CHANNEL)


def test_a_vote_is_taken_back_by_whose_it_is(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    slack.click("U0BEN")
    slack.work()
    assert slack.buttons == ["approve", "approve_comment", "reject", "withdraw"]
    slack.click("U0CHLOE", "withdraw")
    slack.work()
    assert "no vote to withdraw" in slack.told("U0CHLOE")
    slack.click("U0BEN", "withdraw")
    slack.work()
    assert "is withdrawn" in slack.told("U0BEN")
    approval = slack.world.approval(release_id, "prod")
    assert (approval.votes, [one.display for one in approval.withdrawals]) == ((), ["Ben Okafor"])
    assert slack.buttons == ["approve", "approve_comment", "reject"]
    for user in ("U0CHLOE", "U0BEN"):
        slack.click(user)
        slack.work()
    assert status(slack, release_id) is ApprovalStatus.APPROVED


def test_what_is_settled_is_not_taken_back(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    for user in ("U0BEN", "U0CHLOE"):
        slack.click(user)
        slack.drain()
    assert status(slack, release_id) is ApprovalStatus.APPROVED
    assert "waits for no decision" in command(slack, "U0BEN", f"withdraw {release_id}")
    assert [vote.display for vote in slack.world.approval(release_id, "prod").votes] == ["Ben Okafor", "Chloé Martin"]


def test_who_asked_may_stop_it_and_not_approve_it(slack: SlackScene) -> None:
    release_id = slack.asked()
    ben = Identity(IdentityKind.SLACK, "U0BEN", verified=True)
    release = slack.world.of(release_id)
    slack.world.store.update(Release, release.key(), lambda one: replace(one, requester=ben))
    assert "You may reject it" in command(slack, "U0BEN", f"approve {release_id}")
    assert status(slack, release_id, "staging") is ApprovalStatus.PENDING
    assert "was rejected" in command(slack, "U0BEN", f"reject {release_id} I uploaded the wrong file.")
    assert status(slack, release_id, "staging") is ApprovalStatus.REJECTED


def test_votes_in_words(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    assert "is counted" in command(slack, "U0BEN", f"approve {release_id} Looks good.")
    (vote,) = slack.world.approval(release_id, "prod").votes
    assert (vote.reason, vote.via) == ("Looks good.", "slack")
    assert "already" in command(slack, "U0BEN", f"approve {release_id}")
    assert "is withdrawn" in command(slack, "U0BEN", f"withdraw {release_id}")
    assert "Write /mlops reject" in command(slack, "U0BEN", f"reject {release_id}")
    assert "not an approver" in command(slack, "U0ANA", f"reject {release_id} No, thank you.")
    assert "was rejected" in command(slack, "U0CHLOE", f"reject {release_id} The recall is too low.")
    assert status(slack, release_id) is ApprovalStatus.REJECTED
    assert "waits for no decision" in command(slack, "U0BEN", f"approve {release_id}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("approve", "Write /mlops approve RELEASE"),
        ("withdraw", "Write /mlops withdraw RELEASE"),
        ("approve no-such-release", "no release"),
        ("why", "Write /mlops why RELEASE"),
        ("why no-such-release", "no release"),
        ("history", "Write /mlops history WORKLOAD"),
    ],
)
def test_words_that_do_not_do_are_told_so(slack: SlackScene, words: str, told: str) -> None:
    assert told in command(slack, "U0BEN", words)


def test_words_that_come_late_do_not_decide_about_the_next_question(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    approval = slack.world.approval(release_id, "prod")
    slack.page.slash("U0BEN", "/mlops", f"approve {release_id}", CHANNEL)
    # As if the stage had been asked about only after the words were typed.
    slack.world.store.update(Approval, approval.key(), lambda one: replace(one, asked_at=LATER, expires_at=LATEST))
    slack.work()
    assert slack.world.approval(release_id, "prod").votes == ()


def test_why_and_history_tell(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    command(slack, "U0BEN", f"approve {release_id}")
    command(slack, "U0ANA", f"why {release_id}")
    shown = str(slack.page.ephemerals("U0ANA")[-1])
    assert "risk" in shown
    assert "Chloé Martin" in shown
    workload = slack.world.of(release_id).workload
    command(slack, "U0ANA", f"history {workload}")
    assert release_id in str(slack.page.ephemerals("U0ANA")[-1])
