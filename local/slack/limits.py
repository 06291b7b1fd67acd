"""Slack's published limits, in characters, items or seconds.

Source: docs.slack.dev, reference/block-kit and reference/methods.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
MESSAGE_TEXT: Final = 40_000
ATTACHMENTS: Final = 100
IDENTIFIER: Final = 255  # block_id, action_id, callback_id, external_id
HEADER: Final = 150
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
FIELD_TEXT: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
URL: Final = 3_000
ALT_TEXT: Final = 2_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
OPTIONS: Final = 100
CHOICES: Final = 10  # radio buttons and check boxes
OVERFLOW_OPTIONS: Final = 5
PLACEHOLDER: Final = 150
INPUT_LABEL: Final = 2_000
INPUT_TEXT: Final = 3_000
MARKDOWN: Final = 12_000
TABLE_ROWS: Final = 100
TABLE_CELLS: Final = 20
TABLE_TEXT: Final = 10_000
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000
VIEW_BYTES: Final = 250_000
VIEW_STACK: Final = 3

ANSWER_SECONDS: Final = 3.0  # within which an app answers an interaction
TRIGGER_SECONDS: Final = 3.0
RESPONSE_URL_USES: Final = 5
RESPONSE_URL_SECONDS: Final = 30 * 60
EVENT_RETRY_DELAYS: Final = (0.0, 60.0, 300.0)
