"""What a configuration names outside itself: told at once by the API, resolved by Package."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.config import AssetRef
from orchestrator.core.errors import AccessDenied, CallRefused, ModelWithdrawn
from orchestrator.core.facts import ModelContainer
from orchestrator.core.packaging import Package, read_package
from orchestrator.core.ports import ModelVersion, ObjectVersion
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Figure, Release, Status
from orchestrator.core.steps.receive_request import receive_body
from orchestrator.core.steps.references import find_asset
from orchestrator.core.steps.released import package_key
from tests.fakes.memory_world import ASSETS, BY_ANA, PACKAGES, MemoryWorld, configuration, evaluation, installation
from tests.fakes.workload_types import own_type, with_own
from tests.steps import journeys

PREFIX = "arn:aws:sagemaker:us-east-1:111111111111:"
GROUP = f"{PREFIX}model-package-group/fraud"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
STATISTICS = "s3://mlops-assets/registry/statistics.json"


def version_arn(number: int, group: str = "fraud", account: str = "111111111111") -> str:
    """ARN of a version of a group."""
    return f"arn:aws:sagemaker:us-east-1:{account}:model-package/{group}/{number}"


def version(number: int, approval: str = "Approved", status: str = "Completed", **changes: Any) -> ModelVersion:
    """A version of the group ``fraud``."""
    known = ModelVersion(
        version_arn(number), approval, status, (ModelContainer(IMAGE, f"s3://models/fraud/{number}/model.tar.gz"),)
    )
    return replace(known, **changes)


@pytest.fixture
def world() -> MemoryWorld:
    """An installation with the Model Registry; the group ``fraud`` has three versions, of which two are approved."""
    world = MemoryWorld(installation=installation(model_registry=True))
    for one in (version(1), version(2), version(3, "PendingManualApproval")):
        world.registry.add(one)
    return world


def registered(name: str = version_arn(1), **changes: Any) -> dict[str, Any]:
    """A configuration that names a model package."""
    drop = dict.fromkeys(("model_framework", "model_framework_version", "model_artifact_location"))
    return configuration(**drop, model_package_name=name, **changes)


def packaged(world: MemoryWorld, values: dict[str, Any]) -> tuple[Release, Package]:
    """Released by upload, and what it was packaged as."""
    release = world.uploaded(values)
    world.package(release.release_id)
    return world.of(release.release_id), read_package(world.buckets.read(PACKAGES, package_key(release.release_id)))


def problems(world: MemoryWorld, values: object) -> dict[str, str]:
    """What the API says of a body: path → sentence. Nothing has been written."""
    before = dict(world.memory.rows)
    with pytest.raises(BadConfiguration) as refused:
        receive_body(json.dumps(values).encode(), BY_ANA, "token", world.reception)
    assert world.memory.rows == before
    assert world.fake_tasks.started == {}
    return {problem.path: problem.sentence for problem in refused.value.problems}


def test_a_version_is_pinned_with_all_its_containers(world: MemoryWorld) -> None:
    second = ModelContainer(IMAGE.replace("scikit-learn", "xgboost"), "s3://other/parts/")
    world.registry.add(version(1, containers=(version(1).containers[0], second)))
    _, package = packaged(world, registered())
    assert package.parameters("prod")["ModelPackageName"] == version_arn(1)
    pinned = package.manifest["model_packages"][version_arn(1)]
    assert pinned["arn"] == version_arn(1)
    assert [container["data"] for container in pinned["containers"]] == [
        "s3://models/fraud/1/model.tar.gz",
        "s3://other/parts/",
    ]


def test_a_group_is_its_latest_approved_version(world: MemoryWorld) -> None:
    _, package = packaged(world, registered(GROUP))
    assert package.parameters("dev")["ModelPackageName"] == version_arn(2)
    assert package.manifest["model_packages"][GROUP]["arn"] == version_arn(2)


def test_another_latest_version_is_another_content(world: MemoryWorld) -> None:
    release, first = packaged(world, registered(GROUP))
    world.end(release.release_id, Status.FAILED)
    world.registry.add(version(3))
    _, second = packaged(world, registered(GROUP))
    assert first.digest != second.digest


def test_the_same_version_by_group_is_the_same_content(world: MemoryWorld) -> None:
    release, first = packaged(world, registered(GROUP))
    world.end(release.release_id, Status.FAILED)
    world.registry.add(version(4, "PendingManualApproval"))
    _, second = packaged(world, registered(GROUP))
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            version_arn(3),
            None,
            f"is PendingManualApproval, not Approved. Approve it in the Model Registry, or name the "
            f"latest approved version, {version_arn(2)}.",
        ),
        (version_arn(9), None, f"there is no model package {version_arn(9)}"),
        (version_arn(1), version(1, "Rejected"), "is Rejected, not Approved"),
        (version_arn(1), version(1, ""), "is without an approval status, not Approved"),
        (version_arn(1), version(1, status="InProgress"), "is InProgress, not Completed"),
        (version_arn(1), version(1, containers=()), "has no inference specification"),
        (
            version_arn(1),
            version(1, containers=(ModelContainer(IMAGE.replace("us-east-1", "eu-west-1")),)),
            "names an image in eu-west-1, the installation is in us-east-1",
        ),
        (version_arn(1), version(1, containers=(ModelContainer("docker.io/x:1"),)), "which is none in Amazon ECR"),
        *(
            (version_arn(1), version(1, containers=(ModelContainer(IMAGE, data),)), "which is no plain place in S3")
            for data in (
                "s3://models/a,arn:aws:s3:::another-bucket/*,b",
                "s3://*/model.tar.gz",
                "s3://models/*",
                "s3://models/${aws:PrincipalTag/team}/model.tar.gz",
                "https://models.s3.amazonaws.com/model.tar.gz",
            )
        ),
        (f"{PREFIX}model-package-group/nobody", None, 'the model package group "nobody" has no approved version'),
        (version_arn(1, account="999999999999"), None, "is in the account 999999999999"),
    ],
    ids=[
        *("pending", "missing", "rejected", "unversioned", "in progress", "no specification", "other region"),
        *("not in ECR", "two places", "every bucket", "every key", "a policy variable", "no s3 URI"),
        *("group", "other account"),
    ],
)
@pytest.mark.parametrize("way", ["api", "package"])
def test_a_model_package_that_cannot_be_deployed(
    world: MemoryWorld, name: str, change: ModelVersion | None, words: str, way: str
) -> None:
    if change is not None:
        world.registry.add(change)
    if way == "api":
        told = problems(world, registered(name))
    else:
        release = world.uploaded(registered(name))
        with pytest.raises(BadConfiguration) as refused:
            world.package(release.release_id)
        told = {problem.path: problem.sentence for problem in refused.value.problems}
    assert list(told) == ["$.model_package_name"]
    assert words in told["$.model_package_name"]


def test_everything_wrong_with_a_version_is_told(world: MemoryWorld) -> None:
    world.registry.add(version(1, "Rejected", "Failed"))
    with pytest.raises(BadConfiguration) as refused:
        world.release(registered())
    assert len(refused.value.problems) == 2


def test_a_group_that_sagemaker_refuses_to_list_is_one_that_has_nothing(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(group: str) -> str:
        raise CallRefused(f"sagemaker refused ListModelPackages: ModelPackageGroup {group} does not exist.")

    monkeypatch.setattr(world.registry, "latest_approved", refused)
    assert "has no approved version" in problems(world, registered(GROUP))["$.model_package_name"]


def test_a_model_package_and_assets_are_told_together_with_their_paths(world: MemoryWorld) -> None:
    body = {
        "pipelines": [
            registered(version_arn(3), verify={"sample": "no/sample.csv"}),
            registered(pipeline_name="b", metrics="no/evaluation.json"),
        ]
    }
    assert set(problems(world, body)) == {
        "$.pipelines[0].model_package_name",
        "$.pipelines[0].verify.sample",
        "$.pipelines[1].metrics",
    }


def test_without_the_registry_its_key_is_ignored_with_a_warning_and_the_other_way_round(world: MemoryWorld) -> None:
    plain = MemoryWorld()
    release = plain.release(configuration(model_package_name=version_arn(9)))
    assert "does not use the Model Registry" in release.warnings[0]
    both = world.release(configuration(model_package_name=version_arn(1)))
    assert len(both.warnings) == 3
    assert all("uses the Model Registry" in warning for warning in both.warnings)


# The figures of the registry.


def test_the_evaluation_of_the_model_package_is_the_releases(world: MemoryWorld) -> None:
    world.buckets.put(ASSETS, "registry/statistics.json", evaluation(accuracy=0.97))
    world.registry.add(version(1, metrics=STATISTICS))
    release, package = packaged(world, registered())
    assert release.metrics == (Figure("accuracy", "0.97"),)
    assert package.manifest["metrics"]["uri"] == STATISTICS
    assert release.warnings == ()


def test_the_file_that_the_configuration_names_goes_first(world: MemoryWorld) -> None:
    world.buckets.put(ASSETS, "registry/statistics.json", evaluation(accuracy=0.97))
    world.buckets.put(ASSETS, "fraud/evaluation.json", evaluation(auc=0.8))
    world.registry.add(version(1, metrics=STATISTICS))
    release, _ = packaged(world, registered(metrics="fraud/evaluation.json"))
    assert release.metrics == (Figure("auc", "0.8"),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "the evaluation file has no figures."),
        (b"not JSON", "the evaluation file is refused at $"),
        (None, "there is no such object."),
    ],
    ids=["no figures", "no JSON", "missing"],
)
def test_an_evaluation_of_the_registry_that_cannot_be_read_is_told_and_stops_nothing(
    world: MemoryWorld, content: bytes | None, words: str
) -> None:
    if content is not None:
        world.buckets.put(ASSETS, "registry/statistics.json", content)
    world.registry.add(version(1, metrics=STATISTICS))
    release, _ = packaged(world, registered())
    assert release.metrics == ()
    assert release.warnings[0].startswith(f"{STATISTICS} is no evaluation that can be shown: {words}")


def test_a_bucket_that_package_may_not_read_is_told_and_stops_nothing(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(bucket: str, key: str) -> int:
        raise AccessDenied(f"IAM refused s3:GetObject of {key} to the function's role")

    world.registry.add(version(1, metrics=STATISTICS))
    monkeypatch.setattr(world.buckets, "newest", denied)
    release, _ = packaged(world, registered())
    assert release.warnings == (
        f"{STATISTICS} is no evaluation that can be shown: the function Package may not read it.",
    )
    assert release.status is Status.PACKAGING


def test_a_repeated_package_warns_once(world: MemoryWorld) -> None:
    world.registry.add(version(1, metrics=STATISTICS))
    release, _ = packaged(world, registered())
    again = replace(release, package_key="")
    world.memory.rows[release.key()] = again
    world.package(release.release_id)
    assert world.of(release.release_id).warnings == release.warnings


# Assets, as the API tells of them.


@pytest.fixture
def plain() -> MemoryWorld:
    """An installation without the registry."""
    return MemoryWorld()


def test_a_call_with_assets_that_are_not_there_is_refused_before_anything_is_claimed(plain: MemoryWorld) -> None:
    told = problems(plain, configuration(model_artifact_location="no/model.tar.gz", verify={"sample": "no/sample.csv"}))
    assert told == {
        "$.model_artifact_location": (
            '$.model_artifact_location: there is no object "no/model.tar.gz" in the assets bucket. '
            "Upload it before the configuration."
        ),
        "$.verify.sample": (
            '$.verify.sample: there is no object "no/sample.csv" in the assets bucket. '
            "Upload it before the configuration."
        ),
    }


def test_the_same_call_again_once_they_are_uploaded_is_a_release(plain: MemoryWorld) -> None:
    body = json.dumps(configuration(model_artifact_location="late.tar.gz")).encode()
    with pytest.raises(BadConfiguration):
        receive_body(body, BY_ANA, "token", plain.reception)
    plain.buckets.put(ASSETS, "late.tar.gz", b"a model")
    receipt = receive_body(body, BY_ANA, "token", plain.reception)
    assert (receipt.duplicate, receipt.releases[0].status) == (False, Status.REQUESTED)


@pytest.mark.parametrize("way", ["api", "package"])
def test_a_prefix_must_have_something_under_it(tmp_path: Path, way: str) -> None:
    own = own_type(tmp_path, "own_central")
    file = own / "config.schema.json"
    schema = json.loads(file.read_text())
    schema["properties"]["model_artifact_location"] = {"type": "string", "x-asset": "object_or_prefix"}
    file.write_text(json.dumps(schema))
    workload = own / "workload.json"
    values = json.loads(workload.read_text())
    for name in ("ModelBucket", "ModelKey"):
        values["parameters"][name] = {"from": "model_artifact_location", "as": "asset_or_prefix"}
    workload.write_text(json.dumps(values))
    world = MemoryWorld(catalogue=with_own(tmp_path))
    body = configuration(pipeline_type="own_central", model_artifact_location="data/train")
    if way == "api":
        assert "none whose key starts so" in problems(world, body)["$.model_artifact_location"]
        world.buckets.put(ASSETS, "data/train/part-1.csv", b"1")
        assert world.release(body).status is Status.REQUESTED
        return
    release = world.uploaded(body)
    with pytest.raises(BadConfiguration, match="none whose key starts so"):
        world.package(release.release_id)
    world.buckets.put(ASSETS, "data/train/part-1.csv", b"1")
    assert world.package(release.release_id) == {"outcome": "packaged"}


def test_what_ends_in_a_slash_is_no_object(plain: MemoryWorld) -> None:
    """Though a console puts an empty one there to show a folder."""
    for key, data in (("data/train/", b""), ("data/train/part-1.csv", b"1,2"), ("data/whole.csv", b"1,2")):
        plain.buckets.put(ASSETS, key, data)
    for key, pinned in (("data/train/", False), ("data/whole.csv", True)):
        found = find_asset(AssetRef("$.training_data", key, or_prefix=True), plain.buckets, ASSETS)
        assert isinstance(found, ObjectVersion) is pinned


def test_an_upload_is_not_asked_so_early(plain: MemoryWorld) -> None:
    release = plain.uploaded(configuration(model_artifact_location="no/model.tar.gz"))
    assert release.status is Status.REQUESTED


def withdraw(world: MemoryWorld, gone: bool) -> None:
    """The version that releases of these tests deploy is rejected, or deleted."""
    del world.registry.versions[version_arn(1)]
    if not gone:
        world.registry.add(version(1, "Rejected"))


WITHDRAWN = pytest.mark.parametrize(
    ("gone", "words"),
    [(False, "is Rejected in the Model Registry now, and was Approved"), (True, "is no longer in the Model Registry")],
    ids=["rejected", "deleted"],
)


@WITHDRAWN
def test_a_version_that_was_withdrawn_is_not_even_asked_about(world: MemoryWorld, gone: bool, words: str) -> None:
    release = journeys.in_dev(world, registered())
    withdraw(world, gone)
    with pytest.raises(ModelWithdrawn, match=words):
        world.plan(release.release_id, "staging")


@WITHDRAWN
def test_a_version_that_was_withdrawn_after_people_approved_it_is_not_deployed(
    world: MemoryWorld, gone: bool, words: str
) -> None:
    release = journeys.approved(world, registered())
    withdraw(world, gone)
    with pytest.raises(ModelWithdrawn, match=words):
        world.deploy(release.release_id, "staging")
    assert world.stacks("staging").state(release.stack_name).status == "REVIEW_IN_PROGRESS"


@WITHDRAWN
def test_a_stage_that_asks_nobody_is_looked_at_too(world: MemoryWorld, gone: bool, words: str) -> None:
    release = journeys.packaged(world, registered())
    withdraw(world, gone)
    with pytest.raises(ModelWithdrawn, match=words):
        world.deploy(release.release_id, "dev")


def test_a_deployment_that_has_begun_is_followed_to_its_end(world: MemoryWorld) -> None:
    release = journeys.approved(world, registered())
    world.stacks("staging").immediate = False
    world.deploy(release.release_id, "staging")
    withdraw(world, gone=True)
    token = world.deploy(release.release_id, "staging")
    (wait,) = world.waits()
    assert wait.token == token
