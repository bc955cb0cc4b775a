"""Intents in the store: recorded before anything is sent, due for `sweep` while pending."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from incident_bot.domain.intent import LEASE, Intent, Sent
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Store, Write

__all__ = ["LEASE", "Intent", "Sent", "item", "of", "opening"]


def opening(intent: Intent, now: datetime) -> Write:
    """The write that records a new intent; it is due for `sweep` from its `not_before` plus one lease on."""
    return Put(item(replace(intent, created_at=intent.created_at or now), now), {"PK": ABSENT})


def item(intent: Intent, now: datetime) -> Item:
    """The intent as an item; only a pending one is in the `due` index."""
    key = keys.intent(intent.incident, intent.name)
    fields: dict[str, Any] = {"PK": key[0], "SK": key[1], **dump(intent)}
    if intent.state == "pending":
        fields |= keys.due(key, max(intent.not_before or now, now, intent.lease_until or now) + LEASE)
    return fields


def of(store: Store, incident: str) -> Sequence[Intent]:
    """All intents of an incident."""
    return [load(Intent, entry) for entry in store.query(f"INC#{incident}", "INTENT#")]


def changing(after: Intent, before: Intent | None, now: datetime) -> Put:
    """The write that turns `before` into `after` (or creates it); it holds only while nobody sends or sent it."""
    if before is None:
        return Put(item(replace(after, created_at=after.created_at or now), now), {"PK": ABSENT})
    return Put(item(after, now), {"state": before.state, "attempts": before.attempts})
