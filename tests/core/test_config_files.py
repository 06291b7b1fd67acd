"""Files of configurations: one workload or several, and what is wrong with the file itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.config import MAX_WORKLOADS, CheckContext, check_file, read_file
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.strict_json import parse
from tests.fakes.memory_world import TEMPLATES, catalogue, configuration
from tests.strategies import json_values

MULTI = CheckContext("multi")


def problems_of(data: Any, context: CheckContext = MULTI) -> list[tuple[str, str]]:
    with pytest.raises(BadConfiguration) as refused:
        check_file(data if isinstance(data, bytes) else json.dumps(data).encode(), catalogue(), context)
    return [(problem.path, problem.what) for problem in refused.value.problems]


def test_one_object_is_one_workload() -> None:
    (raw,) = read_file(b'{"a": 1}')
    assert (raw.path, raw.index, raw.values) == ("$", 0, {"a": 1})


def test_a_list_is_several() -> None:
    raws = read_file(b'{"$schema": "x", "pipelines": [{"a": 1}, {"b": 2}]}')
    assert [(raw.path, raw.index) for raw in raws] == [("$.pipelines[0]", 0), ("$.pipelines[1]", 1)]


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (b"[]", "$", "must be an object"),
        (b'"text"', "$", "must be an object"),
        (b"null", "$", "must be an object"),
        (b'{"pipelines": []}', "$.pipelines", "at least one"),
        (b'{"pipelines": {}}', "$.pipelines", "must be a list"),
        (b'{"pipelines": [1]}', "$.pipelines[0]", "must be an object"),
        (b'{"pipelines": [{}], "model_name": "x"}', "$.model_name", "does not belong beside pipelines"),
        (b'{"a": 1, "a": 2}', "$.a", "appears twice"),
        (b"{}", "$.pipeline_type", "is required but missing"),
        (b'{"pipelines": [{}, {}]}', "$.pipelines[0].pipeline_type", "is required but missing"),
    ],
)
def test_what_is_wrong_with_a_file(data: bytes, path: str, words: str) -> None:
    found = problems_of(data)
    assert found[0][0] == path
    assert words in found[0][1]


def test_too_many_workloads() -> None:
    file = {"pipelines": [configuration(pipeline_name=f"n{number}") for number in range(MAX_WORKLOADS + 1)]}
    assert problems_of(file) == [
        ("$.pipelines", f"has {MAX_WORKLOADS + 1} configurations, {MAX_WORKLOADS} are allowed")
    ]


def test_the_problems_of_all_workloads_are_told_with_their_paths() -> None:
    file = {"pipelines": [configuration(model_name=""), configuration(), configuration(inference_instance=7)]}
    assert [path for path, _ in problems_of(file)] == ["$.pipelines[0].model_name", "$.pipelines[2].inference_instance"]


def test_two_workloads_of_one_stack_are_refused() -> None:
    file = {"pipelines": [configuration(), configuration(model_name=" FRAUD-detector ")]}
    ((path, what),) = problems_of(file)
    assert path == "$.pipelines[1]"
    assert "the same stack as $.pipelines[0]" in what


def test_a_pipeline_name_tells_two_workloads_of_one_model_apart() -> None:
    file = {"pipelines": [configuration(), configuration(pipeline_name="Second")]}
    checked = check_file(json.dumps(file).encode(), catalogue(), MULTI)
    assert [one.workload_name for one in checked] == ["fraud-detector-realtime", "second-realtime"]
    assert [one.path for one in checked] == ["$.pipelines[0]", "$.pipelines[1]"]
    assert checked[1].stack_name == "mlops-pipeline-second-byompipelinerealtimebuiltin"


@given(json_values)
def test_any_json_is_refused_in_words(value: Any) -> None:
    assert problems_of(value)


@given(
    st.dictionaries(
        st.sampled_from([*catalogue().types["byom_realtime_builtin"].properties, "vpc", "colour", "x.y", ""]),
        json_values,
        max_size=6,
    ),
    st.sampled_from(["multi", "single"]),
    st.booleans(),
)
def test_any_value_of_any_key_is_checked_or_refused(values: dict[str, Any], mode: Any, registry: bool) -> None:
    """Whatever stands at a key: an answer, no traceback; and what passes once passes again in its canonical form."""
    context = CheckContext(mode, model_registry=registry)
    data = json.dumps({**configuration(), **values}).encode()
    try:
        checked = check_file(data, catalogue(), context)
    except BadConfiguration:
        return
    for one in checked:
        again = check_file(json.dumps(one.configuration).encode(), catalogue(), context)
        assert again[0].configuration == one.configuration


EXAMPLES = sorted(TEMPLATES.glob("*/example*.json"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_passes(example: Any) -> None:
    data = example.read_bytes()
    assert isinstance(parse(data), dict)
    context = CheckContext("single" if "single" in example.name else "multi")
    (one,) = check_file(data, catalogue(), context)
    assert one.type.folder == example.parent
    assert one.warnings == ()


def test_every_type_has_an_example() -> None:
    assert {path.parent.name for path in EXAMPLES} == set(catalogue().names)
