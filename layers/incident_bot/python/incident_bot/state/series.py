"""Series (the ALERT items) in the store."""

from collections.abc import Iterable
from datetime import timedelta

from incident_bot.domain.alert import Status
from incident_bot.domain.series import Series
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Put, Store

KEPT = timedelta(days=30)


def read(store: Store, scope: str, fingerprints: Iterable[str]) -> dict[str, Series]:
    """The known ones of those series, by fingerprint."""
    wanted = [keys.alert(scope, f) for f in dict.fromkeys(fingerprints)]
    return {item["fingerprint"]: load(Series, item) for item in store.get_many(wanted).values()}


def of(store: Store, scope: str) -> list[Series]:
    """Every series of the scope."""
    return [load(Series, item) for item in store.query(f"SCOPE#{scope}", "ALERT#")]


def firing(store: Store, scope: str) -> list[Series]:
    """Every series of the scope that fires: for looking at everything."""
    found = store.query(f"SCOPE#{scope}", "ALERT#")
    return [load(Series, item) for item in found if item["status"] == Status.FIRING]


def write(scope: str, before: Series | None, after: Series) -> Put:
    """The write that turns `before` into `after`; it holds only if nobody wrote the series since."""
    pk, sk = keys.alert(scope, after.fingerprint)
    ttl = int((after.seen_at + KEPT).timestamp())
    return Put(
        {"PK": pk, "SK": sk, **dump(after), "ttl": ttl}, {"version": before.version} if before else {"PK": ABSENT}
    )
