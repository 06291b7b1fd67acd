"""Whether an organisation's own bucket can be the assets bucket: decided from what S3 says of it.

Releases pin every asset to its version, start on the bucket's events, and are told of them in one region, so a bucket
that lacks one of these would take uploads and release nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BucketState:
    """What S3 says of a bucket of this account."""

    region: str
    versioning: str
    """``Enabled``, ``Suspended``, or empty where it never was on."""
    notifies_event_bridge: bool
    key: str = ""
    """KMS key of the organisation's that new objects are encrypted with: id, ARN or alias; empty: S3's or AWS's own."""


def faults(name: str, state: BucketState, *, region: str, key_arn: str) -> list[str]:
    """What is missing, each with its remedy; empty when the bucket will do.

    ``region`` is the installation's; ``key_arn`` the key that the settings name, or empty.
    """
    found = []
    if state.region != region:
        found.append(
            f"it lies in {state.region}, the installation in {region}: name a bucket in {region}, or install there"
        )
    if state.versioning != "Enabled":
        found.append(
            f"its versioning is {'suspended' if state.versioning == 'Suspended' else 'off'}, and a release pins "
            f"versions: aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled"
        )
    if not state.notifies_event_bridge:
        found.append(
            "it sends no events to EventBridge, so that no upload would start a release: turn Amazon EventBridge on "
            "in the bucket's properties, under Event notifications"
        )
    if state.key and not _is(state.key, key_arn):
        named = f"names {key_arn}" if key_arn else "is not set"
        found.append(
            f"its objects are encrypted with {state.key}, but existing_assets_bucket_key {named}, so that nothing "
            "could be read: write the ARN of that key there"
        )
    return found


def refusal(name: str, found: Sequence[str]) -> str:
    """All faults in one text, as CloudFormation shows it."""
    return f"The bucket {name} of existing_assets_bucket cannot be used: {'; '.join(found)}."


def _is(key: str, arn: str) -> bool:
    """Whether an id, an ARN or an alias may be the key of this ARN; which key an alias means S3 does not say."""
    alias = key.startswith("alias/") or ":alias/" in key
    return bool(arn) and (alias or key == arn or arn.endswith(f":key/{key}"))
