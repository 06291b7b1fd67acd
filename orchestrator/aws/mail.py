"""The SNS topic as ``ports.Mail``."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

MAX_SUBJECT = 100
"""ASCII characters of an SNS subject; no line breaks or control characters (SNS API Reference, Publish)."""

MAX_MESSAGE = 262_144
"""Bytes of an SNS message."""

_PLAIN = str.maketrans({"–": "-", "—": "-", "→": "->", "…": "...", "×": "x", "’": "'", "“": '"', "”": '"', "ß": "ss"})


class SnsMail:
    """See the module."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, subject: str, text: str) -> None:
        """See ``ports.Mail``."""
        title = ascii_subject(subject) or "MLOps Orchestrator"
        body = text.encode()[: MAX_MESSAGE - 1024].decode("utf-8", "ignore")
        with translated("sns"):
            self._client.publish(TopicArn=self._topic_arn, Subject=title, Message=body or title)


def ascii_subject(subject: str) -> str:
    """A subject as SNS takes it: accents and typographic characters become plain ones, what has no plain form "?"."""
    letters = unicodedata.normalize("NFKD", subject.translate(_PLAIN))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    visible = "".join(letter if letter.isprintable() else " " for letter in plain.encode("ascii", "replace").decode())
    return " ".join(visible.split())[:MAX_SUBJECT]
