"""Remediations in the store: the plan, the run under way and its journal, all in the one ACTION item.

Every write of a run is conditioned on its fencing token and on the journal's head, so a run that was taken over, or a
second worker of the same run, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain import journal
from incident_bot.domain.errors import Conflict, NotFound
from incident_bot.domain.journal import Entry
from incident_bot.domain.plan import Plan
from incident_bot.domain.shape import dump, load
from incident_bot.domain.timeline import GENESIS
from incident_bot.state import keys
from incident_bot.world import ABSENT, Key, Put, Store, Update, World

LOOK_AFTER = timedelta(seconds=90)  # a run that did not end is looked at by `sweep` this often


@dataclass(frozen=True, slots=True)
class Order:
    """A person's order to undo: it holds even while the kill switch is on."""

    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Remediation:
    """One remediation.

    `state`: proposed, approved, running, applied, undone, failed, suspended, partial, rejected, expired, denied, busy,
    refused, lifted. `run` is the execution that owns it (`PURPOSE-ATTEMPT`), `live` whether that run has not ended yet,
    `fence` its fencing token. `outcome` and `text` are what the run has come to, for Release to tell.
    """

    id: str
    incident: str
    scope: str
    service: str
    action: str
    plan: Plan
    digest: str
    policy: str  # fingerprint of the policy it was judged by
    created_at: datetime
    state: str = "proposed"
    playbook: str = ""
    mode: str = ""
    verdict: str = ""
    rule: str = ""
    reason: str = ""
    requester: str = ""
    approval: str = ""
    settle_seconds: int = 60
    lift_after_seconds: int = 0
    order: Order | None = None
    run: str = ""
    runs: tuple[str, ...] = ()
    live: bool = False
    fence: int = 0
    attempt: int = 0
    purpose: str = ""
    outcome: str = ""
    text: str = ""
    acted_at: datetime | None = None  # the last forward call: what Check measures from
    journal: tuple[Entry, ...] = ()
    journal_head: str = ""
    told: int = 0  # entries of the journal whose calls are on the incident's timeline
    approvers: tuple[str, ...] = ()
    rest: bool = False  # it touches the canary alone, and the service has more of the kind

    @property
    def in_force(self) -> bool:
        """Whether something of it stays on the target that is still to be put back."""
        return self.state in ("suspended", "partial") or (self.state == "applied" and self.lift_after_seconds > 0)


NOT_DUE = keys.NOT_DUE


def key_of(remediation: Remediation) -> Key:
    """Where it is stored."""
    return keys.action(remediation.id)


def read(store: Store, identifier: str) -> Remediation:
    """The remediation of that id; NotFound."""
    item = store.get(keys.action(identifier))
    if item is None:
        raise NotFound(f"there is no action {identifier}")
    return load(Remediation, item)


def of(store: Store, incident: str) -> list[Remediation]:
    """All remediations of an incident, oldest first."""
    found = [load(Remediation, item) for item in store.query(f"INC#{incident}", "ACTION#")]
    return sorted(found, key=lambda remediation: number_of(remediation.id))


def number_of(identifier: str) -> int:
    """The `n` of `INCIDENT-an` or `INCIDENT-pn`."""
    return int(identifier.rsplit("-", 1)[1][1:])


def opening(remediation: Remediation, due_at: datetime | None = None) -> Put:
    """The write that records a new remediation; `sweep` looks at it at `due_at` if nothing has come of it by then."""
    key = keys.action(remediation.id)
    due = keys.due(key, due_at) if due_at else {}
    whole = dump(replace(remediation, journal_head=GENESIS))
    return Put({"PK": key[0], "SK": key[1], **whole, **due}, {"PK": ABSENT})


def changing(world: World, before: Remediation, **fields: Any) -> tuple[Remediation, Update]:
    """The update of these fields, fenced; and the remediation as it is after it. Due while its run is alive."""
    after = replace(before, **fields)
    key = keys.action(before.id)
    changed: dict[str, Any] = {name: dump(value) for name, value in fields.items()}
    expect = {"fence": before.fence, "journal_head": before.journal_head, "state": before.state}
    if after.live or after.state == "suspended":
        changed |= keys.due(key, world.now() + LOOK_AFTER)
        return after, Update(key, set=changed, expect=expect)
    return after, Update(key, set=changed, remove=keys.NOT_DUE, expect=expect)


def noting(world: World, before: Remediation, entries: Sequence[Entry], **fields: Any) -> tuple[Remediation, Update]:
    """The update that appends journal entries and sets these fields, under the run's fence."""
    sealed: list[Entry] = []
    for entry in entries:
        dated = replace(entry, at=world.now(), run=before.run)
        sealed.append(journal.following([*before.journal, *sealed], dated))
    after, update = changing(world, before, **fields)
    if not sealed:
        return after, update
    head = sealed[-1].hash
    whole = replace(after, journal=(*before.journal, *sealed), journal_head=head)
    return whole, replace(update, set={**update.set, "journal_head": head}, append={"journal": dump(sealed)})


def note(world: World, before: Remediation, *entries: Entry, **fields: Any) -> Remediation:
    """Append journal entries and set these fields; Conflict where the run was taken over."""
    after, update = noting(world, before, entries, **fields)
    world.store.write([update])
    return after


def look_again(world: World, remediation: Remediation, after: timedelta) -> None:
    """Have `sweep` look at it again later; nothing else changes. Somebody else's write in between does it too."""
    key = keys.action(remediation.id)
    try:
        world.store.write([Update(key, set=keys.due(key, world.now() + after), expect={"fence": remediation.fence})])
    except Conflict:
        return


def forget(world: World, remediation: Remediation) -> None:
    """Nothing is to be looked at here any more."""
    try:
        expect = {"fence": remediation.fence, "live": False, "state": remediation.state}
        world.store.write([Update(keys.action(remediation.id), remove=keys.NOT_DUE, expect=expect)])
    except Conflict:
        return


def due_after(world: World, update: Update, after: timedelta) -> Update:
    """The same update, with `sweep` looking at the item after that time."""
    due = keys.due(update.key, world.now() + after)
    remove = tuple(name for name in update.remove if name not in keys.NOT_DUE)
    return replace(update, set={**update.set, **due}, remove=remove)
