"""``DELETE /workloads/{id}``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.steps.remove_workload import remove_workload


def remove(call: Call, service: Service) -> Answer:
    """Start the removal of a workload: a release that takes its stacks away, with the approvals of each stage."""
    receipt = remove_workload(call.id, call.caller, call.token, service.world.reception(service.env))
    (removal,) = receipt.releases
    return Answer(
        202,
        {
            "message": "This request has been taken before." if receipt.duplicate else "The removal has started.",
            "pipeline_id": receipt.pipeline_id(removal, service.world.installation),
            "release_id": removal.release_id,
            "warnings": [],
        },
    )
