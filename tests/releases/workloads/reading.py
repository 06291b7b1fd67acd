"""Reads back what a release has left in one stage's account."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.releases.team import Team
from tests.releases.workloads.data import Data
from tests.releases.workloads.table import Look, differences, filled

_JOB = re.compile(r"arn:[^:]+:sagemaker:[^:]+:\d{12}:[a-z-]+-job/(?P<name>.+)")


@dataclass
class Reading:
    """One stage of one release."""

    team: Team
    data: Data
    stage: str
    account: str
    places: dict[str, str]
    """What stands for the places of ``table.py``."""
    shown: Mapping[str, Any]
    """The stage, as the API shows it."""

    def client(self, service: str) -> Any:
        """A client of the stage's account."""
        return self.team.client(service, self.account)

    def know(self) -> None:
        """Add the places that the stack's outputs and the job give."""
        self.places |= {f"outputs.{name}": value for name, value in self.shown["outputs"].items()}
        job = self.shown["job"]
        if job is None:
            return
        self.places["job"] = job["name"]
        if job["kind"] == "sagemaker_pipeline":
            self.places |= {f"job.{name}": job_name for name, job_name in self.steps(job["arn"]).items()}

    def steps(self, execution: str) -> dict[str, str]:
        """Step → name of its job, of a pipeline's execution."""
        steps = self.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return {
            step["StepName"]: found["name"]
            for step in steps["PipelineExecutionSteps"]
            for member in step.get("Metadata", {}).values()
            if (found := _JOB.fullmatch(str(member.get("Arn", ""))))
        }

    def differences(self, looks: Sequence[Look]) -> list[str]:
        """Make the calls one after the other; where the answers are not as expected."""
        told = []
        for look in looks:
            asked = {name: self._asked(value) for name, value in look.asked.items()}
            answer = getattr(self.client(look.service), look.call)(**asked)
            self.places |= {name: value for name, value in answer.items() if isinstance(value, str)}
            found = differences(look.found, answer, self.stage, self.places)
            told += [f"{self.stage}: {look.call} of {', '.join(map(str, asked.values()))}: {line}" for line in found]
        return told

    def _asked(self, value: Any) -> Any:
        return [self._asked(one) for one in value] if isinstance(value, list) else filled(value, self.places)

    def tags(self, stack: str, wanted: Mapping[str, str]) -> list[str]:
        """Which of the configuration's tags the stack does not have."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        known = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
        missing = {name: value for name, value in wanted.items() if known.get(name) != value}
        return [f"{self.stage}: {stack} has no tags {missing}"] if missing else []

    def keys(self, location: str) -> list[str]:
        """Keys below ``bucket/prefix``, without the prefix."""
        bucket, _, prefix = filled(location, self.places).partition("/")
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        return sorted(one["Key"].removeprefix(f"{prefix}/") for one in listed)

    def body(self, uri: str) -> bytes:
        """The object at ``s3://bucket/key``, or ``bucket/key``."""
        bucket, _, key = filled(uri, self.places).removeprefix("s3://").partition("/")
        found: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return found

    def document(self, uri: str) -> Any:
        """The JSON in an object."""
        return json.loads(self.body(uri))
