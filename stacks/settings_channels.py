"""The setting ``channels``: workloads that are told in channels of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from orchestrator.core.installation import ChannelRoute
from orchestrator.core.problems import did_you_mean
from orchestrator.core.workloads import shipped_templates
from stacks.settings_reading import Reading, shown
from stacks.settings_rules import CHANNEL, CHANNEL_SHAPE

PATTERN = r"[A-Za-z0-9*?\[\]!_.-]{1,128}"
"""Characters of workloads' names, and of a pattern's."""

MOST = 50


def read_channels(reading: Reading, template_folders: Sequence[Path]) -> tuple[ChannelRoute, ...]:
    """Read and check; the problems are in ``reading.problems``."""
    types = known_types(template_folders)
    found: list[ChannelRoute] = []
    for one in reading.objects("channels", required=False):
        route = ChannelRoute(
            workloads=_patterns(one),
            channel=one.text("channel", pattern=CHANNEL, shape=CHANNEL_SHAPE),
            types=_types(one, types),
        )
        one.unknown_keys()
        if any(_takes_all(before) for before in found):
            one.note("", "is never reached, since one before it takes every workload", "Put it before that one.")
        found.append(route)
    if len(found) > MOST:
        reading.note("channels", f"has {len(found)} entries", f"Write {MOST} at most; one may name several patterns.")
    return tuple(found)


def known_types(template_folders: Sequence[Path]) -> frozenset[str]:
    """Names of the workload types of the product and the organisation."""
    folders = (shipped_templates(), *template_folders)
    return frozenset(path.parent.name for folder in folders for path in folder.glob("*/workload.json"))


def _takes_all(route: ChannelRoute) -> bool:
    return "*" in route.workloads and not route.types


def _patterns(one: Reading) -> tuple[str, ...]:
    shape = 'a workload\'s name, such as fraud-detector-realtime, or a pattern of names, such as "fraud-*"'
    patterns = one.texts("workloads", pattern=PATTERN, shape=shape)
    if not patterns and not any(problem.path.startswith(f"{one.path}.workloads") for problem in one.problems):
        one.note("workloads", "names no workload", 'Write a list of names or patterns, such as ["fraud-*"].')
    for index, pattern in enumerate(patterns):
        if not _brackets_close(pattern):
            what = f"{shown(pattern)} has a bracket without its other half"
            one.note(f"workloads[{index}]", what, "Write a set of characters as [ab], or leave the bracket out.")
    return patterns


def _brackets_close(pattern: str) -> bool:
    inside = False
    for character in pattern:
        if character == "[" and not inside:
            inside = True
        elif character == "]":
            if not inside:
                return False
            inside = False
    return not inside and "[]" not in pattern and "[!]" not in pattern


def _types(one: Reading, known: Collection[str]) -> tuple[str, ...]:
    types = one.texts("types", shape="a workload type, such as byom_realtime_builtin")
    for index, name in enumerate(types):
        if name not in known:
            one.note(f"types[{index}]", f"{shown(name)} is no workload type", did_you_mean(name, known))
    return types
