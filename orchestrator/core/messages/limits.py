"""Slack's published limits, and the smaller ones that keep a message readable.

Sources: docs.slack.dev, reference/block-kit (blocks, block-elements, composition-objects, views) and
reference/methods/chat.postMessage. Slack counts characters as JavaScript does, so ``mrkdwn.size`` counts UTF-16 units.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BLOCKS: Final = 50
"""Blocks of a message (reference/block-kit/blocks)."""

MESSAGE_TEXT: Final = 4_000
"""Characters of ``text`` that chat.postMessage recommends; it cuts at 40,000 (reference/methods/chat.postMessage)."""

HEADER_TEXT: Final = 150
"""Plain text of a header block."""

SECTION_TEXT: Final = 3_000
"""Text of a section block."""

CONTEXT_ELEMENTS: Final = 10
"""Elements of a context block."""

CONTEXT_TEXT: Final = 2_000
"""Ours for one element of a context block: Slack names no limit of its own, a section's field has this one."""

BUTTON_TEXT: Final = 75
"""Plain text of a button, and its accessibility label (reference/block-kit/block-elements/button-element)."""

BUTTON_VALUE: Final = 2_000
"""Value of a button."""

IDENTIFIER: Final = 255
"""block_id, action_id, callback_id, external_id."""

CONFIRM_TITLE: Final = 100
"""Title of a confirmation dialog (reference/block-kit/composition-objects/confirmation-dialog-object)."""

CONFIRM_TEXT: Final = 300
"""Text of a confirmation dialog."""

CONFIRM_BUTTON: Final = 30
"""Either button of a confirmation dialog."""

VIEW_TITLE: Final = 24
"""Title, submit and close of a modal (reference/views)."""

PRIVATE_METADATA: Final = 3_000
"""private_metadata of a view."""

INPUT_LABEL: Final = 2_000
"""Label and hint of an input block."""

INPUT_TEXT: Final = 3_000
"""max_length of a plain-text input."""

OPTIONS: Final = 100
"""Options of a list (reference/block-kit/block-elements/select-menu-element)."""

OPTION_TEXT: Final = 75
"""Plain text of an option (reference/block-kit/composition-objects/option-object)."""

OPTION_VALUE: Final = 150
"""Value of an option."""

VIEW_BLOCKS: Final = 100
"""Blocks of a modal or a Home (reference/views)."""

# Ours: what still reads well on a phone.

NAME: Final = 80
"""Characters of a workload, stage, person or parameter name."""

VALUE: Final = 120
"""Characters of a parameter's value before or after, of a file's key, of a version."""

DESCRIPTION: Final = 600
"""Characters of the release's own description."""

REASON: Final = 2_400
"""Characters of why a release ended as it did; CloudFormation's reasons are shorter."""

CHANGES: Final = 20
"""Lines of resources in each group that destroys something."""

ADDITIONS: Final = 5
"""Lines of resources in each group that destroys nothing."""

WIDENINGS: Final = 10
"""Lines of each kind of access that is widened."""

GRANTS: Final = 3
"""Lines of each kind of access that a new stack grants."""

TOLD: Final = 200
"""Characters of what is said of one access that is widened."""

GRANTED: Final = 110
"""The same of one that a new stack grants."""

PARAMETERS: Final = 10
"""Lines of changed parameters."""

NEW_PARAMETERS: Final = 3
"""Lines of parameters of a new stack, which have no value before."""

PROBLEMS: Final = 20
"""Lines of problems of a refused configuration, and of warnings; the e-mail has all of them."""

VOTES: Final = 10
"""Lines of votes."""

COMMENT: Final = 300
"""Characters of a comment beside its vote; the thread and `mlops status` have all of it."""

WITHDRAWALS: Final = 3
"""Lines of withdrawn votes."""

MENTIONS: Final = 20
"""People pinged by one question."""

ENDPOINTS: Final = 8
"""Outputs shown at the end of a release."""

LISTED: Final = 10
"""Releases in the answer of ``/mlops status``, and of ``/mlops history``."""

HOME_WAITING: Final = 6
"""Questions in a person's Home."""

HOME_SECTIONS: Final = 3
"""Sections of what there is to judge about one of them."""

HOME_OWN: Final = 10
"""Releases of the person's own there."""

HOME_LIVE: Final = 25
"""Workloads there of which something is live."""
