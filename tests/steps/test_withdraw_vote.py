"""Votes that are taken back: while others are missing, by their own voters, and never after the question is settled."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from orchestrator.core.approvals import Outcome, decide
from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.ledger.chain import EntryKind
from orchestrator.core.people import Identity, IdentityKind, Person
from orchestrator.core.records import Approval, ApprovalStatus, Status, Verdict
from orchestrator.core.steps.progress import rules_for
from orchestrator.core.steps.withdraw_vote import Wish, withdraw
from tests.fakes.dying import standing_still_after
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, MemoryWorld, configuration
from tests.steps.journeys import asked
from tests.steps.test_append_ledger import ledger_of
from tests.steps.test_decide_approval import TWO_OWNERS, answer_to, standing, world_with

ALL_OWNERS = ApprovalPolicy(((("ml-owner", 3),),))


def waiting(policy: ApprovalPolicy = TWO_OWNERS) -> tuple[MemoryWorld, Approval]:
    """Staging asks by this policy."""
    world = world_with(policy)
    release = asked(world, configuration(inference_instance="ml.m5.large"))
    return world, world.approval(release.release_id, "staging")


def test_a_withdrawn_vote_counts_no_more_and_stays_in_the_record() -> None:
    world, approval = waiting()
    world.vote(BEN, approval, reason="Looks good.")
    cast = standing(world, approval).votes[0]
    result = world.withdraw(BEN, approval)
    assert result.counted
    assert result.sentence == (
        "Your approval of fraud-detector-realtime for staging is withdrawn. Still needed: 2 × ml-owner."
    )
    after = standing(world, approval)
    assert after.votes == ()
    (told,) = after.withdrawals
    assert (told.person, told.display, told.cast_at, told.via) == ("ben@example.com", "Ben Okafor", cast.at, "slack")
    assert told.at > cast.at
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.PENDING
    assert answer_to(world, approval) is None


def test_whoever_has_withdrawn_may_vote_again_and_withdraw_again() -> None:
    world, approval = waiting()
    for _ in range(2):
        assert world.vote(BEN, approval).counted
        assert world.withdraw(BEN, approval).counted
    world.vote(BEN, approval)
    assert len(standing(world, approval).withdrawals) == 2
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.APPROVED
    assert answer_to(world, approval) == {"decision": "approved"}


def test_a_double_click_has_one_effect() -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.withdraw(BEN, approval)
    before = standing(world, approval)
    again = world.withdraw(BEN, approval)
    assert not again.counted
    assert "You had withdrawn your approval of fraud-detector-realtime for staging already, at 2026-" in again.sentence
    assert standing(world, approval) == before


@pytest.mark.parametrize(
    "who",
    [CHLOE, ANA, Identity(IdentityKind.EMAIL, "ben@example.com", verified=False)],
    ids=["another approver", "the requester", "who claims to be the voter"],
)
def test_nobody_withdraws_the_vote_of_another(who: Person | Identity) -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    with pytest.raises(NotAllowed, match="You have no vote to withdraw about staging"):
        world.withdraw(who, approval)
    assert len(standing(world, approval).votes) == 1


def test_a_voter_who_lost_the_role_may_still_withdraw() -> None:
    world, approval = waiting()
    world.vote(DEV, approval)
    world.installation = replace(world.installation, roles={"ml-owner": ("ben@example.com", "chloe@example.com")})
    assert world.withdraw(DEV, approval).counted


@pytest.mark.parametrize(
    ("last", "told"),
    [(Verdict.APPROVE, "is approved for staging by"), (Verdict.REJECT, "was rejected for staging by Chloé Martin")],
)
def test_after_settling_it_is_refused_with_the_reason(last: Verdict, told: str) -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.vote(CHLOE, approval, last, "because")
    settled = standing(world, approval)
    with pytest.raises(Refused, match=told) as refusal:
        world.withdraw(BEN, approval)
    assert "only while others are missing" in str(refusal.value)
    assert standing(world, approval) == settled


@pytest.mark.parametrize(
    ("outcome", "words"), [(Status.EXPIRED, "has expired"), (Status.SUPERSEDED, "A newer release")]
)
def test_nor_from_a_release_that_has_ended(outcome: Status, words: str) -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.end(approval.release_id, outcome)
    with pytest.raises(Refused, match=words):
        world.withdraw(BEN, approval)


def test_nor_in_the_last_minute() -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.clock.pass_hours(72)
    with pytest.raises(Refused, match="has expired"):
        world.withdraw(BEN, approval)
    assert len(standing(world, approval).votes) == 1


def test_nor_from_another_plan_than_was_shown() -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    wish = Wish(approval.approval_id, "0" * 16, Identity(IdentityKind.SLACK, "U0BEN", verified=True))
    with pytest.raises(Refused, match="plan has changed"):
        withdraw(wish, store=world.store, installation=world.installation, now=world.clock)


def test_the_ledger_keeps_both_the_vote_and_its_withdrawal() -> None:
    world, approval = waiting()
    world.vote(BEN, approval, reason="Looks good.")
    world.withdraw(BEN, approval)
    world.vote(BEN, approval)
    kinds = (EntryKind.VOTE, EntryKind.VOTE_WITHDRAWN)
    found = [entry for entry in ledger_of(world) if entry["kind"] in kinds]
    assert [entry["kind"] for entry in found] == ["vote", "vote_withdrawn", "vote"]
    first, taken_back, _ = found
    assert (first["reason"], taken_back["reason"]) == ("Looks good.", "")
    assert (taken_back["actor"]["display"], taken_back["via"], taken_back["outcome"]) == (
        "Ben Okafor",
        "slack",
        "approve",
    )
    assert taken_back["facts"]["cast_at"] == first["at"]
    assert taken_back["at"] == standing(world, approval).withdrawals[0].at


def test_withdrawals_are_told_once_each_however_often_the_stream_delivers() -> None:
    world, approval = waiting()
    for _ in range(2):
        world.vote(BEN, approval)
        world.withdraw(BEN, approval)
    assert sum(entry["kind"] == "vote_withdrawn" for entry in ledger_of(world)) == 2
    assert sum(entry["kind"] == "vote_withdrawn" for entry in ledger_of(world)) == 2


# At the same moment.


def test_a_withdrawal_that_comes_between_read_and_write_of_the_last_vote_leaves_it_open() -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.memory.before_write_of[Approval] = lambda: world.withdraw(BEN, approval)
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.PENDING
    assert answer_to(world, approval) is None
    assert [vote.person for vote in standing(world, approval).votes] == ["chloe@example.com"]


def test_the_last_vote_that_comes_between_read_and_write_of_a_withdrawal_wins() -> None:
    world, approval = waiting()
    world.vote(BEN, approval)
    world.memory.before_write_of[Approval] = lambda: world.vote(CHLOE, approval)
    with pytest.raises(Refused, match="is approved for staging"):
        world.withdraw(BEN, approval)
    assert standing(world, approval).withdrawals == ()
    assert answer_to(world, approval) == {"decision": "approved"}


@pytest.mark.parametrize("first", ["vote", "withdraw"])
def test_wherever_one_stands_still_the_question_is_answered_once_and_truly(first: str) -> None:
    """The vote that settles, and the withdrawal: one stands still after each of its calls while the other runs."""
    for calls in range(1, 40):
        world, approval = waiting()
        world.vote(BEN, approval)
        refused: list[Refused] = []

        def attempt(what: str) -> None:
            try:
                if what == "vote":
                    world.vote(CHLOE, approval)  # noqa: B023
                else:
                    world.withdraw(BEN, approval)  # noqa: B023
            except Refused as refusal:
                refused.append(refusal)  # noqa: B023

        second = "withdraw" if first == "vote" else "vote"
        with standing_still_after(world, calls, lambda: attempt(second)) as countdown:  # noqa: B023
            attempt(first)
        if countdown.left > 0:
            assert calls > 3
            return
        found = standing(world, approval)
        settled = found.status is ApprovalStatus.APPROVED
        assert settled == (answer_to(world, approval) == {"decision": "approved"})
        assert settled == (found.withdrawals == ())
        assert settled == bool(refused)
        assert len(found.votes) == (2 if settled else 1)
    raise AssertionError("they never end")


ACTS = ("approve", "withdraw", "reject")


def act(world: MemoryWorld, approval: Approval, who: Person, what: str) -> None:
    try:
        if what == "withdraw":
            world.withdraw(who, approval)
        else:
            world.vote(who, approval, Verdict(what), "because")
    except Refused:
        pass


def test_any_four_clicks_of_three_people_come_to_one_answer_and_it_is_what_the_record_says() -> None:
    people = (BEN, CHLOE, DEV)
    clicks = list(itertools.product(people, ACTS))
    world, approval = waiting()
    fresh = standing(world, approval)
    release = world.of(approval.release_id)
    rules = rules_for(world.installation, release, "staging")
    assert rules is not None
    assert fresh.token is not None
    token = fresh.token.value
    for order in itertools.product(clicks, repeat=4):
        if order[0][1] == "withdraw" or order[0][0] is not BEN:
            continue  # nothing to withdraw yet; and the three have the same role
        world.memory.rows[approval.key()] = fresh
        world.fake_tasks.answers.pop(token, None)
        answers = []
        for who, what in order:
            act(world, approval, who, what)
            answers.append(world.fake_tasks.answers.get(token))
        given = [one for one in answers if one is not None]
        assert all(one == given[0] for one in given), order
        found = standing(world, approval)
        outcome = decide(rules, release.requester, found.votes).outcome
        expected = {Outcome.WAIT: None, Outcome.APPROVED: "approved", Outcome.REJECTED: "rejected"}[outcome]
        assert (given[0]["decision"] if given else None) == expected, order
        assert (found.status is ApprovalStatus.PENDING) == (expected is None), order
        assert (found.token is None) == (expected is not None), order


def test_three_who_vote_at_once_are_all_heard() -> None:
    world, approval = waiting(ALL_OWNERS)

    def second() -> None:
        world.memory.before_write_of[Approval] = lambda: world.vote(DEV, approval)
        world.vote(CHLOE, approval)

    world.memory.before_write_of[Approval] = second
    assert world.vote(BEN, approval).approval.status is ApprovalStatus.APPROVED
    assert {vote.person for vote in standing(world, approval).votes} == {
        "ben@example.com",
        "chloe@example.com",
        "dev@example.com",
    }
    assert answer_to(world, approval) == {"decision": "approved"}
