"""When a reminder is due, on a clock of its own: back-off, the end, and sweeps that come late, twice or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.core.installation import DEFAULT_REMINDERS, Reminders
from orchestrator.core.records import Approval, ApprovalStatus, TaskToken
from orchestrator.core.reminders import due, next_reminder
from orchestrator.core.steps.progress import stamp

BERLIN = ZoneInfo("Europe/Berlin")
ASKED = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
"""In the week before Berlin's clocks go back, on 25 October 2026 at 3:00."""
HOUR = timedelta(hours=1)


def asked(reminders: Reminders | None, *, at: datetime = ASKED, hours: int = 72) -> Approval:
    return Approval(
        "0123456789abcdef0123",
        "release",
        "prod",
        "d" * 64,
        ApprovalStatus.PENDING,
        stamp(at),
        stamp(at + timedelta(hours=hours) - timedelta(minutes=1)),
        TaskToken("token"),
        reminders=reminders,
    )


def reminded(approval: Approval, *moments: datetime) -> Approval:
    return replace(approval, reminded_at=(*approval.reminded_at, *map(stamp, moments)))


def swept(approval: Approval, moments: list[datetime]) -> list[datetime]:
    """When reminders are claimed by sweeps at these moments."""
    said: list[datetime] = []
    for moment in moments:
        if due(approval, moment):
            approval = reminded(approval, moment)
            said.append(moment)
    return said


def every_minute(hours: float, *, at: datetime = ASKED) -> list[datetime]:
    return [at + timedelta(minutes=count) for count in range(int(hours * 60) + 1)]


@pytest.mark.parametrize(
    ("description", "reminders", "expires", "hours"),
    [
        ("the default", DEFAULT_REMINDERS, 72, [8, 24, 56]),
        ("a shorter expiry cuts the later ones off", DEFAULT_REMINDERS, 48, [8, 24]),
        ("four hours, five at most", Reminders(4, 5), 72, [4, 12, 28, 60]),
        ("at most two", Reminders(4, 2), 72, [4, 12]),
        ("none", Reminders(4, 0), 72, []),
        ("none that lies before the expiry", Reminders(8, 3), 8, []),
        ("of a question from before there were any", None, 72, []),
    ],
)
def test_reminders_come_with_pauses_that_double(
    description: str, reminders: Reminders | None, expires: int, hours: list[int]
) -> None:
    found = swept(asked(reminders, hours=expires), every_minute(expires + 24))
    assert [(moment - ASKED) / HOUR for moment in found] == hours, description


def test_after_a_pause_of_the_sweeper_one_comes_and_not_several() -> None:
    late = [ASKED + 20 * HOUR + timedelta(minutes=count) for count in range(24 * 60)]
    assert swept(asked(Reminders(4, 5)), late) == [ASKED + 20 * HOUR], "20 hours late, the next is 40 hours later"


def test_the_next_one_is_measured_from_what_has_been() -> None:
    approval = reminded(asked(Reminders(4, 5)), ASKED + 6 * HOUR)
    assert next_reminder(approval) == ASKED + 18 * HOUR


@pytest.mark.parametrize("status", [status for status in ApprovalStatus if status is not ApprovalStatus.PENDING])
def test_nobody_is_reminded_of_a_question_that_is_settled(status: ApprovalStatus) -> None:
    assert not due(replace(asked(Reminders(1, 5)), status=status), ASKED + 5 * HOUR)


def test_clocks_that_go_back_move_no_reminder() -> None:
    """Hours are hours: on the wall in Berlin the second reminder seems to come an hour early."""
    at = datetime(2026, 10, 24, 22, 0, tzinfo=BERLIN).astimezone(UTC)
    first, second = swept(asked(Reminders(4, 2), at=at), every_minute(24, at=at))
    assert (first - at, second - first) == (4 * HOUR, 8 * HOUR)
    assert (first.astimezone(BERLIN).hour, second.astimezone(BERLIN).hour) == (2, 9)
    assert second.astimezone(BERLIN).utcoffset() == HOUR


sweeps = st.lists(
    st.one_of(
        st.floats(0, 14 * 24 * 60, allow_nan=False),
        st.integers(0, 14 * 24 * 60).map(float),
    ).map(lambda minutes: ASKED + timedelta(minutes=minutes)),
    max_size=300,
)
"""Two weeks in which clocks go back: any sweeps, with gaps, twice at a time, late."""


@given(sweeps, st.integers(1, 48), st.integers(0, 10), st.integers(1, 14 * 24))
@example(every_minute(3 * 24), 1, 10, 72)
def test_whatever_the_sweeps_never_after_the_end_never_too_many_and_ever_rarer(
    moments: list[datetime], after: int, most: int, expires: int
) -> None:
    approval = asked(Reminders(after, most), hours=expires)
    found = swept(approval, sorted(moments))
    end = datetime.fromisoformat(approval.expires_at.replace("Z", "+00:00"))
    assert len(found) <= most
    assert all(moment < end for moment in found)
    assert not found or found[0] >= ASKED + after * HOUR
    said = [ASKED, *found]
    pauses = [later - earlier for earlier, later in pairwise(said)]
    tick = timedelta(milliseconds=4)  # records hold milliseconds
    assert all(later >= 2 * earlier - tick for earlier, later in pairwise(pauses))


@given(st.lists(st.integers(0, 14 * 24 * 60), max_size=200), st.integers(1, 24), st.integers(1, 6))
def test_sweepers_whose_clocks_differ_remind_no_more_often(minutes: list[int], after: int, most: int) -> None:
    """Not in the order of time, as two sweepers at once may look."""
    moments = [ASKED + timedelta(minutes=minute) for minute in minutes]
    found = swept(asked(Reminders(after, most), hours=14 * 24), moments)
    assert len(found) <= most
    assert found == sorted(found)
