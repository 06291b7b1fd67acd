"""Slack user groups in approver roles: who counts, who does not any more, and what happens when Slack does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.approvals import Outcome, Reason, Rules, best_case, decide, eligible
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.messages.refused_votes import why_not
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person, is_group
from orchestrator.core.records import Verdict, Vote
from orchestrator.core.user_groups import Voter, assumed, look_up, noted

ANA = Person("ana@example.com", "Ana", ("U0ANA",), ("ana",))
BEN = Person("ben@example.com", "Ben", ("U0BEN",))
MIA = Person("mia@example.com", "Mia")
"""Known by the e-mail address of her Slack account alone."""
PEOPLE = People((ANA, BEN, MIA))
OWNERS, RISK = "S0OWNERS", "S0RISK"
ROLES = {"owner": (OWNERS,), "risk": (RISK, "ana@example.com")}
BY_ANA = Identity(IdentityKind.IAM, "arn:aws:sts::1:assumed-role/AWSReservedSSO_X/ana", verified=True)
ONE_OWNER = ApprovalPolicy(((("owner", 1),),))


@dataclass
class Groups:
    """Slack's groups in memory; an exception in the place of members is raised."""

    known: Mapping[str, object]
    asked: list[str] = field(default_factory=list)

    def members(self, group: str) -> frozenset[str]:
        self.asked.append(group)
        found = self.known.get(group, ChatRefused("no_such_subteam"))
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, tuple)
        return frozenset(found)


def rules(*policies: ApprovalPolicy) -> Rules:
    return Rules(policies or (ONE_OWNER,), ROLES, PEOPLE)


def slack(user: str) -> Identity:
    return Identity(IdentityKind.SLACK, user, verified=True)


def approves(person: Person, *groups: str, slack_id: str = "") -> Vote:
    return Vote(person.email, person.name, Verdict.APPROVE, "t", groups=groups, slack_id=slack_id)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("S0614TZR7", True),
        ("S0OWNERS", True),
        ("U0BEN", False),
        ("S", False),
        ("Sara", False),
        ("sso-user", False),
        ("S0614TZR7 ", False),
        ("S0614\n", False),
        ("arn:aws:iam::111111111111:role/S0614TZR7", False),
    ],
)
def test_a_group_is_named_by_its_id(text: str, is_one: bool) -> None:
    assert is_group(text) is is_one


def test_each_group_of_the_policies_is_asked_for_once_and_no_other() -> None:
    groups = Groups({OWNERS: ("U0BEN",), RISK: ()})
    look_up(rules(), groups)
    assert groups.asked == [OWNERS]
    look_up(rules(ApprovalPolicy(((("owner", 1), ("risk", 1)), (("owner", 2),)))), groups)
    assert groups.asked[1:] == [OWNERS, RISK]


def test_who_is_in_the_group_may_vote_and_nobody_else() -> None:
    known = look_up(rules(), Groups({OWNERS: ("U0BEN",)})).into(rules(), ())
    assert eligible(known, BY_ANA, slack("U0BEN")).allowed
    assert eligible(known, BY_ANA, slack("U0ANA")).reason is Reason.NOT_AN_APPROVER
    assert not eligible(rules(), BY_ANA, slack("U0BEN")).allowed, "nobody has asked Slack"


def test_a_person_known_by_e_mail_counts_by_the_account_that_clicked() -> None:
    mia = Voter(Identity(IdentityKind.EMAIL, MIA.email, verified=True), "U0MIA")
    lookup = look_up(rules(), Groups({OWNERS: ("U0MIA",)}))
    assert eligible(lookup.into(rules(), (), mia), BY_ANA, mia.identity).allowed
    voted = (approves(MIA, slack_id="U0MIA"),)
    assert decide(lookup.into(rules(), voted), BY_ANA, voted).outcome is Outcome.APPROVED, "and later by her vote"
    elsewhere = look_up(rules(), Groups({OWNERS: ("U0BEN",)}))
    assert decide(elsewhere.into(rules(), voted), BY_ANA, voted).outcome is Outcome.WAIT


def test_who_has_left_people_since_he_voted_counts_no_more() -> None:
    voted = (approves(MIA, OWNERS, slack_id="U0MIA"),)
    without = Rules((ONE_OWNER,), ROLES, People((ANA, BEN)))
    known = look_up(without, Groups({OWNERS: ("U0MIA",)})).into(without, voted)
    assert decide(known, BY_ANA, voted).outcome is Outcome.WAIT


def test_a_member_who_is_nobody_of_people_does_not_count_and_hears_why() -> None:
    zoe = Voter(slack("U0ZOE"), "U0ZOE")
    lookup = look_up(rules(), Groups({OWNERS: ("U0ZOE",)}))
    standing = eligible(lookup.into(rules(), (), zoe), BY_ANA, zoe.identity)
    assert not standing.allowed
    assert "the settings do not know you" in why_not(standing.reason, "prod", zoe, lookup, PEOPLE)
    ben = Voter(slack("U0BEN"), "U0BEN")
    assert why_not(standing.reason, "prod", ben, lookup, PEOPLE) == "You are not an approver of prod."


def test_the_requester_may_not_vote_as_a_member_either() -> None:
    known = look_up(rules(), Groups({OWNERS: ("U0ANA", "U0BEN")})).into(rules(), ())
    assert eligible(known, BY_ANA, slack("U0ANA")).reason is Reason.IS_THE_REQUESTER


@pytest.mark.parametrize("trouble", [ChatRefused("missing_scope"), ChatUnavailable("Slack was not reached"), None])
def test_when_slack_does_not_tell_the_group_is_closed_and_others_can_still_vote(trouble: Exception | None) -> None:
    policy = ApprovalPolicy(((("risk", 1),),), requester_may_approve=True)
    groups = None if trouble is None else Groups({RISK: trouble})
    lookup = look_up(rules(policy), groups)
    votes = (approves(BEN, RISK, slack_id="U0BEN"),)
    known = lookup.into(rules(policy), votes)
    assert eligible(known, BY_ANA, slack("U0ANA")).allowed, "named by the settings"
    standing = eligible(known, BY_ANA, slack("U0BEN"))
    assert standing.reason is Reason.GROUP_NOT_KNOWN
    told = why_not(standing.reason, "prod", Voter(slack("U0BEN"), "U0BEN"), lookup, PEOPLE)
    assert RISK in told
    assert "Slack does not tell" in told
    assert decide(known, BY_ANA, votes).outcome is Outcome.WAIT, "what was noted before does not help now"


def test_who_left_the_group_before_the_last_vote_has_voted_for_nothing() -> None:
    two = rules(ApprovalPolicy(((("owner", 2),),)))
    votes = (approves(BEN, OWNERS), approves(MIA, OWNERS, slack_id="U0MIA"))
    assert decide(two, BY_ANA, votes).outcome is Outcome.APPROVED, "as noted at the last vote"
    without_ben = look_up(two, Groups({OWNERS: ("U0MIA",)})).into(two, votes)
    assert decide(without_ben, BY_ANA, votes).outcome is Outcome.WAIT
    after = noted(votes, without_ben)
    assert [vote.groups for vote in after] == [(), (OWNERS,)]
    assert decide(two, BY_ANA, after).outcome is Outcome.WAIT, "whoever does not ask Slack sees the same"


def test_a_policy_without_groups_asks_nothing_and_notes_nothing() -> None:
    plain = Rules((ApprovalPolicy(((("direct", 1),),)),), {"direct": ("ben@example.com",)}, PEOPLE)
    lookup = look_up(plain, None)
    assert not lookup.silent
    assert noted((approves(BEN),), lookup.into(plain, ())) == (approves(BEN),)
    assert assumed(plain) == plain


def test_settings_are_checked_as_if_everybody_known_were_in_the_group() -> None:
    assert best_case(rules(), BY_ANA).outcome is Outcome.WAIT
    assert best_case(assumed(rules()), BY_ANA).outcome is Outcome.APPROVED
    four = Rules((ApprovalPolicy(((("owner", 4),),), requester_may_approve=True),), ROLES, PEOPLE)
    assert best_case(assumed(four), UNKNOWN).outcome is Outcome.WAIT, "there are three people in all"


def test_a_group_without_members_is_never_satisfied() -> None:
    empty = look_up(rules(), Groups({OWNERS: ()})).into(rules(), ())
    assert best_case(empty, BY_ANA).outcome is Outcome.WAIT


people = st.sampled_from((ANA, BEN, MIA))
accounts = {ANA.email: "U0ANA", BEN.email: "U0BEN", MIA.email: "U0MIA"}


@given(
    st.lists(people, unique=True),
    st.frozensets(st.sampled_from(sorted(accounts.values()))),
    st.frozensets(st.sampled_from(sorted(accounts.values()))),
)
def test_only_votes_of_those_who_are_members_now_count(
    voters: list[Person], then: frozenset[str], now: frozenset[str]
) -> None:
    wanted = rules(ApprovalPolicy(((("owner", 1),),), requester_may_approve=True))
    votes = tuple(
        approves(one, *([OWNERS] if accounts[one.email] in then else []), slack_id=accounts[one.email])
        for one in voters
    )
    live = look_up(wanted, Groups({OWNERS: tuple(now)})).into(wanted, votes)
    expected = any(accounts[one.email] in now for one in voters)
    assert (decide(live, BY_ANA, votes).outcome is Outcome.APPROVED) is expected
    noted_now = noted(votes, live)
    assert decide(wanted, BY_ANA, noted_now).outcome is decide(live, BY_ANA, votes).outcome
