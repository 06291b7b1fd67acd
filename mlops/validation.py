"""``mlops validate``: the check that the installation itself makes, without an AWS account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mlops.refusals import Refused
from mlops.screen import Screen, problem_lines
from mlops.target import default_region
from orchestrator.core.config import CheckContext, Checked, check_file
from orchestrator.core.model_cards.request import model_card_in
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.regions import partition_of, region_fault
from orchestrator.core.workloads import Catalogue, load_types, shipped_templates

Accounts = Annotated[
    Literal["single", "multi"],
    typer.Option("--accounts", help="Whether the installation has an account for each stage, or one for all."),
]
ModelRegistry = Annotated[
    bool, typer.Option("--model-registry", help="The installation takes models from the SageMaker Model Registry.")
]
CheckRegion = Annotated[
    str, typer.Option("--region", help="Region of the installation; by itself AWS_REGION, else us-east-1.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Templates = Annotated[
    list[Path],
    typer.Option(
        "--templates",
        envvar="MLOPS_TEMPLATES",
        metavar="FOLDER",
        help="Folder with workload types of your own, as the installation's template_folders; may be repeated.",
        exists=True,
        file_okay=False,
    ),
]


def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Configurations to check.", exists=True, dir_okay=False)
    ],
    accounts: Accounts = "multi",
    model_registry: ModelRegistry = False,
    region: CheckRegion = "",
    templates: Templates = [],  # noqa: B006 - typer copies it
    as_json: AsJson = False,
) -> None:
    """Check configurations offline; every problem is told, with its path in the file."""
    screen = Screen(as_json)
    context = context_of(accounts, model_registry, region)
    catalogue = known_types(templates)
    reports = [_report(file, catalogue, context) for file in files]
    refused = [report for report in reports if not report["valid"]]
    if as_json:
        screen.answer({"valid": not refused, "checked_for": _checked_for(context), "files": reports})
    for report in reports:
        _show(report, screen)
    registry = ", with the Model Registry" if context.model_registry else ""
    screen.note(f"Checked for a {context.accounts}-account installation in {context.region}{registry}.")
    if any(workload["approval"] for report in reports for workload in report["workloads"]):
        screen.note("Whether the roles under approval exist is checked by the installation.")
    if refused:
        raise typer.Exit(1)


def context_of(accounts: Literal["single", "multi"], model_registry: bool, region: str) -> CheckContext:
    """What a file is checked against when no installation is asked."""
    region = region or default_region()
    fault = region_fault(region, "--region")
    if fault is not None:
        raise typer.BadParameter(f"{fault.what}. {fault.fix}", param_hint="--region")
    return CheckContext(accounts, model_registry=model_registry, region=region, partition=partition_of(region))


def known_types(templates: Sequence[Path] = ()) -> Catalogue:
    """The workload types of this version, and those of an organisation's own folders."""
    try:
        return load_types([shipped_templates(), *templates])
    except BadConfiguration as error:
        raise Refused(f"The workload types have mistakes:\n{error}") from None


def _report(file: Path, catalogue: Catalogue, context: CheckContext) -> dict[str, Any]:
    data = file.read_bytes()
    try:
        card = model_card_in(data)
        if card is not None:
            return {
                **_of(file, (), [asdict(problem) for problem in card.warnings], valid=True),
                "operation": card.operation,
            }
        checked = check_file(data, catalogue, context)
    except BadConfiguration as error:
        return _of(file, (), [asdict(problem) for problem in error.problems], valid=False)
    warnings = [asdict(problem) for one in checked for problem in one.warnings]
    return _of(file, checked, warnings, valid=True)


def _of(file: Path, checked: Sequence[Checked], problems: list[dict[str, Any]], *, valid: bool) -> dict[str, Any]:
    workloads = [
        {
            "workload": one.workload_name,
            "type": one.type.name,
            "stack_name": one.stack_name,
            "assets": [asset.key for asset in one.assets],
            "approval": [demand.stage for demand in one.policies],
        }
        for one in checked
    ]
    return {"file": str(file), "valid": valid, "workloads": workloads, "problems": problems}


def _checked_for(context: CheckContext) -> dict[str, Any]:
    return {"accounts": context.accounts, "model_registry": context.model_registry, "region": context.region}


def _show(report: dict[str, Any], screen: Screen) -> None:
    screen.line(f"{report['file']}: {'valid' if report['valid'] else 'refused'}", "green" if report["valid"] else "red")
    for problem in report["problems"]:
        warning = problem["severity"] == "warning"
        screen.line(f"  {'warning: ' if warning else ''}{problem_lines(problem)}", "yellow" if warning else "")
    if "operation" in report:
        screen.line(f"  the model-card operation {report['operation']}")
    for workload in report["workloads"]:
        screen.line(f"  {workload['workload']} ({workload['type']}) in the stack {workload['stack_name']}")
        for asset in workload["assets"]:
            screen.line(f"    needs {asset}")
