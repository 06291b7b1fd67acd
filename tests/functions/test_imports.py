"""What a cold start pays for: the modules that each handler brings along, in a fresh interpreter.

Milliseconds differ from machine to machine, so the list of modules is the budget. The SDK comes when a client is first
made; Powertools with the first log line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from functions.api.routes import ROUTES

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))

NEVER = {"slack_bolt", "pydantic", "moto", "ministack", "typer", "rich", "jsonschema", "aws_cdk", "cfnlint", "asyncio"}
"""No function needs these at any time."""

NOT_ON_IMPORT = {"boto3", "botocore", "aws_lambda_powertools", "urllib3"}

COMPILES_SCHEMAS = {"package", "deploy_stage", "plan_stage", "run_job", "verify_stage"}
"""Functions that check configurations, or read packages with the code that writes them."""

MOST_MODULES = 130
"""Beyond those that a bare interpreter has."""

SPEAKS_TO_SLACK = {"notify": {"asyncio"}}
"""Functions that send to Slack at every call, and what slack_sdk brings along."""

MOST_MODULES_WITH_SLACK = 265

_LIST = """
import json, sys
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@cache
def imported(module: str) -> frozenset[str]:
    """Names of the modules that importing this one brings along."""
    run = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", _LIST.format(module=module)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return frozenset(json.loads(run.stdout))


def packages(module: str) -> set[str]:
    """Top-level names among them."""
    return {name.partition(".")[0] for name in imported(module)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_brings_along_no_more_than_it_needs(function: str) -> None:
    module = f"functions.{function}.handler"
    assert packages(module) & (NEVER | NOT_ON_IMPORT) - SPEAKS_TO_SLACK.get(function, set()) == set()
    assert len(imported(module)) <= (MOST_MODULES_WITH_SLACK if function in SPEAKS_TO_SLACK else MOST_MODULES)
    others = {name.split(".")[1] for name in imported(module) if name.startswith("functions.")}
    assert others == {function}, "one function's code is not in another's bundle"


@pytest.mark.parametrize("module", sorted({module for module, _ in ROUTES.values()}))
def test_a_route_of_the_api_brings_along_no_more_than_it_needs(module: str) -> None:
    """Routes are imported by the first call that needs them."""
    name = f"functions.api.{module}"
    starts = module in {"provisioning", "removals"}
    assert len(imported(f"{name}, functions.api.handler")) <= (MOST_MODULES + 20 if starts else 100)
    assert packages(name) & (NEVER | NOT_ON_IMPORT) == set()
    assert ("fastjsonschema" in packages(name)) is starts


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in COMPILES_SCHEMAS])
def test_who_checks_no_configuration_imports_no_schema_compiler(function: str) -> None:
    assert "fastjsonschema" not in packages(f"functions.{function}.handler")


def test_the_core_imports_the_standard_library_alone() -> None:
    """fastjsonschema is the one exception; its compiled checks take a thirtieth of the time."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "orchestrator" / "core").rglob("*.py"))
        if path.name != "__init__.py"
    ]
    everything = packages(", ".join(modules))
    assert everything - set(sys.stdlib_module_names) - {"orchestrator", "fastjsonschema"} == set()
