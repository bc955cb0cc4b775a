"""Silences: the windows that people open at run time, all of them in one item, every change of it on a trail.

One item, so that the paging path reads it in the call that it makes anyway. It lies under CONTROL, where whoever reads
foreign text may not write.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import Conflict, IncidentBotError, Invalid, NotFound, Refused
from incident_bot.domain.shape import dump, load
from incident_bot.domain.suppress import Window, bounded, checked
from incident_bot.domain.timeline import GENESIS, Line, sealed
from incident_bot.state import keys, ledger
from incident_bot.world import ABSENT, Item, Put, Store, World, Write

TRAIL = "silences"  # the timeline on which every change is written
# They lie in one item, which every batch of alerts reads, and of which DynamoDB takes 400 KB.
MOST = 100  # that are open at once
LARGEST = 6_000  # bytes of one
ALL = 64_000  # bytes of all that are open at once
TRIES = 5


@dataclass(frozen=True, slots=True)
class Silences:
    """What is open, by id; `seq` and `head` end the trail."""

    open: Mapping[str, Window] = field(default_factory=dict)
    seq: int = 0
    head: str = ""


def read(store: Store) -> Silences:
    """The silences that are open or wait for their time."""
    return of(store.get(keys.SILENCES) or {})


def of(item: Item) -> Silences:
    """What the item says; an entry that cannot be read suppresses nothing."""
    return Silences(
        open={name: window for name, entry in item.get("open", {}).items() if (window := _window(entry))},
        seq=int(item.get("seq", 0)),
        head=item.get("head", ""),
    )


def _window(entry: object) -> Window | None:
    try:
        return load(Window, entry)
    except (KeyError, TypeError, ValueError, AttributeError, IncidentBotError):
        return None


def add(
    world: World,
    person: str,
    when: Mapping[str, str],
    *,
    ends: datetime,
    reason: str,
    starts: datetime | None = None,
) -> Window:
    """Open a silence; Invalid where its matchers, time, reason or size will not do, Refused (409) where no room is.

    In one transaction: the silence, its place in the ledger, and an entry on the trail (`audit verify silences`).
    """
    now = world.now()
    if not reason.strip():
        raise Invalid("say why", where="reason")
    bounded(starts or now, ends, now)
    identifier = f"silence-{world.new_id()}"
    window = Window(
        identifier, "silence", identifier, dict(checked(when)), starts or now, ends, person, reason.strip()[:1000]
    )
    if (size := _bytes(window)) > LARGEST:
        raise Invalid(f"matchers and reason take {size} bytes of {LARGEST}: use `*` or several silences", where="match")
    matchers = ", ".join(f"{name}={pattern}" for name, pattern in window.when.items())
    line = Line("decision", f"{identifier} added: {matchers} until {rfc3339(ends)}", window.reason, person)
    for _ in range(TRIES):
        before = read(world.store)
        kept = {name: other for name, other in before.open.items() if other.ends > now}
        _room(kept, window)
        try:
            world.store.write(
                [*_changing(world, before, {**kept, identifier: window}, line), ledger.opening(window)],
            )
        except Conflict:
            continue
        return window
    raise Conflict("others changed the silences at the same moment: look at them again")


def _room(open_now: Mapping[str, Window], another: Window) -> None:
    """Refused where the silences that are open leave no room for another, with how to make it."""
    sizes = {name: _bytes(window) for name, window in open_now.items()}
    if len(sizes) < MOST and sum(sizes.values()) + _bytes(another) <= ALL:
        return
    first = ", ".join(sorted(sizes, key=lambda name: (-sizes[name], name))[:3])
    raise Refused(
        f"{len(sizes)} of {MOST} silences are open and take {sum(sizes.values())} of {ALL} bytes: there is no room for "
        f"{_bytes(another)} more; `incidentbot silence expire ID` makes it ({first} are the largest)",
        rule="silences",
        status=409,
    )


def _bytes(window: Window) -> int:
    return len(json.dumps(dump(window), ensure_ascii=False).encode(errors="surrogatepass"))


def expire(world: World, person: str, identifier: str, reason: str) -> Window:
    """End a silence now; NotFound where there is none of that id, Refused (409) where it is over."""
    for _ in range(TRIES):
        before, now = read(world.store), world.now()
        window = before.open.get(identifier) or ledger.read(world.store, identifier).window
        if window.kind != "silence":
            raise NotFound(f"{identifier} is no silence")
        if identifier not in before.open or window.ends <= now:
            raise Refused(f"it ended at {rfc3339(window.ends)}", rule="silences", status=409)
        ended = replace(window, ends=now, starts=min(window.starts, now))
        rest = {name: other for name, other in before.open.items() if name != identifier and other.ends > now}
        line = Line("decision", f"{identifier} expired", reason or f"{person} says so", person)
        try:
            world.store.write([*_changing(world, before, rest, line), ledger.ending(ended)])
        except Conflict:
            continue
        return ended
    raise Conflict("others changed the silences at the same moment: look at them again")


def _changing(world: World, before: Silences, after: Mapping[str, Window], line: Line) -> list[Write]:
    entry = sealed(TRAIL, before.seq + 1, world.now(), line, before.head or GENESIS)
    pk, sk = keys.SILENCES
    item = {"PK": pk, "SK": sk, "open": dump(after), "seq": before.seq + 1, "head": entry["hash"]}
    log_pk, log_sk = keys.log(TRAIL, before.seq + 1)
    expect = {"seq": before.seq} if before.seq else {"seq": ABSENT}
    return [Put(item, expect), Put({"PK": log_pk, "SK": log_sk, **entry}, {"PK": ABSENT})]
