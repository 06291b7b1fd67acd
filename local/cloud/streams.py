"""Lambda reads DynamoDB streams and queues as on AWS: partial batches, retries with an end, the role's permissions.

- ``ReportBatchItemFailures``, ``BisectBatchOnFunctionError``, ``MaximumRetryAttempts`` and the failure destination of a
  mapping to a DynamoDB stream; the emulator repeats the whole batch for ever. A slow function holds up nobody else.
- A mapping whose function's role may not read the source is refused when it is made, by the API and by a stack.

Batching windows are not waited for, so that tests are quick: a function sees smaller batches than on AWS.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import decide

_LAMBDA = "ministack.services.lambda_svc"

SEAMS = (
    Seam("ministack.core.arn", "parse_arn", ("value",)),
    Seam("ministack.core.responses", "error_response_json", ("code", "message", "status")),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.dynamodb", "_tables.get"),
    Seam("ministack.services.dynamodb", "stream_records_since", ("table_name", "position", "limit")),
    Seam("ministack.services.dynamodb", "stream_start_position", ("table_name",)),
    Seam(_LAMBDA, "_ESM_BACKOFF_SECONDS"),
    Seam(_LAMBDA, "_apply_filter_criteria", ("records", "esm")),
    Seam(_LAMBDA, "_create_esm", ("data",)),
    Seam(_LAMBDA, "_dispatch_esm_batch", ("esm_id", "fn")),
    Seam(_LAMBDA, "_dynamodb_stream_positions"),
    Seam(_LAMBDA, "_dynamodb_stream_positions_lock"),
    Seam(_LAMBDA, "_dynamodb_stream_table_from_arn_spec"),
    Seam(_LAMBDA, "_esm_inflight"),
    Seam(_LAMBDA, "_esms.get"),
    Seam(_LAMBDA, "_execute_function"),
    Seam(_LAMBDA, "_get_func_record_for_qualifier"),
    Seam(_LAMBDA, "_get_func_record_for_ref"),
    Seam(_LAMBDA, "_init_stream_position", ("esm_id", "source_arn", "starting")),
    Seam(_LAMBDA, "_iter_all_esms", ()),
    Seam(_LAMBDA, "_poll_dynamodb_streams", ()),
    Seam(
        _LAMBDA,
        "_send_ddb_stream_failure_record",
        ("esm", "func_rec", "batch", "stream_arn", "result", "condition"),
    ),
)

_FOR_EVER = -1

_NEEDED = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
}
"""Service of a source → what Lambda asks of the function's role (Lambda Developer Guide, event source mappings)."""


class Refused(Exception):
    """A mapping of a stack whose function's role may not read the source."""


@dataclass(frozen=True)
class Piece:
    """Records that are given to the function together."""

    records: list[dict[str, Any]]
    attempts: int
    """How often they failed before."""


def install() -> None:
    """Replace the reading of streams, and check the role where a mapping is made."""
    from ministack.core import responses
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    create = lambda_svc._create_esm
    kind = "AWS::Lambda::EventSourceMapping"
    handlers = provisioners._RESOURCE_HANDLERS[kind]

    @functools.wraps(create)
    def created(data: dict[str, Any]) -> Any:
        refused = _refusal(data)
        if refused:
            return responses.error_response_json("InvalidParameterValueException", refused, 400)
        return create(data)

    @functools.wraps(handlers["create"])
    def resource(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        refused = _refusal(properties)
        if refused:
            raise Refused(f'Resource handler returned message: "{refused} (Service: Lambda, Status Code: 400)"')
        return handlers["create"](logical_id, properties, stack)

    lambda_svc._create_esm = created
    lambda_svc._poll_dynamodb_streams = poll
    provisioners._RESOURCE_HANDLERS[kind] = {**handlers, "create": resource}


def _refusal(mapping: dict[str, Any]) -> str:
    """Why the function's role may not read the source; empty when it may."""
    from ministack.core import arn
    from ministack.services import lambda_svc

    source = str(mapping.get("EventSourceArn", ""))
    _, config, _ = lambda_svc._get_func_record_for_ref(str(mapping.get("FunctionName", "")))
    role = (config or {}).get("Role", "")
    if not source.startswith("arn:") or not role:
        return ""
    service = arn.parse_arn(source).service
    for action in _NEEDED.get(service, ()):
        if not decide(role, action, source, session="lambda").allowed:
            call = action.partition(":")[2]
            return f"The function execution role does not have permissions to call {call} on {service.upper()}"
    return ""


def poll() -> bool:
    """Give each mapping's next records to its function; whether there were any."""
    from ministack.core import responses
    from ministack.services import lambda_svc

    found = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        with responses.request_scope(account, region):
            found = _poll_one(mapping) or found
    return found


def _poll_one(mapping: dict[str, Any]) -> bool:
    from ministack.core import arn
    from ministack.services import dynamodb, lambda_svc

    source = mapping.get("EventSourceArn", "")
    found = lambda_svc._dynamodb_stream_table_from_arn_spec(arn.parse_arn(source)) if ":dynamodb:" in source else None
    if found is None or not mapping.get("Enabled", True) or lambda_svc._esm_inflight.get(mapping["UUID"], 0):
        return False
    table = dynamodb._tables.get(found[0])
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if function is None or not table or table.get("LatestStreamArn") != source:
        return False
    lambda_svc._init_stream_position(mapping["UUID"], source, mapping.get("StartingPosition", "LATEST"))
    position = max(lambda_svc._dynamodb_stream_positions[mapping["UUID"]], dynamodb.stream_start_position(found[0]))
    batch = dynamodb.stream_records_since(found[0], position, int(mapping.get("BatchSize", 100)))
    if not batch:
        return False
    lambda_svc._dispatch_esm_batch(mapping["UUID"], _work_off, mapping, function, batch, position + len(batch))
    return True


def _work_off(mapping: dict[str, Any], function: dict[str, Any], batch: list[dict[str, Any]], end: int) -> None:
    """Give the function a batch until all of it is done or given up, then move on in the stream."""
    from ministack.services import lambda_svc

    wanted = lambda_svc._apply_filter_criteria(batch, mapping)
    pieces = [Piece(wanted, 0)] if wanted else []
    while pieces and lambda_svc._esms.get(mapping["UUID"]) is mapping:
        piece = pieces.pop(0)
        result = lambda_svc._execute_function(function, {"Records": piece.records})
        first = _first_failed(piece.records, result, mapping)
        if first is None:
            continue
        mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        rest = piece.records[first:]
        if mapping.get("BisectBatchOnFunctionError") and len(rest) > 1:
            middle = len(rest) // 2
            pieces[:0] = [Piece(rest[:middle], piece.attempts), Piece(rest[middle:], piece.attempts)]
        elif _FOR_EVER != int(mapping.get("MaximumRetryAttempts", _FOR_EVER)) <= piece.attempts:
            lambda_svc._send_ddb_stream_failure_record(
                mapping, function, rest, mapping["EventSourceArn"], result, "RetryAttemptsExhausted"
            )
        else:
            time.sleep(lambda_svc._ESM_BACKOFF_SECONDS)
            pieces.insert(0, Piece(rest, piece.attempts + 1))
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = end


def _first_failed(records: list[dict[str, Any]], result: dict[str, Any], mapping: dict[str, Any]) -> int | None:
    """Index of the first record that failed; None when all are done. Lambda goes on from the lowest one reported."""
    if result.get("error"):
        return 0
    body = result.get("body")
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []) or not isinstance(body, dict):
        return None
    failures = [failure.get("itemIdentifier") for failure in body.get("batchItemFailures") or []]
    if not failures:
        return None
    known = [record["dynamodb"]["SequenceNumber"] for record in records]
    return min((known.index(name) if name in known else 0) for name in failures)
