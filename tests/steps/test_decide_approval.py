"""Votes: from whomever and however often they come, one decision comes out, and it is answered once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.approvals import Reason
from orchestrator.core.errors import NotAllowed, Refused, Throttled
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.records import Approval, ApprovalStatus, Status, Verdict
from orchestrator.core.steps.decide_approval import Ballot, vote
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, MemoryWorld, configuration, installation, slack
from tests.steps.journeys import asked

TWO_OWNERS = ApprovalPolicy(((("ml-owner", 2),),))
MIX = ApprovalPolicy(((("ml-owner", 1), ("risk", 1)), (("cto", 1),)))
ROLES = {
    "ml-owner": ("dev@example.com", "chloe@example.com"),
    "risk": ("ben@example.com",),
    "cto": ("ana@example.com",),
}


def world_with(policy: ApprovalPolicy, **changes: object) -> MemoryWorld:
    stages = (StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12, policy))
    return MemoryWorld(installation=installation(*stages, **changes))


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def approval(world: MemoryWorld) -> Approval:
    release = asked(world)
    return world.approval(release.release_id, "staging")


def answer_to(world: MemoryWorld, approval: Approval) -> object:
    assert approval.token is not None
    return world.fake_tasks.answers.get(approval.token.value)


def standing(world: MemoryWorld, approval: Approval) -> Approval:
    found = world.memory.get(Approval, approval.key())
    assert found is not None
    return found


def test_one_approver_approves(world: MemoryWorld, approval: Approval) -> None:
    result = world.vote(BEN, approval)
    assert result.counted
    assert result.approval.status is ApprovalStatus.APPROVED
    assert "approved for staging by Ben Okafor" in result.sentence
    assert answer_to(world, approval) == {"decision": "approved"}
    assert standing(world, approval).token is None
    (cast,) = standing(world, approval).votes
    assert (cast.person, cast.display, cast.via) == ("ben@example.com", "Ben Okafor", "slack")


def test_a_double_click_has_one_effect(world: MemoryWorld, approval: Approval) -> None:
    world.vote(BEN, approval)
    before = standing(world, approval)
    again = world.vote(BEN, approval)
    assert not again.counted
    assert standing(world, approval) == before
    assert "is approved for staging by Ben Okafor" in again.sentence


def test_two_clicks_at_the_same_moment(world: MemoryWorld, approval: Approval) -> None:
    world.memory.before_write_of[Approval] = lambda: world.vote(BEN, approval)
    late = world.vote(BEN, approval)
    assert not late.counted
    assert len(standing(world, approval).votes) == 1


def test_a_rejection_needs_a_reason_and_settles(world: MemoryWorld, approval: Approval) -> None:
    for reason in ("", "  ", "no", "x" * 513):
        with pytest.raises(Refused, match="reason"):
            world.vote(BEN, approval, Verdict.REJECT, reason)
    result = world.vote(BEN, approval, Verdict.REJECT, "AUC fell by two points")
    assert result.approval.status is ApprovalStatus.REJECTED
    assert answer_to(world, approval) == {"decision": "rejected"}
    assert standing(world, approval).votes[0].reason == "AUC fell by two points"


@pytest.mark.parametrize(
    ("first", "second", "status", "words"),
    [
        (Verdict.REJECT, Verdict.APPROVE, ApprovalStatus.REJECTED, "was rejected for staging by Ben Okafor"),
        (Verdict.APPROVE, Verdict.REJECT, ApprovalStatus.APPROVED, "is approved for staging by Ben Okafor"),
    ],
    ids=["approve after reject", "reject after approve"],
)
def test_what_is_settled_stays_settled(
    world: MemoryWorld, approval: Approval, first: Verdict, second: Verdict, status: ApprovalStatus, words: str
) -> None:
    world.vote(BEN, approval, first, "because")
    late = world.vote(CHLOE, approval, second, "because")
    assert not late.counted
    assert late.approval.status is status
    assert words in late.sentence


@pytest.mark.parametrize("hours", [71.99, 72, 100], ids=["in the last minute", "at the end", "long after"])
def test_a_late_vote_is_no_decision(world: MemoryWorld, approval: Approval, hours: float) -> None:
    """The state machine's own time-out ends the release: a vote it cannot hear any more must not be taken."""
    world.clock.pass_hours(hours)
    late = world.vote(BEN, approval)
    assert not late.counted
    assert standing(world, approval).status is ApprovalStatus.PENDING
    assert standing(world, approval).votes == ()
    assert late.sentence.endswith("has expired.")
    assert answer_to(world, approval) is None


def test_a_late_vote_on_an_approval_that_needs_two_is_told_as_late() -> None:
    world = world_with(TWO_OWNERS)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    world.clock.pass_hours(73)
    assert world.vote(BEN, approval).sentence.endswith("has expired.")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Status.EXPIRED, "has expired"), (Status.FAILED, "has expired"), (Status.SUPERSEDED, "A newer release")],
)
def test_votes_on_a_release_that_has_ended(world: MemoryWorld, approval: Approval, outcome: Status, words: str) -> None:
    world.end(approval.release_id, outcome)
    late = world.vote(BEN, approval)
    assert not late.counted
    assert words in late.sentence
    assert world.of(approval.release_id).status is outcome


@pytest.mark.parametrize(
    "prefix",
    ["", "0" * 15, "0" * 16, "zzzz"],
    ids=["none", "short", "another plan's", "no digest"],
)
def test_a_vote_on_another_plan_is_refused(world: MemoryWorld, approval: Approval, prefix: str) -> None:
    ballot = Ballot(approval.approval_id, prefix, slack(BEN), Verdict.APPROVE)
    with pytest.raises(Refused, match="plan has changed"):
        vote(ballot, store=world.store, tasks=world.tasks, installation=world.installation, now=world.clock)
    assert standing(world, approval).votes == ()


def test_a_prefix_that_is_right_but_too_short_is_refused(world: MemoryWorld, approval: Approval) -> None:
    ballot = Ballot(approval.approval_id, approval.digest[:15], slack(BEN), Verdict.APPROVE)
    with pytest.raises(Refused, match="plan has changed"):
        vote(ballot, store=world.store, tasks=world.tasks, installation=world.installation, now=world.clock)


def test_there_must_be_an_approval(world: MemoryWorld, approval: Approval) -> None:
    with pytest.raises(Refused, match="no such approval"):
        world.vote(BEN, replace(approval, approval_id="0" * 20))


def test_the_requester_may_not_approve_however_he_comes_in() -> None:
    """Ana asked through the API, and clicks in Slack."""
    world = MemoryWorld(installation=installation(roles={"ml-owner": ("ana@example.com",), "risk": ()}))
    release = asked(world)
    with pytest.raises(NotAllowed, match="somebody else"):
        world.vote(ANA, world.approval(release.release_id, "staging"))


def test_the_requester_may_stop_his_own_release_where_he_is_an_approver() -> None:
    world = MemoryWorld(installation=installation(roles={"ml-owner": ("ana@example.com",), "risk": ()}))
    release = asked(world)
    approval = world.approval(release.release_id, "staging")
    with pytest.raises(Refused, match="needs a reason"):
        world.vote(ANA, approval, Verdict.REJECT)
    assert (
        world.vote(ANA, approval, Verdict.REJECT, "I took the wrong data.").approval.status is ApprovalStatus.REJECTED
    )
    assert answer_to(world, approval) == {"decision": "rejected"}


def test_a_requester_who_is_no_approver_has_no_vote(world: MemoryWorld, approval: Approval) -> None:
    for verdict in Verdict:
        with pytest.raises(NotAllowed, match="not an approver"):
            world.vote(ANA, approval, verdict, "my own")


def test_a_comment_is_kept_with_the_vote_and_has_an_end(world: MemoryWorld, approval: Approval) -> None:
    with pytest.raises(Refused, match="A comment has at most 512 characters; this has 513"):
        world.vote(BEN, approval, reason="x" * 513)
    world.vote(BEN, approval, reason=f"  {'x' * 512}\n")
    assert standing(world, approval).votes[0].reason == "x" * 512


def test_the_same_vote_again_says_when_it_was_cast_and_that_a_new_comment_is_not_taken() -> None:
    world = world_with(TWO_OWNERS)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    world.vote(CHLOE, approval)
    again = world.vote(CHLOE, approval, reason="And the figures are good.")
    cast = standing(world, approval).votes[0]
    assert not again.counted
    assert f"You had approved fraud-detector-realtime for staging already, at {cast.at[:10]}" in again.sentence
    assert "Your comment was not added" in again.sentence
    assert cast.reason == ""


def test_unless_the_policy_lets_him() -> None:
    own = ApprovalPolicy(((("ml-owner", 1),),), requester_may_approve=True)
    world = world_with(own, roles={"ml-owner": ("ana@example.com",), "risk": ()})
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    result = world.vote(ANA, world.approval(release.release_id, "staging"))
    assert result.approval.status is ApprovalStatus.APPROVED


@pytest.mark.parametrize(
    "stranger",
    [
        slack(ANA),
        Identity(IdentityKind.SLACK, "U0STRANGER", verified=True),
        Identity(IdentityKind.IAM, "arn:aws:sts::111111111111:assumed-role/X/mallory", verified=True),
        Identity(IdentityKind.EMAIL, "ben@example.com", verified=False),
        UNKNOWN,
    ],
    ids=["no role", "unknown", "unknown caller", "claims to be Ben", "nobody"],
)
def test_who_has_no_role_has_no_vote(stranger: Identity) -> None:
    world = MemoryWorld()
    by_dev = Identity(
        IdentityKind.IAM,
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/dev",
        verified=True,
    )
    release = world.release(requester=by_dev)
    world.package(release.release_id)
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    approval = world.approval(release.release_id, "staging")
    for verdict in Verdict:
        with pytest.raises(NotAllowed, match="not an approver"):
            world.vote(stranger, approval, verdict, "because")
    assert standing(world, approval) == approval


def test_an_uncertain_requester_costs_one_approval_more(world: MemoryWorld) -> None:
    (release,) = world.receive(world.put_configuration(configuration())).releases
    world.package(release.release_id)
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    approval = world.approval(release.release_id, "staging")
    first = world.vote(BEN, approval)
    assert first.decision.reason is Reason.UNKNOWN_REQUESTER_NEEDS_ONE_MORE
    assert "one approval more" in first.sentence
    assert world.vote(BEN, approval).decision.reason is Reason.UNKNOWN_REQUESTER_NEEDS_ONE_MORE
    assert world.vote(DEV, approval).approval.status is ApprovalStatus.APPROVED


def test_two_of_three() -> None:
    world = world_with(TWO_OWNERS)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    first = world.vote(CHLOE, approval)
    assert first.counted
    assert first.approval.status is ApprovalStatus.PENDING
    assert "Still needed: 1 × ml-owner" in first.sentence
    assert world.vote(DEV, approval).approval.status is ApprovalStatus.APPROVED


def test_a_mix_of_roles() -> None:
    world = world_with(MIX, roles=ROLES)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.PENDING
    assert world.vote(DEV, approval).approval.status is ApprovalStatus.PENDING
    assert world.vote(BEN, approval).approval.status is ApprovalStatus.APPROVED


def test_somebody_may_change_his_mind_while_it_is_open() -> None:
    world = world_with(TWO_OWNERS)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    world.vote(CHLOE, approval)
    result = world.vote(CHLOE, approval, Verdict.REJECT, "on second thoughts")
    assert result.approval.status is ApprovalStatus.REJECTED
    assert [(cast.person, cast.verdict) for cast in result.approval.votes] == [("chloe@example.com", Verdict.REJECT)]


def test_two_who_vote_at_the_same_moment_are_both_heard() -> None:
    world = world_with(TWO_OWNERS)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    approval = world.approval(release.release_id, "staging")
    world.memory.before_write_of[Approval] = lambda: world.vote(DEV, approval)
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.APPROVED
    assert answer_to(world, approval) == {"decision": "approved"}


def test_an_approval_and_a_rejection_at_the_same_moment(world: MemoryWorld, approval: Approval) -> None:
    world.memory.before_write_of[Approval] = lambda: world.vote(CHLOE, approval, Verdict.REJECT, "no no no")
    late = world.vote(BEN, approval)
    assert not late.counted
    assert late.approval.status is ApprovalStatus.REJECTED
    assert answer_to(world, approval) == {"decision": "rejected"}


def test_a_decision_whose_answer_was_lost_is_answered_by_the_sweeper(
    world: MemoryWorld, approval: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:

    def throttled(*_: object) -> bool:
        raise Throttled("slow down")

    with monkeypatch.context() as slow:
        slow.setattr(world.fake_tasks, "succeed", throttled)
        with pytest.raises(Throttled):
            world.vote(BEN, approval)
        assert standing(world, approval).status is ApprovalStatus.APPROVED
        assert answer_to(world, approval) is None
        assert world.sweep().failures == (f"approval of {approval.release_id} in staging: slow down",)
    assert world.sweep().answered == 1
    assert answer_to(world, approval) == {"decision": "approved"}
    assert world.sweep().answered == 0


def test_a_stage_that_no_longer_asks_takes_no_votes(world: MemoryWorld, approval: Approval) -> None:
    world.installation = installation(StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12))
    with pytest.raises(Refused, match="needs no approval"):
        world.vote(BEN, approval)
