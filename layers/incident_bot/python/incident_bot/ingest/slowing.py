"""Slowing a sender down: 429 with Retry-After, and once in a while its team is told that alerts are being refused."""

import math
from typing import Any

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.team import Sender
from incident_bot.ingest.signals import packed, sort_out
from incident_bot.ingest.synthetic import OURS
from incident_bot.ingest.webhook import Request, problem
from incident_bot.sources import Parsed
from incident_bot.world import World

LABEL = "slowed"


def slowed(world: World, source: str, request: Request) -> dict[str, Any] | None:
    """The refusal of a delivery that comes faster than agreed; None where it does not. Raises only Unavailable.

    Each heartbeat is a sender of its own, as it has a secret of its own: one that pings too often silences no other.
    """
    sender = f"{source}/{request.heartbeat}" if request.heartbeat else source
    admitted = world.admit(sender)
    if not admitted.wait:
        return None
    if admitted.told:
        delivery = f"slowed-{sender.replace('/', '-')}-{rfc3339(world.now())}"
        alert = sort_out(Parsed((_alert(world, source, sender),))).alerts
        world.queue.send(packed(OURS, delivery, world.now(), alert))
        admitted.told()
    world.metrics.count("Slowed", 1, source=source)
    seconds = str(math.ceil(admitted.wait))
    return problem(429, f"{sender} sends faster than agreed", request, headers={"retry-after": seconds})


def _alert(world: World, source: str, sender: str) -> Alert:
    """What its team is told: not every sender sends again what was refused, so somebody is to look at once.

    It is of a source of our own: no sender that has a secret can say that it is over.
    """
    agreed, now = world.team.senders.get(source) or Sender(), world.now()
    return Alert(
        source=OURS,
        title=f"Deliveries of {sender} are refused",
        status=Status.FIRING,
        identity={"key": f"slowed/{sender}"},
        occurred_at=now,
        started_at=now,
        severity=Severity.SEV2,
        service=agreed.service,
        summary=f"{sender} sends more than {agreed.per_second:g} a second and is answered 429 until it slows down;"
        f" see `senders` in sources.yaml",
        labels={LABEL: sender},
    )
