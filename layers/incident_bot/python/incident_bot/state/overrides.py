"""Overrides of a rota in the store: who stands in for whom, from when until when; they end by themselves."""

from collections.abc import Iterable
from datetime import datetime

from incident_bot.domain.rota import Override
from incident_bot.domain.shape import dump, load
from incident_bot.world import ABSENT, Key, Put, Store, Write

KEPT_DAYS = 30  # after its end, for whoever asks why somebody was paged; then DynamoDB's TTL removes the item


def key(override: Override) -> Key:
    """One override; those of a rota sort by the time they were made, because their ids do."""
    return "CONTROL", f"OVERRIDE#{override.rota}#{override.id}"


def making(override: Override) -> Write:
    """The write that records a new override."""
    pk, sk = key(override)
    expires = int(override.ends.timestamp()) + KEPT_DAYS * 86400
    return Put({"PK": pk, "SK": sk, **dump(override), "ttl": expires}, {"PK": ABSENT})


def of(store: Store, rotas: Iterable[str], at: datetime) -> list[Override]:
    """The overrides of those rotas that hold at that instant, in the order they were made."""
    found: list[Override] = []
    for rota in sorted(set(rotas)):
        items = store.query("CONTROL", f"OVERRIDE#{rota}#")
        found += [o for o in (load(Override, item) for item in items) if o.starts <= at < o.ends]
    return found
