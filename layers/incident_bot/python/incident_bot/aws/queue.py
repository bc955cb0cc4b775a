"""The signals queue: batches within SQS's limits, and what a batch could not take is sent again."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from incident_bot.aws.failures import translated
from incident_bot.domain.errors import Invalid, Unavailable

AT_ONCE = 10
BYTES_AT_ONCE = 256 * 1024
ATTEMPTS = 4
PAUSE = 0.1


class SqsQueue:
    """A `Queue` over one SQS queue."""

    def __init__(
        self,
        connect: Callable[[], Any],
        url: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connect = connect
        self._url = url
        self._pause = pause
        self._chance = chance

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        for batch in _batches(bodies):
            self._send(batch, delay_seconds)

    def _send(self, bodies: Sequence[str], delay_seconds: int) -> None:
        waiting = [
            {"Id": str(number), "MessageBody": body, "DelaySeconds": delay_seconds}
            for number, body in enumerate(bodies)
        ]
        for attempt in range(ATTEMPTS):
            with translated("sending to the signals queue"):
                answer = self._connect().send_message_batch(QueueUrl=self._url, Entries=waiting)
            failed = {entry["Id"]: entry for entry in answer.get("Failed", [])}
            for entry in failed.values():
                if entry.get("SenderFault"):
                    raise Invalid(f"SQS refuses a message: {entry.get('Message', entry.get('Code'))}")
            waiting = [entry for entry in waiting if entry["Id"] in failed]
            if not waiting:
                return
            self._pause(self._chance() * PAUSE * 2.0**attempt)
        raise Unavailable(f"SQS did not take {len(waiting)} of {len(bodies)} messages")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == AT_ONCE or size + length > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
