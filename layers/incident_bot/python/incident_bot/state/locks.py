"""Locks: one per resolved target, across actions; a lock belongs to an incident until its mitigations there are lifted.

A lock never changes hands because it is old: `expires_at` only says when `sweep` looks whether it is still needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.arn import resolved
from incident_bot.domain.errors import Conflict
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Put, Store, Update, World, Write

LOOK_AFTER = timedelta(minutes=15)
WAITERS = 20


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock. `holders` are the incident's actions that need it, `acting` the one that runs; `fence` only rises."""

    target: str
    incident: str
    fence: int
    expires_at: datetime
    holders: tuple[str, ...] = ()
    acting: str = ""
    waiters: tuple[str, ...] = ()  # incidents to be told when it is free


def keys_of(targets: Iterable[str]) -> tuple[str, ...]:
    """The resolved targets, each once."""
    return tuple(dict.fromkeys(resolved(target) for target in targets))


def read(store: Store, target: str) -> Lock | None:
    """The lock of that resolved target, if it is held."""
    item = store.get(keys.lock(target))
    return load(Lock, item) if item and item.get("incident") else None


def taking(world: World, targets: Sequence[str], incident: str, action: str) -> tuple[list[Write], tuple[Lock, ...]]:
    """The writes that take all locks for an action, or (second) the locks of others that stand in the way.

    Another action of the same incident may join a lock while none of them runs.
    """
    writes: list[Write] = []
    others: list[Lock] = []
    for target in keys_of(targets):
        key = keys.lock(target)
        item = world.store.get(key) or {}
        fence = int(item.get("fence", 0))
        expect: dict[str, Any] = {"fence": fence or ABSENT}
        held = load(Lock, item) if item.get("incident") else None
        if held and (held.incident != incident or held.acting not in ("", action)):
            others.append(held)
            continue
        if held:
            expect["waiters"] = dump(held.waiters)
        lock = held or Lock(target, incident, 0, world.now())
        holders = tuple(dict.fromkeys((*lock.holders, action)))
        taken = replace(lock, fence=fence + 1, expires_at=world.now() + LOOK_AFTER, holders=holders, acting=action)
        writes.append(_put(taken, expect))
    return writes, tuple(others)


def freeing(
    world: World, targets: Sequence[str], action: str, *, keep: bool
) -> tuple[list[Write], dict[str, tuple[str, ...]]]:
    """The writes that end an action's run on its locks, and who is to be told: target -> waiting incidents.

    `keep`: its mitigation stays in force, so the lock stays the incident's. Another's lock is never touched.
    """
    writes: list[Write] = []
    free: dict[str, tuple[str, ...]] = {}
    for target in keys_of(targets):
        held = read(world.store, target)
        if held is None or action not in held.holders:
            continue
        expect = {"fence": held.fence, "waiters": dump(held.waiters)}
        holders = held.holders if keep else tuple(holder for holder in held.holders if holder != action)
        acting = "" if held.acting == action else held.acting
        if holders:
            until = world.now() + LOOK_AFTER
            changed = replace(held, fence=held.fence + 1, holders=holders, acting=acting, expires_at=until)
            writes.append(_put(changed, expect))
        else:
            # The fence stays, so that it keeps rising: a late writer of an older holder is told from the next one.
            fence = {"PK": keys.lock(target)[0], "SK": keys.lock(target)[1], "fence": held.fence + 1}
            writes.append(Put(fence, expect))
            free[target] = held.waiters
    return writes, free


def wait_for(world: World, lock: Lock, incident: str) -> bool:
    """Have Release tell that incident when the lock is free; False where it is free already."""
    for _ in range(3):
        held = read(world.store, lock.target)
        if held is None:
            return False
        if incident in held.waiters or len(held.waiters) >= WAITERS:
            return True
        expect = {"fence": held.fence, "waiters": dump(held.waiters)}
        update = Update(keys.lock(lock.target), append={"waiters": [incident]}, expect=expect)
        try:
            world.store.write([update])
        except Conflict:
            continue
        return True
    return True


def look_again(world: World, lock: Lock) -> None:
    """Have `sweep` look at it again later."""
    key = keys.lock(lock.target)
    later = {**keys.due(key, world.now() + LOOK_AFTER)}
    try:
        world.store.write([Update(key, set=later, expect={"fence": lock.fence})])
    except Conflict:
        return


def _put(lock: Lock, expect: dict[str, Any]) -> Put:
    key = keys.lock(lock.target)
    return Put({"PK": key[0], "SK": key[1], **dump(lock), **keys.due(key, lock.expires_at)}, expect)
