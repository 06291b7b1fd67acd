"""cdk-nag's AwsSolutions rules: no error, and few findings left as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from tests.stacks.templates import ROOT, app_of, settings_of
from tests.stacks.wildcards import REVIEWED

MOST = 10
WILDCARD = re.compile(r"AwsSolutions-IAM5\[(?:Resource|Action)::(.*)]")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("nag")
    app = app_of(settings_of("multi"), folder)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:  # findings end the synthesis after the report is written
        assert "ValidationFailed" in str(error)  # noqa: PT017
    found: Mapping[str, Any] = json.loads((folder / "validation-report.json").read_text())["pluginReports"][0]
    return found


def test_nothing_is_found_but_wildcards_that_have_been_reviewed(report: Mapping[str, Any]) -> None:
    accounts = re.compile(r"\b(\d)\1{11}\b")
    reviewed = {accounts.sub("<account>", entry.resource) for entries in REVIEWED.values() for entry in entries}
    found = {violation["ruleName"] for violation in report["violations"]}

    wildcards = {rule: matched[1] for rule in found if (matched := WILDCARD.fullmatch(rule))}
    unreviewed = {
        rule
        for rule, resource in wildcards.items()
        if accounts.sub("<account>", re.sub(r"<(\w+?)[0-9A-F]{8}\.", r"<\1.", resource)) not in reviewed
    }

    assert found - set(wildcards) == set()
    assert unreviewed == set()


def test_few_findings_are_left_as_they_are_each_with_its_reason(report: Mapping[str, Any]) -> None:
    left = {(found["ruleName"], found["reason"]) for found in report["suppressedViolations"]}

    assert 0 < len(left) <= MOST
    assert all(len(reason) > 20 for _, reason in left)


def test_nothing_is_acknowledged_that_is_not_found(report: Mapping[str, Any]) -> None:
    said = {
        rule
        for path in (ROOT / "stacks").glob("*.py")
        for rule in re.findall(r'"(AwsSolutions-[A-Z0-9]+)', path.read_text())
    }

    assert said == {found["ruleName"].split("[")[0] for found in report["suppressedViolations"]}
