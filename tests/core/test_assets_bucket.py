"""What an existing bucket must have, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.assets_bucket import BucketState, faults, refusal

GOOD = BucketState(region="eu-central-1", versioning="Enabled", notifies_event_bridge=True)
KEY_ID = "1a2b3c4d-0000-1111-2222-333344445555"
KEY = f"arn:aws:kms:eu-central-1:111122223333:key/{KEY_ID}"


def found(state: BucketState, key_arn: str = "") -> list[str]:
    return faults("uploads", state, region="eu-central-1", key_arn=key_arn)


@pytest.mark.parametrize(
    ("changed", "key_arn", "told"),
    [
        pytest.param({}, "", [], id="good"),
        pytest.param({}, KEY, [], id="good, with a key for older objects"),
        pytest.param({"region": "us-east-1"}, "", ["lies in us-east-1, the installation in eu-"], id="region"),
        pytest.param({"versioning": ""}, "", ["its versioning is off"], id="never versioned"),
        pytest.param({"versioning": "Suspended"}, "", ["its versioning is suspended"], id="no longer versioned"),
        pytest.param({"notifies_event_bridge": False}, "", ["it sends no events to EventBridge"], id="no events"),
        pytest.param({"key": KEY}, "", ["existing_assets_bucket_key is not set"], id="key not named"),
        pytest.param({"key": KEY}, KEY, [], id="key named"),
        pytest.param({"key": KEY_ID}, KEY, [], id="key by its id"),
        pytest.param({"key": "alias/uploads"}, KEY, [], id="key by an alias"),
        pytest.param({"key": "alias/uploads"}, "", ["encrypted with alias/uploads"], id="alias, key not named"),
        pytest.param({"key": KEY.replace("1a2b", "9f9f")}, KEY, [f"names {KEY}"], id="another key"),
        pytest.param(
            {"region": "us-east-1", "versioning": "", "notifies_event_bridge": False, "key": KEY},
            "",
            ["it lies in", "its versioning", "no events", "encrypted with"],
            id="everything at once",
        ),
    ],
)
def test_what_is_missing_is_told_with_its_remedy(changed: dict[str, Any], key_arn: str, told: list[str]) -> None:
    sentences = found(replace(GOOD, **changed), key_arn)

    assert len(sentences) == len(told)
    assert all(part in sentence for part, sentence in zip(told, sentences, strict=True))


def test_versioning_comes_with_the_command_that_turns_it_on() -> None:
    (sentence,) = found(replace(GOOD, versioning=""))

    assert "aws s3api put-bucket-versioning --bucket uploads --versioning-configuration Status=Enabled" in sentence


def test_one_text_names_bucket_and_setting() -> None:
    told = refusal("uploads", ["one", "two"])

    assert told == "The bucket uploads of existing_assets_bucket cannot be used: one; two."
