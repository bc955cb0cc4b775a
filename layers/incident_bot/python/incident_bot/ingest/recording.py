"""Recording: every delivery is kept for a month as `incidentbot replay` reads it, so that changes can be tried on it.

What is recorded is the body as it came, without its secrets; headers never are. It costs one call per batch of
`consume`, made after everything else, and whatever goes wrong with it is counted and fails nothing.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.redact import redacted
from incident_bot.ingest import signals, synthetic
from incident_bot.world import World

LARGEST = 1_000_000  # bytes of one record; Firehose takes 1,000 KiB
LINE = 2_000_000  # bytes that a line may take with its body as text: an answer of 6 MB escapes each once more
QUEUE = "queue"  # the source of what came by SNS or EventBridge and was recognised by none
OURS = '{"v":1,"kind":"'
SYNTHETIC = f'"source":"{synthetic.OURS}"'  # the alert that walks the whole front each minute is nobody's delivery
GZIP = 31  # zlib's word for the format of gzip files, one after another of which are one such file


@dataclass(frozen=True, slots=True)
class Recorded:
    """One delivery: when it arrived, its id at the sender, its source and its raw body.

    `service` is the one that its sender's key is for, which no body tells; mostly there is none.
    """

    at: datetime
    delivery_id: str
    source: str
    body: str
    service: str = ""

    @property
    def line(self) -> str:
        """As a recording has it: one line of JSON, all ASCII; a body that is six times as long as text is in base64."""
        told = {"at": rfc3339(self.at), "delivery_id": self.delivery_id, "source": self.source}
        told |= {"service": self.service} if self.service else {}
        line = signals.ENCODE(told | {"body": self.body})
        return (
            line if len(line) <= LINE else signals.ENCODE(told | {"base64": base64.b64encode(raw(self.body)).decode()})
        )


def text_of(body: bytes) -> str:
    """A body as text that turns into the very same bytes again, also where it is no UTF-8."""
    return body.decode(errors="surrogateescape")


def raw(text: str) -> bytes:
    """The bytes that became this text."""
    return text.encode(errors="surrogateescape")


def carried(world: World, messages: Sequence[str], body: bytes, service: str = "") -> tuple[Sequence[str], bool]:
    """The messages of a delivery, the first of which takes its body along to `consume`; whether that is all to do."""
    if not world.team.recording:
        return messages, True
    if not messages:
        return messages, False
    if SYNTHETIC in messages[0]:
        return messages, True
    keyed = f',"service":{signals.ENCODE(service)}' if service else ""
    first = f'{messages[0][:-1]},"body":{signals.ENCODE(text_of(body))}{keyed}}}'
    return ([first, *messages[1:]], True) if len(first) <= signals.MESSAGE_BYTES else (messages, False)


def keep(world: World, deliveries: Sequence[Recorded]) -> None:
    """Record these deliveries without their secrets, as well as it goes: nothing fails for want of a recording."""
    if not deliveries or not world.team.recording:
        return
    try:
        for data in _gathered([replace(delivery, body=redacted(delivery.body)).line for delivery in deliveries]):
            world.recordings.put(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, the alerts are taken in already
        _failed(world, len(deliveries), error)


def keep_batch(world: World, records: Sequence[Mapping[str, Any]]) -> None:
    """Record the deliveries that a batch of SQS records brought, as well as it goes."""
    if not world.team.recording:
        return
    try:
        deliveries = [found for record in records if (found := _brought(record, world.now()))]
    except Exception as error:  # noqa: BLE001 - as above
        _failed(world, len(records), error)
    else:
        keep(world, deliveries)


def _brought(record: Mapping[str, Any], now: datetime) -> Recorded | None:
    """The delivery that an SQS record brought; None for a deadline, or where another message carries the body."""
    body: str = record["body"]
    if body.startswith(OURS):
        message = signals.opened(body)
        if "body" not in message:
            return None
        at, service = instant(message["received_at"]), message.get("service", "")
        return Recorded(at, message["delivery"], message["source"], message["body"], service)
    source, delivery = signals.labelled(body)
    sent = record.get("attributes", {}).get("SentTimestamp")
    at = datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else now
    return Recorded(at, delivery or record["messageId"], source or QUEUE, body)


def _gathered(lines: Sequence[str]) -> Iterator[bytes]:
    """The lines as one gzip member, or as more where that would be too large."""
    data = zlib.compress("".join(f"{line}\n" for line in lines).encode(), 1, GZIP)
    if len(data) <= LARGEST:
        yield data
    elif len(lines) == 1:
        raise ValueError(f"a delivery of {len(lines[0])} bytes is too large, compressed too")
    else:
        half = len(lines) // 2
        yield from _gathered(lines[:half])
        yield from _gathered(lines[half:])


def _failed(world: World, deliveries: int, error: Exception) -> None:
    world.metrics.count("RecordingFailed", deliveries, error=type(error).__name__)
