"""Problems: in sentences, errors first, with what the author most likely meant."""

from __future__ import annotations

import pytest

from orchestrator.core.problems import BadConfiguration, Problem, closest, did_you_mean, listing


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Problem("$.a", "is empty", "Write something."), "$.a: is empty. Write something."),
        (Problem("$.a", "is empty.", ""), "$.a: is empty."),
    ],
)
def test_sentences(problem: Problem, sentence: str) -> None:
    assert problem.sentence == sentence


def test_errors_come_before_warnings_and_all_are_told() -> None:
    warning, one, other = Problem("$.w", "w", "", "warning"), Problem("$.b", "b", ""), Problem("$.a", "a", "")
    refused = BadConfiguration([warning, one, other])
    assert refused.problems == (one, other, warning)
    assert str(refused) == "$.b: b.\n$.a: a.\n$.w: w."


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("inference_instances", "inference_instance"),
        ("INFERENCE_INSTANCE", "inference_instance"),
        ("modelname", "model_name"),
        ("colour", None),
        ("", None),
    ],
)
def test_what_was_meant(word: str, found: str | None) -> None:
    known = ["inference_instance", "model_name", "verify"]
    assert closest(word, known) == found
    assert did_you_mean(word, known) == (f'Did you mean "{found}"?' if found else f"Known: {', '.join(sorted(known))}.")


def test_long_lists_are_cut() -> None:
    assert listing(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert listing(["a", "b"], most=2) == "a, b"
    assert did_you_mean("x", []) == ""
