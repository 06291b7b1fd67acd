"""Messages and views as the product would send them."""

from __future__ import annotations

import time
from typing import Any

Json = dict[str, Any]

QUESTION = "Approve release fraud-detector-1a2b3c to staging?"


def button(action_id: str, text: str, value: str = "ap-1", **more: Any) -> Json:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text},
        "value": value,
        **more,
    }


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def approval_blocks() -> list[Json]:
    """A whole approval: header, fields, changes, parameters, context, buttons."""
    expires = int(time.time()) + 4 * 3600
    return [
        {"type": "header", "text": plain(QUESTION)},
        {
            "type": "section",
            "fields": [
                mrkdwn("*Workload*\nfraud-detector (byom_realtime_builtin)"),
                mrkdwn("*Asked by*\n<@U0ANA>"),
                mrkdwn("*Stage*\ndev → *staging*"),
                mrkdwn("*Needs*\n1 ML owner and 1 risk officer"),
            ],
        },
        {
            "type": "section",
            "text": mrkdwn(
                "*What would change*\n"
                ":heavy_plus_sign: `AWS::SageMaker::Model` FraudModel\n"
                ":arrows_counterclockwise: `AWS::SageMaker::EndpointConfig` FraudEndpointConfig (replaced)\n"
                ":pencil2: `AWS::SageMaker::Endpoint` FraudEndpoint (no interruption)\n"
                ":heavy_minus_sign: `AWS::CloudWatch::Alarm` OldLatencyAlarm"
            ),
            "accessory": {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": plain("Show the change set"), "value": "changes"},
                    {"text": plain("Why am I asked?"), "value": "why"},
                ],
            },
        },
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": t} for t in ("Parameter", "Now", "After")],
                [{"type": "raw_text", "text": t} for t in ("InstanceType", "ml.m5.large", "ml.m5.xlarge")],
                [{"type": "raw_text", "text": t} for t in ("InstanceCount", "1", "2")],
                [{"type": "raw_text", "text": t} for t in ("ModelDigest", "9f31c07e", "4be2a7d1")],
            ],
            "column_settings": [{"align": "left"}, {"align": "left"}, {"align": "left"}],
        },
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                mrkdwn(f":hourglass_flowing_sand: Expires <!date^{expires}^{{date_short_pretty}} at {{time}}|later>"),
                mrkdwn(":lock: Bound to digest `4be2a7d1`"),
                mrkdwn("<https://example.com/audit|Audit trail>"),
            ],
        },
        {
            "type": "actions",
            "block_id": "decide",
            "elements": [
                button("approve", "Approve", style="primary", accessibility_label="Approve fraud-detector to staging"),
                button("reject", "Reject…", style="danger", accessibility_label="Reject fraud-detector to staging"),
                button("comment", "Comment"),
            ],
        },
    ]


def reject_view() -> Json:
    """The dialog that asks why."""
    return {
        "type": "modal",
        "callback_id": "reject",
        "private_metadata": "ap-1",
        "title": plain("Reject this release"),
        "submit": plain("Reject"),
        "close": plain("Keep waiting"),
        "notify_on_close": True,
        "blocks": [
            {"type": "section", "text": mrkdwn("*fraud-detector-1a2b3c* will not reach staging.")},
            {
                "type": "input",
                "block_id": "reason",
                "label": plain("Reason"),
                "hint": plain("The requester and the audit trail will show it."),
                "element": {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 500},
            },
            {
                "type": "input",
                "block_id": "kind",
                "optional": True,
                "label": plain("Kind of problem"),
                "element": {
                    "type": "static_select",
                    "action_id": "pick",
                    "placeholder": plain("Choose one"),
                    "options": [
                        {"text": plain("Model quality"), "value": "quality"},
                        {"text": plain("Cost"), "value": "cost"},
                    ],
                },
            },
        ],
    }
