"""The signals queue, one message at a time: a message carries up to 200 KB of alerts, so there is rarely a second."""

from collections.abc import Callable, Sequence
from typing import Any

from incident_bot.aws.failures import translated


class SqsQueue:
    """A `Queue` over one SQS queue.

    Batches would cost a partial failure to repair and save nothing; besides, the emulator knows SendMessageBatch as a
    permission of its own, which AWS does not.
    """

    def __init__(self, connect: Callable[[], Any], url: str) -> None:
        self._connect = connect
        self._url = url

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        for body in bodies:
            with translated("sending to the signals queue"):
                self._connect().send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)
