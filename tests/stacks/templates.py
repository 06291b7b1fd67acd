"""The synthesised app as data: templates by stack, and walks over the policies in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_cdk import App

from local.settings import Mode, settings
from stacks.assembly import ORCHESTRATOR, make_stacks
from stacks.names import places
from stacks.settings import Settings, parse

ROOT = Path(__file__).resolve().parents[2]

Template = dict[str, Any]


@dataclass(frozen=True)
class Synthesised:
    """One mode's templates."""

    settings: Settings
    folder: Path
    templates: Mapping[str, Template]

    @property
    def orchestrator(self) -> Template:
        return self.templates[ORCHESTRATOR]

    @property
    def places(self) -> dict[str, str]:
        """Name of each place that workloads are deployed to → its account."""
        return {place.name: place.account for place in places(self.settings)}

    def stage(self, name: str) -> Template:
        return self.templates[f"MlopsStage-{name}"]


def settings_of(mode: Mode, **changes: Any) -> Settings:
    """The local installation's settings, with changes."""
    chosen = settings(mode, "https://slack.com/api/", "ml-releases")
    del chosen["runtime"]  # the default one, so that golden files are the same for every interpreter
    return parse({**chosen, **changes})


def app_of(chosen: Settings, folder: Path) -> App:
    """The app as ``app.py`` makes it, without building layers."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context={**context, "aws:cdk:bundling-stacks": []}, analytics_reporting=False, outdir=str(folder))
    make_stacks(app, chosen)
    return app


def synthesise(chosen: Settings, folder: Path) -> Synthesised:
    app_of(chosen, folder).synth()
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(folder.glob("*.template.json"))
    }
    return Synthesised(chosen, folder, templates)


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id → properties."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


@dataclass(frozen=True)
class Statement:
    """One statement of one policy, with what it is a policy of."""

    stack: str
    resource: str
    """Logical id of the resource that holds the policy."""
    kind: str
    """``trust``, ``identity`` or ``resource`` policy."""
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def actions(self) -> tuple[str, ...]:
        return _texts(self.raw.get("Action", ()))

    @property
    def resources(self) -> tuple[str, ...]:
        return _texts(self.raw.get("Resource", ()))

    @property
    def allows(self) -> bool:
        return bool(self.raw["Effect"] == "Allow")

    @property
    def conditions(self) -> dict[str, set[str]]:
        """Condition key → operators that test it."""
        found: dict[str, set[str]] = {}
        for operator, tests in self.raw.get("Condition", {}).items():
            for key in tests:
                found.setdefault(key, set()).add(operator)
        return found

    def principals(self, kind: str) -> tuple[str, ...]:
        """Principals of a kind: ``AWS`` or ``Service``."""
        principal = self.raw.get("Principal", {})
        if isinstance(principal, str):
            return (principal,) if kind == "AWS" else ()
        return _texts(principal.get(kind, ()))


POLICIES = {
    "AWS::IAM::Policy": (("PolicyDocument", "identity"),),
    "AWS::IAM::ManagedPolicy": (("PolicyDocument", "identity"),),
    "AWS::IAM::Role": (("AssumeRolePolicyDocument", "trust"),),
    "AWS::S3::BucketPolicy": (("PolicyDocument", "resource"),),
    "AWS::KMS::Key": (("KeyPolicy", "resource"),),
    "AWS::SNS::TopicPolicy": (("PolicyDocument", "resource"),),
    "AWS::SQS::QueuePolicy": (("PolicyDocument", "resource"),),
    "AWS::Events::EventBus": (("Policy", "resource"),),
    "AWS::ECR::Repository": (("RepositoryPolicyText", "resource"),),
    "AWS::ApiGateway::RestApi": (("Policy", "resource"),),
    "AWS::SageMaker::ModelPackageGroup": (("ModelPackageGroupPolicy", "resource"),),
}
"""Resource type → its properties that are policies."""


def statements(name: str, template: Template) -> Iterator[Statement]:
    """Every statement of every policy of a template, Lambda's permissions among them."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for key, kind in POLICIES.get(resource["Type"], ()):
            for raw in properties.get(key, {}).get("Statement", ()):
                yield Statement(name, logical_id, kind, raw)
        for inline in properties.get("Policies", ()) if resource["Type"] == "AWS::IAM::Role" else ():
            for raw in inline["PolicyDocument"]["Statement"]:
                yield Statement(name, logical_id, "identity", raw)
        if resource["Type"] == "AWS::Lambda::Permission":
            yield Statement(name, logical_id, "resource", _permission(properties))


def _permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What Lambda makes of a permission."""
    tests = {"aws:SourceArn": properties.get("SourceArn"), "aws:SourceAccount": properties.get("SourceAccount")}
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": properties["FunctionName"],
        "Condition": {"ArnLike": {key: value for key, value in tests.items() if value}},
    }


def text(value: Any) -> str:
    """A value with CloudFormation's functions in it as one readable text: ``<Bucket.Arn>/packages/*``."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case _:
            return json.dumps(value, sort_keys=True)


def short(value: Any) -> str:
    """``text`` without the hash at the end of logical ids."""
    return re.sub(r"<(\w+?)[0-9A-F]{8}(?=[.>])", r"<\1", text(value))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text(one) for one in (value if isinstance(value, list | tuple) else [value]))
