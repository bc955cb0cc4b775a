"""Heartbeats on their way in: pings are written down, and what should have pinged and did not becomes an alert."""

from dataclasses import replace

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import IncidentBotError, Unparseable
from incident_bot.domain.heartbeat import SOURCE, Pulse, missing, settled, to_tell
from incident_bot.domain.nearest import nearest
from incident_bot.domain.team import Heartbeat
from incident_bot.ingest.signals import packed, sort_out
from incident_bot.sources import Parsed
from incident_bot.state import heartbeats
from incident_bot.world import World


def heard(world: World, alert: Alert) -> Alert | None:
    """Take a heartbeat's own word: as an alert where it says it failed, or ends what was told; None where all is well.

    Unparseable where no heartbeat of that name is configured: nobody would notice if it stopped.
    """
    expected = world.team.heartbeats.get(name := alert.identity.get("heartbeat", ""))
    if expected is None:
        hint = f"; did you mean {near}?" if (near := nearest(name, world.team.heartbeats)) else ""
        raise Unparseable(f"no heartbeat of that name is configured{hint}", field="heartbeat")
    if "reason" not in alert.labels:
        pulse = heartbeats.heard(world.store, name, alert.occurred_at)
        if alert.status is Status.RESOLVED and pulse.told_at is None:
            return None
        if alert.status is Status.FIRING:
            heartbeats.told(world.store, pulse, alert.occurred_at)  # its next good word ends that
    return replace(alert, service=expected.service, severity=expected.severity)


def watch(world: World) -> int:
    """Tell of every heartbeat that is missing; returns how many are. To be called each minute."""
    expected = world.team.heartbeats
    if not expected:
        return 0
    known = heartbeats.of(world.store, expected)
    for name in expected.keys() - known.keys():
        heartbeats.heard(world.store, name, world.now())  # it may take its time once, and then must be heard of
    return sum(_watched(world, expected[name], pulse) for name, pulse in known.items())


def _watched(world: World, expected: Heartbeat, pulse: Pulse) -> bool:
    now = world.now()
    if settled(pulse, now):
        heartbeats.told(world.store, pulse, None)
    if not to_tell(expected, pulse, now) or not heartbeats.told(world.store, pulse, now):
        return False
    alert = missing(expected, pulse)
    delivery = f"heartbeat-{expected.name}-{rfc3339(now)}"
    try:
        world.queue.send(packed(SOURCE, delivery, now, sort_out(Parsed((alert,))).alerts))
    except IncidentBotError:
        heartbeats.told(world.store, pulse, pulse.told_at)  # the next minute tells it
        raise
    return True
