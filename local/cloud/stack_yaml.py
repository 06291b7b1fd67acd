"""Templates in YAML are read by libyaml, ten times faster than by PyYAML's own parser, with the emulator's tags.

The server answers nobody else while it reads a template, which takes a third of a second for a workload's.
"""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.services.cloudformation.engine", "CfnLoader.yaml_constructors"),
    Seam("ministack.services.cloudformation.engine", "CfnLoader.yaml_multi_constructors"),
    Seam("ministack.services.cloudformation.engine", "CfnLoader.yaml_implicit_resolvers"),
    Seam("ministack.services.cloudformation.engine", "_parse_template", ("template_body",)),
)


def install() -> None:
    """Take libyaml's parser, where PyYAML was built with it."""
    from ministack.services.cloudformation import engine

    if yaml.__with_libyaml__:
        engine.CfnLoader = faster(engine.CfnLoader)


def faster(known: Any) -> Any:
    """A loader that constructs the same from what libyaml has parsed."""

    class Loader(yaml.CSafeLoader):  # type: ignore[misc]
        yaml_constructors = known.yaml_constructors
        yaml_multi_constructors = known.yaml_multi_constructors
        yaml_implicit_resolvers = known.yaml_implicit_resolvers

    return Loader
