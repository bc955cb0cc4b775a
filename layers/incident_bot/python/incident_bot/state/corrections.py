"""Corrections in the store: how often people parted or joined alerts of two services that correlation saw otherwise."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from incident_bot.state import keys
from incident_bot.world import Store, Update

KEPT = timedelta(days=180)
LISTED = 500
PAIR = "pair:"
JOINED, PARTED = "joined", "parted"


def counting(pairs: Iterable[tuple[str, str]], what: str, now: datetime) -> list[Update]:
    """The writes that count each pair of services as `joined` or `parted`."""
    kept_until = int((now + KEPT).timestamp())
    named = (f"{PAIR}{one}|{other}" for one, other in pairs)
    return [Update(keys.stat(name), set={"ttl": kept_until}, add={what: 1}) for name in named]


def of(store: Store) -> Sequence[tuple[tuple[str, str], int, int]]:
    """Each pair of services, and how often it was joined and parted."""
    items = store.query(keys.stat(PAIR)[0], limit=LISTED)
    return [(_pair(item["SK"]), int(item.get(JOINED, 0)), int(item.get(PARTED, 0))) for item in items]


def _pair(name: str) -> tuple[str, str]:
    one, _, other = name.partition("|")
    return one, other
