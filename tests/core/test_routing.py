"""Which channel a release is told in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.installation import ChannelRoute, Installation
from orchestrator.core.records import Status
from orchestrator.core.routing import every_channel, own_channel
from tests.fakes.memory_world import installation
from tests.slack_app import samples

ROUTES = (
    ChannelRoute(("fraud-*", "aml-?-realtime"), "fraud-team"),
    ChannelRoute(("*",), "training", ("model_training_builtin", "model_tuner_builtin")),
    ChannelRoute(("churn-realtime",), "C0CHURN00"),
)
SETTINGS = replace(installation(), channels=ROUTES)


@pytest.mark.parametrize(
    ("workload", "kind", "configured", "channel"),
    [
        ("fraud-detector-realtime", "byom_realtime_builtin", "", "fraud-team"),
        ("aml-2-realtime", "byom_realtime_builtin", "", "fraud-team"),
        ("aml-22-realtime", "byom_realtime_builtin", "", ""),
        ("fraud-detector-training", "model_training_builtin", "", "fraud-team"),
        ("churn-training", "model_training_builtin", "", "training"),
        ("churn-realtime", "byom_realtime_builtin", "", "C0CHURN00"),
        ("Fraud-detector", "byom_realtime_builtin", "", ""),
        ("fraud-detector-realtime", "byom_realtime_builtin", "#my-own", "#my-own"),
        ("fraud-files/mlops-config.json", "", "", ""),
    ],
)
def test_the_configurations_own_then_the_first_that_fits(
    workload: str, kind: str, configured: str, channel: str
) -> None:
    release = samples.release(Status.REQUESTED, workload=workload, workload_type=kind, channel=configured)
    assert own_channel(release, SETTINGS) == channel


def test_every_channel_is_named_once() -> None:
    again = replace(SETTINGS, channels=(*ROUTES, ChannelRoute(("x",), "ml-releases")))
    assert every_channel(again) == ("ml-releases", "fraud-team", "training", "C0CHURN00")


def test_settings_of_an_older_version_have_no_routes() -> None:
    assert Installation.from_json(SETTINGS.to_json()) == SETTINGS
    raw = json.loads(SETTINGS.to_json())
    del raw["channels"], raw["direct_messages"]
    older = Installation.from_json(json.dumps(raw))
    assert (older.channels, older.direct_messages) == ((), True)
