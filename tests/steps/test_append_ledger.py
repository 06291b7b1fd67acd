"""The audit ledger of whole releases: everything that happened, once, whatever the stream and the functions do."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import Conflict
from orchestrator.core.jobs import JobKind, JobStatus
from orchestrator.core.ledger.chain import REQUESTS, Draft, EntryKind, Head, Sealed, seal
from orchestrator.core.ledger.changes import TOLD, Change
from orchestrator.core.ledger.entries import drafts
from orchestrator.core.ledger.ports import Appended
from orchestrator.core.ledger.setting import LISTED, MAX_LISTED, Setting
from orchestrator.core.origins import Commit
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.plans import AccessChange, Area, Reach, ResourceChange
from orchestrator.core.ports import JobState
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageRecord,
    StageStatus,
    Status,
    TaskToken,
    Verdict,
    Vote,
)
from orchestrator.core.steps.append_ledger import ATTEMPTS, append_ledger, append_unreadable
from orchestrator.core.steps.remove_workload import remove_workload
from tests.fakes.dying import Countdown, DyingPort
from tests.fakes.ledger import MemoryLedgers, told
from tests.fakes.machine import Died
from tests.fakes.memory_world import BEN, BY_ANA, MemoryWorld, configuration, installation
from tests.steps import journeys
from tests.steps.test_run_job import JOBS, world_with

WORKLOAD = "fraud-detector-realtime"
MOMENT = "2026-03-01T12:00:00.000Z"

STAGE_WITHOUT_APPROVAL = ["plan", "deployment_started", "deployment_ended deployed", "verification verified"]
STAGE_WITH_APPROVAL = [
    *("plan", "approval_requested", "vote approve", "decision approved"),
    *("deployment_started", "deployment_ended deployed", "verification verified"),
]


def in_stage(stage: str, what: list[str]) -> list[str]:
    return [f"{stage} {one}" for one in what]


def ledger_of(world: MemoryWorld, ledger: str = WORKLOAD) -> list[dict[str, Any]]:
    """The ledger's entries; it must be sound."""
    ledgers = world.ledgers
    verdict = ledgers.verdict(ledger)
    assert verdict.sound, verdict
    entries = ledgers.all(ledger)
    assert verdict.entries == len(entries)
    return entries


def only(entries: list[dict[str, Any]], kind: EntryKind, stage: str = "") -> dict[str, Any]:
    """The one entry of a kind."""
    (found,) = [entry for entry in entries if entry["kind"] == kind and stage in {"", entry["stage"]}]
    return found


def test_a_finished_release_has_told_everything_in_its_order() -> None:
    world = MemoryWorld()
    release = journeys.live(world)
    entries = ledger_of(world)
    assert told(entries) == [
        *("request", "package"),
        *in_stage("dev", STAGE_WITHOUT_APPROVAL),
        *in_stage("staging", STAGE_WITH_APPROVAL),
        *in_stage("prod", STAGE_WITH_APPROVAL),
        "prod outcome succeeded",
    ]
    assert {entry["release"] for entry in entries} == {release.release_id}
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


def test_an_auditor_finds_who_when_what_by_which_way_and_why() -> None:
    world = MemoryWorld()
    granted = AccessChange(Area.IAM, Reach.GRANTS, "Role", "AWS::IAM::Role", "may s3:* on anything")
    world.stacks("prod").opens = (granted,)
    release = journeys.live(world)
    entries = ledger_of(world)
    request, package = only(entries, EntryKind.REQUEST), only(entries, EntryKind.PACKAGE)
    assert request["actor"] == {
        "display": "Ana Silva",
        "identity": BY_ANA.value,
        "kind": "iam",
        "verified": True,
    }
    assert (request["via"], request["at"], request["facts"]["asks_for"]) == ("api", release.created_at, "release")
    assert package["facts"]["content_digest"] == release.digest
    assert package["facts"]["package_version"] == release.package_version
    plan = world.stage(release.release_id, "prod").plan
    assert plan is not None
    planned = only(entries, EntryKind.PLAN, "prod")["facts"]
    assert (planned["plan_digest"], planned["change_set"], planned["stack"]) == (
        plan.digest,
        plan.change_set_arn,
        plan.stack_id,
    )
    assert planned["resources"] == ["add Endpoint (AWS::SageMaker::Endpoint)"]
    assert planned["access"] == ["grants IAM access: Role (AWS::IAM::Role): may s3:* on anything"]
    asked = only(entries, EntryKind.APPROVAL_REQUESTED, "prod")["facts"]
    assert (asked["plan_digest"], asked["needed"]) == (plan.digest, "1 × risk")
    vote, decision = only(entries, EntryKind.VOTE, "prod"), only(entries, EntryKind.DECISION, "prod")
    assert vote["actor"] == {
        "display": "Chloé Martin",
        "identity": "chloe@example.com",
        "kind": "email",
        "verified": True,
    }
    assert (vote["via"], vote["outcome"], vote["facts"]["plan_digest"]) == ("slack", "approve", plan.digest)
    assert decision["actor"] == vote["actor"]
    assert decision["facts"]["votes"][0].startswith("approve by Chloé Martin (chloe@example.com) at 2026-03-01T")
    started = only(entries, EntryKind.DEPLOYMENT_STARTED, "prod")["facts"]
    assert started["plan_digest"] == decision["facts"]["plan_digest"]
    assert started["approval_id"] == decision["facts"]["approval_id"]
    assert only(entries, EntryKind.VERIFICATION, "prod")["reason"].startswith("Endpoint ")
    assert only(entries, EntryKind.OUTCOME)["facts"]["content_digest"] == release.digest


def test_a_claim_is_told_as_one() -> None:
    world = MemoryWorld()
    metadata = {"requested-by": "ana@example.com"}
    world.receive(world.put_configuration(configuration(), metadata=metadata))
    request = only(ledger_of(world), EntryKind.REQUEST)
    assert request["actor"]["verified"] is False
    assert request["via"] == "s3"
    assert request["facts"]["source"]["version"]


def test_a_commit_is_told_with_its_author_by_its_own_word() -> None:
    world = MemoryWorld()
    release = world.release()
    commit = Commit("models", "main", "ab12" * 10, "Ana", "ana@home.example", "Retrain")
    after = replace(release, commit=commit, requester=UNKNOWN)
    change = Change(release.key(), "1", MOMENT, None, after, 0, 1, release.release_id)
    (draft,) = drafts(change, Setting(after, world.installation))
    assert draft.actor is not None
    assert (draft.actor.display, draft.actor.verified) == ("unknown", False)
    assert draft.facts["commit"]["author_by_its_own_word"] == "Ana <ana@home.example>"


def test_a_rejection_is_told_with_its_reason() -> None:
    world = MemoryWorld()
    release = journeys.asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "The model is too old.")
    world.end(release.release_id, Status.REJECTED)
    entries = ledger_of(world)
    assert told(entries)[-4:] == [
        "staging vote reject",
        "staging decision rejected",
        "staging plan_discarded discarded",
        "staging outcome rejected",
    ]
    reasons = [entry["reason"] for entry in entries[-4:]]
    assert reasons == ["The model is too old.", "The model is too old.", "", "The model is too old."]
    assert entries[-1]["facts"]["ended_by"] == "Ben Okafor"


@pytest.mark.parametrize(("outcome", "decision"), [(Status.EXPIRED, "expired"), (Status.SUPERSEDED, "superseded")])
def test_an_end_without_a_decision_of_people_has_no_actor(outcome: Status, decision: str) -> None:
    world = MemoryWorld()
    release = journeys.asked(world)
    world.end(release.release_id, outcome)
    found = only(ledger_of(world), EntryKind.DECISION)
    assert (found["outcome"], found["actor"]) == (decision, None)


def test_a_vote_that_is_changed_is_two_votes_and_one_that_is_gone_was_withdrawn() -> None:
    world = MemoryWorld(installation=installation())
    release = journeys.asked(world)
    approval = world.approval(release.release_id, "staging")
    key = approval.key()
    world.memory.update(Approval, key, lambda found: replace(found, votes=(vote(Verdict.APPROVE, "1"),)))
    world.memory.update(Approval, key, lambda found: replace(found, votes=(vote(Verdict.REJECT, "2"),)))
    world.memory.update(Approval, key, lambda found: replace(found, votes=()))
    entries = ledger_of(world)
    assert told(entries)[-3:] == ["staging vote approve", "staging vote reject", "staging vote_withdrawn reject"]
    assert entries[-1]["actor"]["display"] == "Ben"
    assert entries[-1]["facts"]["cast_at"] == "2026-03-01T12:00:02.000Z"


def vote(verdict: Verdict, second: str) -> Vote:
    return Vote("slack:U0BEN", "Ben", verdict, f"2026-03-01T12:00:0{second}.000Z")


def test_a_plan_that_the_stack_has_left_behind_is_told_as_void() -> None:
    world = MemoryWorld()
    release = journeys.approved(world)
    before = world.stage(release.release_id, "staging")
    world.stacks("staging").somebody_else_deploys(journeys.STACK)
    world.deploy(release.release_id, "staging")
    world.plan(release.release_id, "staging")
    entries = ledger_of(world)
    assert told(entries)[-2:] == ["staging plan_changed", "staging plan"]
    assert before.plan is not None
    assert entries[-2]["facts"]["plan_digest"] == before.plan.digest
    assert entries[-2]["facts"]["approval_id"] == before.approval_id
    assert [entry["facts"]["attempt"] for entry in entries[-2:]] == [1, 2]


def test_a_failed_deployment_is_told_with_cloudformations_reason() -> None:
    world = MemoryWorld()
    world.stacks("dev").fails_with = "Endpoint: no capacity"
    release = journeys.packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", "Endpoint: no capacity")
    entries = ledger_of(world)
    assert told(entries)[-3:] == ["dev deployment_started", "dev deployment_ended failed", "dev outcome failed"]
    assert [entry["reason"] for entry in entries[-2:]] == ["Endpoint: no capacity"] * 2
    assert entries[-1]["facts"]["failure"] == "DeploymentFailed"


def test_where_awss_words_are_kept_from_people_the_ledger_keeps_them_from_people() -> None:
    world = MemoryWorld(installation=installation(detailed_errors=False))
    world.stacks("dev").fails_with = "no capacity in account 222222222222"
    release = journeys.packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", "no capacity in account 222222222222")
    entries = ledger_of(world)
    assert "no capacity" not in json.dumps(entries)
    assert entries[-1]["reason"].startswith("CloudFormation could not deploy in dev.")


def test_a_failed_verification_is_told() -> None:
    world = MemoryWorld()
    release = journeys.packaged(world)
    world.deploy(release.release_id, "dev")
    world.memory.update(Release, release.key(), lambda found: replace(found, status=Status.VERIFYING, stage="dev"))
    world.end(release.release_id, Status.FAILED, "VerificationFailed", "endpoint fraud is Failed")
    entries = ledger_of(world)
    assert told(entries)[-2:] == ["dev verification failed", "dev outcome failed"]
    assert entries[-2]["reason"] == "endpoint fraud is Failed"


@pytest.mark.parametrize(("status", "reason"), [(JobStatus.SUCCEEDED, ""), (JobStatus.FAILED, "bad data")])
def test_a_job_is_told_from_start_to_end(tmp_path: Path, status: JobStatus, reason: str) -> None:
    world = world_with(tmp_path, JOBS[JobKind.SAGEMAKER_PIPELINE])
    release = journeys.in_dev(world)
    world.run_job(release.release_id, "dev")
    (arn,) = world.fake_accounts.jobs("dev").states
    world.fake_accounts.jobs("dev").states[arn] = JobState(status, reason)
    world.sweep()
    entries = ledger_of(world)
    assert told(entries)[-2:] == ["dev job_started", f"dev job_ended {status}"]
    assert (entries[-1]["facts"], entries[-1]["reason"]) == ({"job": "sagemaker_pipeline", "arn": arn}, reason)


def test_a_removal_is_told_as_one() -> None:
    world = MemoryWorld()
    journeys.live(world)
    removal = remove_workload(WORKLOAD, BY_ANA, "please", world.reception).releases[0].release_id
    before = len(ledger_of(world))
    world.package(removal)
    world.deploy(removal, "dev")
    world.plan(removal, "staging")
    world.ask(removal, "staging")
    world.vote(BEN, world.approval(removal, "staging"))
    world.deploy(removal, "staging")
    entries = ledger_of(world)
    assert entries[before - 1]["facts"]["asks_for"] == "removal"
    assert told(entries[before:]) == [
        *("dev plan", "dev removal_started", "dev removal_ended removed"),
        *("staging plan", "staging approval_requested", "staging vote approve", "staging decision approved"),
        *("staging removal_started", "staging removal_ended removed"),
    ]
    assert only(entries[before:], EntryKind.PLAN, "staging")["facts"]["removes_stack"] is True


def test_an_end_that_another_function_notes_is_told_with_its_start() -> None:
    world = MemoryWorld()
    release = journeys.planned(world)
    record = world.stage(release.release_id, "staging")
    world.memory.update(StageRecord, record.key(), lambda found: replace(found, status=StageStatus.DEPLOYED))
    assert told(ledger_of(world))[-2:] == ["staging deployment_started", "staging deployment_ended deployed"]


def test_an_unchanged_stage_ends_without_a_start() -> None:
    world = MemoryWorld()
    journeys.live(world)
    before = len(ledger_of(world))
    release = world.release(configuration(description="another"), force=True)
    world.package(release.release_id)
    world.deploy(release.release_id, "dev")
    assert told(ledger_of(world)[before:])[-2:] == ["dev plan empty", "dev deployment_ended unchanged"]


def test_what_becomes_no_release_of_a_workload_is_told_in_a_ledger_of_its_own() -> None:
    world = MemoryWorld()
    world.receive(world.put_configuration(b"{", "broken/mlops-config.json"))
    world.receive(world.put_configuration({"pipeline_type": "list_model_cards"}, "card/mlops-config.json"))
    entries = ledger_of(world, REQUESTS)
    assert told(entries)[:2] == ["request", "outcome refused"]
    assert entries[1]["facts"]["problems"]
    assert {entry["facts"]["workload"] for entry in entries if entry["kind"] == "request"} >= {
        "broken/mlops-config.json"
    }
    assert world.ledgers.verdict(WORKLOAD).entries == 0


def test_no_token_no_value_and_no_output_is_in_any_entry() -> None:
    world = MemoryWorld()
    for stage in world.installation.stage_names:
        world.stacks(stage).outputs |= {"ApiKey": "output-canary"}
    release = journeys.planned(world)
    world.ask(release.release_id, "staging", TaskToken("token-canary"))
    world.vote(BEN, world.approval(release.release_id, "staging"))
    world.deploy(release.release_id, "staging", TaskToken("token-canary-2"))
    whole = json.dumps(ledger_of(world))
    assert "canary" not in whole
    plan = world.stage(release.release_id, "staging").plan
    assert plan is not None
    values = {
        value for change in plan.parameters for value in (change.before, change.after) if value and len(value) > 8
    }
    values -= {WORKLOAD}
    assert values
    assert not [value for value in values if f'"{value}"' in whole]


def test_a_long_plan_shows_what_goes_first_and_says_how_much_there_is() -> None:
    world = MemoryWorld()
    release = journeys.planned(world)
    record = world.stage(release.release_id, "staging")
    assert record.plan is not None
    many = tuple(ResourceChange("add", f"R{number}" + "x" * 600, "AWS::S3::Bucket") for number in range(LISTED + 50))
    plan = replace(record.plan, digest="e" * 64, resources=(*many, ResourceChange("remove", "Gone", "AWS::S3::Bucket")))
    world.memory.update(StageRecord, record.key(), lambda found: replace(found, plan=plan))
    facts = ledger_of(world)[-1]["facts"]
    assert facts["resources"][0] == "remove Gone (AWS::S3::Bucket)"
    assert (len(facts["resources"]), facts["resources"][-1]) == (LISTED + 1, "… and 51 more")
    assert max(len(one) for one in facts["resources"]) == MAX_LISTED
    assert facts["counts"] == {"add": LISTED + 50, "remove": 1}


# Rows that somebody else writes.


def test_a_row_that_was_changed_past_the_product_is_told_as_altered() -> None:
    world = MemoryWorld()
    release = journeys.asked(world)
    approval = world.approval(release.release_id, "staging")
    forged = replace(approval, status=ApprovalStatus.APPROVED)
    world.ledgers  # noqa: B018 - what happened until now
    world.append(Change(approval.key(), "9", MOMENT, approval, forged, 1, 1, release.release_id))
    entries = ledger_of(world)
    assert told(entries)[-2:] == ["record_altered", "staging decision approved"]
    assert entries[-2]["facts"] == {
        "row": f"APPROVAL#{approval.approval_id} APPROVAL",
        "revision_before": 1,
        "revision": 1,
    }


def test_a_row_that_was_made_into_something_else_is_told_as_altered() -> None:
    world = MemoryWorld()
    release = journeys.packaged(world)
    world.ledgers  # noqa: B018 - what happened until now
    world.append(Change(release.key(), "9", MOMENT, release, None, 4, 5, release.release_id))
    world.append(Change(release.key(), "10", MOMENT, release, world.workload(), 5, 6, release.release_id))
    assert told(ledger_of(world))[-2:] == ["record_altered", "record_altered"]


def test_a_deleted_row_is_told_and_so_is_what_is_left_of_its_release() -> None:
    world = MemoryWorld()
    release = journeys.asked(world)
    before = len(ledger_of(world))
    world.vote(BEN, world.approval(release.release_id, "staging"))
    world.memory.delete(world.of(release.release_id))
    assert told(ledger_of(world)[before:]) == ["record_deleted"]
    lost = ledger_of(world, REQUESTS)
    assert set(told(lost)) == {"record_unreadable"}
    assert {entry["release"] for entry in lost} == {release.release_id}
    assert lost[0]["facts"]["row"].startswith("APPROVAL#")


def test_a_change_that_cannot_be_read_is_told_as_such() -> None:
    world = MemoryWorld()
    release = journeys.packaged(world)
    world.ledgers  # noqa: B018 - what happened until now
    change = Change(release.key(), "9", MOMENT, None, None, 4, 5, release.release_id)
    for _ in range(2):
        append_unreadable(
            change, store=world.store, ledgers=world.fake_ledgers, now=world.ledger_clock, pause=lambda seconds: None
        )
    assert told(ledger_of(world))[-1] == "record_unreadable"
    lost = replace(change, release_id="nobody", key=("RELEASE#nobody", "RELEASE"))
    append_unreadable(
        lost, store=world.store, ledgers=world.fake_ledgers, now=world.ledger_clock, pause=lambda seconds: None
    )
    assert told(ledger_of(world, REQUESTS)) == ["record_unreadable"]


# Duplicates, order, races, death.


def tell(world: MemoryWorld, change: Change, ledgers: Any) -> None:
    append_ledger(
        change,
        store=world.memory,
        ledgers=ledgers,
        installation=world.installation,
        now=world.ledger_clock,
        pause=lambda seconds: None,
    )


def changes_of(world: MemoryWorld) -> list[Change]:
    return [change for change in world.memory.changes if isinstance(change.after or change.before, TOLD)]


def a_release() -> MemoryWorld:
    world = MemoryWorld()
    journeys.live(world)
    return world


WORLD = a_release()
CHANGES = changes_of(WORLD)
EXPECTED = sorted(told(ledger_of(WORLD)))


@settings(max_examples=60)
@given(st.data())
def test_changes_that_come_twice_late_or_out_of_order_are_told_once(data: st.DataObject) -> None:
    ledgers = MemoryLedgers()
    again = data.draw(st.lists(st.sampled_from(CHANGES), max_size=20))
    for change in data.draw(st.permutations([*CHANGES, *again])):
        tell(WORLD, change, ledgers)
    assert sorted(told(ledgers.all(WORKLOAD))) == EXPECTED
    assert ledgers.verdict(WORKLOAD).sound


@settings(max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_a_function_that_dies_after_any_call_leaves_what_the_next_one_completes(lives: list[int]) -> None:
    """Each life takes up the batch from its beginning, as Lambda does."""
    ledgers = MemoryLedgers()
    for calls in lives:
        port = DyingPort(ledgers, Countdown(calls))
        with suppress(Died):
            for change in CHANGES:
                tell(WORLD, change, port)
        assert ledgers.verdict(WORKLOAD).sound
    for change in CHANGES:
        tell(WORLD, change, ledgers)
    assert told(ledgers.all(WORKLOAD)) == told(ledger_of(WORLD))
    assert ledgers.verdict(WORKLOAD).sound


@settings(max_examples=60)
@given(st.permutations(CHANGES), st.integers(0, len(CHANGES) - 1))
def test_two_functions_at_once_make_one_chain(order: list[Change], rival: int) -> None:
    """Before each append another function appends something; sometimes the very same."""
    ledgers = MemoryLedgers()
    for change in order:
        ledgers.before_append = lambda change=CHANGES[rival]: tell(WORLD, change, ledgers)
        tell(WORLD, change, ledgers)
    assert sorted(told(ledgers.all(WORKLOAD))) == EXPECTED
    assert ledgers.verdict(WORKLOAD).sound


def test_a_lost_race_waits_a_little_longer_each_time_and_ends() -> None:
    world = MemoryWorld()
    release = world.release()
    ledgers = MemoryLedgers()
    waited: list[float] = []

    class Overtaken:
        """Ledgers whose head always moves."""

        def head(self, ledger: str) -> Head | None:
            return None

        def append(self, ledger: str, sealed: Sealed, before: Head | None) -> Appended:
            return Appended.OVERTAKEN

        page: Callable[..., Any] = ledgers.page

    with pytest.raises(Conflict, match="mlops audit --verify"):
        append_ledger(
            changes_of(world)[0],
            store=world.memory,
            ledgers=Overtaken(),
            installation=world.installation,
            now=world.ledger_clock,
            pause=waited.append,
        )
    assert len(waited) == ATTEMPTS
    assert waited == sorted(waited)
    assert world.of(release.release_id).status is Status.REQUESTED


def test_a_row_beyond_the_head_stops_the_ledger_rather_than_being_written_over() -> None:
    world = MemoryWorld()
    journeys.packaged(world)
    ledgers = world.ledgers
    head = ledgers.head(WORKLOAD)
    assert head is not None
    forged = seal(Draft(EntryKind.VOTE, "forged", MOMENT, "r"), WORKLOAD, head, MOMENT)
    ledgers.append(WORKLOAD, forged, head)
    ledgers.heads[WORKLOAD] = head
    release = world.release(configuration(description="more"))
    with pytest.raises(Conflict):
        world.ledgers  # noqa: B018 - appends
    assert world.of(release.release_id)
    assert json.loads(ledgers.entries[WORKLOAD][forged.sequence].text)["change"] == "forged"


def test_an_identity_of_nobody_is_told_by_its_own_name() -> None:
    world = MemoryWorld()
    stranger = Identity(IdentityKind.IAM, "arn:aws:iam::111111111111:role/pipeline", verified=True)
    world.release(requester=stranger)
    actor = only(ledger_of(world), EntryKind.REQUEST)["actor"]
    assert (actor["display"], actor["identity"]) == ("pipeline", stranger.value)
