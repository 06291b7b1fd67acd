"""What the templates come to: each example's resources as reviewed, and every combination of optional keys by
CloudFormation's own resource schemas, which cfn-lint ships.

``make golden`` rewrites ``golden/`` after a change that was meant.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from orchestrator.core.config import CheckContext, Checked, documents_for, parameters_for
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.schemas import per_value
from orchestrator.core.workloads import WorkloadType
from tests.templates.expansion import Expansion, refusal
from tests.templates.folders import (
    GOLDEN,
    NAMES,
    TYPES,
    Body,
    bodies,
    checked,
    examples,
    package,
    resolved,
    stages_of,
    template,
    workload_type,
)
from tests.templates.linting import findings

WITHOUT_EFFECT = frozenset(
    {"pipeline_type", "pipeline_name", "description", "tags", "channel", "approval", "metrics", "gates", "verify"}
)
"""Keys that no resource depends on."""

ALWAYS = {"HasPackagesKey"}
"""Conditions that every installation fulfils; a template can be used without them all the same."""

STAGE = "prod"
HASH = re.compile(r"\b[0-9a-f]{64}\b")

MAX_VARIANTS = 5_000
"""Of one body; a template that decides upon more than this is to be tried in another way."""


@pytest.mark.parametrize("body", examples(), ids=lambda body: body.id)
def test_the_example_comes_to_what_was_reviewed(body: Body, request: pytest.FixtureRequest) -> None:
    """In the last stage; the others differ in parameters only."""
    one = checked(body.values, body.context)
    made = package(one, body.context)
    stage = stages_of(one, body.context)[-1]
    expansion = Expansion(template(body.type), made.parameters(stage), one.stack_name)
    told = {
        "stack_name": one.stack_name,
        "parameters": made.parameters(stage),
        "tags": made.tags(stage),
        "resources": expansion.resources,
        "outputs": expansion.outputs,
        "documents": {key.rpartition("/")[2]: json.loads(data) for key, data in made.documents(stage).items()},
        "job": made.manifest["job"],
    }
    text = json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    path = GOLDEN / f"{body.type}.{body.accounts}.json"
    if request.config.getoption("--refresh-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    reviewed = path.read_text().splitlines()

    difference = list(difflib.unified_diff(reviewed, text.splitlines(), "reviewed", "made", lineterm="", n=2))
    assert not difference, "`make golden` takes over what was meant:\n" + "\n".join(difference[:80])


@pytest.mark.parametrize(
    "name",
    # The combinations of one are those of its twin with an image of one's own, which is always tried.
    [pytest.param(name, marks=[pytest.mark.long] if name == "byom_realtime_builtin" else []) for name in TYPES],
)
def test_cloudformation_takes_every_combination_of_optional_keys(name: str) -> None:
    """Each object and each value that any combination comes to is looked at in one template at least.

    A condition that no combination makes true, or false, is not tried by that (or not needed): it is told as well. One
    test for both, since combinations take their time.
    """
    found = combinations(name)
    held: dict[str, set[bool]] = {}
    for expansion in found:
        for condition, value in expansion.conditions.items():
            held.setdefault(condition, set()).add(value)
    assert {condition for condition, values in held.items() if len(values) == 1} == ALWAYS & set(held)

    wrong = {finding for chosen in covering([one.template for one in found]) for finding in told(chosen)}
    assert sorted(wrong) == []


def test_a_wrong_template_would_be_found() -> None:
    model = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": 7, "NoSuchProperty": "x"}}
    found = told({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Model": model}})
    assert any("NoSuchProperty" in finding for finding in found)


def covering(templates: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Few of the templates that have between them every part of all: cfn-lint takes its time."""
    left = [(set(anatomy(template, "")), template) for template in templates]
    while left:
        most, chosen = max(left, key=lambda entry: len(entry[0]))
        yield chosen
        left = [(rest, template) for parts, template in left if (rest := parts - most)]


def anatomy(value: Any, path: str) -> Iterator[str]:
    """The members of every object and every plain value, each with its place; what a schema decides upon.

    One hash is as good as another: else every document would be a template of its own.
    """
    if isinstance(value, Mapping):
        yield f"{path}: {sorted(value)}"
        for name, member in value.items():
            yield from anatomy(member, f"{path}/{name}")
    elif isinstance(value, list):
        for member in value:
            yield from anatomy(member, f"{path}[]")
    else:
        yield f"{path}: {HASH.sub('<hash>', repr(value))}"


def told(expanded: Mapping[str, Any]) -> list[str]:
    """What cfn-lint says of a template without parameters."""
    return [f"{match.rule.id} {match.message} (at {line})" for match, line in findings(expanded)]


def combinations(name: str) -> tuple[Expansion, ...]:
    """Every distinct expansion that bodies and their variants come to, in the last stage."""
    found: dict[str, Expansion] = {}
    specs = template(name)["Parameters"]
    for one in (ready for body in (*bodies(), *examples()) if body.type == name for ready in variants(body)):
        given = parameters_for(one, STAGE, resolved(one), NAMES)
        documents_for(one, STAGE, resolved(one), NAMES)
        text = json.dumps(given, sort_keys=True)
        if text not in found:
            refused = [f"{key}: {why}" for key, value in given.items() if (why := refusal(specs[key], value))]
            assert refused == []
            found[text] = Expansion(template(name), given, one.stack_name)
    return tuple(found.values())


def variants(body: Body) -> Iterator[Checked]:
    """The body with every combination of the optional keys that the template's conditions depend on, each absent,
    minimal and full; and with every other optional key left out alone. Those that are refused are passed over.

    Of a body with a value for each stage the last stage's: to read it as one for a single account saves two thirds of
    the time, and the bodies themselves are tried in every stage elsewhere.
    """
    one = workload_type(body.type)
    stage = stages_of(checked(body.values, body.context), body.context)[-1]
    values = checked(body.values, body.context).for_stage(stage)
    values.pop("gates", None)  # they name stages, which a single account does not take
    always = set(one.schema.get("required", ())) | WITHOUT_EFFECT
    deciding = [key for key in values if key in decided_upon(body.type) and key not in always]
    fixed = {key: value for key, value in values.items() if key not in deciding}
    choices = [[(key, choice) for choice in alternatives(key, values[key], one)] for key in deciding]
    assert math.prod(map(len, choices)) <= MAX_VARIANTS
    for chosen in product(*choices):
        yield from accepted({**fixed, **{key: value for key, value in chosen if value is not None}}, body)
    for left_out in set(fixed) - always:
        yield from accepted({key: value for key, value in values.items() if key != left_out}, body)


def accepted(values: Mapping[str, Any], body: Body) -> Iterator[Checked]:
    """The configuration, unless it is refused."""
    try:
        yield checked(values, CheckContext("single", stages=(STAGE,), model_registry=body.registry))
    except BadConfiguration:
        return


def decided_upon(name: str) -> frozenset[str]:
    """The configuration keys that the conditions of the template depend on."""
    used = set(re.findall(r'"Ref": "(\w+)"', json.dumps(template(name).get("Conditions", {}))))
    sources = [source for parameter in used for source in workload_type(name).parameters.get(parameter, ())]
    conditions = [condition.key for source in sources for condition in source.when]
    return frozenset(key.split(".")[0] for key in [*conditions, *(source.key for source in sources)])


def alternatives(key: str, value: Any, one: WorkloadType) -> list[Any]:
    """None (absent), the body's own value, the least of it, and one for each member of an enumeration."""
    schema = per_value(one.properties[key], one.schema)
    members, needed = schema.get("properties", {}), set(schema.get("required", ()))
    found = [None, value]
    if isinstance(value, Mapping) and members:
        found.append({name: member for name, member in value.items() if name in needed})
        for name, member in members.items():
            found += [{**value, name: choice} for choice in member.get("enum", ()) if name in needed]
    elif "x-form" not in schema:
        found += schema.get("enum", ())
    distinct = {json.dumps(choice, sort_keys=True): choice for choice in found if choice != {}}
    return list(distinct.values())
