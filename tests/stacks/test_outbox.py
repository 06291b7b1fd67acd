"""The outbox in the template: who empties it, how long the stream is needed, and who is told when Slack is late."""

from __future__ import annotations

import json

from stacks.grants import TABLE_ACTIONS
from tests.stacks.templates import Synthesised, of_type

FIELDS = {"OldestUnsaidSeconds": "$.oldest_unsaid_seconds", "RefusedReleases": "$.refused"}
"""Metric → field of the function's log line, which ``tests/functions/test_notify.py`` reads."""


def test_the_schedule_empties_what_the_stream_filled(synthesised: Synthesised) -> None:
    rules = of_type(synthesised.orchestrator, "AWS::Events::Rule").values()
    minutes = [one for one in rules if one.get("ScheduleExpression") == "rate(1 minute)"]
    targets = json.dumps([one["Targets"] for one in minutes])
    assert "NotifyFunction" in targets
    assert "DeleteItem" in TABLE_ACTIONS["notify"], "what was said is taken away"


def test_what_waits_and_what_is_refused_are_numbers_with_an_alarm(synthesised: Synthesised) -> None:
    filters = of_type(synthesised.orchestrator, "AWS::Logs::MetricFilter").values()
    numbers = {
        metric["MetricName"]: (metric["MetricValue"], one["FilterPattern"])
        for one in filters
        for metric in one["MetricTransformations"]
        if "Notify" in json.dumps(one["LogGroupName"])
    }
    assert numbers == {name: (field, f"{{ {field} >= 0 }}") for name, field in FIELDS.items()}
    alarms = {one["AlarmName"]: one for one in of_type(synthesised.orchestrator, "AWS::CloudWatch::Alarm").values()}
    late, refuses = alarms["mlops-SlackLate"], alarms["mlops-SlackRefuses"]
    for alarm, name, threshold in ((late, "OldestUnsaidSeconds", 600), (refuses, "RefusedReleases", 1)):
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("MlopsOrchestrator", name, threshold)
    assert late["AlarmActions"] == refuses["AlarmActions"] == alarms["mlops-NotifyFails"]["AlarmActions"]
