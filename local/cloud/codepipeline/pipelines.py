"""Pipelines of stacks, and their executions.

An execution is what a push to the repository behind the connection starts on AWS. There is no such repository here: a
test hands over the files of the commit, and everything after that is done as the pipeline's role: the archive is
stored as the source's artifact, then deployed under the key that the definition makes up.
"""

from __future__ import annotations

import io
import re
import time
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import trusts
from local.cloud.sagemaker.jobs import storage
from local.cloud.sagemaker.jobs.access import Refused, Role

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    *storage.SEAMS,
)

SERVICE = "codepipeline.amazonaws.com"
CONNECTION, BUCKET = "CodeStarSourceConnection", "S3"

_VARIABLE = re.compile(r"#\{([\w.-]+)\.([\w-]+)\}")


class Failed(Exception):
    """A pipeline cannot be made, or an execution of it failed; the message says why."""


@dataclass
class Pipeline:
    """A pipeline of a stack."""

    name: str
    arn: str
    definition: Mapping[str, Any]
    """The properties of the stack's resource."""
    executions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Execution id → details of its actions, newest first, as ListActionExecutions answers."""


_pipelines: dict[tuple[str, str, str], Pipeline] = {}


def reset() -> None:
    """Forget every pipeline."""
    _pipelines.clear()


def find(account: str, region: str, name: str) -> Pipeline | None:
    """A pipeline."""
    return _pipelines.get((account, region, name))


def keep(account: str, region: str, name: str, definition: Mapping[str, Any]) -> Pipeline:
    """Make or change a pipeline; raises Failed where it is not one that is understood here."""
    role = definition["RoleArn"]
    if not trusts(role, SERVICE):
        raise Failed(f"CodePipeline is not authorized to perform AssumeRole on role {role}")
    for _, action in _actions(definition):
        if action["ActionTypeId"]["Provider"] not in {CONNECTION, BUCKET}:
            raise Failed(f"The embedded cloud does not run actions of {action['ActionTypeId']['Provider']}")
    known = find(account, region, name)
    made = Pipeline(name, f"arn:aws:codepipeline:{region}:{account}:{name}", definition)
    made.executions = known.executions if known else {}
    _pipelines[account, region, name] = made
    return made


def remove(account: str, region: str, name: str) -> None:
    """Forget a pipeline."""
    _pipelines.pop((account, region, name), None)


def deliver(pipeline: Pipeline, archive: bytes, variables: Mapping[str, str]) -> str:
    """Run the pipeline for a commit, to its end; the execution's id. Raises Failed.

    ``variables`` are the source action's own: CommitId, CommitMessage, BranchName …
    """
    execution = str(uuid.uuid4())
    region = pipeline.arn.split(":")[3]
    role = Role(pipeline.definition["RoleArn"], region, SERVICE, execution)
    known = {("codepipeline", "PipelineExecutionId"): execution}
    details: list[dict[str, Any]] = []
    pipeline.executions[execution] = details
    for stage, action in _actions(pipeline.definition):
        given = {name: _resolved(str(value), known) for name, value in action["Configuration"].items()}
        output: dict[str, Any] = {}
        try:
            if action["ActionTypeId"]["Provider"] == CONNECTION:
                _fetch(role, pipeline, given, archive)
                output = {"outputVariables": dict(variables)}
                known |= {(str(action.get("Namespace", "")), name): value for name, value in variables.items()}
            else:
                _deploy(role, given, archive)
        except (Refused, storage.Unusable) as problem:
            raise Failed(f"{action['Name']}: {problem}") from problem
        now = time.time()
        detail = {"pipelineExecutionId": execution, "actionExecutionId": str(uuid.uuid4()), "pipelineVersion": 1}
        detail |= {"stageName": stage, "actionName": action["Name"], "startTime": now, "lastUpdateTime": now}
        details.insert(0, {**detail, "status": "Succeeded", "input": {"configuration": given}, "output": output})
    return execution


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The archive of a commit's files, as the source action makes it: paths from the repository's root."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def _actions(definition: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(stage["Name"], action) for stage in definition["Stages"] for action in stage["Actions"]]


def _resolved(text: str, known: Mapping[tuple[str, str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        if (found[1], found[2]) not in known:
            raise Failed(f"Valid variables are none of {found[0]}")
        return known[found[1], found[2]]

    return _VARIABLE.sub(value, text)


def _fetch(role: Role, pipeline: Pipeline, given: Mapping[str, str], archive: bytes) -> None:
    """The source action: with the connection, into the artifact store."""
    connection = given["ConnectionArn"]
    prefix = connection.split(":")[2]
    context = {f"{prefix}:fullrepositoryid": given["FullRepositoryId"], f"{prefix}:branchname": given["BranchName"]}
    role.need(f"{prefix}:UseConnection", connection, context)
    store = pipeline.definition["ArtifactStore"]
    key = store.get("EncryptionKey", {}).get("Id", "")
    place = f"s3://{store['Location']}/{pipeline.name[:20]}/SourceArti/{uuid.uuid4().hex[:7]}"
    storage.write(role, place, archive, key)
    storage.read(role, place)


def _deploy(role: Role, given: Mapping[str, str], archive: bytes) -> None:
    """The deploy action without extraction: the archive as one object."""
    if given.get("Extract") != "false":
        raise Failed("The embedded cloud does not extract what it deploys")
    key = given.get("KMSEncryptionKeyARN", "")
    storage.write(role, f"s3://{given['BucketName']}/{given['ObjectKey']}", archive, key)
