"""SNS e-mail: a subscription is confirmed at once, and every e-mail that would be sent is kept here instead."""

from __future__ import annotations

import functools
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.services.sns", "_fanout", ("topic_arn", "msg_id", "message", "subject")),
    Seam("ministack.services.sns", "_topic_by_arn_any_scope"),
    Seam("ministack.services.sns", "_matches_filter_policy"),
    Seam("ministack.services.sns", "_resolve_message_for_protocol"),
)

CAPACITY = 10_000
"""E-mails kept; older ones are forgotten."""


@dataclass(frozen=True)
class Mail:
    """One e-mail."""

    topic: str
    """ARN."""
    address: str
    subject: str
    message: str
    time: str
    """ISO 8601, UTC."""


_mails: deque[Mail] = deque(maxlen=CAPACITY)
_lock = threading.Lock()


def sent() -> list[dict[str, Any]]:
    """Every e-mail, oldest first."""
    with _lock:
        return [asdict(mail) for mail in _mails]


def install() -> None:
    """Keep what SNS would send to a confirmed subscription with the protocol ``email``."""
    from ministack.services import sns

    fanout = sns._fanout

    @functools.wraps(fanout)
    def kept(
        topic_arn: str,
        msg_id: str,
        message: str,
        subject: str,
        message_structure: str = "",
        message_attributes: dict[str, Any] | None = None,
        *more: Any,
        **named: Any,
    ) -> Any:
        topic = sns._topic_by_arn_any_scope(topic_arn)
        for subscription in topic["subscriptions"] if topic else []:
            if subscription["protocol"] not in {"email", "email-json"} or not subscription["confirmed"]:
                continue
            text = sns._resolve_message_for_protocol(message, message_structure, subscription["protocol"])
            if not sns._matches_filter_policy(subscription, message_attributes or {}, text):
                continue
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            with _lock:
                _mails.append(Mail(topic_arn, subscription["endpoint"], subject or "", text, now))
        return fanout(topic_arn, msg_id, message, subject, message_structure, message_attributes, *more, **named)

    sns._fanout = kept
