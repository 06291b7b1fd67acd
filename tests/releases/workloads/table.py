"""How a workload of the tests is written down: what is uploaded, what is asked for, and what must stand in AWS then.

The right-hand sides are written by hand, from what the configuration means, and not computed from the templates. Texts
may hold places in braces: ``{account}``, ``{stage}``, ``{assets}`` and ``{packages}`` (buckets), ``{bucket}`` (the
stage's own bucket), ``{key}`` (the stage's own KMS key), ``{endpoint}`` (an endpoint that is live in the stage),
``{outputs.Name}`` of the stage's stack, ``{job.Step}`` (name of the job of a pipeline's step), ``{job}``, and the texts
at the top of the answers that were read before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.settings import Mode

if TYPE_CHECKING:
    from tests.releases.workloads.data import Data
    from tests.releases.workloads.reading import Reading

_PLACE = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")


@dataclass(frozen=True)
class PerStage:
    """Another value for each stage: an object of stages in a configuration for several accounts, prod's in one for a
    single account; in what is expected, the value of the stage that is read."""

    dev: Any
    staging: Any
    prod: Any

    def of(self, stage: str) -> Any:
        """The stage's value."""
        return getattr(self, stage)


@dataclass(frozen=True)
class Matching:
    """Any text of this form."""

    pattern: str


ABSENT = object()
"""A member that must not be there."""


@dataclass(frozen=True)
class Look:
    """One call, and what its answer must hold: of objects the members named here, lists whole."""

    service: str
    call: str
    asked: Mapping[str, Any]
    found: Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """One workload of one type."""

    kind: str
    """``pipeline_type``."""
    name: str
    """What it is called in Slack and the table."""
    assets: Callable[[Data], Mapping[str, bytes]]
    configuration: Mapping[str, Any]
    looks: tuple[Look, ...]
    """In the account of each stage."""
    in_stages: bool = True
    """False: once, in the orchestrator's account."""
    job: str = ""
    """Kind of the job; empty for none."""
    inputs: Callable[[Data], Mapping[str, bytes]] = field(default=lambda data: {})
    """What lies in each stage's own bucket before."""
    made: Callable[[Reading], None] = field(default=lambda reading: None)
    """Looks at what the job has made, in each stage."""


def asked(value: Any, mode: Mode, places: Mapping[str, Mapping[str, str]]) -> Any:
    """A configuration's value for this mode; ``places`` by stage."""
    if isinstance(value, PerStage) and mode == "multi":
        return {stage: asked(value.of(stage), mode, {**places, "prod": places[stage]}) for stage in places}
    if isinstance(value, PerStage):
        return asked(value.prod, mode, places)
    if isinstance(value, Mapping):
        return {name: asked(member, mode, places) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [asked(member, mode, places) for member in value]
    return filled(value, places["prod"])


def filled(value: Any, places: Mapping[str, str]) -> Any:
    """A text with its places filled in; anything else as it is. Raises KeyError for an unknown place."""
    if isinstance(value, Matching):
        return Matching(_PLACE.sub(lambda found: re.escape(places[found[1]]), value.pattern))
    return _PLACE.sub(lambda found: places[found[1]], value) if isinstance(value, str) else value


def differences(expected: Any, found: Any, stage: str, places: Mapping[str, str], path: str = "") -> list[str]:
    """Where an answer is not as expected, each with its place."""
    if isinstance(expected, PerStage):
        return differences(expected.of(stage), found, stage, places, path)
    if expected is ABSENT:
        return [] if found is None else [f"{path}: {found!r} should not be there"]
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return [
            line
            for name, value in expected.items()
            for line in differences(value, found.get(filled(name, places)), stage, places, f"{path}.{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for line in differences(one, other, stage, places, f"{path}[{number}]")
        ]
    wanted = filled(expected, places)
    if isinstance(wanted, Matching):
        fits = isinstance(found, str) and re.fullmatch(wanted.pattern, found)
        return [] if fits else [f"{path}: {found!r} is not like {wanted.pattern!r}"]
    same = wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
    return [] if same else [f"{path}: {found!r} instead of {wanted!r}"]
