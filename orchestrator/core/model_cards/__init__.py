"""SageMaker model cards: six operations that make no stack and are answered at once."""

from __future__ import annotations

from collections.abc import Mapping

OPERATIONS: Mapping[str, str] = {
    "create_model_card": "created",
    "update_model_card": "updated",
    "describe_model_card": "described",
    "delete_model_card": "deleted",
    "list_model_cards": "listed",
    "export_model_card": "exported",
}
"""``pipeline_type`` → what has been done afterwards."""

EXPORTS = "model_card_exports"
"""Prefix of exports in the assets bucket, as the old product wrote them."""
