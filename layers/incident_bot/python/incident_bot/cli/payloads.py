"""Which source a payload in a file belongs to, and what it says."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from incident_bot import plugins
from incident_bot.domain.custom import Custom
from incident_bot.domain.errors import Invalid, Unparseable
from incident_bot.domain.nearest import nearest
from incident_bot.ingest.signals import identify, open_envelope
from incident_bot.payload import decode
from incident_bot.sources import Parsed, Source, read

Described = Callable[[], Mapping[str, Custom]]


@dataclass(frozen=True, slots=True)
class Payload:
    """A file's content with its source; `envelope` is the decoded, opened message (empty where it is not JSON)."""

    body: bytes
    source: Source
    envelope: Mapping[str, Any]


def payload(file: Path, at: datetime, source: str = "", described: Described = dict) -> Payload:
    """The payload in that file, received at that time; with a named source it may be anything.

    `described` gives the team's own sources; it is asked only where no installed one is named or recognised.
    Raises Invalid where nobody can tell whose it is.
    """
    body = file.read_bytes()
    if source:
        found = _named(source, described)
        return Payload(body, found, _envelope(found, body))
    try:
        envelope = as_envelope(decode(body))
    except Unparseable as unread:
        raise Invalid(
            f"{unread.reason}; to send it as it is name its source with --source", where=str(file)
        ) from unread
    recognising = identify(envelope)
    fitting = [recognising] if recognising else list(_reading(envelope, at, plugins.sources(described())))
    if len(fitting) == 1:
        return Payload(body, fitting[0], envelope)
    either = " or ".join(source.name for source in fitting)
    reason = f"it could be {either}" if fitting else "no source reads this"
    raise Invalid(f"{reason}; name its source with --source", where=str(file))


def parsed(given: Payload, at: datetime) -> Parsed:
    """What its source's parser makes of it; Unparseable."""
    return read(given.source, given.envelope, at)


def as_envelope(document: Any) -> Mapping[str, Any]:
    """The message as it lies in the queue, opened: an alarm's bare JSON in the notification that SNS wraps it in."""
    if not isinstance(document, Mapping):
        return {}
    if "AlarmName" in document and "NewStateValue" in document:
        return {"Type": "Notification", "TopicArn": "", "Message": document}
    return open_envelope(document)


def message_of(envelope: Mapping[str, Any]) -> str:
    """What was published to the topic: the text inside a notification."""
    message = envelope["Message"]
    return message if isinstance(message, str) else json.dumps(message)


def _envelope(source: Source, body: bytes) -> Mapping[str, Any]:
    try:
        return as_envelope(source.decode(body))
    except Unparseable:
        return {}


def _named(name: str, described: Described) -> Source:
    known = plugins.sources()
    if name not in known:
        known = plugins.sources(described())
    if name not in known:
        near = nearest(name, known)
        raise Invalid(f"there is no source {name!r}{f'; did you mean {near}?' if near else ''}", where="--source")
    return known[name]


def _reading(document: Mapping[str, Any], at: datetime, sources: Mapping[str, Source]) -> Iterator[Source]:
    """The webhook sources whose parser takes every alert of it."""
    for source in sources.values():
        if source.authentication is None:
            continue
        try:
            result = read(source, document, at)
        except Unparseable:
            continue
        if result.alerts and not result.rejected:
            yield source
