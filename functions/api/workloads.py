"""``GET /workloads``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core import views
from orchestrator.core.records import Workload

LISTED, MAX_LISTED = 100, 1000


def list_workloads(call: Call, service: Service) -> Answer:
    """What is live of each workload, by name."""
    found = service.world.store.listed(Workload, "WORKLOADS", limit=call.limit(LISTED, MAX_LISTED))
    return Answer(200, {"workloads": [views.workload(one) for one in found]})
