"""The index of uses: what a configuration names finds its workload, until a newer one names it no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.config import Checked, check_file
from orchestrator.core.deliveries import LatestRequest
from orchestrator.core.steps.checking import check_context
from orchestrator.core.uses import (
    Thing,
    Use,
    UseKind,
    add_uses,
    forget_uses,
    named_by,
    settle_uses,
    settled,
    users_of_group,
    users_of_object,
)
from tests.fakes.memory_world import catalogue, configuration, installation
from tests.fakes.storage import MemoryStore

MODEL, DATA = Thing(UseKind.ASSET, "fraud/model.tar.gz"), Thing(UseKind.PREFIX, "fraud/data/")


def checked(values: dict[str, Any], **changes: Any) -> Checked:
    """A configuration, checked."""
    (one,) = check_file(json.dumps(values).encode(), catalogue(), check_context(installation(**changes)))
    return one


def training(data: str) -> dict[str, Any]:
    """A configuration that trains with these data."""
    return {
        "pipeline_type": "model_training_builtin",
        "model_name": "fraud",
        "model_framework": "xgboost",
        "model_framework_version": "1.7-1",
        "training_data": data,
        "job_output_location": "fraud/training",
        "algo_hyperparamaters": {"num_round": 100},
        "instance_type": "ml.m5.xlarge",
    }


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_everything_that_a_configuration_names_counts() -> None:
    one = checked(configuration(metrics="fraud/evaluation.json"))
    names = {(thing.kind, thing.name) for thing in named_by(one)}
    assert names == {
        (UseKind.ASSET, "fraud/model.tar.gz"),
        (UseKind.ASSET, "fraud/sample.csv"),
        (UseKind.ASSET, "fraud/evaluation.json"),
    }


@pytest.mark.parametrize(
    ("data", "kinds"),
    [("fraud/data/", {UseKind.PREFIX}), ("fraud/data", {UseKind.PREFIX, UseKind.ASSET})],
    ids=["a folder", "an object or what begins so"],
)
def test_data_may_be_a_prefix(data: str, kinds: set[UseKind]) -> None:
    values = training(data)
    assert {thing.kind for thing in named_by(checked(values)) if thing.name == data} == kinds


def test_an_object_below_a_prefix_is_used(store: MemoryStore) -> None:
    add_uses(store, "fraud", [MODEL, DATA])
    add_uses(store, "churn", [Thing(UseKind.PREFIX, "churn/")])
    assert users_of_object(store, "fraud/model.tar.gz") == ("fraud",)
    assert users_of_object(store, "fraud/data/part-1.csv") == ("fraud",)
    assert users_of_object(store, "fraud/database.csv") == ()


def test_one_workload_is_named_once(store: MemoryStore) -> None:
    add_uses(
        store, "fraud", [Thing(UseKind.PREFIX, "a/"), Thing(UseKind.PREFIX, "a/b/"), Thing(UseKind.ASSET, "a/b/c")]
    )
    assert users_of_object(store, "a/b/c") == ("fraud",)


def test_what_a_newer_configuration_names_no_more_is_dropped(store: MemoryStore) -> None:
    add_uses(store, "fraud", [MODEL, DATA])
    settle_uses(store, "fraud", ("2026-03-01", "r1"), [MODEL, DATA])
    assert settled(store, "fraud", "r1")
    settle_uses(store, "fraud", ("2026-03-02", "r2"), [MODEL])
    assert users_of_object(store, "fraud/data/x") == ()
    assert users_of_object(store, MODEL.name) == ("fraud",)


def test_an_older_release_decides_nothing_any_more(store: MemoryStore) -> None:
    settle_uses(store, "fraud", ("2026-03-02", "r2"), [MODEL])
    settle_uses(store, "fraud", ("2026-03-01", "r1"), [DATA])
    assert users_of_object(store, MODEL.name) == ("fraud",)
    assert not settled(store, "fraud", "r1")


def test_what_a_release_on_its_way_names_is_not_dropped(store: MemoryStore) -> None:
    add_uses(store, "fraud", [DATA])
    store.insert(LatestRequest("fraud", "r2", "2026-03-02"))
    settle_uses(store, "fraud", ("2026-03-01", "r1"), [MODEL])
    assert users_of_object(store, "fraud/data/x") == ("fraud",)


def test_a_removed_workload_uses_nothing(store: MemoryStore) -> None:
    add_uses(store, "fraud", [MODEL, DATA, Thing(UseKind.MODELS, "fraud")])
    add_uses(store, "churn", [MODEL])
    forget_uses(store, "fraud", ("2026-03-02", "removal"))
    assert users_of_object(store, MODEL.name) == ("churn",)
    assert users_of_group(store, "fraud") == ()
    assert {use.workload for use in store.all(Use)} == {"churn"}


def test_a_removal_leaves_what_a_configuration_asked_for_after_it_uses(store: MemoryStore) -> None:
    add_uses(store, "fraud", [MODEL])
    store.insert(LatestRequest("fraud", "r2", "2026-03-03"))
    forget_uses(store, "fraud", ("2026-03-02", "removal"))
    assert users_of_object(store, MODEL.name) == ("fraud",)


@given(st.text(min_size=1, max_size=1024), st.sampled_from(UseKind))
def test_every_key_fits_a_key_of_the_table(name: str, kind: UseKind) -> None:
    """2,048 bytes of a partition key, 1,024 of a sort key (DynamoDB Developer Guide, "Quotas")."""
    pk, sk = Use(Thing(kind, name), "w" * 63).key()
    assert len(pk.encode()) < 2048
    assert len(sk.encode()) < 1024
