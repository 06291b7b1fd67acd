"""docs/openapi.yaml is the source; the function carries it as JSON, since Lambda has no YAML parser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from stacks.rest_api import ROUTES

ROOT = Path(__file__).parents[2]
SERVED = ROOT / "functions" / "api" / "openapi.json"


def described() -> object:
    return yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())


def test_the_function_carries_what_the_documentation_says(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--refresh-golden"):
        SERVED.write_text(json.dumps(described(), indent=1, ensure_ascii=False) + "\n")
    assert json.loads(SERVED.read_text()) == described(), "after an edit of docs/openapi.yaml: make golden"


def test_api_gateway_has_the_routes_of_the_description() -> None:
    paths = described()["paths"]  # type: ignore[index]
    assert {(method.upper(), path.lstrip("/")) for path, methods in paths.items() for method in methods} == set(ROUTES)
