"""``GET /releases`` and ``GET /releases/{id}``."""

from __future__ import annotations

import json

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core import views
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.progress import live_figures, live_since, release_of

LISTED, MAX_LISTED = 20, 100


def list_releases(call: Call, service: Service) -> Answer:
    """The newest releases, newest first."""
    limit = call.limit(LISTED, MAX_LISTED)
    releases = service.world.store.listed(Release, "RELEASES", limit=limit, newest_first=True)
    return Answer(200, {"releases": [views.summary(release, service.world.installation) for release in releases]})


def show_release(call: Call, service: Service) -> Answer:
    """One release with its stages, plans and approvals; of a model-card operation, its answer too."""
    world = service.world
    release = release_of(world.store, call.id)
    live = live_figures(world.store, release)
    since = live_since(world.store, release)
    found = views.detail(release, *service.progress(release), world.installation, live, since)
    if release.workload_type in OPERATIONS and release.status is Status.SUCCEEDED:
        found["answer"] = _card_answer(release, service)
    return Answer(200, found)


def _card_answer(release: Release, service: Service) -> object:
    from orchestrator.core.steps.answer_model_card import answer_key  # and with it everything about configurations

    key = answer_key(release.release_id)
    return json.loads(service.world.objects.read(service.env.packages_bucket, key))
