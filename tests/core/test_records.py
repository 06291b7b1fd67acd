"""Records: their keys, their lists, and what they never say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.deliveries import LatestUpload
from orchestrator.core.records import Record, Status, TaskToken
from orchestrator.core.steps.progress import read_stamp, stamp
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.steps.journeys import asked


@pytest.mark.parametrize(
    ("known", "other", "newer"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E4", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", False),
        ("10", "F", True),
        ("F", "0F", False),
        ("0f", "E", True),
    ],
)
def test_sequencers_compare_as_s3_says(known: str, other: str, newer: bool) -> None:
    assert LatestUpload("b", "k", "v", known).is_newer_than(other) is newer


@given(st.integers(0, 2**80), st.integers(0, 2**80))
def test_sequencers_are_hexadecimal_numbers(one: int, other: int) -> None:
    assert LatestUpload("b", "k", "v", f"{one:x}").is_newer_than(f"{other:X}") == (one > other)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 12))
def test_times_survive_and_sort_as_text(moment: datetime, hours: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = stamp(there)
    assert abs(read_stamp(text) - there) < timedelta(milliseconds=1)
    assert text < stamp(there + timedelta(milliseconds=1))
    assert text.endswith("Z")


def test_the_seven_ends() -> None:
    assert {status.value for status in Status if status.ended} == {
        "succeeded",
        "unchanged",
        "rejected",
        "expired",
        "superseded",
        "failed",
        "refused",
    }


def test_every_record_has_a_key_of_its_own_and_no_token_in_it() -> None:
    world = MemoryWorld()
    asked(world)
    world.stacks("dev").immediate = False
    other = world.release(configuration(pipeline_name="other"))
    world.package(other.release_id)
    world.deploy(other.release_id, "dev")
    records: list[Record] = list(world.memory.rows.values())
    kinds = {"approval", "claim", "release", "request", "stage", "unfinished", "use", "uses-of", "wait", "workload"}
    assert {record.KIND for record in records} == kinds
    for key, record in world.memory.rows.items():
        assert record.key() == key
        assert "token-" not in repr(record)
        assert "token-" not in repr(record.listing())
    assert str(TaskToken("secret")) == "(task token)"


def test_now_is_utc() -> None:
    assert stamp(datetime(2026, 3, 1, 12, tzinfo=UTC)) == "2026-03-01T12:00:00.000Z"
