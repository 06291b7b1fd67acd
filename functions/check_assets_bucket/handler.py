"""CloudFormation's custom resource that stands before everything else where an organisation brings its own bucket.

Everything in the stack waits for it, so that a bucket which cannot be used fails the deployment before anything is made
or changed, with the reason in the stack's events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.aws.bucket_state import read_state
from orchestrator.aws.clients import client
from orchestrator.aws.custom_resource import answer
from orchestrator.core.assets_bucket import BucketState, faults, refusal
from orchestrator.core.errors import AccessDenied, OrchestratorError, SourceGone

PHYSICAL_ID = "assets-bucket-check"

ATTEMPTS = 6
PAUSE_SECONDS = 5
"""Between attempts that are denied: the function's role is some seconds old, and IAM tells its endpoints one by one."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Check the bucket of ``ResourceProperties`` (``Bucket``, ``Account``, ``Region``, ``KeyArn``) and answer."""
    answer(event, PHYSICAL_ID, failure_of(event, lambda: client("s3"), time.sleep))


def failure_of(event: Mapping[str, Any], s3: Callable[[], Any], pause: Callable[[float], None]) -> str:
    """Why the request fails; empty when it does not. Whatever happens, CloudFormation gets an answer, and at once."""
    if event["RequestType"] == "Delete":
        return ""
    wanted = event["ResourceProperties"]
    bucket = str(wanted["Bucket"])
    try:
        state = _state(s3(), bucket, str(wanted["Account"]), pause)
    except SourceGone:
        return refusal(bucket, ["there is no bucket of this name: make it, or correct the name"])
    except AccessDenied:
        fault = (
            f"S3 does not show it to the account {wanted['Account']}: it belongs to another account, or a policy of "
            "the bucket or of the organisation denies the role mlops-function-check-assets-bucket to look at it"
        )
        return refusal(bucket, [fault])
    except OrchestratorError as error:
        return refusal(bucket, [f"it could not be checked ({error})"])
    except Exception as error:
        return refusal(bucket, [f"it could not be checked ({type(error).__name__})"])
    found = faults(bucket, state, region=str(wanted["Region"]), key_arn=str(wanted.get("KeyArn", "")))
    return refusal(bucket, found) if found else ""


def _state(s3: Any, bucket: str, owner: str, pause: Callable[[float], None]) -> BucketState:
    for _ in range(ATTEMPTS - 1):
        try:
            return read_state(s3, bucket, owner)
        except AccessDenied:
            pause(PAUSE_SECONDS)
    return read_state(s3, bucket, owner)
