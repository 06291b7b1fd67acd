"""The ARN that IAM evaluates for a call to SageMaker, as the Service Authorization Reference says for each action."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from local.cloud.sagemaker import backend

INVOCATION = re.compile(r"^/endpoints/([^/]+)/invocations$")

_KINDS = {"AutoMLJob": "automl-job", "AutoMLJobV2": "automl-job"}
"""Where an ARN spells a noun otherwise than ``EndpointConfig`` → ``endpoint-config``."""

_NAMES = {"AutoMLJobV2": "AutoMLJobName"} | {
    f"{kind}JobDefinition": "JobDefinitionName"
    for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
}
"""Where a request calls the name otherwise than ``<noun>Name``."""

_NOUNS = (
    "AutoMLJobV2",
    "AutoMLJob",
    "DataQualityJobDefinition",
    "EndpointConfig",
    "Endpoint",
    "HyperParameterTuningJob",
    "ModelBiasJobDefinition",
    "ModelCard",
    "ModelExplainabilityJobDefinition",
    "ModelPackageGroup",
    "ModelPackage",
    "ModelQualityJobDefinition",
    "Model",
    "MonitoringSchedule",
    "Pipeline",
    "ProcessingJob",
    "TrainingJob",
    "TransformJob",
)

_ACTION = re.compile(
    rf"^(Create|Update|Delete|Describe|Start|Stop|Send|Register|Deregister|Get|Put|List|Retry)({'|'.join(_NOUNS)})"
    r"(Execution\w*|Policy|Versions|ExportJobs?|WeightsAndCapacities)?$"
)

_WHOLE = ("ResourceArn", "PipelineExecutionArn", "ModelCardExportJobArn")
"""Members that hold the ARN of what the call is about."""


def kind_of(noun: str) -> str:
    """``EndpointConfig`` → ``endpoint-config``, as in ARNs."""
    return _KINDS.get(noun) or re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()


def of_call(account: str, region: str, path: str, action: str, fields: dict[str, Any]) -> str:
    """The ARN of one call, ``*`` for one that is about no single resource."""
    invoked = INVOCATION.match(path)
    if invoked:
        return backend.arn(account, region, "endpoint", unquote(invoked[1]))
    for member in _WHOLE:
        if fields.get(member):
            return str(fields[member])
    if action == "ListModelPackages":
        return _model_package(account, region, fields)
    matched = _ACTION.match(action)
    if matched is None:
        return "*"
    noun = matched[2]
    if noun == "ModelPackage":
        return _model_package(account, region, fields)
    name = str(fields.get(_NAMES.get(noun, f"{noun}Name"), ""))
    if not name or name.startswith("arn:"):
        return name or "*"
    return backend.arn(account, region, kind_of(noun), name)


def _model_package(account: str, region: str, fields: dict[str, Any]) -> str:
    named = str(fields.get("ModelPackageArn") or fields.get("ModelPackageName") or "")
    if named.startswith("arn:"):
        return named
    group = str(fields.get("ModelPackageGroupName") or "")
    if group:
        # A version: its number is not known before it is made, and a list is of all of them.
        return backend.arn(account, region, "model-package", f"{group.rpartition('/')[2]}/*")
    return backend.arn(account, region, "model-package", named) if named else "*"
