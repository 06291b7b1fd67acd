"""The figures of an evaluation file: what counts as one, and how people see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.figures import MAX_BYTES, MAX_FIGURES, MAX_NAME, number, read_figures, rounded, told
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Figure


def figures(report: Any) -> tuple[Figure, ...]:
    data = report if isinstance(report, bytes) else json.dumps(report).encode()
    return read_figures(len(data), lambda: data, "$.metrics")


def wanted(report: Any, *names: str) -> dict[str, str]:
    """Names and numbers where these are looked for besides the first twelve."""
    data = json.dumps(report).encode()
    return {found.name: found.value for found in read_figures(len(data), lambda: data, "$.metrics", names)}


def refused(report: Any) -> str:
    with pytest.raises(BadConfiguration) as error:
        figures(report)
    (problem,) = error.value.problems
    assert problem.path == "$.metrics"
    assert problem.fix
    return problem.what


def of(**members: Any) -> dict[str, Any]:
    return {"binary_classification_metrics": members}


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (of(accuracy={"value": 0.97, "standard_deviation": "NaN"}), {"accuracy": "0.97"}),
        (of(f1={"value": 1}, auc={"value": 0.5}), {"f1": "1", "auc": "0.5"}),
        ({"regression_metrics": {"mse": {"value": 12.5}}}, {"mse": "12.5"}),
        (of(confusion_matrix={"0": {"0": 1}}, auc={"value": 0.5}), {"auc": "0.5"}),
        (of(recall={"value": "NaN"}, sure={"value": True}, curve={"value": [1]}, auc={"value": -1}), {"auc": "-1"}),
        ({"version": 0.0, "dataset": {"rows": {"value": 9}}, **of(auc={"value": 0.5})}, {"auc": "0.5"}),
        ({**of(auc={"value": 0.5}), "regression_metrics": {"auc": {"value": 0.1}}}, {"auc": "0.5"}),
        (of(**{" ": {"value": 1}, "größe": {"value": 1e300}}), {"größe": "1e+300"}),
    ],
    ids=["one", "order of the file", "other kind", "matrix", "no numbers", "other members", "name twice", "odd names"],
)
def test_a_figure_is_a_named_number_of_a_group_of_metrics(report: Any, found: dict[str, str]) -> None:
    assert figures(report) == tuple(Figure(name, value) for name, value in found.items())


def test_twelve_figures_are_kept() -> None:
    many = of(**{f"m{n}": {"value": n} for n in range(40)})
    assert [figure.name for figure in figures(many)] == [f"m{n}" for n in range(MAX_FIGURES)]


MANY = of(**{f"m{n}": {"value": n} for n in range(20)})
NESTED = {
    "dotted_metrics": {"f1.macro": {"value": 0.5}, "a": {"b.c": {"value": 1}}, "a.b": {"c": 2, "d": {"value": 3}}},
    "loss": 0.25,
    "by": {"class": {"fraud": {"recall": 0.75}}},
    "curve": {"value": [1, 2]},
    "sure": True,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("m15", "15"),
        ("m0", "0"),
        ("binary_classification_metrics.m15", "15"),
        ("binary_classification_metrics.m15.value", "15"),
        ("binary_classification_metrics", None),
        ("m99", None),
        ("", None),
        (".", None),
        ("m15.", None),
        ("binary_classification_metrics.", None),
    ],
)
def test_what_is_wanted_is_kept_besides(path: str, value: str | None) -> None:
    found = wanted(MANY, path)
    assert found.get(path) == value
    assert len(found) == MAX_FIGURES + (value is not None and path != "m0")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("f1.macro", "0.5"),
        ("dotted_metrics.f1.macro", "0.5"),
        ("dotted_metrics.a.b.c", "1"),
        ("dotted_metrics.a.b.d", "3"),
        ("loss", "0.25"),
        ("by.class.fraud.recall", "0.75"),
        ("by.class.fraud", None),
        ("by.class.frau", None),
        ("curve", None),
        ("curve.0", None),
        ("sure", None),
    ],
)
def test_a_path_leads_to_any_number_of_the_file_also_over_names_with_dots(path: str, value: str | None) -> None:
    assert wanted(NESTED, path).get(path) == value


def test_a_file_without_figures_does_where_what_is_wanted_is_there() -> None:
    assert wanted({"auc": 0.9}, "auc") == {"auc": "0.9"}
    assert "has no figures" in refused({"auc": 0.9})


@pytest.mark.parametrize(
    ("report", "what"),
    [
        ([], "no JSON object"),
        ({}, "has no figures"),
        (of(confusion_matrix={"0": {"0": 1}}), "has no figures"),
        ({"binary_classification_metrics": [1]}, "has no figures"),
        (b"", "refused at $: the document is empty"),
        (b'{"a_metrics": {"x": {"value": NaN}}}', "refused at $.a_metrics.x.value: NaN is not a JSON value"),
        (b'{"a_metrics": {"x": {"value": 1e999}}}', "the number is too large"),
        (b"[" * 5000, "levels of nesting"),
        (b"\xff\xfe", "not UTF-8"),
        (of(**{"x" * (MAX_NAME + 1): {"value": 1}}), "a name of 65 characters"),
    ],
    ids=["list", "empty", "matrix only", "group is a list", "no bytes", "NaN", "huge", "deep", "no UTF-8", "long name"],
)
def test_a_file_without_figures_is_refused_with_the_reason(report: Any, what: str) -> None:
    assert what in refused(report)


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    def never() -> bytes:
        raise AssertionError("read")

    with pytest.raises(BadConfiguration) as error:
        read_figures(MAX_BYTES + 1, never, "$.pipelines[1].metrics")
    assert error.value.problems[0].path == "$.pipelines[1].metrics"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.972027972, "0.972"),
        (0.99622641509434, "0.9962"),
        (1.0, "1"),
        (1, "1"),
        (0, "0"),
        (0.99999, "1"),
        (-0.123456, "-0.1235"),
        (0.00012345, "0.0001234"),
        (0.0000123456, "1.235e-05"),
        (12345.678, "12350"),
        (143, "143"),
        (1.5e300, "1.5e+300"),
    ],
)
def test_people_see_four_significant_digits(value: float, shown: str) -> None:
    assert rounded(value) == shown


@given(st.one_of(st.floats(-1e307, 1e307), st.integers(-(2**63), 2**63)))
def test_what_is_kept_is_the_number_of_the_file_and_what_is_shown_is_near_it(value: float) -> None:
    (figure,) = figures(of(x={"value": value}))
    assert number(figure) == value
    assert float(rounded(value)) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("live", "shown"),
    [(None, "accuracy 0.972"), (0.9650349, "accuracy 0.972 (live 0.965)"), (0, "accuracy 0.972 (live 0)")],
)
def test_a_figure_is_told_beside_the_live_one(live: float | None, shown: str) -> None:
    assert told("accuracy", 0.972028, live) == shown
