"""``GET /doctor``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.version import VERSION


def examine(call: Call, service: Service) -> Answer:
    """What the function Examine finds in the installation, and who asked.

    The API itself may read neither the Slack secret nor a role of a stage.
    """
    world = service.world
    found = world.examination(service.env.examine_function).findings()
    installation = world.installation
    return Answer(
        200,
        {
            "version": VERSION,
            "mode": installation.mode,
            "region": installation.region,
            "account": installation.account,
            "caller": call.caller.value,
            "findings": list(found),
        },
    )
