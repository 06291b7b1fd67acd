"""Whether this installation can release what a configuration asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.core.config import DEFAULT_STAGES, CheckContext, Checked, check_file
from orchestrator.core.installation import Installation
from orchestrator.core.problems import BadConfiguration, Problem, did_you_mean
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.references import missing


def check_context(installation: Installation) -> CheckContext:
    """What configurations of this installation are checked against."""
    return CheckContext(
        accounts=installation.mode,
        stages=installation.stage_names if installation.mode == "multi" else DEFAULT_STAGES,
        model_registry=installation.model_registry,
        region=installation.region,
        partition=installation.partition,
    )


def checked_file(data: bytes, reception: Reception) -> tuple[Checked, ...]:
    """Check a file against the contract and against this installation's stages and approver roles."""
    installation = reception.installation
    checked = check_file(data, reception.catalogue, check_context(installation))
    problems = [problem for one in checked for problem in _not_of_this_installation(one, installation)]
    if problems:
        raise BadConfiguration(list(dict.fromkeys(problems)))
    return checked


def check_references(checked: Sequence[Checked], reception: Reception) -> None:
    """Look for what configurations name, while somebody waits for the answer; raises ``BadConfiguration``.

    What is deleted after this is found missing by Package.
    """
    objects, installation, bucket = reception.objects, reception.installation, reception.assets_bucket
    problems = [
        problem for one in checked for problem in missing(one, objects, reception.registry, installation, bucket)
    ]
    if problems:
        raise BadConfiguration(problems)


def _not_of_this_installation(checked: Checked, installation: Installation) -> Iterator[Problem]:
    path = checked.path
    stages = installation.stages_of(checked.type.runs_in)
    for demand in checked.policies:
        if demand.stage not in stages:
            what = f'this installation has no stage "{demand.stage}"'
            fix = did_you_mean(demand.stage, stages)
            yield Problem(f"{path}.approval.{demand.stage}", what, fix)
        for role in sorted({role for alternative in demand.policy.any_of for role, _ in alternative}):
            if not installation.roles.get(role):
                what = f'this installation has no approver role "{role}"'
                fix = did_you_mean(role, installation.roles)
                yield Problem(f"{path}.approval.{demand.stage}.any_of", what, fix)
