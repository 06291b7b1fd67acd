"""What a CloudFormation action reads from its artifacts: template, template configuration, overriding parameters.

"AWS CloudFormation artifacts" and "Using parameter override functions with CodePipeline pipelines" of the AWS
CloudFormation User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.codepipeline.task import CONFIGURATION, ActionFailed, Task

MAX_TEMPLATE_BYTES = 51_200
"""CloudFormation's limit of a template in a request; CodePipeline takes one of 1 MB from the artifact."""


@dataclass(frozen=True)
class Given:
    """The parts of a request that come from artifacts."""

    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    stack_policy: str

    @property
    def request(self) -> dict[str, Any]:
        """As CreateChangeSet, CreateStack and UpdateStack take them."""
        found: dict[str, Any] = {
            "TemplateBody": self.template,
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()],
        }
        if self.tags:
            found["Tags"] = [{"Key": name, "Value": value} for name, value in self.tags.items()]
        return found


def given(task: Task) -> Given:
    """Read them all; raises ActionFailed."""
    body = task.file(task.configuration["TemplatePath"])
    if len(body) > MAX_TEMPLATE_BYTES:
        raise ActionFailed(
            CONFIGURATION, f"The embedded cloud takes templates of {MAX_TEMPLATE_BYTES} bytes at most from an artifact"
        )
    settings: dict[str, Any] = {}
    if task.configuration.get("TemplateConfiguration"):
        named = task.configuration["TemplateConfiguration"]
        settings = _object(task.file(named), f"The template configuration {named}")
        unknown = sorted(settings.keys() - {"Parameters", "Tags", "StackPolicy"})
        if unknown:
            raise ActionFailed(CONFIGURATION, f"The template configuration {named} has unknown keys: {unknown}")
    overrides = _object((task.configuration.get("ParameterOverrides") or "{}").encode(), "ParameterOverrides")
    parameters = dict(settings.get("Parameters") or {})
    parameters |= {name: _override(task, value) for name, value in overrides.items()}
    policy = settings.get("StackPolicy")
    return Given(
        template=body.decode(errors="replace"),
        parameters={name: _text(value) for name, value in parameters.items()},
        tags={name: _text(value) for name, value in (settings.get("Tags") or {}).items()},
        stack_policy=json.dumps(policy) if policy else "",
    )


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as problem:
        raise ActionFailed(CONFIGURATION, f"{what} is not valid JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise ActionFailed(CONFIGURATION, f"{what} is not a JSON object")
    return found


def _override(task: Task, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    (function, arguments), *more = value.items()
    if function == "Fn::GetParam" and not more:
        artifact, file, name = arguments
        found = _object(task.file(f"{artifact}::{file}"), f"{artifact}::{file}")
        if name not in found:
            raise ActionFailed(CONFIGURATION, f"{artifact}::{file} has no key {name}")
        return found[name]
    if function == "Fn::GetArtifactAtt" and not more:
        artifact, attribute = arguments
        place = task.execution.artifacts[artifact]
        url = f"https://s3.amazonaws.com/{place.bucket}/{place.key}"
        return {"BucketName": place.bucket, "ObjectKey": place.key, "URL": url}[attribute]
    raise ActionFailed(CONFIGURATION, f"ParameterOverrides has an unknown function {function}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
