"""What each person's Home shows, from the records."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.home import Board, gather_board, home_of
from orchestrator.core.messages import limits
from orchestrator.core.messages.home import HomeFacts
from orchestrator.core.origins import Commit
from orchestrator.core.people import Identity, IdentityKind, Person
from orchestrator.core.records import LiveStage, Release, Status, Verdict, Workload
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, MemoryWorld, configuration, slack
from tests.steps.journeys import asked, live, packaged

LATER = "2026-03-02T09:00:00.000Z"


def board(world: MemoryWorld) -> Board:
    return gather_board(world.store, world.installation)


def home(world: MemoryWorld, who: Person | Identity, **more: str) -> HomeFacts:
    viewer = slack(who) if isinstance(who, Person) else who
    return home_of(viewer, board(world), lambda release_id: f"https://slack.test/{release_id}", **more)


def test_a_question_waits_for_those_who_may_vote_and_have_not() -> None:
    world = MemoryWorld()
    everybody = {**world.installation.roles, "ml-owner": ("ana@example.com", *world.installation.roles["ml-owner"])}
    world.installation = replace(world.installation, roles=everybody)
    release = asked(world)
    (question,) = home(world, BEN).waiting.shown
    assert question.waiting.approval == world.approval(release.release_id, "staging")
    assert question.link == f"https://slack.test/{release.release_id}"
    assert home(world, ANA).waiting.count == 0, "it is her own release"
    stranger = Identity(IdentityKind.SLACK, "U0STRANGER", verified=True)
    assert home(world, stranger).waiting.count == 0
    by_mail = Identity(IdentityKind.EMAIL, "chloe@example.com", verified=True)
    assert home(world, by_mail).waiting.count == 1


def test_who_has_voted_is_not_waited_for_though_others_are() -> None:
    world = MemoryWorld()
    release = world.uploaded()
    world.package(release.release_id)
    world.deploy(release.release_id, "dev")
    world.verify(release.release_id, "dev")
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    world.vote(BEN, world.approval(release.release_id, "staging"))
    assert home(world, BEN).waiting.count == 0
    assert home(world, DEV).waiting.count == 1


def test_a_settled_question_waits_for_nobody() -> None:
    world = MemoryWorld()
    release = asked(world)
    world.vote(CHLOE, world.approval(release.release_id, "staging"), Verdict.REJECT, "Recall is too low.")
    assert home(world, BEN).waiting.count == 0


def test_ones_own_releases_run_first_then_the_newest() -> None:
    world = MemoryWorld()
    ended = live(world)
    running = packaged(world, configuration(model_name="churn"))
    world.memory.insert(replace(running, release_id="bens", workload="bens", requester=slack(BEN)))
    last = replace(ended, release_id="newest", created_at=LATER, status=Status.FAILED)
    world.memory.insert(last)
    shown = home(world, ANA).own.shown
    assert [own.release.release_id for own in shown] == [running.release_id, "newest", ended.release_id]
    assert [own.release.release_id for own in home(world, BEN).own.shown] == ["bens"]


def test_the_author_of_a_commit_finds_it_among_his_own() -> None:
    world = MemoryWorld()
    release = packaged(world)
    commit = Commit("ml-models", "main", "0" * 40, "Dev", "dev@example.com")
    world.memory.update(Release, release.key(), lambda found: replace(found, commit=commit, requester=slack(BEN)))
    for person in (DEV, BEN):
        assert home(world, person).own.count == 1
    assert home(world, ANA).own.count == 0


def test_what_is_live_where_since_when_and_by_whom() -> None:
    world = MemoryWorld()
    release = live(world)
    (found,) = home(world, DEV).live.shown
    assert found.workload == release.workload
    (place,) = found.places
    assert (place.stages, place.release_id, place.by) == (("dev", "staging", "prod"), release.release_id, "Ana Silva")
    assert place.digest == release.digest
    newer = LiveStage("dev", "of-long-ago", "d" * 64, LATER)
    key = world.workload(release.workload).key()
    world.memory.update(Workload, key, lambda row: replace(row, live=(newer, *row.live[1:])))
    first, second = home(world, DEV).live.shown[0].places
    assert (first.stages, first.by) == (("dev",), "")
    assert second.stages == ("staging", "prod")


def test_five_hundred_workloads_and_a_hundred_questions_are_cut_and_counted() -> None:
    world = MemoryWorld()
    release = asked(world)
    question, stage = world.approval(release.release_id, "staging"), world.stage(release.release_id, "staging")
    for number in range(30):
        name = f"other-{number:03}"
        world.memory.insert(replace(release, release_id=name))
        world.memory.insert(replace(stage, release_id=name, approval_id=f"{number:020x}"))
        world.memory.insert(replace(question, release_id=name, approval_id=f"{number:020x}"))
    for number in range(499):
        places = (LiveStage("prod", "r", "d" * 64, f"2026-03-02T09:{number // 60:02}:{number % 60:02}.000Z"),)
        world.memory.insert(Workload(f"workload-{number:03}", live=places))
    found = home(world, BEN)
    assert (len(found.waiting.shown), found.waiting.more) == (limits.HOME_WAITING, 31 - limits.HOME_WAITING)
    assert found.live.shown[0].workload == "workload-498", "what changed last comes first"
    assert found.live.count == 499 + 1, "the workload that waits is live in dev"
    assert home(world, ANA).own.more == 31 - limits.HOME_OWN


def test_a_question_whose_release_was_deleted_by_hand_is_left_out() -> None:
    world = MemoryWorld()
    release = asked(world)
    world.memory.delete(world.of(release.release_id))
    assert home(world, BEN).waiting.count == 0


def test_a_notice_is_passed_on() -> None:
    assert home(MemoryWorld(), BEN, notice="Counted.").notice == "Counted."
