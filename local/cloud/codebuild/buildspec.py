"""A build's commands: the buildspec of the project, or the file in its source that it names."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

PHASES = ("install", "pre_build", "build", "post_build")
FILE = "buildspec.yml"


class NoBuildspec(Exception):
    """There is none, or it is not one; the message is CodeBuild's."""


@dataclass(frozen=True)
class Buildspec:
    """What a build does."""

    commands: dict[str, list[str]]
    """Phase → its commands."""
    variables: dict[str, str]
    """``env/variables``."""


def of(named: str, files: dict[str, bytes]) -> Buildspec:
    """The buildspec that a project has inline or names; raises NoBuildspec."""
    inline = "\n" in named
    path = named or FILE
    if not inline and path not in files:
        raise NoBuildspec(f"YAML_FILE_ERROR: {path}: no such file or directory")
    text = named if inline else files[path].decode(errors="replace")
    yaml = importlib.import_module("yaml")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise NoBuildspec(f"YAML_FILE_ERROR: {problem}") from problem
    if not isinstance(found, dict) or not found.get("version"):
        raise NoBuildspec("YAML_FILE_ERROR: wrong or missing version number in buildspec")
    phases = found.get("phases")
    if not isinstance(phases, dict) or not phases.keys() & set(PHASES):
        raise NoBuildspec("YAML_FILE_ERROR: This build spec file has no phases")
    unknown = sorted(phases.keys() - set(PHASES))
    if unknown:
        raise NoBuildspec(f"YAML_FILE_ERROR: Invalid phase name: {unknown[0]}")
    commands = {phase: _commands(phase, phases.get(phase) or {}) for phase in PHASES}
    variables = (found.get("env") or {}).get("variables") or {}
    return Buildspec(commands, {name: str(value) for name, value in variables.items()})


def _commands(phase: str, given: dict[str, Any]) -> list[str]:
    listed = given.get("commands") or []
    if not isinstance(listed, list) or not all(isinstance(command, str) for command in listed):
        raise NoBuildspec(f"YAML_FILE_ERROR: Expected Commands[] to be of string type in phase {phase.upper()}")
    return [*listed, *(given.get("finally") or [])]
