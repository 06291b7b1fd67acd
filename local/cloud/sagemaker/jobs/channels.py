"""Input channels of training jobs, read from S3 into one CSV each."""

from __future__ import annotations

import gzip
from typing import Any

from local.cloud.sagemaker.jobs import storage
from local.cloud.sagemaker.jobs.access import Role

TRAIN, VALIDATION = "train", "validation"


def csv_files(role: Role, channels: list[dict[str, Any]]) -> dict[str, bytes]:
    """``train.csv`` and ``validation.csv`` of the channels with those names; raises Unusable.

    Every channel is read, also those that the algorithm here does not use: what the job names must be readable.
    """
    found: dict[str, bytes] = {}
    for channel in channels:
        data = content(role, channel)
        name = channel["ChannelName"]
        if name in {TRAIN, VALIDATION}:
            found[f"{name}.csv"] = data
    return found


def content(role: Role, channel: dict[str, Any]) -> bytes:
    """All objects of a channel, one after another; raises Unusable."""
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise storage.Unusable(f"The embedded cloud reads channel {channel['ChannelName']} from S3 only")
    parts = []
    for found in storage.listed(role, source["S3Uri"], source["S3DataType"]):
        data = storage.read(role, found.uri)
        if channel.get("CompressionType") == "Gzip":
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError) as problem:
                raise storage.Unusable(f"{found.uri} is not compressed with gzip ({problem})") from problem
        parts.append(data if data.endswith(b"\n") or not data else data + b"\n")
    return b"".join(parts)


def are_csv(channels: list[dict[str, Any]]) -> bool:
    """Whether training and validation data are said to be CSV."""
    used = [channel for channel in channels if channel["ChannelName"] in {TRAIN, VALIDATION}]
    kinds = {str(channel.get("ContentType", "")).partition(";")[0].strip().lower() for channel in used}
    return bool(used) and kinds <= {"csv", "text/csv"}
