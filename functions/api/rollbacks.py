"""``POST /releases/{id}/rollback``, and what it would do: ``GET /workloads/{id}/rollback``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core import views
from orchestrator.core.errors import BadRequest
from orchestrator.core.origins import SourceKind
from orchestrator.core.steps.progress import release_of
from orchestrator.core.steps.way_back import way_back


def propose(call: Call, service: Service) -> Answer:
    """The release that a rollback of the workload would go back to, or the one that the query names."""
    world = service.world
    return Answer(200, views.rollback(way_back(call.id, call.query.get("to", ""), world.store), world.installation))


def roll_back(call: Call, service: Service) -> Answer:
    """Start a release that deploys the package of this one again."""
    from orchestrator.core.steps import roll_back as step  # compiles what a proposal needs nothing of

    body = call.json if call.body.strip() else {}
    because, force = body.get("reason", ""), body.get("force", False)
    if not isinstance(because, str):
        raise BadRequest("$.reason should be text")
    if not isinstance(force, bool):
        raise BadRequest("$.force should be true or false")
    world = service.world
    wish = step.Return(release_of(world.store, call.id).workload, call.id, because, force)
    receipt = step.roll_back(wish, call.caller, call.token, SourceKind.API, world.reception(service.env))
    (begun,) = receipt.releases
    return Answer(
        202,
        {
            "message": "This request has been taken before." if receipt.duplicate else "The rollback has started.",
            "pipeline_id": receipt.pipeline_id(begun, world.installation),
            "release_id": begun.release_id,
            "warnings": [],
        },
    )
