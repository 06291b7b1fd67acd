"""The rules that a pipeline's declaration must follow.

"CodePipeline pipeline structure reference" and "Quotas in AWS CodePipeline" of the AWS CodePipeline User Guide. The
codes are the API's; the sentences are CodePipeline's where they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.cloud.codepipeline import deployments
from local.cloud.codepipeline.kinds import KINDS

STRUCTURE, STAGE, ACTION = (
    "InvalidStructureException",
    "InvalidStageDeclarationException",
    "InvalidActionDeclarationException",
)
MAX_STAGES, MAX_ACTIONS = 50, 50

Problem = tuple[str, str]
"""Error code and message."""


def problem(declaration: Mapping[str, Any], region: str) -> Problem | None:
    """The first rule that the declaration of a pipeline in a region, in the API's spelling, breaks."""
    return next(_problems(declaration, region), None)


def filled(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration with the defaults that GetPipeline shows."""
    stages = []
    for stage in declaration["stages"]:
        actions = [
            {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": [], **action}
            for action in stage["actions"]
        ]
        stages.append({**stage, "actions": actions})
    return {"executionMode": "SUPERSEDED", "pipelineType": "V1", **declaration, "stages": stages}


def _problems(declaration: Mapping[str, Any], region: str) -> Iterator[Problem]:
    stages = declaration["stages"]
    if not 2 <= len(stages) <= MAX_STAGES:
        yield (
            STRUCTURE,
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
            if len(stages) < 2
            else f"Pipeline has {len(stages)} stages. There should be a maximum of {MAX_STAGES}",
        )
    if ("artifactStore" in declaration) == ("artifactStores" in declaration):
        yield STRUCTURE, "Exactly one of artifactStore and artifactStores must be specified"
    if region not in declaration.get("artifactStores", {region: {}}):
        yield STRUCTURE, f"There is no artifact store in the pipeline's region {region}"
    if declaration.get("pipelineType", "V1") != "V2":
        for name in ("variables", "triggers"):
            if declaration.get(name):
                yield STRUCTURE, f"Pipelines of type V1 have no {name}"
        if declaration.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
            yield STRUCTURE, f"The execution mode {declaration['executionMode']} needs a pipeline of type V2"
    yield from _stages(stages)
    for action in [action for stage in stages for action in stage["actions"]]:
        if action.get("region", region) != region:
            yield ACTION, f"The embedded cloud runs action '{action['name']}' in the pipeline's region only"
    yield from _artifacts(stages)


def _stages(stages: list[Mapping[str, Any]]) -> Iterator[Problem]:
    names = [stage["name"] for stage in stages]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield STAGE, f"Stage name must be unique within a pipeline: {name}"
    for number, stage in enumerate(stages):
        if not 1 <= len(stage["actions"]) <= MAX_ACTIONS:
            yield STAGE, f"Stage {stage['name']} must have 1 to {MAX_ACTIONS} actions"
        unknown = sorted({"onFailure", "onSuccess", "beforeEntry"} & {key for key in stage if stage[key]})
        if unknown:
            yield STAGE, f"The embedded cloud follows no conditions of stages: {', '.join(unknown)}"
        names = [action["name"] for action in stage["actions"]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield ACTION, f"Action name must be unique within a stage: {name} in stage {stage['name']}"
        sources = [action["actionTypeId"]["category"] == "Source" for action in stage["actions"]]
        if number == 0 and not all(sources):
            yield STRUCTURE, "Pipeline should start with a stage that only contains source actions"
        if number > 0 and any(sources):
            yield STRUCTURE, f"Source actions are allowed in the first stage only, not in {stage['name']}"
        for action in stage["actions"]:
            yield from _action(action)


def _action(action: Mapping[str, Any]) -> Iterator[Problem]:
    kind_id, name = action["actionTypeId"], action["name"]
    kind = KINDS.get((kind_id["category"], kind_id["provider"]))
    if kind is None or kind_id["owner"] != "AWS" or kind_id["version"] != "1":
        yield ACTION, f"The embedded cloud does not run actions of {kind_id['category']}/{kind_id['provider']}"
        return
    configuration = action.get("configuration") or {}
    for key in sorted(kind.required - configuration.keys()):
        yield ACTION, f"Action configuration for action '{name}' is missing required configuration '{key}'"
    for key in sorted(configuration.keys() - kind.required - kind.optional):
        yield ACTION, f"Action configuration for action '{name}' contains unknown configuration '{key}'"
    if "timeoutInMinutes" in action and kind is not KINDS["Approval", "Manual"]:
        yield ACTION, f"Action '{name}' has a time-out, which only manual approvals may have"
    for what, (least, most) in (("input", kind.inputs), ("output", kind.outputs)):
        count = len(action.get(f"{what}Artifacts") or [])
        if not least <= count <= most:
            yield ACTION, f"Action '{name}' has {count} {what} artifacts; there should be {least} to {most}"
    if kind is KINDS["Deploy", "CloudFormation"]:
        yield from _cloudformation(action)


def _cloudformation(action: Mapping[str, Any]) -> Iterator[Problem]:
    configuration, name = action.get("configuration") or {}, action["name"]
    mode = configuration.get("ActionMode")
    if mode not in deployments.NEEDED:
        yield ACTION, f"Action configuration for action '{name}' has an unknown ActionMode: {mode}"
        return
    for key in deployments.NEEDED[mode]:
        if key not in configuration:
            yield ACTION, f"Action configuration for action '{name}' is missing required configuration '{key}'"
    inputs = {one["name"] for one in action.get("inputArtifacts") or []}
    for key in ("TemplatePath", "TemplateConfiguration"):
        artifact, separator, path = configuration.get(key, "").partition("::")
        if configuration.get(key) and (not separator or not path or artifact not in inputs):
            yield ACTION, f"{key} of action '{name}' names no file of an input artifact: {configuration[key]}"
    outputs = action.get("outputArtifacts") or []
    if bool(outputs) != bool(configuration.get("OutputFileName")):
        yield ACTION, f"Action '{name}' needs both an output artifact and OutputFileName, or neither"


def _artifacts(stages: list[Mapping[str, Any]]) -> Iterator[Problem]:
    made: set[str] = set()
    for stage in stages:
        for order in sorted({action.get("runOrder", 1) for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            for action in group:
                for artifact in action.get("inputArtifacts") or []:
                    if artifact["name"] not in made:
                        yield (
                            STRUCTURE,
                            f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not the output of "
                            "an earlier action",
                        )
            for action in group:
                for artifact in action.get("outputArtifacts") or []:
                    if artifact["name"] in made:
                        yield (
                            STRUCTURE,
                            "Output Artifact Bundle name must be unique within the pipeline. "
                            f"{artifact['name']} has been used more than once.",
                        )
                    made.add(artifact["name"])
