"""CloudFormation: ``AWS::CodePipeline::Pipeline``.

A pipeline that is made starts an execution; one that is changed does so where ``RestartExecutionOnUpdate`` says it
(AWS CloudFormation Template Reference, ``AWS::CodePipeline::Pipeline``).
"""

from __future__ import annotations

from typing import Any

from local.cloud import on_behalf, resource_schemas, shapes
from local.cloud.codepipeline import controls, pipelines, stages
from local.cloud.codepipeline.pipelines import ApiError, Pipeline
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
)

TYPE = "AWS::CodePipeline::Pipeline"
MAX_NAME = 100

_OWN = frozenset({"Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions", "ArtifactStores", "Name"})
"""Properties that are no member of a pipeline's declaration under their name."""


class PipelineFailed(Exception):
    """A pipeline of a stack could not be made; the message is the resource's reason."""


def install() -> None:
    """Register the resource."""
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _made, "update": _changed, "delete": _removed}
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "Name"}


def declaration_of(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A template's properties as the API's declaration; raises PipelineFailed."""
    given = {key: value for key, value in properties.items() if key not in _OWN}
    try:
        found = dict(shapes.spelt("codepipeline", "CreatePipeline", {"pipeline": given})["pipeline"])
        stores = {
            one["Region"]: shapes.spelt(
                "codepipeline", "CreatePipeline", {"pipeline": {"artifactStore": one["ArtifactStore"]}}
            )["pipeline"]["artifactStore"]
            for one in properties.get("ArtifactStores") or []
        }
    except shapes.Unknown as path:
        raise PipelineFailed(f"The embedded cloud does not keep the property {path}.") from path
    if stores:
        found["artifactStores"] = stores
    for stage in found["stages"]:
        for action in stage["actions"]:
            configuration = action.get("configuration") or {}
            action["configuration"] = {key: _text(value) for key, value in configuration.items()}
    declaration = {**found, "name": name}
    wrong = shapes.problem("codepipeline", "CreatePipeline", {"pipeline": declaration})
    if wrong:
        raise _failed("ValidationException", wrong)
    return declaration


def _text(value: Any) -> Any:
    """CloudFormation hands booleans and numbers of a JSON property on as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _failed(code: str, message: str) -> PipelineFailed:
    return PipelineFailed(
        f'Resource handler returned message: "{message} (Service: CodePipeline, Status Code: 400, Error Code: {code})" '
        "(HandlerErrorCode: InvalidRequest)"
    )


def _attributes(pipeline: Pipeline) -> dict[str, str]:
    return {"Version": str(pipeline.declaration["version"]), "Arn": pipeline.arn}


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in properties.get("Tags") or []}


def _made(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.core import responses
    from ministack.services.cloudformation import provisioners

    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=MAX_NAME)
    declaration = declaration_of(str(name), properties)
    account, region = responses.get_account_id(), responses.get_region()
    try:
        made = pipelines.create(account, region, declaration, _tags(properties))
        _transitions(made, properties)
        controls.start_when_made(made, on_behalf.acting().arn)
    except ApiError as refused:
        raise _failed(refused.code, str(refused)) from refused
    return made.name, _attributes(made)


def _changed(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.core import responses

    declaration = declaration_of(physical_id, new)
    account, region = responses.get_account_id(), responses.get_region()
    try:
        found = pipelines.update(account, region, declaration)
        found.tags = _tags(new)
        if old.get("DisableInboundStageTransitions") != new.get("DisableInboundStageTransitions"):
            _transitions(found, new)
        if new.get("RestartExecutionOnUpdate"):
            by = on_behalf.acting().arn
            controls.start(found, {"triggerType": "StartPipelineExecution", "triggerDetail": by})
    except ApiError as refused:
        raise _failed(refused.code, str(refused)) from refused
    return physical_id, _attributes(found)


def _transitions(pipeline: Pipeline, properties: dict[str, Any]) -> None:
    closed = {one["StageName"]: one["Reason"] for one in properties.get("DisableInboundStageTransitions") or []}
    by = on_behalf.acting().arn
    for name in pipeline.stages:
        if closed.get(name, "") != pipeline.stages[name].closed:
            stages.close(pipeline, name, closed.get(name, ""), by)


def _removed(physical_id: str, properties: dict[str, Any]) -> None:
    from ministack.core import responses

    pipelines.remove(responses.get_account_id(), responses.get_region(), physical_id)
