"""What people switch at run time: the kill switch and the modes that playbooks earned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.errors import Conflict, Invalid
from incident_bot.domain.team import Mode
from incident_bot.domain.timeline import GENESIS, Line, sealed
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Store, Update, World

MODE = "MODE#"
TRAIL = "controls"  # the timeline on which every change of the kill switch is written
TRIES = 3
UNSET = "it was never configured"


@dataclass(frozen=True, slots=True)
class Switch:
    """The kill switch: whether it is on, since when, by whom and why. `seq` and `head` end its trail."""

    on: bool
    reason: str
    by: str = ""
    at: datetime | None = None
    seq: int = 0
    head: str = ""

    @property
    def engaged(self) -> str:
        """Why nothing may act, for people; empty while it is off."""
        return f"the kill switch is on ({self.by or 'nobody'}: {self.reason})" if self.on else ""


def kill_switch(store: Store) -> bool:
    """Whether the kill switch is on. Until somebody configured it, it is."""
    return _engaged(store.get(keys.KILL))


def switch(store: Store) -> Switch:
    """The kill switch with everything about it."""
    item = store.get(keys.KILL)
    if item is None:
        return Switch(True, UNSET)
    at = instant(item["at"]) if item.get("at") else None
    return Switch(
        _engaged(item), item.get("reason", UNSET), item.get("by", ""), at, item.get("seq", 0), item.get("head", "")
    )


def set_kill_switch(world: World, person: str, *, on: bool, reason: str) -> Switch:
    """Turn the kill switch on or off, in one transaction with an entry on its trail (`audit verify controls`)."""
    if not reason.strip():
        raise Invalid("say why", where="reason")
    for _ in range(TRIES):
        before = switch(world.store)
        after, writes = _turned(world, before, Switch(on, reason.strip()[:1000], person, world.now(), before.seq + 1))
        try:
            world.store.write(writes)
        except Conflict:
            continue
        return after
    raise Conflict("others turned the kill switch at the same moment: look at it again")


def note(world: World, person: str, text: str, reason: str) -> None:
    """Write what a person did onto the trail of the controls, which stay as they are."""
    for _ in range(TRIES):
        before = switch(world.store)
        entry = sealed(TRAIL, before.seq + 1, world.now(), Line("note", text, reason, person), before.head or GENESIS)
        pk, sk = keys.log(TRAIL, entry["seq"])
        expect = {"seq": before.seq or ABSENT}
        counted = Update(keys.KILL, set={"seq": entry["seq"], "head": entry["hash"]}, expect=expect)
        try:
            world.store.write([counted, Put({"PK": pk, "SK": sk, **entry}, {"PK": ABSENT})])
        except Conflict:
            continue
        return
    raise Conflict("others wrote onto the trail of the controls at the same moment: try again")


def automation(store: Store) -> tuple[bool, Mapping[str, Mode]]:
    """The kill switch and every earned mode, in one read."""
    items = {item["SK"]: item for item in store.query(keys.KILL[0])}
    modes = {name.removeprefix(MODE): item.get("mode") for name, item in items.items() if name.startswith(MODE)}
    earned = {playbook: Mode(mode) for playbook, mode in modes.items() if mode}
    return _engaged(items.get(keys.KILL[1])), earned


def _turned(world: World, before: Switch, after: Switch) -> tuple[Switch, list[Put]]:
    word = "on" if after.on else "off"
    line = Line("decision", f"kill switch {word}", after.reason, after.by)
    entry = sealed(TRAIL, after.seq, world.now(), line, before.head or GENESIS)
    pk, sk = keys.KILL
    item = {
        "PK": pk,
        "SK": sk,
        "on": after.on,
        "by": after.by,
        "reason": after.reason,
        "at": rfc3339(world.now()),
        "seq": after.seq,
        "head": entry["hash"],
    }
    log_pk, log_sk = keys.log(TRAIL, after.seq)
    expect = {"seq": before.seq} if before.seq else {"seq": ABSENT}
    whole = Switch(after.on, after.reason, after.by, after.at, after.seq, entry["hash"])
    return whole, [Put(item, expect), Put({"PK": log_pk, "SK": log_sk, **entry}, {"PK": ABSENT})]


def _engaged(item: Item | None) -> bool:
    return item is None or item.get("on") is not False
