"""What holds of approvals whatever the policy, the people and the order of their votes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.approvals import Outcome, Reason, Rules, best_case, decide, eligible
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person
from orchestrator.core.records import Verdict, Vote
from tests.strategies import PEOPLE, ROLES, policies

ALL = People(tuple(Person(f"{name}@example.com", name.title(), (f"U0{name.upper()}",)) for name in PEOPLE))
MEMBERS = {role: tuple(f"{name}@example.com" for name in members) for role, members in ROLES.items()}


def slack(name: str) -> Identity:
    return Identity(IdentityKind.SLACK, f"U0{name.upper()}", verified=True)


def mail(name: str, *, verified: bool) -> Identity:
    return Identity(IdentityKind.EMAIL, f"{name}@example.com", verified=verified)


def cast(name: str, verdict: Verdict = Verdict.APPROVE) -> Vote:
    return Vote(f"{name}@example.com", name, verdict, "t")


rules = st.lists(policies, min_size=1, max_size=2).map(lambda several: Rules(tuple(several), MEMBERS, ALL))
requesters = st.one_of(
    st.just(UNKNOWN),
    st.builds(mail, st.sampled_from(PEOPLE), verified=st.booleans()),
    st.builds(slack, st.sampled_from(PEOPLE)),
)
ballots = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*Verdict, Verdict.APPROVE])), unique_by=lambda one: one[0]
)


@given(rules, requesters, ballots, st.randoms(use_true_random=False))
def test_the_order_of_the_votes_does_not_matter(
    rule: Rules, requester: Identity, said: list[tuple[str, Verdict]], random: object
) -> None:
    votes = [cast(*one) for one in said]
    shuffled = list(votes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(rule, requester, votes) == decide(rule, requester, shuffled)


@given(rules, requesters, ballots, st.sampled_from([*PEOPLE, "stranger"]), st.sampled_from(Verdict))
def test_a_vote_of_somebody_who_may_not_vote_changes_nothing(
    rule: Rules, requester: Identity, said: list[tuple[str, Verdict]], who: str, verdict: Verdict
) -> None:
    if eligible(rule, requester, slack(who), verdict).allowed:
        return
    votes = [cast(*one) for one in said if one[0] != who]
    assert decide(rule, requester, [*votes, cast(who, verdict)]) == decide(rule, requester, votes)


@given(rules, st.sampled_from(PEOPLE), st.booleans(), ballots)
def test_the_requester_may_stop_his_release_where_he_may_not_approve_it(
    rule: Rules, name: str, verified: bool, said: list[tuple[str, Verdict]]
) -> None:
    if rule.requester_may_approve:
        return
    requester = mail(name, verified=verified)
    assert eligible(rule, requester, slack(name)).reason in {Reason.IS_THE_REQUESTER, Reason.NOT_AN_APPROVER}
    others = [cast(*one) for one in said if one[0] != name]
    assert decide(rule, requester, [*others, cast(name)]) == decide(rule, requester, others)
    stopped = decide(rule, requester, [*others, cast(name, Verdict.REJECT)])
    if eligible(rule, requester, slack(name), Verdict.REJECT).allowed:
        assert stopped.outcome is Outcome.REJECTED
    else:
        assert stopped == decide(rule, requester, others)


@given(rules, requesters, ballots)
def test_what_everybody_together_cannot_approve_nobody_approves(
    rule: Rules, requester: Identity, said: list[tuple[str, Verdict]]
) -> None:
    if best_case(rule, requester).outcome is not Outcome.APPROVED:
        assert decide(rule, requester, [cast(*one) for one in said]).outcome is not Outcome.APPROVED


@given(rules, requesters, ballots)
def test_a_rejection_of_an_approver_always_rejects(
    rule: Rules, requester: Identity, said: list[tuple[str, Verdict]]
) -> None:
    votes = [cast(*one) for one in said]
    rejecters = [name for name, verdict in said if verdict is Verdict.REJECT]
    counts = any(eligible(rule, requester, slack(name), Verdict.REJECT).allowed for name in rejecters)
    assert (decide(rule, requester, votes).outcome is Outcome.REJECTED) == counts


def _enough(policy: ApprovalPolicy, approvers: set[str], more: int) -> bool:
    """The policy's own words, tried in every way: seats filled by different people, and so many people more."""
    for alternative in policy.any_of:
        seats = [role for role, count in alternative for _ in range(count)]
        if len(approvers) < len(seats) + more:
            continue
        for people in itertools.permutations(sorted(approvers), len(seats)):
            if all(person in ROLES[role] for person, role in zip(people, seats, strict=True)):
                return True
    return False


@given(rules, requesters, st.sets(st.sampled_from(PEOPLE)))
def test_approved_means_what_the_policies_say(rule: Rules, requester: Identity, approving: set[str]) -> None:
    allowed = {name for name in approving if eligible(rule, requester, slack(name)).allowed}
    certain = requester.verified or rule.requester_may_approve
    wanted = all(_enough(policy, allowed, 0 if certain else 1) for policy in rule.policies)
    found = decide(rule, requester, [cast(name) for name in sorted(approving)])
    assert (found.outcome is Outcome.APPROVED) == wanted
    assert bool(found.missing) == (not wanted)


@given(rules, requesters, st.sets(st.sampled_from(PEOPLE)), st.sampled_from(PEOPLE))
def test_one_approval_more_never_undoes_an_approval(
    rule: Rules, requester: Identity, approving: set[str], more: str
) -> None:
    before = decide(rule, requester, [cast(name) for name in approving]).outcome
    after = decide(rule, requester, [cast(name) for name in {*approving, more}]).outcome
    assert before is not Outcome.APPROVED or after is Outcome.APPROVED


@given(policies, policies, requesters, st.sets(st.sampled_from(PEOPLE)))
def test_of_two_policies_the_stricter_wins(
    one: ApprovalPolicy, other: ApprovalPolicy, requester: Identity, approving: set[str]
) -> None:
    votes = [cast(name) for name in approving]
    both = decide(Rules((one, other), MEMBERS, ALL), requester, votes).outcome
    if both is Outcome.APPROVED and requester.verified:
        for single in (one, other):
            assert decide(Rules((single,), MEMBERS, ALL), requester, votes).outcome is Outcome.APPROVED


@given(rules, st.sampled_from(PEOPLE))
def test_who_only_claims_to_be_somebody_has_no_vote(rule: Rules, name: str) -> None:
    assert not eligible(rule, UNKNOWN, mail(name, verified=False)).allowed


def test_the_extra_approval_is_counted_against_the_alternative_that_is_met() -> None:
    """A pair meets "one of each" exactly: that one of the others would need one person only is no help."""
    policy = ApprovalPolicy(((("owner", 1), ("risk", 1)), (("cto", 1),)))
    rule = Rules((policy,), MEMBERS, ALL)
    assert decide(rule, UNKNOWN, [cast("ana"), cast("chloe")]).reason is Reason.UNKNOWN_REQUESTER_NEEDS_ONE_MORE
    assert decide(rule, UNKNOWN, [cast("ana"), cast("chloe"), cast("ben")]).outcome is Outcome.APPROVED
    assert decide(rule, UNKNOWN, [cast("ana"), cast("dev")]).outcome is Outcome.APPROVED
