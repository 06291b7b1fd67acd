"""The settings survive the parameter they are stored in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.installation import ApprovalPolicy, Installation, StageSettings
from orchestrator.core.people import People, Person
from tests.fakes.memory_world import installation
from tests.strategies import policies

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
people = st.builds(Person, text, text, st.tuples(text), st.tuples(text, text), st.just(()))
stages = st.lists(st.builds(StageSettings, text, text, st.none() | policies), min_size=1, max_size=4)


@given(
    st.builds(
        Installation,
        mode=st.sampled_from(["single", "multi"]),
        region=text,
        partition=text,
        account=text,
        external_id=text,
        stages=stages.map(tuple),
        roles=st.dictionaries(text, st.lists(text).map(tuple), max_size=3),
        people=st.lists(people, max_size=3).map(lambda some: People(tuple(some))),
        slack_channel=text,
        slack_team=st.text(max_size=5),
        model_registry=st.booleans(),
        orchestrator_approval=st.none() | policies,
        detailed_errors=st.booleans(),
    )
)
def test_to_json_and_from_json_are_each_others_inverse(known: Installation) -> None:
    assert Installation.from_json(known.to_json()) == known
    assert Installation.from_json(known.to_json()).to_json() == known.to_json()


def test_stages_are_known_by_their_names() -> None:
    known = installation()
    assert known.stage_names == ("dev", "staging", "prod")
    assert known.stage("prod").account == "444444444444"
    assert known.role_arn("dev", "mlops-deploy") == "arn:aws:iam::222222222222:role/mlops/mlops-deploy"
    with pytest.raises(KeyError, match="no stage 'qa'"):
        known.stage("qa")


def test_types_of_the_orchestrators_account_have_one_stage_of_their_own() -> None:
    policy = ApprovalPolicy(((("risk", 1),),))
    known = installation(orchestrator_approval=policy)
    assert known.stages_of("stages") == ("dev", "staging", "prod")
    assert known.stages_of("orchestrator") == ("orchestrator",)
    assert known.has_stage("orchestrator")
    assert not known.has_stage("qa")
    assert known.stage("orchestrator") == StageSettings("orchestrator", "111111111111", policy)
    assert known.role_arn("orchestrator", "mlops-run-job") == "arn:aws:iam::111111111111:role/mlops/mlops-run-job"


def test_in_a_single_account_they_have_the_only_stage_there_is() -> None:
    known = installation(StageSettings("prod", "111111111111"), mode="single")
    assert known.stages_of("orchestrator") == known.stages_of("stages") == ("prod",)
    assert not known.has_stage("orchestrator")
    with pytest.raises(KeyError, match="no stage 'orchestrator'"):
        known.stage("orchestrator")


def test_settings_of_another_version_are_read() -> None:
    raw = json.loads(installation().to_json())
    for name in ("orchestrator_approval", "detailed_errors", "repositories"):
        del raw[name]
    raw["of_an_earlier_version"] = "ml-images"
    assert Installation.from_json(json.dumps(raw)) == installation()
