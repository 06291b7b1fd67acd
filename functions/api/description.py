"""``GET /openapi.json``: the API's own description, docs/openapi.yaml as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from functions.api.call import Call
from functions.api.service import Answer, Service

FILE = Path(__file__).with_name("openapi.json")
"""Made from docs/openapi.yaml, which is the source: Lambda has no YAML parser. A test compares; see there."""


def describe(call: Call, service: Service) -> Answer:
    """The description, with this installation's own address."""
    described = json.loads(FILE.read_bytes())
    if call.address:
        described["servers"] = [{"url": call.address}]
    return Answer(200, described)
