"""A pipeline's definition checked as CreatePipeline checks it: form, steps, what they refer to, their arguments.

The form is the one of the "Amazon SageMaker Model Building Pipeline definition JSON schema" (version 2020-12-01). The
arguments of a step are the members of the API request that it makes; values that are only known at run time,
``{"Get": …}`` and ``{"Std:Join": …}``, are not looked into.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from local.cloud import shapes

VERSION = "2020-12-01"
STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
PARAMETER_TYPES = frozenset({"String", "Boolean", "Integer", "Float"})

REQUESTS = {
    "AutoML": "CreateAutoMLJob",
    "Model": "CreateModel",
    "Processing": "CreateProcessingJob",
    "RegisterModel": "CreateModelPackage",
    "Training": "CreateTrainingJob",
    "Transform": "CreateTransformJob",
    "Tuning": "CreateHyperParameterTuningJob",
}
"""Types of steps that make one request of the API."""

STEP_TYPES = frozenset(
    {*REQUESTS, "Callback", "ClarifyCheck", "Condition", "EMR", "EMRServerless", "Fail", "Lambda", "QualityCheck"}
)

NOT_ARGUMENTS = {"RegisterModel": frozenset({"ModelPackageName", "ClientToken"})}
"""Members of a request that a step of the type cannot have."""

EXECUTION_VARIABLES = frozenset(
    {"CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId", "PipelineName", "StartDateTime"}
)


class InvalidDefinition(Exception):
    """The definition is refused; the message says why, in SageMaker's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Unable to parse pipeline definition. {reason}")


def parsed(text: str) -> dict[str, Any]:
    """The definition of a document; raises InvalidDefinition."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDefinition(f"Expecting valid JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidDefinition("Expecting start of Json Object.")
    for problem in _problems(found):
        raise InvalidDefinition(problem)
    return found


def _problems(definition: dict[str, Any]) -> Iterator[str]:
    if definition.get("Version", VERSION) != VERSION:
        yield f"Version '{definition['Version']}' is not supported; it must be '{VERSION}'."
    unknown = definition.keys() - {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
    if unknown:
        yield f"Unknown member '{min(unknown)}'."
    parameters = definition.get("Parameters", [])
    steps = definition.get("Steps")
    if not isinstance(parameters, list) or not isinstance(steps, list) or not steps:
        yield "Expecting start of Json Array."
        return
    yield from _of_parameters(parameters)
    every = list(_all_steps(steps))
    yield from _of_steps(every)
    names = {step["Name"] for step in every}
    declared = {parameter["Name"] for parameter in parameters}
    for step in every:
        for other in step.get("DependsOn") or []:
            if other not in names:
                yield f"Step '{step['Name']}' depends on unknown step '{other}'."
        for path in _references({key: value for key, value in step.items() if key != "DependsOn"}):
            yield from _of_reference(step["Name"], path, declared, names)
        yield from _of_arguments(step)
    yield from _of_order(every)


def _of_parameters(parameters: list[Any]) -> Iterator[str]:
    seen = set()
    for parameter in parameters:
        if not isinstance(parameter, dict) or not isinstance(parameter.get("Name"), str):
            yield "Expecting a parameter with a Name."
            return
        name, kind = parameter["Name"], parameter.get("Type")
        if kind not in PARAMETER_TYPES:
            yield f"Parameter '{name}' has the unknown type '{kind}'."
        if name in seen:
            yield f"Parameter '{name}' is declared more than once."
        if parameter.keys() - {"Name", "Type", "DefaultValue", "EnumValues"}:
            yield f"Parameter '{name}' has an unknown member."
        seen.add(name)


def _all_steps(steps: list[Any]) -> Iterator[Any]:
    """Every step, those of a condition's branches too."""
    for step in steps:
        yield step
        if isinstance(step, dict) and step.get("Type") == "Condition":
            arguments = step.get("Arguments") or {}
            for branch in ("IfSteps", "ElseSteps"):
                yield from _all_steps(arguments.get(branch) or [])


_STEP_MEMBERS = frozenset(
    {
        "Arguments",
        "CacheConfig",
        "DependsOn",
        "Description",
        "DisplayName",
        "Name",
        "OutputParameters",
        "PropertyFiles",
        "RetryPolicies",
        "Type",
    }
)


def _of_steps(steps: list[Any]) -> Iterator[str]:
    seen = set()
    for step in steps:
        if not isinstance(step, dict) or not isinstance(step.get("Name"), str):
            yield "Expecting a step with a Name."
            return
        name, kind = step["Name"], step.get("Type")
        if not STEP_NAME.fullmatch(name):
            yield f"Step name '{name}' does not satisfy the pattern {STEP_NAME.pattern}."
        if kind not in STEP_TYPES:
            yield f"Step '{name}' has the unknown type '{kind}'."
        if name in seen:
            yield f"Step name '{name}' is not unique."
        if not isinstance(step.get("Arguments", {}), dict):
            yield f"Step '{name}': Expecting start of Json Object."
        if kind in REQUESTS:
            unknown = step.keys() - _STEP_MEMBERS
            if unknown:
                yield f"Step '{name}' has the unknown member '{min(unknown)}'."
        seen.add(name)


def _references(value: Any) -> Iterator[str]:
    """Every path of a ``{"Get": …}``."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("Get"), str) and len(value) == 1:
            yield value["Get"]
        for inner in value.values():
            yield from _references(inner)


def _of_reference(step: str, path: str, declared: set[str], names: set[str]) -> Iterator[str]:
    root, _, rest = path.partition(".")
    name = re.split(r"[.\[]", rest, maxsplit=1)[0]
    if root == "Parameters":
        if rest not in declared:
            yield f"Step '{step}' refers to the undeclared parameter '{rest}'."
    elif root == "Steps":
        if name not in names:
            yield f"Invalid property reference '{path}': there is no step '{name}'."
    elif root == "Execution":
        if rest not in EXECUTION_VARIABLES:
            yield f"Invalid property reference '{path}'."
    else:
        yield f"Invalid property reference '{path}'."


def _of_arguments(step: dict[str, Any]) -> Iterator[str]:
    action = REQUESTS.get(step["Type"])
    if action is None:
        return
    arguments = step.get("Arguments", {})
    for name in sorted(NOT_ARGUMENTS.get(step["Type"], frozenset()) & arguments.keys()):
        yield f"Unknown Argument member '{name}'."
    for problem in shapes.argument_problems("sagemaker", action, arguments):
        yield f"Step '{step['Name']}': {problem}"


def _of_order(steps: list[dict[str, Any]]) -> Iterator[str]:
    """A cycle among the steps: through DependsOn, references and a condition's branches."""
    needs = {step["Name"]: set(step.get("DependsOn") or []) for step in steps}
    for step in steps:
        for path in _references(step.get("Arguments") if step["Type"] != "Condition" else None):
            if path.startswith("Steps."):
                needs[step["Name"]].add(re.split(r"[.\[]", path.removeprefix("Steps."), maxsplit=1)[0])
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                for inner in step["Arguments"].get(branch) or []:
                    needs[inner["Name"]].add(step["Name"])
    while needs:
        free = [name for name, wanted in needs.items() if not wanted & needs.keys()]
        if not free:
            yield f"The steps {', '.join(sorted(needs))} depend on each other."
            return
        for name in free:
            del needs[name]
