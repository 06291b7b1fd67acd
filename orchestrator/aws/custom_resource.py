"""The answer to CloudFormation that a custom resource waits for (CloudFormation User Guide, "Custom resources").

It is put to an address that is a secret for as long as it is good: whoever has it may answer. It is never logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_REASON = 3_000
"""Characters of a reason: the whole answer may have 4,096 bytes."""

SECONDS = 30


def answer(event: Mapping[str, Any], physical_id: str, failure: str = "") -> None:
    """Answer a request: done, or failed for this reason, which CloudFormation shows in the stack's events."""
    from urllib.request import Request, urlopen

    body = {
        "Status": "FAILED" if failure else "SUCCESS",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        **({"Reason": failure[:MAX_REASON]} if failure else {}),
    }
    request = Request(  # noqa: S310 - the address comes from CloudFormation, the only one who may invoke the function
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        # The address is signed for a request without a content type; urllib would add one.
        headers={"Content-Type": ""},
    )
    with urlopen(request, timeout=SECONDS):  # noqa: S310 - as above
        pass
