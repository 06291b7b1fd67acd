"""cfn-lint over templates that a test has made: its rules are read once, which takes longer than most templates do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.match import Match
from cfnlint.rules._rules import Rules
from cfnlint.runner import Runner, run_template_by_data


def findings(template: Mapping[str, Any]) -> list[tuple[Match, str]]:
    """What cfn-lint says of a template in us-east-1, each with the line of the template's JSON that it speaks of."""
    text = json.dumps(template, indent=1)
    lines = text.splitlines()
    decoded, errors = decode_str(text)
    matches = errors if decoded is None else run_template_by_data(decoded, _settings(), _rules())
    return [(match, lines[match.linenumber - 1].strip()) for match in matches]


def _settings() -> ConfigMixIn:
    return ConfigMixIn(regions=["us-east-1"])


@cache
def _rules() -> Rules:
    return Runner(_settings()).rules
