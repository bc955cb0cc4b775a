"""Reading and writing incidents: every write is one transaction of the incident and its new timeline entries."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from incident_bot.domain.errors import NotFound
from incident_bot.domain.incident import Incident
from incident_bot.domain.shape import dump, load
from incident_bot.domain.timeline import GENESIS, Line, sealed
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Store, World, Write


def read(store: Store, incident: str) -> Incident:
    """The incident of that id; NotFound."""
    item = store.get(keys.meta(incident))
    if item is None:
        raise NotFound(f"there is no incident {incident}")
    return load(Incident, item)


def read_many(store: Store, identifiers: Iterable[str]) -> dict[str, Incident]:
    """Those of these incidents that there are, by their ids."""
    items = store.get_many([keys.meta(identifier) for identifier in identifiers])
    return {item["id"]: load(Incident, item) for item in items.values()}


def opening(world: World, incident: Incident, lines: Sequence[Line]) -> tuple[Incident, list[Write]]:
    """The writes that create an incident with its first timeline entries, for a transaction of the caller's."""
    after, entries = _sealed(world, replace(incident, version=1), lines)
    return after, [Put(_item(after), {"PK": ABSENT}), *entries]


def changing(world: World, before: Incident, after: Incident, lines: Sequence[Line]) -> tuple[Incident, list[Write]]:
    """The writes that turn `before` into `after`; they hold only if nobody wrote it since and its generation is still
    the one that was read (so a dead execution changes nothing)."""
    after, entries = _sealed(world, replace(after, version=before.version + 1, seq=before.seq, head=before.head), lines)
    expect = {"version": before.version, "generation": before.generation}
    return after, [Put(_item(after), expect), *entries]


def commit(
    world: World, before: Incident, after: Incident, lines: Sequence[Line] = (), also: Sequence[Write] = ()
) -> Incident:
    """Write `after` with its timeline entries and `also` in one transaction; Conflict where somebody was first."""
    after, writes = changing(world, before, after, lines)
    world.store.write([*writes, *also])
    return after


def timeline(store: Store, incident: str) -> list[Item]:
    """The incident's timeline entries in order."""
    return store.query(f"LOG#{incident}")


def _sealed(world: World, incident: Incident, lines: Sequence[Line]) -> tuple[Incident, list[Write]]:
    entries: list[Write] = []
    seq, head = incident.seq, incident.head or GENESIS
    for line in lines:
        seq += 1
        entry = sealed(incident.id, seq, world.now(), line, head)
        head = entry["hash"]
        pk, sk = keys.log(incident.id, seq)
        entries.append(Put({"PK": pk, "SK": sk, **entry}, {"PK": ABSENT}))
    return replace(incident, seq=seq, head=head), entries


def _item(incident: Incident) -> dict[str, Any]:
    pk, sk = keys.meta(incident.id)
    item = {"PK": pk, "SK": sk, **dump(incident), "opened": "INCIDENT"}
    if incident.next_due is not None:
        item |= keys.due((pk, sk), incident.next_due)
    return item
