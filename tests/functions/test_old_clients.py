"""Clients of the old product, as they call: their bodies are taken, and what they look for is in the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.config import Checked
from orchestrator.core.records import Release
from tests.fakes.memory_world import ASSETS, MemoryWorld, configuration
from tests.functions.conftest import Called
from tests.functions.test_api import Client, Reply
from tests.templates.folders import Body, bodies, checked

CALLS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("old_calls.json").read_text())["calls"]
OUR_KEYS = {
    "approval",
    "channel",
    "deployment",
    "gates",
    "pipeline_name",
    "scaling",
    "serverless",
    "tags",
    "verify",
    "vpc",
}
"""Keys that the old product did not know."""

OLD_BODIES = [
    body for body in bodies() if body.accounts == "multi" and not body.registry and not OUR_KEYS & set(body.values)
]


@pytest.fixture
def call(called: Callable[[str], Called]) -> Client:
    """A caller of the API."""
    return Client(called("api"))


def upload_for(memory: MemoryWorld, one: Checked) -> None:
    """Everything that a configuration names lies in the assets bucket."""
    for asset in one.assets:
        memory.buckets.put(ASSETS, f"{asset.key}part-1.csv" if asset.key.endswith("/") else asset.key, b"{}")


def fits(wanted: Any, answer: Any) -> bool:
    """Whether the answer has everything that is wanted of it, in the places where it is looked for."""
    if isinstance(wanted, dict):
        return isinstance(answer, dict) and all(
            name in answer and fits(value, answer[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(answer, list) and len(wanted) == len(answer) and all(map(fits, wanted, answer))
    if wanted == "<text>":
        return isinstance(answer, str) and answer != ""
    stack = re.fullmatch(r"<stack (\S+)>", wanted) if isinstance(wanted, str) else None
    if stack:
        arn = rf"arn:aws:cloudformation:us-east-1:\d{{12}}:stack/{stack[1]}/[a-z0-9-]+"
        return re.fullmatch(arn, answer) is not None
    return bool(wanted == answer)


@pytest.mark.parametrize("pair", CALLS, ids=[pair["name"] for pair in CALLS])
def test_a_call_gets_the_answer_that_its_client_knows(call: Client, memory: MemoryWorld, pair: dict[str, Any]) -> None:
    for key in ("fraud/model.tar.gz", "churn/train.csv", "algorithms/forest.zip"):
        memory.buckets.put(ASSETS, key, b"an asset")
    body = pair.get("raw", pair.get("body"))
    if isinstance(body, dict) and body.get("pipeline_id") == "<of the release>":
        body = {"pipeline_id": call("POST", "/provisionpipeline", body=configuration()).body["pipeline_id"]}
    reply = call("POST", pair["resource"], body=body)
    assert reply.status == pair["status"], reply.body
    assert fits(pair["answer"], reply.body), reply.body
    told = json.dumps(reply.body)
    assert [word for word in pair.get("told", []) if word not in told] == []


@pytest.mark.parametrize("body", OLD_BODIES, ids=[body.id for body in OLD_BODIES])
def test_every_body_of_the_old_product_is_provisioned_and_has_a_status(
    call: Client, memory: MemoryWorld, body: Body
) -> None:
    one = checked(body.values, body.context)
    upload_for(memory, one)
    reply: Reply = call("POST", "/provisionpipeline", body=body.values)
    assert reply.status == 200, reply.body
    assert set(reply.body) == {"message", "pipeline_id", "release_id", "warnings"}
    assert f":stack/{one.stack_name}/" in reply.body["pipeline_id"]
    assert memory.memory.all(Release)[0].workload_type == body.type
    status = call("POST", "/pipelinestatus", body={"pipeline_id": reply.body["pipeline_id"]})
    assert (status.status, status.body["pipelineName"]) == (200, one.stack_name)
