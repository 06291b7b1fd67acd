"""Many workloads of one installation, uploaded together and followed together: the product takes them in parallel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.follow import ENDS, waiting_approval
from local.settings import ORCHESTRATOR
from tests.releases.team import Team, eventually
from tests.releases.workloads.data import Data
from tests.releases.workloads.reading import Reading
from tests.releases.workloads.realtime import CUSTOM_IMAGE
from tests.releases.workloads.table import Workload, asked
from tests.releases.workloads.training import REPOSITORY

PATIENCE_SECONDS = 300.0


@dataclass
class Started:
    """The releases of one installation. Whoever waits for one of them approves what the others ask for meanwhile."""

    team: Team
    data: Data
    endpoints: Mapping[str, str]
    """Stage → an endpoint that is live there."""
    releases: dict[str, str] = field(default_factory=dict)
    """Workload type → release id."""
    _places: dict[str, dict[str, str]] = field(default_factory=dict)
    _decided: set[str] = field(default_factory=set)

    @property
    def accounts(self) -> dict[str, str]:
        """Stage → account, the orchestrator's own with them."""
        return {**self.team.running.stages, "orchestrator": ORCHESTRATOR}

    def furnish(self, chosen: Iterable[Workload]) -> None:
        """What the organisation has in its accounts: a bucket, a key and batches in each, an image of its own."""
        for stage, account in self.accounts.items():
            self._places[stage] = self._places_of(stage, account)
            for workload in chosen:
                for key, body in workload.inputs(self.data).items():
                    where = {"Bucket": self._places[stage]["bucket"], "Key": key}
                    self.team.client("s3", account).put_object(**where, Body=body)
        ecr = self.team.client("ecr", ORCHESTRATOR)
        own = CUSTOM_IMAGE.partition("/")[2].rpartition(":")
        for name in (own[0], REPOSITORY):
            ecr.create_repository(repositoryName=name)
        ecr.put_image(repositoryName=own[0], imageManifest=json.dumps({"schemaVersion": 2}), imageTag=own[2])
        pulled = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in set(self.accounts.values())]},
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [pulled]})
        ecr.set_repository_policy(repositoryName=own[0], policyText=policy)

    def _places_of(self, stage: str, account: str) -> dict[str, str]:
        bucket = f"types-of-{stage}"
        self.team.client("s3", account).create_bucket(Bucket=bucket)
        key = self.team.client("kms", account).create_key(Description=f"Of the tests, in {stage}")
        return {
            "account": account,
            "stage": stage,
            "bucket": bucket,
            "key": key["KeyMetadata"]["Arn"],
            "endpoint": self.endpoints.get(stage, ""),
            "assets": self.team.assets_bucket,
            "packages": self.team.running.outputs["PackagesBucketName"],
        }

    def stages(self, workload: Workload) -> list[str]:
        """Where a release of it goes, in order."""
        at_home = self.team.running.mode == "multi" and not workload.in_stages
        return ["orchestrator"] if at_home else [*self.team.running.stages]

    def configuration(self, workload: Workload) -> dict[str, Any]:
        """The workload's configuration for this installation."""
        stages = self.stages(workload)
        places = {stage: self._places[stage] for stage in stages}
        places.setdefault("prod", self._places[stages[-1]])
        found: dict[str, Any] = asked(workload.configuration, self.team.running.mode, places)
        return found

    def begin(self, chosen: Iterable[Workload]) -> None:
        """Upload all, and learn the ids of their releases.

        The assets of all come first, each once: another version of what a workload uses would be a release of its own.
        """
        known = list(chosen)
        assets = {key: body for workload in known for key, body in workload.assets(self.data).items()}
        for key, body in assets.items():
            self.team.upload_asset(key, body)
        for workload in known:
            self.team.upload(f"types/{workload.kind}", self.configuration(workload))
        for workload in known:
            self.releases[workload.kind] = self.team.started(workload.name, by="s3")

    def ended(self, workload: Workload) -> dict[str, Any]:
        """The workload's release, once it has ended."""
        release_id = self.releases[workload.kind]

        def look() -> dict[str, Any] | None:
            for other in {release_id, *self.releases.values()}:
                self._tend(other)
            found = self.team.show(release_id)
            return found if found["status"] in ENDS else None

        return eventually(f"the end of {release_id}", look, PATIENCE_SECONDS)

    def _tend(self, release_id: str) -> None:
        if release_id in self._decided:
            return
        found = self.team.show(release_id)
        question = waiting_approval(found)
        if question and question not in self._decided:
            self.team.approve(question)
            self._decided.add(question)
        if found["status"] in ENDS:
            self._decided.add(release_id)

    def readings(self, workload: Workload, found: Mapping[str, Any]) -> list[Reading]:
        """Each stage of an ended release."""
        readings = []
        for shown in found["stages"]:
            stage = shown["stage"]
            places = {**self._places[stage], "stage": stage}
            readings.append(Reading(self.team, self.data, stage, self.accounts[stage], places, shown))
        for reading in readings:
            reading.know()
        return readings
