"""A FIFO queue of SQS: one message, its group, what makes it this one; SQS's refusals are ours."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.aws.fifo_queue import FifoQueue
from orchestrator.core.errors import AccessDenied, Throttled
from tests.aws.service_double import Refusal, ServiceDouble

URL = "https://sqs.us-east-1.amazonaws.com/111111111111/actions.fifo"


class Queues(ServiceDouble):
    """SQS that accepts everything."""

    service = "sqs"

    def send_message(self, **_: Any) -> dict[str, Any]:
        return {"MessageId": "1"}


def test_a_message_has_its_group_and_is_known_again() -> None:
    queues = Queues()
    FifoQueue(queues.client(), URL).send("{}", "homes", "homes-1")
    assert queues.made("send_message") == [
        {"QueueUrl": URL, "MessageBody": "{}", "MessageGroupId": "homes", "MessageDeduplicationId": "homes-1"}
    ]


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", AccessDenied), ("ThrottlingException", Throttled)]
)
def test_refusals_are_of_the_products_tree(code: str, error: type[Exception]) -> None:
    queues = Queues()
    queues.refusals["send_message"] = [Refusal(code, "no")] * 9
    with pytest.raises(error):
        FifoQueue(queues.client(), URL).send("{}", "homes", "homes-1")
