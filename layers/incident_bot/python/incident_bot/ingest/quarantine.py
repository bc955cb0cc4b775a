"""Quarantine: what could not be read is kept with its reason, never dropped: body in the archive, item in the table."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.shape import dump
from incident_bot.sources import Rejection
from incident_bot.state import keys
from incident_bot.world import Put, World

KEPT = timedelta(days=90)
TOLD = 20  # rejections of one delivery that the item spells out; the body has them all
PLAIN = re.compile(r"[A-Za-z0-9_.:=+-]{1,128}")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One delivery (or a part of it) that was set aside."""

    delivery_id: str
    source: str
    at: str
    reason: str
    body: str  # its key in the archive


def plain_id(delivery: str) -> str:
    """A sender's id as it may stand in keys and file names: itself where it is plain, otherwise a digest of it."""
    return delivery if PLAIN.fullmatch(delivery) else hashlib.sha256(delivery.encode(errors="replace")).hexdigest()[:32]


def keep(world: World, *, source: str, delivery: str, body: bytes, rejected: Sequence[Rejection]) -> None:
    """Set a delivery aside; again for the same delivery changes nothing. Unavailable where it could not be kept."""
    now, identifier = world.now(), plain_id(delivery)
    day = f"{now:%Y-%m-%d}"
    # The type is one that no browser renders: the body is foreign.
    archived = f"quarantine/{day}/{identifier}"
    world.archive.put(archived, body, "application/octet-stream")
    pk, sk = keys.quarantine(day, identifier)
    found = Quarantined(identifier, source, rfc3339(now), _reason(rejected), archived)
    ttl = int((now + KEPT).timestamp())
    world.store.write([Put({"PK": pk, "SK": sk, **dump(found), "rejected": dump(rejected[:TOLD]), "ttl": ttl})])
    world.metrics.count("Quarantined", 1, source=source)
    world.metrics.count("Untold")  # without a dimension, as its alarm watches it


def listed(world: World, *, days: int = 14) -> list[Quarantined]:
    """What was set aside in the last days, newest first."""
    today = world.now()
    items = [
        item
        for back in range(days)
        for item in world.store.query(keys.quarantine(f"{today - timedelta(days=back):%Y-%m-%d}", "")[0])
    ]
    found = [Quarantined(i["delivery_id"], i["source"], i["at"], i["reason"], i["body"]) for i in items]
    return sorted(found, key=lambda quarantined: quarantined.at, reverse=True)


def _reason(rejected: Sequence[Rejection]) -> str:
    more = f" (and {len(rejected) - 1} more)" if len(rejected) > 1 else ""
    return rejected[0].reason[:500] + more
