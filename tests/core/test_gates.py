"""The quality gates: a table of numbers, what is told of them, and what holds for any numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.codec import plain, rebuilt
from orchestrator.core.gate_results import Fault, GateResult, GateStatus
from orchestrator.core.gate_words import MOST_CHARACTERS, sentence, shown, stopped, summary, worst_first
from orchestrator.core.gates import (
    Gate,
    LiveFigures,
    bound,
    direction,
    gates_of,
    judge,
    metrics_of,
    number,
    stopping,
)
from orchestrator.core.records import StageRecord, StageStatus
from orchestrator.core.steps.record_outcome import MAX_REASON

LOW, HIGH, WORSE, UNMEASURED = Fault.TOO_LOW, Fault.TOO_HIGH, Fault.WORSE_THAN_LIVE, Fault.NOT_MEASURED
GOOGOL = 10**300


def gate(metric: str = "auc", **limits: Any) -> Gate:
    """As a configuration has it."""
    (found,) = gates_of({"gates": [{"metric": metric, **limits}]})
    return found


def judged(one: Gate, value: Any = None, live: Any = None, stage: str = "prod") -> GateResult:
    """The gate's result for numbers, None where there is none; something is live where ``live`` is given."""
    figures = {} if value is None else {one.metric: json.dumps(value)}
    beside = LiveFigures() if live is None else LiveFigures("r-1", ((one.metric, json.dumps(live)),))
    (found,) = judge([one], stage, figures, beside)
    return found


@pytest.mark.parametrize(
    ("limits", "value", "live", "faults"),
    [
        ({"at_least": 0.8}, 0.8, None, ()),
        ({"at_least": 0.8}, 0.7999999999999999, None, (LOW,)),
        ({"at_least": 0.3}, 0.1 + 0.2, None, ()),
        ({"at_least": 1}, 1.0, None, ()),
        ({"at_least": 1.0}, 1, None, ()),
        ({"at_least": 0}, 0, None, ()),
        ({"at_least": 0}, -0.0, None, ()),
        ({"at_least": 0}, -1e-300, None, (LOW,)),
        ({"at_most": 0}, 5e-324, None, (HIGH,)),
        ({"at_least": -2}, -1.5, None, ()),
        ({"at_most": -2}, -1.5, None, (HIGH,)),
        ({"at_least": 0.2, "at_most": 0.8}, 0.9, None, (HIGH,)),
        ({"at_least": 0.2, "at_most": 0.8}, 0.1, None, (LOW,)),
        ({"at_most": GOOGOL}, GOOGOL + 1, None, (HIGH,)),
        ({"at_most": GOOGOL}, GOOGOL, None, ()),
        ({"at_least": 9007199254740993}, 9007199254740992, None, (LOW,)),
        ({"not_worse_than_live_by": 0.01}, 0.96, 0.97, ()),
        ({"not_worse_than_live_by": 0.01}, 0.9599999, 0.97, (WORSE,)),
        ({"not_worse_than_live_by": 0}, 0.97, 0.97, ()),
        ({"not_worse_than_live_by": 0}, 0.9699999999999999, 0.97, (WORSE,)),
        ({"not_worse_than_live_by": 0.01}, 0.99, 0.97, ()),
        ({"not_worse_than_live_by": 0}, 0, -1, ()),
        ({"not_worse_than_live_by": 1e308}, -1.7e308, 1.7e308, (WORSE,)),
        ({"not_worse_than_live_by": 1}, GOOGOL - 1, GOOGOL, ()),
        ({"not_worse_than_live_by": 1}, GOOGOL - 2, GOOGOL, (WORSE,)),
        ({"not_worse_than_live_by": 0.01}, 0.5, None, ()),
        ({"not_worse_than_live_by": 0.5, "higher_is_better": False}, 12.5, 12, ()),
        ({"not_worse_than_live_by": 0.5, "higher_is_better": False}, 12.51, 12, (WORSE,)),
        ({"not_worse_than_live_by": 0, "higher_is_better": False}, 3, 12, ()),
        ({"at_most": 20, "not_worse_than_live_by": 0}, 13, 12, (WORSE,)),
        ({"at_least": 0.9, "not_worse_than_live_by": 0.01}, 0.5, 0.97, (LOW, WORSE)),
        ({"at_least": 0.9}, None, None, (UNMEASURED,)),
        ({"at_most": 0.9}, None, 0.5, (UNMEASURED,)),
        ({"not_worse_than_live_by": 9}, None, None, (UNMEASURED,)),
    ],
)
def test_numbers_against_limits(limits: dict[str, Any], value: Any, live: Any, faults: tuple[Fault, ...]) -> None:
    metric = "gini" if set(limits) >= {"at_least", "at_most"} else "auc"
    one = gate("share" if "at_most" in limits else metric, **limits)
    result = judged(one, value, live)
    assert result.faults == faults
    assert result.status is (GateStatus.FAILED if faults else GateStatus.PASSED)
    assert sentence(result).isprintable()


@pytest.mark.parametrize("text", ["", "NaN", "Infinity", "-Infinity", "null", "true", '"0.9"', "0.9.1", "1,5"])
def test_what_is_no_number_was_not_measured(text: str) -> None:
    (result,) = judge([gate(at_least=0)], "prod", {"auc": text}, LiveFigures())
    assert result.faults == (UNMEASURED,)
    (result,) = judge([gate(not_worse_than_live_by=0)], "prod", {"auc": "1"}, LiveFigures("r-1", (("auc", text),)))
    assert result.faults == ()


def test_a_decimal_of_the_table_is_the_same_number() -> None:
    assert number(str(Decimal("0.970"))) == number("0.97") == Fraction(97, 100)
    assert number(str(Decimal("1E+3"))) == number("1000") == number("1000.0") == 1000


@pytest.mark.parametrize(
    ("name", "limits", "better"),
    [
        ("auc", {}, True),
        ("Accuracy", {}, True),
        ("binary_classification_metrics.auc", {}, True),
        ("mae", {}, False),
        ("regression_metrics.RMSE", {}, False),
        ("gini", {}, None),
        ("gini", {"at_least": 0.5}, True),
        ("gini", {"at_most": 0.5}, False),
        ("gini", {"at_least": 0.1, "at_most": 0.5}, None),
        ("auc", {"at_least": 0.1, "at_most": 0.5}, True),
        ("auc", {"at_most": 0.5}, None),
        ("mae", {"at_least": 0.5}, None),
        ("auc", {"at_most": 0.5, "higher_is_better": False}, False),
        ("mae", {"higher_is_better": True}, True),
    ],
)
def test_which_way_is_better(name: str, limits: dict[str, Any], better: bool | None) -> None:
    assert direction({"metric": name, **limits}) is better


@pytest.mark.parametrize(
    ("raw", "stops_in", "warns_in"),
    [
        ({}, "dev staging prod", ""),
        ({"on_failure": "stop"}, "dev staging prod", ""),
        ({"on_failure": "warn"}, "", "dev staging prod"),
        ({"stages": ["prod"]}, "prod", ""),
        ({"stages": ["dev", "prod"], "on_failure": "warn"}, "", "dev prod"),
        ({"on_failure": {"dev": "warn", "staging": "stop", "prod": "stop"}}, "staging prod", "dev"),
        ({"stages": ["staging", "prod"], "on_failure": {"staging": "warn", "prod": "stop"}}, "prod", "staging"),
    ],
)
def test_where_a_gate_stops_and_where_it_warns(raw: dict[str, Any], stops_in: str, warns_in: str) -> None:
    one = gate(at_least=1, **raw)
    found = {stage: judge([one], stage, {"auc": "0"}, LiveFigures()) for stage in ("dev", "staging", "prod")}
    assert [stage for stage, results in found.items() if stopping(results)] == stops_in.split()
    warned = [stage for stage, results in found.items() if results and results[0].status is GateStatus.WARNED]
    assert warned == warns_in.split()


def test_a_gate_that_holds_warns_of_nothing() -> None:
    assert judged(gate(at_least=1, on_failure="warn"), 2).status is GateStatus.PASSED


def test_the_figures_that_gates_look_at() -> None:
    gates = [{"metric": "auc", "at_least": 1}, {"metric": "a.b", "at_least": 1}, {"metric": "auc", "at_most": 2}]
    assert metrics_of({"gates": gates}) == ("auc", "a.b")
    assert metrics_of({}) == ()


@pytest.mark.parametrize(
    ("limits", "value", "live", "told"),
    [
        ({"at_least": 0.8}, 0.97202, None, "auc 0.972: at least 0.8"),
        ({"at_least": 0.8}, 0.97202, 0.9650349, "auc 0.972 (live 0.965): at least 0.8"),
        ({"at_least": 0.95}, 0.91, None, "auc 0.91: below 0.95"),
        ({"at_least": 0.95}, 0.949996, None, "auc 0.949996: below 0.95"),
        ({"at_least": 0.8, "at_most": 0.9}, 0.90001, None, "auc 0.90001: above 0.9"),
        ({"at_least": 0.123456}, 0.2, None, "auc 0.2: at least 0.123456"),
        ({"at_least": 0.8}, None, 0.9, "auc not measured (live 0.9): the evaluation has no such figure"),
        (
            {"not_worse_than_live_by": 0.01},
            0.91,
            0.965,
            "auc 0.91 (live 0.965): worse than live by 0.055, allowed is 0.01",
        ),
        (
            {"not_worse_than_live_by": 0},
            0.97000001,
            0.97000002,
            "auc 0.97 (live 0.97000002): worse than live by 1e-08, allowed is 0",
        ),
        ({"not_worse_than_live_by": 0.01}, 0.97, 0.965, "auc 0.97 (live 0.965): not worse than live by more than 0.01"),
        ({"not_worse_than_live_by": 0.01}, 0.91, None, "auc 0.91: nothing is live yet to compare with"),
        (
            {"not_worse_than_live_by": 0.01},
            -1.7e308,
            1.7e308,
            "auc -1.7e+308 (live 1.7e+308): worse than live by more than a double can hold, allowed is 0.01",
        ),
        (
            {"at_least": 0.99, "not_worse_than_live_by": 0.01},
            0.91,
            0.965,
            "auc 0.91 (live 0.965): below 0.99, worse than live by 0.055, allowed is 0.01",
        ),
    ],
)
def test_a_gate_in_a_sentence(limits: dict[str, Any], value: Any, live: Any, told: str) -> None:
    assert sentence(judged(gate(**limits), value, live)) == told


def test_a_live_release_without_the_figure_is_named() -> None:
    one = gate(not_worse_than_live_by=0.01)
    (result,) = judge([one], "prod", {"auc": "0.5"}, LiveFigures("fraud-0123456789", (("f1", "1"),)))
    assert result.status is GateStatus.PASSED
    assert sentence(result) == "auc 0.5: not compared: the live release fraud-0123456789 has no such figure"


def test_the_reason_of_a_release_that_is_stopped() -> None:
    results = [judged(gate(at_least=0.95), 0.91), judged(gate("f1", at_least=0.9), None)]
    assert stopped("staging", results[:1]) == "Stopped before staging by a quality gate: auc 0.91: below 0.95."
    assert stopped("staging", results) == (
        "Stopped before staging by 2 quality gates: auc 0.91: below 0.95; "
        "f1 not measured: the evaluation has no such figure."
    )


@given(st.lists(st.text(min_size=1, max_size=128), min_size=1, max_size=20))
def test_the_reason_is_kept_whole(names: list[str]) -> None:
    results = [judged(gate(name, at_least=GOOGOL), 1e-300, GOOGOL) for name in names]
    told = stopped("staging", results)
    assert len(told) <= MAX_REASON
    assert len(told) > MOST_CHARACTERS // 2 or told.count("below") == len(names)
    assert told.endswith(".")


def test_how_many_hold() -> None:
    passed, warned = judged(gate(at_least=0), 1), judged(gate(at_least=2, on_failure="warn"), 1)
    failed = judged(gate(at_least=2), 1)
    assert summary([passed]) == "1 passed"
    assert summary([passed, passed]) == "all 2 passed"
    assert summary([passed, warned, failed, passed]) == "1 failed, 1 not met (warning), 2 passed"
    assert worst_first([passed, warned, failed]) == [failed, warned, passed]


# What holds for any numbers.

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300)
losses = numbers.map(abs)
gates = st.builds(
    Gate,
    st.just("auc"),
    at_least=st.just("") | numbers.map(json.dumps),
    at_most=st.just("") | numbers.map(json.dumps),
    not_worse_than_live_by=st.just("") | losses.map(json.dumps),
    higher_is_better=st.booleans(),
)


@given(gates, numbers, numbers, st.none() | numbers)
def test_a_better_figure_never_breaks_what_a_worse_one_keeps(
    one: Gate, first: float, second: float, live: float | None
) -> None:
    """Where more is better and nothing is too much (or the other way round), judging is monotonous."""
    one = replace(one, at_most="") if one.higher_is_better else replace(one, at_least="")
    worse, better = sorted((first, second), reverse=not one.higher_is_better)
    if not judged(one, worse, live).faults:
        assert not judged(one, better, live).faults


@given(gates, numbers, numbers, numbers)
def test_a_better_live_figure_never_makes_a_broken_gate_hold(
    one: Gate, value: float, first: float, second: float
) -> None:
    worse, better = sorted((first, second), reverse=not one.higher_is_better)
    if judged(one, value, worse).faults:
        assert judged(one, value, better).faults


@given(gates, numbers, st.none() | numbers, losses)
def test_a_stricter_limit_never_makes_a_broken_gate_hold(
    one: Gate, value: float, live: float | None, other: float
) -> None:
    broken = set(judged(one, value, live).faults)
    if one.not_worse_than_live_by:
        known = number(one.not_worse_than_live_by)
        assert known is not None
        tighter = json.dumps(other) if Fraction(other) < known else one.not_worse_than_live_by
        assert broken <= set(judged(replace(one, not_worse_than_live_by=tighter), value, live).faults)
    assert set(judged(replace(one, at_least=""), value, live).faults) <= broken


@given(gates, st.none() | numbers, st.none() | numbers)
def test_the_comparison_is_that_of_exact_fractions(one: Gate, value: float | None, live: float | None) -> None:
    result = judged(one, value, live)
    if value is None:
        assert result.faults == (UNMEASURED,)
        return
    exact = Fraction(json.dumps(value))
    assert (LOW in result.faults) == bool(one.at_least and exact < Fraction(one.at_least))
    assert (HIGH in result.faults) == bool(one.at_most and exact > Fraction(one.at_most))
    loss = Fraction(0) if live is None else (Fraction(json.dumps(live)) - exact) * (1 if one.higher_is_better else -1)
    allowed = one.not_worse_than_live_by
    assert (WORSE in result.faults) == bool(allowed and live is not None and loss > Fraction(allowed))


@given(gates, numbers, st.none() | numbers)
def test_no_rounding_hides_a_broken_limit(one: Gate, value: float, live: float | None) -> None:
    result = judged(one, value, live)
    told = Fraction(shown(result.value, result))
    for fault, limit in ((LOW, one.at_least), (HIGH, one.at_most)):
        if fault in result.faults:
            assert told != Fraction(limit)
    assert sentence(result)


results = st.builds(
    GateResult,
    st.text(max_size=20),
    st.sampled_from(list(GateStatus)),
    st.lists(st.sampled_from(list(Fault)), max_size=3).map(tuple),
    *(st.just("") | numbers.map(json.dumps) for _ in range(2)),
)


@given(st.lists(results, max_size=4).map(tuple))
def test_the_table_keeps_every_result(found: tuple[GateResult, ...]) -> None:
    record = StageRecord("r-1", "prod", StageStatus.PLANNED, "2026-03-01T12:00:00.000Z", gates=found)
    assert rebuilt(StageRecord, plain(record)) == record
    without = {name: value for name, value in plain(record).items() if name != "gates"}
    assert rebuilt(StageRecord, without).gates == ()


@given(st.lists(results, max_size=3), st.lists(results, max_size=3))
def test_other_results_are_another_digest(some: list[GateResult], others: list[GateResult]) -> None:
    assert (bound("d", some) == bound("d", others)) == (some == others)
    assert bound("d", []) == "d"
    assert bound("d", some) != bound("e", some)
