"""Which stacks an installation consists of; ``app.py`` and the tests make them alike."""

from __future__ import annotations

from constructs import Construct

from stacks.names import places
from stacks.orchestrator_stack import OrchestratorStack
from stacks.settings import Settings
from stacks.stack_sets import StackSetsStack
from stacks.stage_stack import StageStack

ORCHESTRATOR = "MlopsOrchestrator"
STACK_SETS = "MlopsStackSets"


def make_stacks(scope: Construct, settings: Settings) -> None:
    """The orchestrator's stack, and one for each place that workloads are deployed to.

    Stages with organizational units have no stack here: ``MlopsStackSets`` rolls them out.
    """
    OrchestratorStack(scope, ORCHESTRATOR, settings=settings)
    options = settings.options
    for place in places(settings):
        if not options.rolled_out(place.name):
            StageStack(scope, f"MlopsStage-{place.name}", settings=settings, stage=place)
    if options.stack_sets is not None:
        StackSetsStack(scope, STACK_SETS, settings=settings, stack_sets=options.stack_sets)
