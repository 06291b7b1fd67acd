"""A service in the place of AWS's, behind a real client: botocore checks the parameters and makes the errors.

A subclass answers operations by methods of their snake-case names, which take the call's parameters and return the
answer. ``Refusal`` becomes the ``ClientError`` that the client raises for its code. Paginators and waiters work, as
they are made of calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


@dataclass
class Refusal(Exception):
    """The service says no."""

    code: str
    message: str = ""
    status: int = 400
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the error, such as ``OriginalStatusCode``."""


class ServiceDouble:
    """See the module. ``calls`` remembers every operation with its parameters."""

    service: str

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusals: dict[str, list[Exception]] = {}
        """By operation: raised, one a call, in the place of an answer."""
        self.lost: dict[str, list[Exception]] = {}
        """By operation: raised, one a call, after it has had its effect: the acknowledgement is lost."""

    def client(self, service: str = "") -> Any:
        """A client whose calls come here."""
        made = boto3.client(  # type: ignore[call-overload]
            service or self.service,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        made.meta.events.register("provide-client-params", self._remember)
        made.meta.events.register("before-call", self._answer)
        return made

    def made(self, operation: str) -> list[dict[str, Any]]:
        """Parameters of every call of an operation."""
        return [given for name, given in self.calls if name == operation]

    def _remember(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["given"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        operation, given = xform_name(model.name), context["given"]
        self.calls.append((operation, given))
        try:
            if self.refusals.get(operation):
                raise self.refusals[operation].pop(0)
            method: Callable[..., dict[str, Any]] = getattr(self, operation)
            answer = method(**given)
            if self.lost.get(operation):
                raise self.lost[operation].pop(0)
        except Refusal as refusal:
            error = {"Error": {"Code": refusal.code, "Message": refusal.message}, **refusal.more}
            return _http(refusal.status), error | {"ResponseMetadata": {"HTTPStatusCode": refusal.status}}
        return _http(200), answer | {"ResponseMetadata": {"HTTPStatusCode": 200}}


def _http(status: int) -> AWSResponse:
    return AWSResponse("https://aws.test", status, HTTPHeaders(), None)
