"""Endpoints that answer: deployed from the model's data in S3, updated in place, asked by InvokeEndpoint.

An endpoint is Creating or Updating while its model is loaded, then InService or Failed, as on AWS; an update that
fails leaves the old model serving. Only the first production variant and its first container are served.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from local.cloud.faults import FAULTS
from local.cloud.sagemaker import backend, model_data
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.served import NotServing, Prediction, ServedModel

_LOG = logging.getLogger("local.cloud.sagemaker")

HOLD_SECONDS = 0.1
"""How often a held endpoint looks whether it may settle."""

Key = tuple[str, str, str]
"""Account, region, name of an endpoint."""


@dataclass
class Endpoint:
    """One endpoint, as it serves."""

    status: str
    config: str
    reason: str = ""
    variant: str = ""
    model: ServedModel | None = None
    settled: threading.Event = field(default_factory=threading.Event)
    """Set once the endpoint is no longer Creating or Updating."""


@dataclass(frozen=True)
class Ready:
    """A model that has been loaded for a variant."""

    variant: str
    model: ServedModel


_endpoints: dict[Key, Endpoint] = {}
_lock = threading.Lock()


def describe(key: Key) -> Endpoint | None:
    """The endpoint as it stands; None when there is none."""
    with _lock:
        found = _endpoints.get(key)
        return replace(found) if found else None


def create(key: Key, config: str) -> threading.Event:
    """Begin to deploy a new endpoint; the event is set when it has settled."""
    endpoint = Endpoint("Creating", config)
    with _lock:
        _endpoints[key] = endpoint
    threading.Thread(target=_deploy, args=(key, endpoint, config), daemon=True).start()
    return endpoint.settled


def update(key: Key, config: str) -> threading.Event:
    """Begin to deploy another configuration in place of the present one."""
    with _lock:
        endpoint = _endpoints[key]
        if endpoint.status in {"Creating", "Updating"}:
            raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{key[2]}".')
        endpoint.status, endpoint.reason, endpoint.settled = "Updating", "", threading.Event()
    threading.Thread(target=_deploy, args=(key, endpoint, config), daemon=True).start()
    return endpoint.settled


def delete(key: Key) -> None:
    """End an endpoint."""
    with _lock:
        endpoint = _endpoints.pop(key, None)
    if endpoint is not None and endpoint.model is not None:
        endpoint.model.stop()


def reset() -> None:
    """End every endpoint."""
    for key in list(_endpoints):
        delete(key)


def invoke(key: Key, body: bytes, content_type: str, accept: str) -> tuple[Prediction, str]:
    """Ask an endpoint; the prediction and the variant that made it."""
    endpoint = describe(key)
    if endpoint is None:
        raise ApiError("ValidationError", f"Endpoint {key[2]} of account {key[0]} not found.")
    if endpoint.model is None:
        raise ApiError("ValidationError", f"Endpoint {key[2]} of account {key[0]} is not in service.")
    return endpoint.model.predict(body, content_type, accept), endpoint.variant


def _deploy(key: Key, endpoint: Endpoint, config: str) -> None:
    from ministack.core import responses

    updates = endpoint.model is not None
    while not FAULTS.endpoints_settle:
        time.sleep(HOLD_SECONDS)
    try:
        with responses.request_scope(key[0], key[1]):
            ready = _load(key, config)
    except Exception as problem:
        if not isinstance(problem, NotServing | ApiError | model_data.Unreadable):
            _LOG.exception("endpoint %s", key)
        with _lock:
            endpoint.reason = str(problem)
            endpoint.status = "InService" if updates else "Failed"
        endpoint.settled.set()
        return
    with _lock:
        former, endpoint.model = endpoint.model, ready.model
        endpoint.variant, endpoint.config, endpoint.status = ready.variant, config, "InService"
        gone = _endpoints.get(key) is not endpoint
    for model in (former, ready.model if gone else None):
        if model is not None:
            model.stop()
    endpoint.settled.set()


def _load(key: Key, config: str) -> Ready:
    account, region, name = key
    variant: dict[str, Any] = backend.call(account, region, "DescribeEndpointConfig", EndpointConfigName=config)[
        "ProductionVariants"
    ][0]
    model = backend.call(account, region, "DescribeModel", ModelName=variant["ModelName"])
    container = model_data.containers(model)[0]
    archive = model_data.read(model_data.location(container), model["ExecutionRoleArn"], region)
    try:
        served = ServedModel(archive, container.get("Environment") or {}, f"endpoint {name} of {account}")
    except NotServing as problem:
        raise NotServing(
            f"The primary container for production variant {variant['VariantName']} did not pass the ping health "
            f"check. Please check CloudWatch logs for this endpoint. ({problem})"
        ) from problem
    return Ready(variant["VariantName"], served)
