"""Every body, as the old product's users have it, and both examples of each folder: accepted, packaged, deployable."""

from __future__ import annotations

import pytest

from orchestrator.core.packaging import read_package
from tests.templates.expansion import Expansion, refusal
from tests.templates.folders import Body, bodies, checked, examples, package, stages_of, template

ALL = [*bodies(), *examples()]
EVERY = pytest.mark.parametrize("body", ALL, ids=[body.id for body in ALL])


@EVERY
def test_it_is_accepted_without_a_word(body: Body) -> None:
    one = checked(body.values, body.context)
    assert body.values["pipeline_type"] == body.type
    assert [warning.sentence for warning in one.warnings] == []


@EVERY
def test_it_is_packaged_for_every_stage(body: Body) -> None:
    one = checked(body.values, body.context)
    made = package(one, body.context)
    assert read_package(made.zip_bytes).members == made.members
    assert made.manifest["stages"] == list(stages_of(one, body.context))
    for stage in stages_of(one, body.context):
        assert set(made.documents(stage)) == {
            entry["key"] for entry in made.manifest["documents"] if entry["stage"] == stage
        }


@EVERY
def test_cloudformation_takes_every_parameter(body: Body) -> None:
    one = checked(body.values, body.context)
    made = package(one, body.context)
    specs = template(body.type)["Parameters"]
    for stage in stages_of(one, body.context):
        given = made.parameters(stage)
        assert set(given) - set(specs) == set()
        assert {name for name, spec in specs.items() if "Default" not in spec} - set(given) == set()
        assert [f"{name}: {why}" for name, text in given.items() if (why := refusal(specs[name], text))] == []


@EVERY
def test_nothing_in_the_stack_refers_to_what_is_not_there(body: Body) -> None:
    one = checked(body.values, body.context)
    made = package(one, body.context)
    for stage in stages_of(one, body.context):
        expansion = Expansion(template(body.type), made.parameters(stage), one.stack_name)
        assert expansion.resources
        asked = {one.type.endpoint_output, one.type.job.output if one.type.job else ""} - {""}
        asked |= {source.key[8:] for source in one.type.sources() if source.key.startswith("$output:")}
        assert asked - set(expansion.outputs) == set()


def test_defaults_are_taken_too() -> None:
    for name in {body.type for body in ALL}:
        for parameter, spec in template(name)["Parameters"].items():
            if "Default" in spec:
                assert refusal(spec, str(spec["Default"])) == "", f"{name}: {parameter}"
