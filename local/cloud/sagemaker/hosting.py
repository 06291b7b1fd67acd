"""Endpoints that answer: deployed from the model's data in S3, updated in place, asked by InvokeEndpoint.

An endpoint is Creating or Updating while its model is loaded, then InService or Failed, as on AWS; an update that
fails leaves the old model serving, and one that is rolled out in steps shares the traffic with it (``deployment``).
Only the first production variant and its first container are served.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from local.cloud.faults import FAULTS
from local.cloud.sagemaker import backend, deployment, model_data, models
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.served import NotServing, Prediction, ServedModel

_LOG = logging.getLogger("local.cloud.sagemaker")

HOLD_SECONDS = 0.1
"""How often a held endpoint looks whether it may settle."""

IN_PROGRESS = frozenset({"Creating", "Updating"})

Key = tuple[str, str, str]
"""Account, region, name of an endpoint."""


@dataclass(frozen=True)
class Fleet:
    """What serves one configuration: a loaded model of its first variant."""

    variant: str
    model: ServedModel
    role: str
    """The model's execution role."""
    instances: int


@dataclass
class Endpoint:
    """One endpoint, as it serves."""

    status: str
    config: str
    reason: str = ""
    serving: Fleet | None = None
    arriving: Fleet | None = None
    """The fleet of an update that gets a share of the traffic."""
    share: float = 0.0
    """Of the traffic to ``arriving``, 0 to 1."""
    asked: float = 0.0
    settled: threading.Event = field(default_factory=threading.Event)
    """Set once the endpoint is no longer Creating or Updating."""

    def fleet(self) -> Fleet | None:
        """The fleet that answers the next request; requests are spread evenly, not by chance."""
        if self.arriving is None:
            return self.serving
        before, self.asked = self.asked, self.asked + self.share
        return self.arriving if int(self.asked) > int(before) else self.serving


_endpoints: dict[Key, Endpoint] = {}
_lock = threading.Lock()


def describe(key: Key) -> Endpoint | None:
    """The endpoint as it stands; None when there is none."""
    with _lock:
        found = _endpoints.get(key)
        return replace(found) if found else None


def variant(account: str, region: str, name: str, variant_name: str) -> dict[str, Any] | None:
    """A production variant of an endpoint's present configuration; None when there is none."""
    found = describe((account, region, name))
    if found is None:
        return None
    config = models.config(account, region, found.config)
    return next((v for v in config.fields["ProductionVariants"] if v["VariantName"] == variant_name), None)


def create(key: Key, config: str) -> threading.Event:
    """Begin to deploy a new endpoint; the event is set when it has settled."""
    endpoint = Endpoint("Creating", config)
    with _lock:
        _endpoints[key] = endpoint
    threading.Thread(target=_deploy, args=(key, endpoint, config, {}), daemon=True).start()
    return endpoint.settled


def update(key: Key, config: str, how: dict[str, Any]) -> threading.Event:
    """Begin to deploy another configuration in place of the present one; ``how``: the deployment configuration."""
    with _lock:
        endpoint = _endpoints[key]
        if endpoint.status in IN_PROGRESS:
            raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{_arn(key)}".')
        endpoint.status, endpoint.reason, endpoint.settled = "Updating", "", threading.Event()
    threading.Thread(target=_deploy, args=(key, endpoint, config, how), daemon=True).start()
    return endpoint.settled


def delete(key: Key) -> None:
    """End an endpoint."""
    with _lock:
        endpoint = _endpoints.pop(key, None)
    if endpoint is not None and endpoint.serving is not None:
        endpoint.serving.model.stop()


def reset() -> None:
    """End every endpoint."""
    for key in list(_endpoints):
        delete(key)


def invoke(key: Key, body: bytes, content_type: str, accept: str) -> tuple[Prediction, str]:
    """Ask an endpoint; the prediction and the variant that made it."""
    with _lock:
        endpoint = _endpoints.get(key)
        fleet = endpoint.fleet() if endpoint is not None else None
    if endpoint is None:
        raise ApiError("ValidationError", f"Endpoint {key[2]} of account {key[0]} not found.")
    if fleet is None:
        raise ApiError("ValidationError", f"Endpoint {key[2]} of account {key[0]} is not in service.")
    return fleet.model.predict(body, content_type, accept), fleet.variant


def _deploy(key: Key, endpoint: Endpoint, config: str, how: dict[str, Any]) -> None:
    from ministack.core import responses

    updates = endpoint.serving is not None
    while not FAULTS.endpoints_settle:
        time.sleep(HOLD_SECONDS)
    ready = None
    try:
        with responses.request_scope(key[0], key[1]):
            ready = _load(key, config)
            if updates:
                _shift(endpoint, ready, how)
    except Exception as problem:
        if not isinstance(problem, NotServing | ApiError | model_data.Unreadable | deployment.RolledBack):
            _LOG.exception("endpoint %s", key)
        with _lock:
            endpoint.arriving, endpoint.share = None, 0.0
            endpoint.reason = str(problem)
            endpoint.status = "InService" if updates else "Failed"
        if ready is not None:
            ready.model.stop()
        endpoint.settled.set()
        return
    with _lock:
        former, endpoint.serving, endpoint.arriving = endpoint.serving, ready, None
        endpoint.config, endpoint.status = config, "InService"
        gone = _endpoints.get(key) is not endpoint
    for fleet in (former, ready if gone else None):
        if fleet is not None:
            fleet.model.stop()
    endpoint.settled.set()


def _shift(endpoint: Endpoint, ready: Fleet, how: dict[str, Any]) -> None:
    """Send more and more of the traffic to the new fleet; raises RolledBack."""
    deployment.bake(how, 0, ready.role)
    for share, seconds in deployment.shifts(how, ready.instances):
        with _lock:
            endpoint.arriving, endpoint.share = ready, share
        deployment.bake(how, seconds, ready.role)


def _load(key: Key, config: str) -> Fleet:
    account, region, name = key
    variant: dict[str, Any] = models.config(account, region, config).fields["ProductionVariants"][0]
    model = models.model(account, region, variant["ModelName"])
    role = model.fields["ExecutionRoleArn"]
    container = models.containers(model)[0]
    archive = model_data.read(model_data.location(container), role, region)
    try:
        served = ServedModel(archive, container.get("Environment") or {}, f"endpoint {name} of {account}")
    except NotServing as problem:
        raise NotServing(
            f"The primary container for production variant {variant['VariantName']} did not pass the ping health "
            f"check. Please check CloudWatch logs for this endpoint. ({problem})"
        ) from problem
    return Fleet(variant["VariantName"], served, role, variant.get("InitialInstanceCount") or 1)


def _arn(key: Key) -> str:
    return backend.arn(key[0], key[1], "endpoint", key[2])
