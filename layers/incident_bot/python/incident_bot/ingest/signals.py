"""What the signals queue carries: alerts that `receive` parsed, and raw SNS notifications and EventBridge events."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from incident_bot import plugins
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.domain.shape import dump, load
from incident_bot.payload import ALERT_BYTES, decode, kind
from incident_bot.sources import Parsed, Rejection, Source, read

MESSAGE_BYTES = 200_000
ALERTS = "alerts"
ACKNOWLEDGED = "acknowledged"
DEADLINE = "deadline"
OURS = f'{{"v":1,"kind":"{ALERTS}",'  # how a message of `receive` begins, which checked what is in it
ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class Reading(NamedTuple):
    """A raw message, read: whose it is, the carrier's own id of the delivery, and what it says."""

    source: str
    delivery: str
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Sorted:
    """A parsed delivery as it goes on: each change of each series once, serialised; and all that is rejected.

    `alerts` are texts of one alert or of several with commas between them, `accepted` is how many alerts that is.
    """

    alerts: tuple[str, ...]
    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


def read_raw(body: str, received_at: datetime) -> Reading:
    """The alerts of a raw queue message; Unparseable where no source recognises it or its source cannot read it."""
    return read_envelope(decode(body), received_at)


def read_envelope(document: Any, received_at: datetime) -> Reading:
    """The same of a message that is decoded already."""
    if not isinstance(document, Mapping):
        raise Unparseable(f"the message is {kind(document)}, expected an object")
    envelope = open_envelope(document)
    source = identify(envelope)
    if source is None:
        raise Unparseable("no source recognises this message")
    delivery = envelope.get("MessageId") or envelope.get("id")
    return Reading(source.name, delivery if isinstance(delivery, str) else "", read(source, envelope, received_at))


def open_envelope(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """An SNS notification with its message decoded (an EventBridge event in one is that event); others as they are."""
    message = document.get("Message")
    if document.get("Type") != "Notification" or not isinstance(message, str):
        return document
    try:
        inner = decode(message)
    except Unparseable as problem:
        if not message.lstrip().startswith(("{", "[")):
            return document  # prose: no alarm, but some services tell in it what others tell in JSON
        raise Unparseable(f"Message: {problem.reason}", field="Message") from problem
    if isinstance(inner, Mapping) and "detail-type" in inner:
        return inner
    return {**document, "Message": inner}


def labelled(body: str) -> tuple[str, str]:
    """The source and the carrier's own id of a raw message, each empty where it cannot be told."""
    try:
        envelope = open_envelope(decode(body))
    except (Unparseable, AttributeError):
        return "", ""
    source, delivery = identify(envelope), envelope.get("MessageId") or envelope.get("id")
    return source.name if source else "", delivery if isinstance(delivery, str) else ""


def identify(envelope: Mapping[str, Any]) -> Source | None:
    """The source that recognises an opened envelope; what comes after it in the order of names is not imported."""
    each = map(plugins.source, plugins.names("incident_bot.sources"))
    return next((source for source in each if source.recognise and source.recognise(envelope)), None)


def sort_out(parsed: Parsed) -> Sorted:
    """Count the repeats of a delivery (a worse severity is none), and reject what is larger than a message may be.

    What is rejected is nothing that another alert could be a repeat of.
    """
    alerts: dict[tuple[Any, ...], tuple[int, Alert]] = {}
    for index, alert in zip(_places(parsed), parsed.alerts, strict=True):
        series = alert.source, frozenset(alert.identity.items())
        alerts.setdefault((series, alert.status, alert.occurred_at, alert.severity or 0), (index, alert))
    texts, too_large = _serialised(tuple(alerts.values()))
    if too_large:
        return sort_out(_without(parsed, too_large))
    return Sorted(texts, len(alerts), len(parsed.alerts) - len(alerts), parsed.rejected)


def _serialised(alerts: Sequence[tuple[int, Alert]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The alerts as texts, few, of which a message holds any; and the places of those that are too large."""
    text = ENCODE([_dumped(alert) for _, alert in alerts])[1:-1]
    if len(text) <= ALERT_BYTES:
        return ((text,) if alerts else ()), ()
    if len(alerts) == 1:
        return (), (alerts[0][0],)
    half = len(alerts) // 2
    (texts, too_large), (more, others) = _serialised(alerts[:half]), _serialised(alerts[half:])
    return texts + more, too_large + others


def _without(parsed: Parsed, too_large: Collection[int]) -> Parsed:
    """The delivery with the alerts of those places rejected."""
    found = [Rejection(place, "", f"the alert is larger than {ALERT_BYTES} bytes") for place in too_large]
    kept = (alert for place, alert in zip(_places(parsed), parsed.alerts, strict=True) if place not in too_large)
    rejected = sorted([*parsed.rejected, *found], key=lambda rejection: rejection.index)
    return replace(parsed, alerts=tuple(kept), rejected=tuple(rejected))


def acknowledged(source: str, delivery: str, received_at: datetime, alerts: Sequence[Alert]) -> list[str]:
    """The messages that say of those alerts that somebody took them on."""
    return packed(source, delivery, received_at, [ENCODE(_dumped(alert)) for alert in alerts], kind=ACKNOWLEDGED)


def changed(message: Mapping[str, Any]) -> tuple[Change, ...]:
    """The deployments that a message of ours tells of; Unparseable where they are none."""
    try:
        return tuple(load(Change, entry) for entry in message.get("changes", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise Unparseable(f"not a message of ours: {error}") from error


def _dumped(alert: Alert) -> dict[str, Any]:
    """What `dump` says of an alert, in a tenth of the time: in a storm it is said of every one."""
    return {
        "source": alert.source,
        "title": alert.title,
        "status": alert.status,
        "identity": alert.identity,
        "occurred_at": (occurred_at := rfc3339(alert.occurred_at)),
        "started_at": occurred_at if alert.started_at is alert.occurred_at else rfc3339(alert.started_at),
        "severity": alert.severity,
        "service": alert.service,
        "resource": alert.resource,
        "summary": alert.summary,
        "labels": alert.labels,
        "links": alert.links,
        "ask": alert.ask,
    }


def _loaded(entry: Mapping[str, Any]) -> Alert:
    """What `load` makes of it, in half of the time."""
    occurred_at, started_at = entry["occurred_at"], entry["started_at"]
    occurred = instant(occurred_at)
    return Alert(
        source=entry["source"],
        title=entry["title"],
        status=Status(entry["status"]),
        identity=entry["identity"],
        occurred_at=occurred,
        started_at=occurred if started_at == occurred_at else instant(started_at),
        severity=Severity(entry["severity"]) if entry.get("severity") else None,
        service=entry.get("service", ""),
        resource=entry.get("resource", ""),
        summary=entry.get("summary", ""),
        labels=entry.get("labels", {}),
        links=entry.get("links", {}),
        ask=entry.get("ask", ""),
    )


def packed(
    source: str,
    delivery: str,
    received_at: datetime,
    alerts: Sequence[str],
    *,
    kind: str = ALERTS,
    changes: Sequence[Change] = (),
) -> list[str]:
    """The messages, each under 200 KB, that carry those dumped alerts in their order, and the few changes with all."""
    if not alerts and not changes:
        return []
    told = f'"source":{ENCODE(source)},"delivery":{ENCODE(delivery)},"received_at":"{rfc3339(received_at)}"'
    told += f',"changes":{ENCODE(dump(changes))}' if changes else ""
    head = f'{{"v":1,"kind":"{kind}",{told}}}'
    messages: list[list[str]] = [[]] if changes else []
    size = len(head) + len(',"alerts":[]}') if changes else MESSAGE_BYTES
    for alert in alerts:
        if size + len(alert) + 1 > MESSAGE_BYTES:
            messages.append([])
            size = len(head) + len(',"alerts":[]}')
        messages[-1].append(alert)
        size += len(alert) + 1
    return [f'{head[:-1]},"alerts":[{",".join(batch)}]}}' for batch in messages]


def opened(body: str) -> Any:
    """A queue message decoded: strictly, unless it is one of ours, of which there are many in a storm."""
    if not body.startswith(OURS):
        return decode(body)
    try:
        return json.loads(body)
    except ValueError:
        return decode(body)  # which says what is wrong with it


def unpacked(message: Mapping[str, Any]) -> tuple[str, str, tuple[Alert, ...]]:
    """The source, delivery and alerts of a message that `packed` made; Unparseable where it is none."""
    try:
        return message["source"], message["delivery"], tuple(map(_loaded, message["alerts"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Unparseable(f"not a message of ours: {error}") from error


def deadline(incident: str) -> str:
    """The message that wakes an incident, to be sent with a delay."""
    return json.dumps({"v": 1, "kind": DEADLINE, "incident": incident}, separators=(",", ":"))


def _places(parsed: Parsed) -> Sequence[int]:
    """Where in the delivery each alert that could be read stood."""
    if not parsed.rejected:
        return range(len(parsed.alerts))
    taken = {rejection.index for rejection in parsed.rejected}
    return [place for place in range(len(parsed.alerts) + len(taken)) if place not in taken]
