"""Whatever happens in whatever order: one answer to each task, and in the end each message says what is recorded."""

from __future__ import annotations

import pytest

from tests.slack_app.schedules import Schedule

STEPS = 60
SAMPLE = 60
ALL = 500


@pytest.mark.parametrize("first", range(0, SAMPLE, 10))
def test_a_sample_of_schedules(first: int) -> None:
    for seed in range(first, first + 10):
        hold(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(SAMPLE, ALL, 20))
def test_all_schedules(first: int) -> None:
    for seed in range(first, first + 20):
        hold(seed)


def hold(seed: int) -> None:
    """One schedule, whose number is told when it does not hold."""
    schedule = Schedule(seed)
    try:
        schedule.run(STEPS)
        schedule.check()
    except Exception as error:
        raise AssertionError(f"schedule {seed}: {error}") from error
