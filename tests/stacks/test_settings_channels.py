"""The settings `channels` and `direct_messages`: every mistake is told with its place."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.installation import ChannelRoute, Installation
from stacks.settings import parse
from stacks.settings_channels import MOST
from tests.stacks.test_settings import given, problems

FRAUD = {"workloads": ["fraud-*", "aml-[12]-realtime"], "channel": "fraud-team"}
TRAINING = {"workloads": ["*"], "types": ["model_training_builtin"], "channel": "C0123456789"}
ALL = {"workloads": ["*"], "channel": "everything"}


def test_they_are_part_of_the_installation() -> None:
    found = parse(given(channels=[FRAUD, TRAINING, ALL], direct_messages=False)).installation
    assert found.channels == (
        ChannelRoute(("fraud-*", "aml-[12]-realtime"), "fraud-team"),
        ChannelRoute(("*",), "C0123456789", ("model_training_builtin",)),
        ChannelRoute(("*",), "everything"),
    )
    assert found.direct_messages is False
    assert Installation.from_json(found.to_json()) == found


def test_without_them_everything_is_told_in_the_one_channel_and_in_direct_messages() -> None:
    found = parse(given()).installation
    assert (found.channels, found.direct_messages) == ((), True)


@pytest.mark.parametrize(
    ("route", "path", "words"),
    [
        pytest.param("fraud-team", "", "Write an object", id="a name alone"),
        pytest.param({"channel": "x"}, ".workloads", "names no workload", id="without workloads"),
        pytest.param({**FRAUD, "workloads": []}, ".workloads", '["fraud-*"]', id="no workload"),
        pytest.param({**FRAUD, "workloads": "fraud-*"}, ".workloads", "Write a list", id="one pattern alone"),
        pytest.param({**FRAUD, "workloads": ["fraud detector"]}, ".workloads[0]", "a pattern of names", id="a space"),
        pytest.param({**FRAUD, "workloads": ["a", "fraud-[12"]}, ".workloads[1]", "its other half", id="open bracket"),
        pytest.param({**FRAUD, "workloads": ["fraud-]"]}, ".workloads[0]", "its other half", id="closed bracket"),
        pytest.param({**FRAUD, "workloads": ["fraud-[]"]}, ".workloads[0]", "its other half", id="empty set"),
        pytest.param({"workloads": ["*"]}, ".channel", "is missing", id="without channel"),
        pytest.param({**FRAUD, "channel": "#fraud"}, ".channel", 'without "#"', id="channel with #"),
        pytest.param({**FRAUD, "channel": "Fraud Team"}, ".channel", "or its id", id="a channel's title"),
        pytest.param({**FRAUD, "types": ["byom_realtime_buildin"]}, ".types[0]", "byom_realtime_builtin", id="type"),
        pytest.param({**FRAUD, "stages": ["prod"]}, ".stages", "is no setting", id="stages"),
        pytest.param({**FRAUD, "chanel": "x"}, ".chanel", 'Did you mean "channel"?', id="misspelt"),
    ],
)
def test_a_mistake_is_told_with_its_place(route: Any, path: str, words: str) -> None:
    found = problems(given(channels=[TRAINING, route]))
    assert any(where == f"$.channels[1]{path}" and words in sentence for where, sentence in found), found


def test_a_route_that_is_never_reached() -> None:
    ((where, sentence),) = problems(given(channels=[ALL, FRAUD]))
    assert (where, "never reached" in sentence) == ("$.channels[1]", True)


def test_too_many() -> None:
    found = problems(given(channels=[{**FRAUD, "workloads": [f"w{n}"]} for n in range(MOST + 1)]))
    assert [where for where, _ in found] == ["$.channels"]


def test_direct_messages_are_true_or_false() -> None:
    ((where, sentence),) = problems(given(direct_messages="yes"))
    assert (where, "Write true or false." in sentence) == ("$.direct_messages", True)
