"""Target of the HTTP API's ``POST /slack/events`` (payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from orchestrator.aws.environment import endpoint_url, load, runtime_credentials
from slack_app.front.answering import Answer, Front, answer
from slack_app.front.calls import AwsCaller, slack_call
from slack_app.front.env import Env
from slack_app.front.replay import Replay
from slack_app.front.secrets import SlackSecrets


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of Slack's; the log line says what it was and how it ended, and nothing of its content."""
    started = time.monotonic()
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    body = _raw(event)
    if _method(event) not in {"POST", ""}:
        # The API routes nothing else here; should it ever, a signature says nothing about the method.
        found = Answer(405, "not a POST")
    else:
        found = Answer(400, "malformed") if body is None else answer(headers, body, _front(load(Env)))
    line = {
        "service": "slack_front",
        "level": "INFO" if found.status < 500 else "ERROR",
        "request_id": getattr(context, "aws_request_id", ""),
        "outcome": found.outcome,
        "status": found.status,
        "milliseconds": round((time.monotonic() - started) * 1000),
    }
    print(json.dumps(line), flush=True)
    return _response(found)


def _method(event: Mapping[str, Any]) -> str:
    return str(((event.get("requestContext") or {}).get("http") or {}).get("method") or "").upper()


def _raw(event: Mapping[str, Any]) -> bytes | None:
    """The bytes that Slack signed; None when API Gateway's own encoding of them is broken."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def _response(found: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"statusCode": found.status, "isBase64Encoded": False, "body": ""}
    if found.body is not None:
        response |= {"headers": {"Content-Type": "application/json"}, "body": json.dumps(found.body)}
    return response


@lru_cache(maxsize=1)
def _front(env: Env) -> Front:
    """One a process: it keeps the Slack secret."""
    _, partition, _, region, *_ = env.slack_secret_arn.split(":")
    aws = AwsCaller(
        region=region,
        dns_suffix="amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        credentials=runtime_credentials(),
        endpoint_url=endpoint_url,
        now=lambda: datetime.now(UTC),
    )

    def send(replay: Replay) -> None:
        aws.call(
            "sqs",
            "AmazonSQS.SendMessage",
            "1.0",
            {
                "QueueUrl": env.queue_url,
                "MessageBody": replay.to_json(),
                "MessageGroupId": replay.group,
                "MessageDeduplicationId": replay.deduplication,
            },
        )

    def open_view(token: str, trigger_id: str, view: Mapping[str, Any]) -> None:
        slack_call(env.slack_api_url, "views.open", token, {"trigger_id": trigger_id, "view": view})

    return Front(SlackSecrets(env.slack_secret_arn, aws, time.monotonic), send, open_view, time.time)
