"""Members of Slack user groups vote: looked up at each vote, by Slack and by the API, and never remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.approvals import decide
from orchestrator.core.errors import NotAllowed
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Approval, ApprovalStatus, Verdict
from orchestrator.core.steps.progress import rules_for
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, DEV, ROLES, MemoryWorld, installation

GROUP = "S0OWNERS"
BEN_BY_API = Identity(IdentityKind.IAM, "arn:aws:sts::1:assumed-role/AWSReservedSSO_X/ben", verified=True)


def asked(world: MemoryWorld, *alternatives: dict[str, int]) -> Approval:
    """Staging asks for these; two of the group's role where nothing else is said."""
    policy = ApprovalPolicy(tuple(tuple(one.items()) for one in alternatives or ({"duty": 2},)))
    stages = (
        StageSettings("dev", "2" * 12),
        StageSettings("staging", "3" * 12, policy),
        StageSettings("prod", "4" * 12),
    )
    world.installation = installation(*stages, roles={**ROLES, "duty": (GROUP,)})
    release = world.release(requester=BY_ANA)
    world.package(release.release_id)
    world.deploy(release.release_id, "dev")
    world.verify(release.release_id, "dev")
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    return world.approval(release.release_id, "staging")


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.user_groups.known[GROUP] = {"U0BEN", "U0DEV"}
    return world


def test_members_of_the_group_decide_and_others_do_not(world: MemoryWorld) -> None:
    approval = asked(world)
    first = world.vote(BEN, approval)
    assert first.approval.votes[0].groups == (GROUP,)
    assert "Still needed: 1 × duty" in first.sentence
    with pytest.raises(NotAllowed, match="not an approver"):
        world.vote(CHLOE, approval)
    assert world.vote(DEV, approval).approval.status is ApprovalStatus.APPROVED


def test_by_the_api_a_person_is_in_the_group_by_his_slack_id(world: MemoryWorld) -> None:
    approval = asked(world, {"duty": 1})
    result = world.vote(BEN_BY_API, approval)
    assert (result.approval.status, result.approval.votes[0].slack_id) == (ApprovalStatus.APPROVED, "")


def test_who_has_left_the_group_by_the_last_vote_is_not_counted(world: MemoryWorld) -> None:
    approval = asked(world)
    world.vote(BEN, approval)
    world.user_groups.known[GROUP] = {"U0DEV", "U0CHLOE"}
    waits = world.vote(DEV, approval)
    assert waits.approval.status is ApprovalStatus.PENDING
    assert [(vote.display, vote.groups) for vote in waits.approval.votes] == [
        ("Ben Okafor", ()),
        ("Dev Patel", (GROUP,)),
    ]
    release = world.of(approval.release_id)
    rules = rules_for(world.installation, release, "staging")
    assert rules is not None
    assert decide(rules, release.requester, waits.approval.votes).missing == "1 × duty", (
        "as messages and the API tell it"
    )
    with pytest.raises(NotAllowed):
        world.vote(BEN, approval)
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.APPROVED


def test_who_comes_back_counts_again(world: MemoryWorld) -> None:
    approval = asked(world)
    world.vote(BEN, approval)
    world.user_groups.known[GROUP] = {"U0DEV"}
    world.vote(DEV, approval)
    world.user_groups.known[GROUP] = {"U0DEV", "U0BEN"}
    assert world.vote(DEV, approval).approval.status is ApprovalStatus.APPROVED, "the same vote, looked at again"


def test_without_slack_those_whom_the_settings_name_decide(world: MemoryWorld) -> None:
    approval = asked(world, {"duty": 1}, {"risk": 1})
    world.user_groups.down = True
    with pytest.raises(NotAllowed, match=r"Slack does not tell just now who is in the user group S0OWNERS"):
        world.vote(DEV, approval)
    assert world.vote(CHLOE, approval).approval.status is ApprovalStatus.APPROVED


def test_without_slack_a_vote_that_counts_by_the_group_waits_until_it_is_there_again(world: MemoryWorld) -> None:
    approval = asked(world, {"duty": 1, "risk": 1})
    world.vote(DEV, approval)
    world.user_groups.down = True
    waits = world.vote(CHLOE, approval)
    assert waits.approval.status is ApprovalStatus.PENDING
    assert "counts when it is given once more" in waits.sentence
    world.user_groups.down = False
    again = world.vote(CHLOE, approval)
    assert (again.approval.status, again.counted) == (ApprovalStatus.APPROVED, True)


def test_a_rejection_by_a_member_counts(world: MemoryWorld) -> None:
    approval = asked(world)
    assert world.vote(BEN, approval, Verdict.REJECT, "Not yet.").approval.status is ApprovalStatus.REJECTED


def test_no_group_is_asked_for_where_no_role_names_one(world: MemoryWorld) -> None:
    approval = asked(world, {"risk": 1})
    world.vote(CHLOE, approval)
    assert world.user_groups.asked == []


def test_a_group_is_asked_for_once_at_each_vote(world: MemoryWorld) -> None:
    approval = asked(world, {"duty": 2}, {"duty": 1, "risk": 1})
    world.vote(BEN, approval)
    world.vote(DEV, approval)
    assert world.user_groups.asked == [GROUP, GROUP]


def test_the_requester_is_kept_out_of_the_group_too(world: MemoryWorld) -> None:
    world.user_groups.known[GROUP] = {"U0ANA"}
    approval = asked(world)
    ana = Identity(IdentityKind.SLACK, "U0ANA", verified=True)
    with pytest.raises(NotAllowed, match="You asked for this release"):
        world.vote(ana, approval)


def test_a_vote_says_which_account_it_came_from(world: MemoryWorld) -> None:
    approval = asked(world)
    (vote,) = world.vote(BEN, approval).approval.votes
    assert replace(vote, at="").slack_id == "U0BEN"
