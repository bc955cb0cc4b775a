"""An incident's mailbox: anybody appends, only the incident's execution parks its token here and takes mail out.

No wake-up is lost: appending and reading the token are one update; parking is conditional on the box being empty; and a
box with mail has a due time of its own, so `sweep` wakes what was missed. What a newer version of the bot mailed and
this one cannot read, after it was deployed again, is told on the timeline instead: no execution dies of it for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.errors import Conflict
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.plaintext import line
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Shorter, Update, World, Write

FULL = 100  # entries from which on alerts are no longer listed: "look at everything" instead
MISSED_AFTER = timedelta(seconds=30)
BUSY = 10  # mails from which on an incident takes alerts together
PACE = timedelta(seconds=5)  # of a busy incident: so long after it parked, alerts that can wait are taken
RESTED = ("nudges", *keys.NOT_DUE)


@dataclass(frozen=True, slots=True)
class Box:
    """What the box holds: mails that were not taken yet, the last number given, the parked token, and the deadline
    that a message is on its way for."""

    mails: tuple[Mail, ...]
    number: int
    looks: int
    token: str
    reminded: str = ""

    @property
    def waits(self) -> bool:
        """Whether there is mail."""
        return bool(self.mails or self.looks)


def opening(world: World, incident: str, mails: Sequence[Mail] = ()) -> Write:
    """The write that creates the box, with the mail that came in the same moment."""
    pk, sk = keys.box(incident)
    item: Item = {"PK": pk, "SK": sk, "entries": dump(list(mails)), "number": len(mails)}
    return Put(item | (keys.due((pk, sk), world.now() + MISSED_AFTER) if mails else {}), {"PK": ABSENT})


def posting(world: World, incident: str, mails: Sequence[Mail], *, full: bool = False) -> Update:
    """The update that appends mails. A `full` box only notes of alerts that everything is to be looked at."""
    key = keys.box(incident)
    due = keys.due(key, world.now() + MISSED_AFTER)
    if full:
        kept = [mail for mail in mails if mail.kind is not MailKind.ALERT]
        listed = dump(kept)
        return Update(key, set=due, add={"looks": 1, "number": len(kept)}, append={"entries": listed} if kept else {})
    bound = {"entries": Shorter(FULL)} if all(m.kind is MailKind.ALERT for m in mails) else {}
    return Update(key, set=due, add={"number": len(mails)}, append={"entries": dump(list(mails))}, expect=bound)


def post(world: World, incident: str, *mails: Mail) -> None:
    """Append mails and wake the incident's execution if it waits."""
    try:
        item = world.store.update(posting(world, incident, mails))
    except Conflict:
        item = world.store.update(posting(world, incident, mails, full=True))
    if token := item.get("token"):
        world.machines.wake(token)


def nudge(world: World, incident: str) -> int:
    """Count that `sweep` had to wake it; returns how often in a row that was without anything coming of it."""
    key = keys.box(incident)
    item = world.store.update(Update(key, set=keys.due(key, world.now() + MISSED_AFTER), add={"nudges": 1}))
    return int(item["nudges"])


def patience(incident: str) -> Update:
    """The write by which a new execution is given the time that its predecessor had."""
    return Update(keys.box(incident), remove=("nudges",))


def wake(world: World, incident: str) -> None:
    """Wake the incident's execution if it waits; what it finds is on the table."""
    item = world.store.get(keys.box(incident)) or {}
    if token := item.get("token"):
        world.machines.wake(token)


def alerted(world: World, incident: str, mails: Sequence[Mail]) -> timedelta:
    """Wake it for alerts that can wait; in a busy incident they do, so that many are one turn. Returns for how long:
    then who put the first of them in is to have it woken."""
    item = world.store.get(keys.box(incident)) or {}
    if not (token := item.get("token")):
        return timedelta(0)
    pause = instant(item["parked_at"]) + PACE - world.now() if "parked_at" in item else timedelta(0)
    if pause <= timedelta(0) or item["number"] < BUSY or item.get("looks"):
        world.machines.wake(token)
        return timedelta(0)
    return pause if item["entries"][:1] == dump(mails[:1]) else timedelta(0)


def read(world: World, incident: Incident) -> Box:
    """The box with the mails that the incident has not decided upon yet."""
    return _box(world.store.get(keys.box(incident.id)) or {}, incident.mail_taken, world.now())


def park(world: World, incident: Incident, box: Box, token: str) -> bool:
    """Leave the token in the box for others to wake; False where mail came in meanwhile (then decide first)."""
    expect: dict[str, Any] = {"number": box.number, "looks": box.looks or ABSENT}
    if box.waits:
        return False
    parked = {"token": token, "entries": [], "parked_at": rfc3339(world.now()), "reminded": box.reminded}
    try:
        world.store.update(Update(keys.box(incident.id), set=parked, remove=RESTED, expect=expect))
    except Conflict:
        return False
    return True


def trim(world: World, incident: Incident, box: Box) -> None:
    """Forget mails that were decided upon. Where new mail came in meanwhile nothing is trimmed: the next time will."""
    expect = {"number": box.number, "looks": box.looks or ABSENT}
    update = Update(keys.box(incident.id), set={"entries": []}, remove=("looks", *RESTED), expect=expect)
    try:
        world.store.update(update)
    except Conflict:
        return


def rest(world: World, incident: str) -> None:
    """Mail to an incident that is finished for good stays unread: take the box out of the `due` index."""
    world.store.update(Update(keys.box(incident), remove=RESTED))


def _box(item: Item, taken: int, now: datetime) -> Box:
    entries, number = item.get("entries", []), int(item.get("number", 0))
    first = number - len(entries) + 1
    mails = (replace(_mail(entry, now), number=first + i) for i, entry in enumerate(entries))
    news = tuple(mail for mail in mails if mail.number > taken)
    return Box(news, number, int(item.get("looks", 0)), item.get("token", ""), item.get("reminded", ""))


def _mail(entry: Mapping[str, Any], now: datetime) -> Mail:
    """The mail; of one that cannot be read a note of what it said, so that people can say it again."""
    try:
        return load(Mail, entry)
    except (KeyError, TypeError, ValueError, AttributeError):
        said = line(" ".join(str(entry.get(name, "")) for name in ("kind", "argument", "actor", "text")), 300)
        why = {"reason": "it is of another version of the bot, which this one cannot read"}
        return Mail(MailKind.NOTE, now, actor="mailbox", text=f"a mail is not taken: {said}", detail=why)
