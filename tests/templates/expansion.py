"""A small evaluator of CloudFormation templates: what is left of one once its parameters are known.

``Fn::If`` and the conditions are decided, ``AWS::NoValue`` vanishes, and whatever is known is put in. What only a
deployment knows (``Ref`` and ``Fn::GetAtt`` of a resource) stays as it is, and so does a function around it. A
reference to a resource that the conditions leave out raises ``Dangling``, as CloudFormation would refuse it.
Functions as in the "Intrinsic function reference", AWS CloudFormation User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

REGION, ACCOUNT, PARTITION = "us-east-1", "444444444444", "aws"
STACK_UUID = "0f1e2d3c-4b5a-4678-9abc-def012345678"

_NOTHING = object()
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


class Dangling(LookupError):
    """Something refers to a resource that is not made."""


class Expansion:
    """One template with the parameters of one deployment."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str], stack_name: str) -> None:
        self._template = template
        self.known = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": PARTITION,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack_name,
            "AWS::StackId": f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{stack_name}/{STACK_UUID}",
            "AWS::NoValue": _NOTHING,
            **{
                name: typed(str(parameters.get(name, spec.get("Default", ""))), spec["Type"])
                for name, spec in template.get("Parameters", {}).items()
            },
        }
        self.conditions = {name: self._holds(value) for name, value in template.get("Conditions", {}).items()}
        self._made = {
            name
            for name, resource in template["Resources"].items()
            if self.conditions.get(resource.get("Condition", ""), True)
        }

    @property
    def resources(self) -> dict[str, Any]:
        """The resources that are made."""
        return {name: self._entry(self._template["Resources"][name]) for name in sorted(self._made)}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs that the stack has."""
        return {
            name: self._entry(output)
            for name, output in self._template.get("Outputs", {}).items()
            if self.conditions.get(output.get("Condition", ""), True)
        }

    @property
    def template(self) -> dict[str, Any]:
        """A template without parameters and conditions that makes the same."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": self.resources,
            **({"Outputs": self.outputs} if self.outputs else {}),
        }

    def _entry(self, raw: Mapping[str, Any]) -> Any:
        needed = raw.get("DependsOn", [])
        for name in [needed] if isinstance(needed, str) else needed:
            self._exists(name)
        return self._value({key: value for key, value in raw.items() if key != "Condition"})

    def _value(self, raw: Any) -> Any:
        if isinstance(raw, list):
            return [member for member in map(self._value, raw) if member is not _NOTHING]
        if not isinstance(raw, Mapping):
            return raw
        if len(raw) == 1:
            ((name, argument),) = raw.items()
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
            if name.startswith("Fn::"):
                raise NotImplementedError(name)
        members = {name: self._value(member) for name, member in raw.items()}
        return {name: member for name, member in members.items() if member is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        return {"Ref": self._exists(name)}

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return {"Fn::GetAtt": [self._exists(name), attribute]}

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self._value(then if self.conditions[condition] else otherwise)

    def _sub(self, argument: Any) -> Any:
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = {name: self._value(value) for name, value in own.items()}

        def put(match: re.Match[str]) -> str:
            literal, name = match.groups()
            value = own.get(name, self.known.get(name)) if not literal else None
            if value is None or isinstance(value, Mapping):
                if not literal and name not in own:
                    self._exists(name.split(".")[0])
                return match[0]
            return str(value)

        filled = _VARIABLE.sub(put, text)
        left = {name for literal, name in _VARIABLE.findall(filled) if not literal}
        if not left:
            return filled.replace("${!", "${")
        late = {name: value for name, value in own.items() if name in left}
        return {"Fn::Sub": [filled, late] if late else filled}

    def _join(self, argument: list[Any]) -> Any:
        separator, members = argument[0], self._value(argument[1])
        if isinstance(members, list) and all(isinstance(member, str | int | float) for member in members):
            return separator.join(map(str, members))
        return {"Fn::Join": [separator, members]}

    def _split(self, argument: list[Any]) -> Any:
        separator, text = argument[0], self._value(argument[1])
        return text.split(separator) if isinstance(text, str) else {"Fn::Split": [separator, text]}

    def _select(self, argument: list[Any]) -> Any:
        index, members = argument[0], self._value(argument[1])
        return members[int(index)] if isinstance(members, list) else {"Fn::Select": [index, members]}

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self._value(member) for member in argument)
        return self._template["Mappings"][name][first][second]

    def _base64(self, argument: Any) -> Any:
        return {"Fn::Base64": self._value(argument)}

    def _holds(self, raw: Any) -> bool:
        ((name, argument),) = raw.items()
        match name:
            case "Condition":
                return self._holds(self._template["Conditions"][argument])
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(member) for member in argument)
            case "Fn::Or":
                return any(self._holds(member) for member in argument)
            case "Fn::Equals":
                first, second = (self._value(member) for member in argument)
                return str(first) == str(second)
        raise NotImplementedError(name)

    def _exists(self, name: str) -> str:
        if name not in self._made:
            raise Dangling(f"there is no {name} here, but something refers to it")
        return name


_FUNCTIONS: Mapping[str, Callable[[Expansion, Any], Any]] = {
    "Ref": Expansion._ref,
    "Fn::GetAtt": Expansion._get_att,
    "Fn::If": Expansion._if,
    "Fn::Sub": Expansion._sub,
    "Fn::Join": Expansion._join,
    "Fn::Split": Expansion._split,
    "Fn::Select": Expansion._select,
    "Fn::FindInMap": Expansion._find_in_map,
    "Fn::Base64": Expansion._base64,
}


def typed(text: str, kind: str) -> Any:
    """A parameter's value as the template sees it."""
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [member.strip() for member in text.split(",")] if text else []
    if kind == "Number":
        return float(text) if "." in text else int(text)
    return text


def refusal(spec: Mapping[str, Any], text: str) -> str:
    """Why CloudFormation would refuse the value of a parameter; empty when it takes it.

    After "Parameters", AWS CloudFormation User Guide: a pattern must match the whole value, and each member of a list.
    """
    if spec["Type"] == "Number":
        try:
            number = float(text)
        except ValueError:
            return f"{text!r} is no number"
        if not spec.get("MinValue", number) <= number <= spec.get("MaxValue", number):
            return f"{text} is not between {spec.get('MinValue')} and {spec.get('MaxValue')}"
    elif not spec.get("MinLength", 0) <= len(text) <= spec.get("MaxLength", 4096):
        return f"{text!r} has {len(text)} characters, not {spec.get('MinLength', 0)} to {spec.get('MaxLength', 4096)}"
    members = typed(text, spec["Type"]) if spec["Type"] == "CommaDelimitedList" else [text]
    pattern = spec.get("AllowedPattern")
    for member in members:
        if pattern and not re.fullmatch(pattern, member):
            return f"{member!r} does not match {pattern}"
        allowed = [str(value) for value in spec.get("AllowedValues", [member])]
        if member not in allowed:
            return f"{member!r} is none of {', '.join(allowed)}"
    return ""
