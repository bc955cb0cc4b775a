"""When each heartbeat was heard of last, in the store."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import Conflict
from incident_bot.domain.heartbeat import Pulse
from incident_bot.domain.shape import load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Store, Update

TRIES = 4


def of(store: Store, names: Iterable[str]) -> dict[str, Pulse]:
    """What is known of those heartbeats, by name; read at half the price, as a minute more or less counts little."""
    found = store.get_many([keys.heartbeat(name) for name in names], lagging=True)
    return {pulse.name: pulse for pulse in (load(Pulse, item) for item in found.values())}


def heard(store: Store, name: str, at: datetime) -> Pulse:
    """Write a ping down and return what is known then. One that was overtaken by a later one changes nothing."""
    for _ in range(TRIES):
        item = store.get(keys.heartbeat(name))
        known = load(Pulse, item) if item else Pulse(name, at)
        if item and at <= known.last:
            return known
        expect = {"last": item["last"] if item else ABSENT}
        try:
            store.update(Update(keys.heartbeat(name), set={"name": name, "last": rfc3339(at)}, expect=expect))
        except Conflict:
            continue
        return replace(known, last=at)
    raise Conflict(f"heartbeat {name} was heard of {TRIES} times at the same moment")


def told(store: Store, pulse: Pulse, at: datetime | None) -> bool:
    """Write down when it was told to be missing (None: that is over), unless it was heard of meanwhile."""
    value = rfc3339(at) if at else None
    try:
        store.update(Update(keys.heartbeat(pulse.name), set={"told_at": value}, expect={"last": rfc3339(pulse.last)}))
    except Conflict:
        return False
    return True
