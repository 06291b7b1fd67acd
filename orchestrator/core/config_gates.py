"""Rules of the key ``gates`` that a schema cannot say: limits that contradict each other, stages, and whether anything
is measured at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.core.config_part import Part
from orchestrator.core.gates import direction
from orchestrator.core.installation import ORCHESTRATOR
from orchestrator.core.problems import Problem, closest, did_you_mean

KEY = "gates"
LIMITS = ("at_least", "at_most", "not_worse_than_live_by")


def gate_problems(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """Everything that is wrong with the gates; nothing where they are no gates at all, which is told elsewhere."""
    gates = part.values.get(KEY)
    if KEY not in sound or not isinstance(gates, list):
        return
    if not _measured(part):
        fix = "Name the model's evaluation file in metrics, or remove the gates."
        yield Problem(part.at(KEY), "has nothing to look at", fix)
    for index, gate in enumerate(gates):
        path = f"{part.at(KEY)}[{index}]"
        yield from _limits(gate, path)
        yield from _stages(gate, path, part)


def _measured(part: Part) -> bool:
    registered = part.type.registry is not None and part.context.model_registry
    return registered or "metrics" in part.values


def _limits(gate: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if not any(limit in gate for limit in LIMITS):
        yield Problem(path, "sets no limit", "Add at_least, at_most or not_worse_than_live_by.")
    low, high = gate.get("at_least"), gate.get("at_most")
    if low is not None and high is not None and low > high:
        yield Problem(f"{path}.at_least", f"{low} is more than at_most ({high})", "No figure would ever pass.")
    if "not_worse_than_live_by" in gate:
        if direction(gate) is None:
            yield Problem(
                f"{path}.higher_is_better",
                f'is not given, and nothing says for certain whether more of "{gate["metric"]}" is better',
                "Write true where a larger value is the better one, false where a smaller one is.",
            )
    elif "higher_is_better" in gate:
        what = "has no effect without not_worse_than_live_by"
        yield Problem(f"{path}.higher_is_better", what, "", "warning")


def _stages(gate: Mapping[str, Any], path: str, part: Part) -> Iterator[Problem]:
    on_failure = gate.get("on_failure")
    by_stage = on_failure if isinstance(on_failure, Mapping) else None
    only = _only_stage(part)
    if only:
        if "stages" in gate:
            yield Problem(f"{path}.stages", f"names stages, but {only}", "Remove it: the gate guards the only one.")
        if by_stage is not None:
            yield Problem(f"{path}.on_failure", f"is an object of stages, but {only}", "Write the value itself.")
        return
    known = part.context.stages
    named: Sequence[str] = gate.get("stages", ())
    for index, stage in enumerate(named):
        if stage not in known:
            yield Problem(f"{path}.stages[{index}]", f'there is no stage "{stage}"', did_you_mean(stage, known))
    guarded = [stage for stage in known if stage in named] if named else list(known)
    if by_stage is None:
        return
    unknown = [stage for stage in by_stage if stage not in known]
    for stage in unknown:
        yield Problem(f"{path}.on_failure.{stage}", f'there is no stage "{stage}"', did_you_mean(stage, known))
    for stage in by_stage:
        if stage in known and stage not in guarded:
            yield Problem(f"{path}.on_failure.{stage}", f"the gate does not guard {stage}", "Add it to stages as well.")
    for stage in guarded:
        if stage not in by_stage and closest(stage, unknown) is None:
            what = f'has no value for the stage "{stage}"'
            yield Problem(f"{path}.on_failure", what, "Add it, or write one value for all.")


def _only_stage(part: Part) -> str:
    """Why there is only one stage; empty where there are several."""
    if part.context.accounts == "single":
        return "this installation has one account"
    if part.type.runs_in == ORCHESTRATOR:
        return f"{part.type.name} is deployed once, into the orchestrator account"
    return ""
