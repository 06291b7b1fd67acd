"""Whatever a file holds: it is refused in the contract's own words, or CloudFormation takes what it comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.config import CheckContext, check_file
from orchestrator.core.problems import BadConfiguration, Problem
from tests.fakes.memory_world import catalogue
from tests.strategies import json_values
from tests.templates.expansion import Expansion, refusal
from tests.templates.folders import Body, bodies, package, stages_of, template

BODIES = tuple((body, body.values) for body in bodies())

near_misses = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "true",
        "dev",
        "ml.m5.large",
        "a/b",
        "s3://bucket/x",
        "bucket/x/",
        "{}",
        "[]",
        "null",
        "é",
        "x" * 300,
        "a" * 1100,
        "arn:aws:kms:us-east-1:111122223333:key/1",
        "../x",
        "{{resolve:ssm:x}}",
        "a\nb",
        "\u202e",
        '"',
        "'",
        "$",
        "${AWS::Region}",
        "<!channel>",
        "cron(0 * ? * * *)",
        "Regression",
        "1e9",
        "0x10",
        "٣",
    ]
)
"""What people and attackers write where something else belongs."""

values = st.one_of(json_values, near_misses, st.integers(-2, 300_000), st.lists(near_misses, max_size=3))
one_for_each_stage = st.fixed_dictionaries({"dev": values, "staging": values, "prod": values})
anything = st.one_of(values, one_for_each_stage)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to every member of a configuration."""
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


@st.composite
def changed(draw: st.DrawFn) -> tuple[Body, dict[str, Any]]:
    """A good body with some of its members replaced, removed or added."""
    body, good = draw(st.sampled_from(BODIES))
    found = deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(found)) or [("pipeline_type",)]))
        if path == ("pipeline_type",):
            continue
        holder: Any = found
        for step in path[:-1]:
            holder = holder[step]
        how = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if how == "replace":
            holder[path[-1]] = draw(anything)
        elif how == "remove":
            del holder[path[-1]]
        elif isinstance(holder, dict):
            known = sorted(catalogue().types[body.type].properties)
            holder[draw(st.one_of(st.sampled_from(known), st.text(max_size=8)))] = draw(anything)
    return body, found


@given(changed())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_body_is_refused_in_words_or_cloudformation_takes_it(case: tuple[Body, dict[str, Any]]) -> None:
    body, found = case
    try:
        (one,) = check_file(json.dumps(found).encode(), catalogue(), body.context)
    except BadConfiguration as refused:
        assert_told(refused.problems)
        return
    assert_told(one.warnings, warnings_only=True)
    try:
        made = package(one, body.context)
    except BadConfiguration as refused:  # a parameter beyond CloudFormation's 4,096 bytes
        assert_told(refused.problems)
        return
    specs = template(body.type)["Parameters"]
    for stage in stages_of(one, body.context):
        parameters = made.parameters(stage)
        assert {name for name, spec in specs.items() if "Default" not in spec} <= set(parameters)
        told = {name: refusal(specs[name], text) for name, text in parameters.items()}
        assert {name: why for name, why in told.items() if why} == {}
        Expansion(template(body.type), parameters, one.stack_name)
        assert all(json.loads(data) is not None for data in made.documents(stage).values())


@given(st.one_of(st.binary(max_size=300), json_values.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    try:
        check_file(data, catalogue(), CheckContext("multi"))
    except BadConfiguration as refused:
        assert_told(refused.problems)
    else:
        raise AssertionError("no random bytes are a configuration")


def assert_told(problems: tuple[Problem, ...], *, warnings_only: bool = False) -> None:
    """Each with a path from the root, and words that end like a sentence's."""
    assert problems or warnings_only
    for problem in problems:
        assert problem.path.startswith("$")
        assert problem.what.strip()
        assert len(problem.sentence) < 2_000
        assert (problem.severity == "warning") or not warnings_only
