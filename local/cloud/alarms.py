"""CloudWatch alarms: what IAM is asked about a list of them, and which changes replace one."""

from __future__ import annotations

import functools
from typing import Any

from local.cloud import resource_schemas
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
)

TYPE = "AWS::CloudWatch::Alarm"


def install() -> None:
    """A list of alarms is decided on all of the account's, as AWS does, not on ``*``."""
    from ministack.core import iam_actions, responses
    from ministack.services.cloudformation import provisioners

    extract = iam_actions.extract_resource_arn

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        arn = str(extract(service, method, path, headers, body, *more, **named))
        told = (path, headers.get("x-amz-target", ""), body[:2048].decode("utf-8", "replace"))
        if service == "monitoring" and arn == "*" and any("DescribeAlarms" in part for part in told):
            return f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:*"
        return arn

    iam_actions.extract_resource_arn = extracted
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "AlarmName"}
