"""Heartbeats: jobs and monitors that must say regularly that they live; that one does not is what is told (dead-man's
switch)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.team import Heartbeat

SOURCE = "heartbeat"
TOLD_EVERY = timedelta(minutes=15)  # that it is still missing
BELIEVED_AFTER = timedelta(minutes=10)  # longer than the queue can keep the ping that ends what was told


@dataclass(frozen=True, slots=True)
class Pulse:
    """What was heard of one heartbeat: `last` is the last ping (or when waiting began), `told_at` when it was last told
    that it is missing."""

    name: str
    last: datetime
    told_at: datetime | None = None


def due_at(expected: Heartbeat, pulse: Pulse) -> datetime:
    """When it is missing unless it is heard of before."""
    return pulse.last + timedelta(seconds=expected.every_seconds + expected.grace_seconds)


def to_tell(expected: Heartbeat, pulse: Pulse, now: datetime) -> bool:
    """Whether it is missing and that was not told lately."""
    missing = now >= due_at(expected, pulse)
    return missing and (pulse.told_at is None or pulse.told_at <= pulse.last or now - pulse.told_at >= TOLD_EVERY)


def settled(pulse: Pulse, now: datetime) -> bool:
    """Whether what was told is over, and so long that the ping which said so has arrived wherever it must."""
    return pulse.told_at is not None and pulse.last > pulse.told_at and now - pulse.last >= BELIEVED_AFTER


def missing(expected: Heartbeat, pulse: Pulse) -> Alert:
    """The alert that it is missing; of one absence it is always the same."""
    due = due_at(expected, pulse)
    every, grace = timedelta(seconds=expected.every_seconds), timedelta(seconds=expected.grace_seconds)
    return Alert(
        source=SOURCE,
        title=title(expected.name),
        status=Status.FIRING,
        identity={"heartbeat": expected.name},
        occurred_at=due,
        started_at=due,
        severity=expected.severity,
        service=expected.service,
        summary=f"last heard of {pulse.last:%Y-%m-%d %H:%M:%S} UTC, expected every {every} with {grace} of grace",
        labels={"heartbeat": expected.name, "reason": "missing"},
    )


def title(name: str) -> str:
    """What its alerts are called, whether it is missing or says itself that it failed."""
    return f"Heartbeat {name}"
