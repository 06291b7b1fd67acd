"""A group of the Model Registry whose versions tell themselves apart: each answers with its own number of digits."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import Credentials

from local.cloud.client import SECRET
from local.settings import ORCHESTRATOR, REGION
from local.signed import call
from tests.releases.team import Team, stage
from tests.releases.workloads.data import Data
from tests.releases.workloads.realtime import SKLEARN

GROUP = "cell-models"
"""The group that the installation's own stack makes."""

REPOSITORY = "ml-images"
"""The repository of images that it makes."""


@dataclass
class Registry:
    """An installation with the Model Registry, and the versions of a group by number."""

    team: Team
    data: Data
    name: str = GROUP
    versions: dict[int, str] = field(default_factory=dict)

    @property
    def sagemaker(self) -> Any:
        """The registry's own client."""
        return self.team.client("sagemaker", ORCHESTRATOR)

    @property
    def group(self) -> str:
        """ARN of the group."""
        return f"arn:aws:sagemaker:{REGION}:{ORCHESTRATOR}:model-package-group/{self.name}"

    def like(self, name: str) -> Registry:
        """Another group, which an organisation makes itself, with this one's policy."""
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        if self.team.running.mode == "multi":
            policy = self.sagemaker.get_model_package_group_policy(ModelPackageGroupName=self.name)["ResourcePolicy"]
            own = policy.replace(f"/{self.name}", f"/{name}")
            self.sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=own)
        return Registry(self.team, self.data, name)

    def register(self, digits: int, approval: str) -> int:
        """Upload the model and register it as the group's next version; its number."""
        number = len(self.versions) + 1
        key = f"registry/{self.name}/{number}/model.tar.gz"
        self.team.upload_asset(key, rounded(self.data.model, digits))
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{self.team.assets_bucket}/{key}",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        answer = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            },
        )
        self.versions[number] = answer["ModelPackageArn"]
        return number

    def assess(self, number: int, approval: str) -> None:
        """Approve a version, or reject it."""
        self.sagemaker.update_model_package(ModelPackageArn=self.versions[number], ModelApprovalStatus=approval)

    def per_stage(self, text: str) -> object:
        """A location in each stage's own bucket."""
        named = {name: text.format(bucket=bucket_of(name)) for name in self.team.running.stages}
        return named if len(named) > 1 else next(iter(named.values()))

    def endpoint(self, package: str, model_name: str) -> dict[str, Any]:
        """Configuration of a real-time endpoint of a model package."""
        return {
            "pipeline_type": "byom_realtime_builtin",
            "model_name": model_name,
            "model_package_name": package,
            "inference_instance": "ml.m5.large",
            "data_capture_location": self.per_stage("{bucket}/capture"),
        }

    def serves(self, release: dict[str, Any], number: int, digits: int) -> None:
        """Every stage has the model of this version, and answers as it does."""
        (own,) = self.data.predictions([[float(value) for value in self.data.sample.decode().split(",")]])
        for name, account in self.team.running.stages.items():
            outputs = stage(release, name)["outputs"]
            model = self.team.client("sagemaker", account).describe_model(ModelName=outputs["ModelName"])
            assert model["PrimaryContainer"]["ModelPackageName"] == self.versions[number], name
            assert self._probability(account, outputs["InferenceUrl"]) == round(own, digits), name

    def _probability(self, account: str, url: str) -> float:
        """What the endpoint's HTTP front says about the sample."""
        address = self.team.running.cloud.local_url(url)
        asked = {"payload": self.data.sample.decode(), "content_type": "text/csv"}
        reply = call("POST", address, Credentials(account, SECRET), REGION, asked)
        assert reply.status == 200, reply.body
        return float(reply.json()["predictions"][0]["probability_malignant"])


def bucket_of(stage_name: str) -> str:
    """What the organisation has in a stage's account, beside the product."""
    return f"registry-of-{stage_name}"


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
