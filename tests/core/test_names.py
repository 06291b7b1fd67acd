"""Names: the same workload finds the same stack, and what AWS would refuse is noticed here."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.stack_names import (
    MAX_STACK_NAME,
    STACK_NAME,
    WORKLOAD_NAME,
    fitting_stack_name,
    infix,
    stack_name,
    stack_name_fault,
    workload_name,
)
from orchestrator.core.steps.claims import release_id
from tests.strategies import names


@pytest.mark.parametrize(
    ("name", "stack", "workload"),
    [
        ("fraud-detector", "mlops-pipeline-fraud-detector-sfx", "fraud-detector-rt"),
        ("  Fraud-Detector ", "mlops-pipeline-fraud-detector-sfx", "fraud-detector-rt"),
        ("2fast", "mlops-pipeline-2fast-sfx", "w-2fast-rt-"),
        ("x" * 80, f"mlops-pipeline-{'x' * 80}-sfx", "x" * 54 + "-"),
    ],
)
def test_names_of_a_workload(name: str, stack: str, workload: str) -> None:
    assert stack_name(name, "sfx") == stack
    assert workload_name(name, "rt").startswith(workload)


@given(names)
def test_a_good_name_makes_good_names(name: str) -> None:
    stack = stack_name(name, "byompipelinerealtimebuiltin")
    assert stack_name_fault(stack) == ""
    assert STACK_NAME.fullmatch(stack)
    assert len(stack) <= MAX_STACK_NAME
    assert WORKLOAD_NAME.fullmatch(workload_name(name, "realtime"))


@given(st.text(max_size=200), st.text(max_size=200))
def test_workload_names_are_legal_and_tell_apart(one: str, other: str) -> None:
    for name in (one, other):
        assert WORKLOAD_NAME.fullmatch(workload_name(name, "realtime"))
    same = infix(one) == infix(other)
    assert (workload_name(one, "realtime") == workload_name(other, "realtime")) == same


@given(st.text(max_size=200))
def test_a_fault_is_told_exactly_where_cloudformation_would_refuse(name: str) -> None:
    stack = stack_name(name, "sfx")
    legal = re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", stack) is not None and len(stack) <= 128
    assert (stack_name_fault(stack) == "") == legal


@given(st.text(max_size=200), st.text(max_size=20), st.integers(0, 49))
def test_a_release_id_is_the_name_of_an_execution(name: str, delivery: str, index: int) -> None:
    """Step Functions takes 80 characters, a change set's name 128 of ``[a-zA-Z][-a-zA-Z0-9]*``."""
    found = release_id(workload_name(name, "realtime"), delivery, index)
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,62}-[0-9a-f]{10}", found)
    assert len(f"r-{found}-3") <= 80
    assert found == release_id(workload_name(name, "realtime"), delivery, index)
    assert found != release_id(workload_name(name, "realtime"), delivery, index + 1)


@pytest.mark.parametrize(
    ("name", "stack"),
    [
        ("latest", "mlops-pipeline-latest-sfx"),
        (" V2-Final ", "mlops-pipeline-v2-final-sfx"),
        ("v1.0", "mlops-pipeline-v1-0-fa8b919c-sfx"),
        ("v1_0", "mlops-pipeline-v1-0-f02fe434-sfx"),
        ("...", "mlops-pipeline-ab5df625-sfx"),
        ("x" * 128, f"mlops-pipeline-{'x' * 100}-24da1b81-sfx"),
    ],
)
def test_a_name_that_is_made_to_fit(name: str, stack: str) -> None:
    assert fitting_stack_name(name, "sfx") == stack
    assert stack_name_fault(stack) == ""


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=128))
def test_any_name_can_be_made_to_fit(name: str) -> None:
    assert stack_name_fault(fitting_stack_name(name, "byompipelineimagebuilder")) == ""


@given(st.from_regex(r"[a-z0-9._-]{1,128}", fullmatch=True), st.from_regex(r"[a-z0-9._-]{1,128}", fullmatch=True))
def test_two_names_that_are_made_to_fit_stay_two(one: str, other: str) -> None:
    assert (fitting_stack_name(one, "sfx") == fitting_stack_name(other, "sfx")) == (one == other)
