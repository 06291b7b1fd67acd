"""VerifyDev, VerifyStaging, VerifyProd: is what was deployed in service, and does it answer its sample?"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.errors import VerificationFailed
from orchestrator.core.ports import Accounts, Clock, Objects, Store
from orchestrator.core.records import StageRecord, StageStatus, Status
from orchestrator.core.steps.progress import move, move_stage, release_of, stage_of
from orchestrator.core.steps.released import ReleasedPackage, released_package
from orchestrator.core.steps.turns import check_turn

SHOWN = 300
"""Characters of a wrong answer that are shown."""


def verify_stage(
    release_id: str,
    stage: str,
    *,
    store: Store,
    objects: Objects,
    accounts: Accounts,
    packages_bucket: str,
    now: Clock,
) -> dict[str, object]:
    """Check the stage as the workload type and the configuration say; raises ``VerificationFailed``."""
    if release_of(store, release_id).removes:
        return {"outcome": "removed", "note": ""}  # CloudFormation has said that the stack is gone
    release = move(store, release_id, now, Status.VERIFYING, stage=stage)
    check_turn(store, release)
    record = stage_of(store, release_id, stage, now)
    package = released_package(release, objects, packages_bucket)
    note = ""
    if package.endpoint_output:
        note = _verify_endpoint(record, package, objects, accounts)
    move_stage(store, record, now, lambda current: replace(current, status=StageStatus.VERIFIED, note=note))
    return {"outcome": "verified", "note": note}


def _verify_endpoint(record: StageRecord, package: ReleasedPackage, objects: Objects, accounts: Accounts) -> str:
    outputs = dict(record.outputs)
    endpoint = outputs.get(package.endpoint_output, "")
    if not endpoint:
        raise VerificationFailed(f"the stack in {record.stage} has no output {package.endpoint_output!r}")
    endpoints = accounts.endpoints(record.stage)
    status, reason = endpoints.status(endpoint)
    if status != "InService":
        raise VerificationFailed(f"endpoint {endpoint} in {record.stage} is {status}, not InService. {reason}".strip())
    sample = package.sample
    if sample is None:
        return f"Endpoint {endpoint} is in service."
    body = objects.read(sample.bucket, sample.key, sample.version_id)
    answer = endpoints.invoke(endpoint, body, sample.content_type, sample.timeout_seconds)
    if answer is None:
        raise VerificationFailed(
            f"endpoint {endpoint} in {record.stage} did not answer the sample within "
            f"{sample.timeout_seconds} s (verify.timeout_seconds)"
        )
    if answer.status != sample.expect_status:
        shown = answer.body[:SHOWN].decode("utf-8", "replace")
        raise VerificationFailed(
            f"endpoint {endpoint} in {record.stage} answered the sample with status {answer.status} "
            f"instead of {sample.expect_status}: {shown}"
        )
    return f"Endpoint {endpoint} is in service and answered the sample with status {answer.status}."
