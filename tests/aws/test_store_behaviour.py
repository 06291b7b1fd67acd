"""One suite for both stores: what the steps rely on holds for the table as for its fake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.aws.table import DynamoStore
from orchestrator.core.deliveries import Claim, LatestUpload
from orchestrator.core.errors import Conflict, Refused
from orchestrator.core.installation import ApprovalPolicy, Reminders
from orchestrator.core.opened_homes import OpenedHome
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.outbox import ChatMessage, Sender, Unsaid
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.plans import ParameterChange, Plan, ResourceChange
from orchestrator.core.ports import Store
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Record,
    Release,
    StagePolicy,
    StageRecord,
    StageStatus,
    Status,
    TaskToken,
    Verdict,
    Vote,
    Wait,
    WaitKind,
    Workload,
)
from tests.fakes.storage import MemoryStore

MOMENT = "2026-03-01T12:00:00.000Z"

RELEASE = Release(
    release_id="fraud-0001",
    workload="fraud",
    workload_type="byom_realtime_builtin",
    status=Status.REQUESTED,
    source=Source(SourceKind.S3, "assets", "ü/mlops-config.json", "v1"),
    requester=Identity(IdentityKind.EMAIL, "ana@example.com", verified=False),
    created_at=MOMENT,
    updated_at=MOMENT,
    stages=("dev", "staging", "prod"),
    problems=("$.model_name: is missing.", "🚫"),
    force=True,
    policies=(
        StagePolicy(
            "prod",
            ApprovalPolicy(
                ((("ml-owner", 1), ("risk", 2)), (("cto", 1),)), 24, True, Reminders(4, 0), ("cto", "S0OWNERS")
            ),
        ),
    ),
)
PLAN = Plan(
    change_set_arn="arn:cs",
    stack_id="arn:stack",
    stack_name="mlops-pipeline-fraud",
    digest="d" * 64,
    creates_stack=True,
    empty=False,
    resources=(ResourceChange("replace", "Endpoint", "AWS::SageMaker::Endpoint", ("Name",)),),
    parameters=(ParameterChange("Old", "1", None), ParameterChange("New", None, ""), ParameterChange("Both", "a", "b")),
    base=MOMENT,
)
STAGE = StageRecord(
    "fraud-0001", "dev", StageStatus.PLANNED, MOMENT, 2, PLAN, "a1", (("EndpointName", "fraud"),), "note"
)
APPROVAL = Approval(
    approval_id="a1",
    release_id="fraud-0001",
    stage="prod",
    digest="d" * 64,
    status=ApprovalStatus.PENDING,
    asked_at=MOMENT,
    expires_at="2026-03-04T12:00:00.000Z",
    token=TaskToken("secret"),
    votes=(
        Vote("ben@example.com", "Ben", Verdict.APPROVE, MOMENT, "", "api"),
        Vote("dev@example.com", "Dev", Verdict.APPROVE, MOMENT, groups=("S0OWNERS",), slack_id="U0DEV"),
    ),
    reminders=Reminders(4, 3),
    reminded_at=(MOMENT,),
)
WAIT = Wait(WaitKind.STACK, "arn:stack", "token-1", "fraud-0001", "dev", TaskToken("secret"), MOMENT)
EVERY_KIND: tuple[Record, ...] = (
    RELEASE,
    STAGE,
    replace(STAGE, stage="staging", plan=None, outputs=()),
    APPROVAL,
    replace(APPROVAL, approval_id="a2", token=None, votes=()),
    WAIT,
    Claim("c1", MOMENT, 1_800_000_000, ("fraud-0001",)),
    LatestUpload("assets", "ü/mlops-config.json", "v1", "0062E99A88DC407460"),
    Workload("fraud", "fraud-0001", "d", generation=3),
    ChatMessage("fraud-0001", "C1", "1.2", "hash", ("asked:a1",)),
    Unsaid("fraud-0001", MOMENT, 3, 2, 1, "is_archived", MOMENT),
    Sender("call-1", MOMENT, 4, MOMENT, 2, (("chat.update", MOMENT), ("chat.postMessage", MOMENT))),
    OpenedHome("U0BEN", Identity(IdentityKind.SLACK, "U0BEN", verified=True), "T0ACME", MOMENT, 1_800_000_000),
)


@pytest.fixture(params=["memory", "dynamodb"])
def either(request: pytest.FixtureRequest) -> Store:
    """The fake, and the table."""
    if request.param == "memory":
        return MemoryStore()
    table: DynamoStore = request.getfixturevalue("store")
    return table


def workload(store: Store) -> Workload:
    """The record that the tests change."""
    found = store.get(Workload, ("WORKLOAD#fraud", "WORKLOAD"))
    assert found is not None
    return found


def one_more(current: Workload) -> Workload:
    """A change."""
    return replace(current, generation=current.generation + 1)


KEY = ("WORKLOAD#fraud", "WORKLOAD")


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: f"{record.KIND}-{record.key()[1]}")
def test_a_record_comes_back_as_it_was_written(either: Store, record: Record) -> None:
    either.insert(record)
    assert either.get(type(record), record.key()) == record


def test_what_is_not_there_is_none(either: Store) -> None:
    assert either.get(Release, RELEASE.key()) is None


def test_a_record_is_not_found_as_another_kind(either: Store) -> None:
    either.insert(RELEASE)
    assert either.get(Workload, RELEASE.key()) is None
    with pytest.raises(KeyError):
        either.update(Workload, RELEASE.key(), one_more)


def test_a_second_insert_loses(either: Store) -> None:
    either.insert(RELEASE)
    with pytest.raises(Conflict):
        either.insert(replace(RELEASE, workload="another"))
    assert either.get(Release, RELEASE.key()) == RELEASE


def test_an_update_changes_what_stands_and_returns_it(either: Store) -> None:
    either.insert(Workload("fraud"))
    assert either.update(Workload, KEY, one_more) == Workload("fraud", generation=1)
    assert either.update(Workload, KEY, one_more) == workload(either) == Workload("fraud", generation=2)


def test_an_update_of_nothing_is_a_key_error(either: Store) -> None:
    with pytest.raises(KeyError):
        either.update(Workload, KEY, one_more)


def test_a_change_that_refuses_writes_nothing(either: Store) -> None:
    either.insert(Workload("fraud"))

    def refuse(current: Workload) -> Workload:
        raise Refused("no")

    with pytest.raises(Refused):
        either.update(Workload, KEY, refuse)
    assert workload(either) == Workload("fraud")


def test_a_rival_between_read_and_write_is_seen_and_no_write_is_lost(either: Store) -> None:
    either.insert(Workload("fraud"))
    seen: list[int] = []

    def with_a_rival(current: Workload) -> Workload:
        seen.append(current.generation)
        if len(seen) == 1:
            either.update(Workload, KEY, lambda found: replace(found, generation=10))
        return one_more(current)

    assert either.update(Workload, KEY, with_a_rival).generation == 11
    assert seen == [0, 10]


def test_twenty_lost_races_are_a_conflict(either: Store) -> None:
    either.insert(Workload("fraud"))
    tries = 0

    def always_late(current: Workload) -> Workload:
        nonlocal tries
        tries += 1
        either.update(Workload, KEY, one_more)
        return replace(current, live_release="mine")

    with pytest.raises(Conflict):
        either.update(Workload, KEY, always_late)
    assert tries == 20
    assert workload(either) == Workload("fraud", generation=20)


def test_an_unchanged_record_is_not_written(either: Store) -> None:
    either.insert(Workload("fraud"))
    passed = 0

    def look(current: Workload) -> Workload:
        nonlocal passed
        passed += 1
        # A write of this very update would make the outer one lose its race and look again.
        either.update(Workload, KEY, lambda found: found)
        return one_more(current)

    either.update(Workload, KEY, look)
    assert passed == 1


def test_delete_takes_exactly_this_record(either: Store) -> None:
    either.insert(WAIT)
    assert either.delete(replace(WAIT, token=TaskToken("older"))) is False
    assert either.get(Wait, WAIT.key()) == WAIT
    assert either.delete(WAIT) is True
    assert either.delete(WAIT) is False
    assert either.get(Wait, WAIT.key()) is None


def test_a_partition_holds_its_own_records_of_one_kind(either: Store) -> None:
    other = replace(STAGE, release_id="other")
    staging = replace(STAGE, stage="staging")
    records: tuple[Record, ...] = (RELEASE, STAGE, staging, other, ChatMessage("fraud-0001"))
    for record in records:
        either.insert(record)
    assert either.under(StageRecord, "RELEASE#fraud-0001") == (STAGE, staging)
    assert either.under(StageRecord, "RELEASE#none") == ()


def releases(many: int) -> list[Release]:
    """Releases, oldest first."""
    return [
        replace(RELEASE, release_id=f"fraud-{n:04}", created_at=f"2026-03-01T12:00:00.{n:03}Z") for n in range(many)
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, slice(None)),
        ({"limit": 3}, slice(0, 3)),
        ({"limit": 3, "newest_first": True}, slice(-1, -4, -1)),
        ({"limit": 100, "newest_first": True}, slice(None, None, -1)),
    ],
    ids=["all, oldest first", "three, oldest first", "three, newest first", "more than there are"],
)
def test_a_list_has_an_order_and_a_limit(either: Store, options: dict[str, Any], expected: slice) -> None:
    known = releases(7)
    for release in known[::-1]:
        either.insert(release)
    assert either.listed(Release, "RELEASES", **options) == tuple(known[expected])


def test_a_list_tells_kinds_apart_and_the_limit_counts_one_kind(either: Store) -> None:
    waits = tuple(replace(WAIT, subject=f"arn:{n}", stored_at=f"2026-03-01T12:00:00.{n:03}Z") for n in range(5))
    approvals = tuple(replace(APPROVAL, approval_id=f"a{n}") for n in range(5))
    for wait, approval in zip(waits, approvals, strict=True):
        either.insert(wait)
        either.insert(approval)
    assert either.listed(Wait, "WAITING", limit=4) == waits[:4]
    assert either.listed(Approval, "WAITING", limit=4) == approvals[:4]
    assert set(either.listed_together((Wait, Approval), "WAITING")) == {*waits, *approvals}
    assert len(either.listed_together((Wait, Approval), "WAITING", limit=7)) == 7
    assert either.listed_together((Wait,), "WAITING") == waits


def test_a_record_leaves_its_list_when_it_says_so(either: Store) -> None:
    either.insert(APPROVAL)
    either.update(Approval, APPROVAL.key(), lambda found: replace(found, token=None))
    assert either.listed(Approval, "WAITING") == ()
