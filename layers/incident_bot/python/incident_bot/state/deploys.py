"""Deployments in the store: one item for each service, with the last ones of it; read where a service matters."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from incident_bot.domain.deploys import Deploy
from incident_bot.domain.errors import Conflict, IncidentBotError
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Store

TRIES = 5
FORGOTTEN = timedelta(days=90)  # after the last one began


def of(item: Item) -> list[Deploy]:
    """The deployments that the item of a service says; where one cannot be read, none."""
    try:
        return [load(Deploy, entry) for entry in item.get("deploys", ())]
    except (KeyError, TypeError, ValueError, AttributeError, IncidentBotError):
        return []


def read(store: Store, service: str) -> list[Deploy]:
    """The last deployments of a service, the oldest first."""
    return of(store.get(keys.deploys(service)) or {})


def change(store: Store, service: str, decide: Callable[[Sequence[Deploy]], Sequence[Deploy]]) -> Sequence[Deploy]:
    """Write what `decide` makes of a service's deployments; they are returned as they are then."""
    for _ in range(TRIES):
        item: Item = store.get(keys.deploys(service)) or {}
        before = of(item)
        after = tuple(decide(before))
        if list(after) == before:
            return after
        pk, sk = keys.deploys(service)
        version = int(item.get("version", 0))
        expires = max((int((deploy.starts + FORGOTTEN).timestamp()) for deploy in after), default=0)
        fields = {
            "ttl": expires,
            "PK": pk,
            "SK": sk,
            "service": service,
            "deploys": dump(after),
            "version": version + 1,
        }
        try:
            store.write([Put(fields, {"version": version} if version else {"PK": ABSENT})])
        except Conflict:
            continue
        return after
    raise Conflict(f"the deployments of {service} changed {TRIES} times meanwhile")
