"""Arrival: one record of the signals queue, read into observations; what cannot be read is quarantined."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from incident_bot import plugins
from incident_bot.domain import heartbeat
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.classify import classify
from incident_bot.domain.clock import instant
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import NotFound, Unparseable
from incident_bot.domain.opening import Observation, scope_of
from incident_bot.ingest import heartbeats, quarantine, signals, synthetic
from incident_bot.sources import Rejection
from incident_bot.world import World

STALE_AFTER = timedelta(hours=6)  # an alert that waited this long (a dead-letter queue redriven) pages nobody


class Arrival(NamedTuple):
    """One observation (or one deadline) and the record it came in; `taken_on` if it only says that somebody did."""

    record: str
    observation: Observation | None = None
    scope: str = ""
    deadline: str = ""
    taken_on: bool = False
    change: Change | None = None


def read(world: World, record: Mapping[str, Any]) -> list[Arrival]:
    """The observations of one SQS record. Raises only Unavailable: then the record is to come again."""
    identifier, body = record["messageId"], record["body"]
    received_at = _sent_at(record, world.now())
    try:
        message = signals.opened(body)
        received_at = min(received_at, _carried_at(message) or received_at)
        if isinstance(message, Mapping) and message.get("kind") == signals.DEADLINE:
            return [Arrival(identifier, deadline=str(message["incident"]))]
        changes: tuple[Change, ...] = ()
        if isinstance(message, Mapping) and message.get("kind") in (signals.ALERTS, signals.ACKNOWLEDGED):
            (_, delivery, alerts), changes = signals.unpacked(message), signals.changed(message)
        else:
            reading = signals.read_raw(body, received_at)
            delivery, alerts, changes = reading.delivery or identifier, reading.parsed.alerts, reading.parsed.changes
            if reading.parsed.rejected:
                _keep(world, reading.source, delivery, body, reading.parsed.rejected)
    except Unparseable as problem:
        _keep(world, "queue", identifier, body, (Rejection(0, problem.field, problem.reason),))
        return []
    news = (_news(world, identifier, body, alert) for alert in alerts)
    found = [_observed(world, identifier, delivery, alert, received_at) for alert in news if alert]
    found += [Arrival(identifier, change=change) for change in changes]
    taken_on = isinstance(message, Mapping) and message.get("kind") == signals.ACKNOWLEDGED
    return [arrival._replace(taken_on=True) for arrival in found] if taken_on else found


def _observed(world: World, record: str, delivery: str, alert: Alert, received_at: datetime) -> Arrival:
    found, waited = classify(alert, world.team), world.now() - received_at
    if waited > STALE_AFTER and alert.status is Status.FIRING:
        hours = waited.total_seconds() / 3600
        found = replace(
            found,
            noise=True,
            pages=False,
            reason=f"it waited {hours:.0f} hours in a queue: recorded, not paged",
            level_by="stale-delivery",
        )
    return Arrival(record, Observation(alert, found, delivery, slow=_slow(world, alert)), scope_of(found))


def _slow(world: World, alert: Alert) -> int:
    """How late its source may tell; of one that was taken out of the configuration since, nothing is known."""
    try:
        return plugins.source(alert.source, world.team.custom).slow_seconds
    except NotFound:
        return 0


def _synthetic(world: World, alert: Alert) -> bool:
    """The alert that walks the whole front each minute: counting it is all that is done; its absence alarms."""
    if alert.source != synthetic.OURS or synthetic.LABEL not in alert.labels:
        return False
    world.metrics.count("SyntheticAlert")
    return True


def _news(world: World, record: str, body: str, alert: Alert) -> Alert | None:
    """The alert, unless it is the synthetic one or a heartbeat of what is well; a heartbeat that nobody configured is
    kept aside."""
    if alert.source != heartbeat.SOURCE:
        return None if _synthetic(world, alert) else alert
    try:
        return heartbeats.heard(world, alert)
    except Unparseable as problem:
        _keep(world, alert.source, record, body, (Rejection(0, problem.field, problem.reason),))
        return None


def _keep(world: World, source: str, delivery: str, body: str, rejected: tuple[Rejection, ...]) -> None:
    quarantine.keep(world, source=source, delivery=delivery, body=body.encode(errors="replace"), rejected=rejected)


def _carried_at(message: object) -> datetime | None:
    """When `receive`, SNS or EventBridge took it: a message that is redriven from the dead letters is new to SQS."""
    told = message if isinstance(message, Mapping) else {}
    named = (told.get(name) for name in ("received_at", "Timestamp", "time"))
    try:
        return min((instant(at) for at in named if isinstance(at, str)), default=None)
    except ValueError:
        return None


def _sent_at(record: Mapping[str, Any], now: datetime) -> datetime:
    """When SQS took the message (milliseconds since the epoch)."""
    sent = record.get("attributes", {}).get("SentTimestamp")
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else now
