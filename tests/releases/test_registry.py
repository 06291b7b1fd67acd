"""Models of the Model Registry: the version that is named, the latest approved one of a group, and no other."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.credentials import Credentials

from local.cloud.client import SECRET
from local.installation import down, up
from local.settings import ORCHESTRATOR, REGION, Mode
from local.signed import call
from local.upload import build_example
from tests.releases.team import Team, eventually, stage
from tests.releases.workloads.data import Data
from tests.releases.workloads.realtime import SKLEARN

GROUP = "cell-models"


@dataclass
class Registry:
    """An installation with the Model Registry, and the versions in its group by number."""

    team: Team
    data: Data
    versions: dict[int, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """ARN of the group."""
        return f"arn:aws:sagemaker:{REGION}:{ORCHESTRATOR}:model-package-group/{GROUP}"

    def register(self, model: bytes, approval: str) -> None:
        """Upload a model and register it as the group's next version."""
        number = len(self.versions) + 1
        key = f"registry/{number}/model.tar.gz"
        self.team.upload_asset(key, model)
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{self.team.assets_bucket}/{key}",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        answer = self.team.client("sagemaker", ORCHESTRATOR).create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            },
        )
        self.versions[number] = answer["ModelPackageArn"]

    def accounts(self) -> dict[str, str]:
        """Stage → account."""
        return self.team.running.stages

    def per_stage(self, text: str) -> object:
        """A location in each stage's own bucket."""
        named = {name: text.format(bucket=f"registry-of-{name}") for name in self.accounts()}
        return named if len(named) > 1 else next(iter(named.values()))


@pytest.fixture(scope="module", params=["multi", pytest.param("single", marks=pytest.mark.long)])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Versions 1 and 2 are approved, 3 waits; each answers with fewer digits than the one before."""
    mode: Mode = request.param
    home = tmp_path_factory.mktemp(f"registry-{mode}") / "home"
    running = up(mode, home=home, changes={"model_registry": True, "model_package_group": GROUP})
    try:
        example = build_example(tmp_path_factory.mktemp(f"example-registry-{mode}"), mode)
        found = Registry(Team(running, example), Data(example))
        for name, account in found.accounts().items():
            s3 = found.team.client("s3", account)
            s3.create_bucket(Bucket=f"registry-of-{name}")
            for file, body in found.data.batches().items():
                s3.put_object(Bucket=f"registry-of-{name}", Key=f"incoming/{file}", Body=body)
        found.register(rounded(found.data.model, 6), "Approved")
        found.register(rounded(found.data.model, 3), "Approved")
        found.register(rounded(found.data.model, 1), "PendingManualApproval")
        yield found
    finally:
        down(home=home)


def rounded(model: bytes, digits: int) -> bytes:
    """The example's model, whose code answers with so many digits."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(model)) as source,
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as target,
    ):
        for member in source.getmembers():
            body = source.extractfile(member).read()  # type: ignore[union-attr] # files only
            if member.name == "code/inference.py":
                assert b"\nDIGITS = 6\n" in body
                body = body.replace(b"\nDIGITS = 6\n", f"\nDIGITS = {digits}\n".encode())
            member.size = len(body)
            target.addfile(member, io.BytesIO(body))
    return packed.getvalue()


def endpoint(registry: Registry, package: str) -> dict[str, Any]:
    """A real-time endpoint of a model package."""
    return {
        "pipeline_type": "byom_realtime_builtin",
        "model_name": "cells",
        "model_package_name": package,
        "inference_instance": "ml.m5.large",
        "data_capture_location": registry.per_stage("{bucket}/capture"),
    }


def released(registry: Registry, configuration: dict[str, Any], workload: str) -> dict[str, Any]:
    """Upload, approve what is asked; the release at its end."""
    team = registry.team
    known = frozenset(found["release_id"] for found in team.releases(workload))
    team.upload(workload, configuration)
    release_id = team.started(workload, known)
    ended = team.follower.until_end(release_id, decide=team.approve)
    assert ended.status == "succeeded", ended.reason
    return team.show(release_id)


def probability(registry: Registry, account: str, url: str) -> float:
    """What the endpoint's HTTP front says about the sample."""
    address = registry.team.running.cloud.local_url(url)
    asked = {"payload": registry.data.sample.decode(), "content_type": "text/csv"}
    reply = call("POST", address, Credentials(account, SECRET), REGION, asked)
    assert reply.status == 200, reply.body
    return float(reply.json()["predictions"][0]["probability_malignant"])


def own_probability(registry: Registry) -> float:
    """What the model itself says."""
    return registry.data.predictions([[float(value) for value in registry.data.sample.decode().split(",")]])[0]


def serves(registry: Registry, release: dict[str, Any], package: str, digits: int) -> None:
    """Every stage has the model of this version, and answers as it does."""
    expected = round(own_probability(registry), digits)
    for name, account in registry.accounts().items():
        outputs = stage(release, name)["outputs"]
        model = registry.team.client("sagemaker", account).describe_model(ModelName=outputs["ModelName"])
        assert model["PrimaryContainer"]["ModelPackageName"] == package, name
        assert probability(registry, account, outputs["InferenceUrl"]) == expected, name


def test_a_group_means_its_latest_approved_version(registry: Registry) -> None:
    configuration = endpoint(registry, registry.group)
    first = released(registry, configuration, "cells-realtime")
    serves(registry, first, registry.versions[2], digits=3)

    registry.team.client("sagemaker", ORCHESTRATOR).update_model_package(
        ModelPackageArn=registry.versions[3], ModelApprovalStatus="Approved"
    )
    second = released(registry, configuration, "cells-realtime")

    serves(registry, second, registry.versions[3], digits=1)
    changes = stage(second, "prod")["plan"]["parameters"]
    shown = {"name": "ModelPackageName", "before": registry.versions[2], "after": registry.versions[3]}
    assert shown in changes


def test_a_version_that_is_named_transforms_the_batch(registry: Registry) -> None:
    configuration = {
        "pipeline_type": "byom_batch_builtin",
        "model_name": "cells",
        "model_package_name": registry.versions[1],
        "inference_instance": "ml.m5.large",
        "batch_inference_data": registry.per_stage("{bucket}/incoming/"),
        "batch_job_output_location": registry.per_stage("{bucket}/scores"),
    }
    release = released(registry, configuration, "cells-batch")
    for name, account in registry.accounts().items():
        outputs = stage(release, name)["outputs"]
        model = registry.team.client("sagemaker", account).describe_model(ModelName=outputs["ModelName"])
        assert model["PrimaryContainer"]["ModelPackageName"] == registry.versions[1], name
        for file, scores in registry.data.scores().items():
            where = {"Bucket": f"registry-of-{name}", "Key": f"scores/{file}"}
            body = registry.team.client("s3", account).get_object(**where)["Body"].read().decode()
            assert [float(line) for line in body.split()] == scores, (name, file)


def test_a_version_that_is_not_approved_is_refused_with_its_place(registry: Registry) -> None:
    registry.register(registry.data.model, "Rejected")
    team = registry.team
    configuration = {**endpoint(registry, registry.versions[len(registry.versions)]), "model_name": "unapproved"}
    team.upload("unapproved", configuration)
    release_id = team.started("unapproved-realtime")
    ended = team.ended(release_id)
    assert ended.status == "failed"
    assert "$.model_package_name" in ended.reason
    assert "is Rejected, not Approved" in ended.reason
    assert f"latest approved version, {registry.versions[3]}" in ended.reason
    message = eventually("said in Slack", lambda: team.message_with(release_id, "$.model_package_name"))
    assert "is Rejected, not Approved" in message
    for account in registry.accounts().values():
        assert team.stack(account, "mlops-pipeline-unapproved-byompipelinerealtimebuiltin") is None
