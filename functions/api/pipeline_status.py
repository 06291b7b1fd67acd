"""``POST /pipelinestatus``, in the shapes that clients of the old product know."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.errors import BadRequest
from orchestrator.core.pipeline_state import passes_through, pipeline_state
from orchestrator.core.steps.progress import release_of


def pipeline_status(call: Call, service: Service) -> Answer:
    """The state of the release that a pipeline id ends with: CodePipeline's own while its latest execution is of it."""
    pipeline_id = call.json.get("pipeline_id")
    if not isinstance(pipeline_id, str) or ":stack/" not in pipeline_id:
        raise BadRequest("$.pipeline_id should be the stack ARN that POST /provisionpipeline has answered")
    release = release_of(service.world.store, pipeline_id.rsplit("/", 1)[-1])
    if release.pipeline_execution:
        state = service.world.workload_pipelines.state(release.pipeline)
        if passes_through(state, release.pipeline_execution):
            return Answer(200, state)
    return Answer(200, pipeline_state(release, *service.progress(release), service.world.installation))
