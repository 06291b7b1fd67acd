"""Block Kit as Slack's own TypeScript types have it, as JSON Schema: a third net beside ours and slack_sdk's models.

The types know every block, element and field, but no length, count or uniqueness: those are in ``local/slack``. The
schema is generated from the npm package ``@slack/types``; ``python -m tests.slack_page.slack_types`` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema

SCHEMA = Path(__file__).with_name("schema.json")

TYPES, GENERATOR = "@slack/types@3.2.0", "ts-json-schema-generator@2.4.0"
"""npm packages, by which the schema is made."""


@cache
def _validator(name: str) -> Callable[[Any], object]:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": definitions}
    checked: Callable[[Any], object] = fastjsonschema.compile({**schema, "$ref": f"#/definitions/{name}"})
    return checked


def problem(kind: str, value: Any) -> str:
    """Why ``value`` is no ``Message``, ``Modal`` or ``Home`` by Slack's types; empty where it is."""
    try:
        _validator(kind)(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error)[:300]
    return ""
