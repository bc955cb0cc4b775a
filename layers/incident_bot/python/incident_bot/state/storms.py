"""Storms in the store: one item a team that counts its pages, and what was part of a storm that is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from incident_bot.domain.shape import dump, load
from incident_bot.domain.storm import Storm
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Key, Put, Store, Update

KEPT = timedelta(days=1)


def of(found: Mapping[Key, Item], group: str) -> Storm:
    """The team's pages of late, among the items that were read."""
    return load(Storm, found.get(keys.storm(group), {}))


def counting(group: str, before: Storm, after: Storm, now: datetime) -> Update:
    """The write that turns `before` into `after`; it holds only while nobody counted another page."""
    fields = {**dump(after), "ttl": int((now + KEPT).timestamp())}
    return Update(keys.storm(group), set=fields, expect={"version": before.version or ABSENT})


def ending(storm: Storm) -> Put:
    """The write that keeps a storm with its summary: its team's pages are counted anew."""
    pk, sk = keys.calmed(storm.incident)
    return Put({"PK": pk, "SK": sk, **dump(storm)})


def of_summary(store: Store, summary: str, group: str) -> Storm:
    """The storm that a summary of that team stands for."""
    found = store.get_many([keys.storm(group), keys.calmed(summary)])
    present = of(found, group)
    return present if present.incident == summary else load(Storm, found.get(keys.calmed(summary), {}))
