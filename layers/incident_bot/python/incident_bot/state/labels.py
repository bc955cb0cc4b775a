"""Labels in the store: the last one of each incident, and the tallies (the STAT items) in which they are counted.

A tally that no label was added to for half a year is forgotten: what an alert was worth then says nothing of it now.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from incident_bot.domain.label import KIND, RULE, Label, Labelled, Tally, recounted
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Key, Put, Store, Update, World, Write

KEPT = timedelta(days=180)
FIELDS = {Label.ACTIONABLE: "actionable", Label.FALSE_POSITIVE: "false_positive"}
LISTED = 500


def read(store: Store, incident: str) -> Labelled | None:
    """The incident's label; None where nobody gave it one."""
    item = store.get(keys.label(incident))
    return load(Labelled, item) if item else None


def tally(found: Mapping[Key, Item], subject: str) -> Tally:
    """The tally of a subject among the items that were read; an empty one where it has none."""
    return _tally(found.get(keys.stat(subject), {}))


def labelling(world: World, incident: str, before: Labelled | None, after: Labelled) -> list[Write]:
    """The writes that give an incident that label; they hold only while its label is still the one before."""
    pk, sk = keys.label(incident)
    kept_until = int((world.now() + KEPT).timestamp())
    expect: dict[str, Any] = {"changes": before.changes} if before else {"PK": ABSENT}
    changes = recounted(before, after.label, after.counted)
    counts = (
        Update(keys.stat(subject), set={"ttl": kept_until}, add={FIELDS[said]: by for said, by in change.items()})
        for subject, change in changes.items()
    )
    return [Put({"PK": pk, "SK": sk, **dump(after)}, expect), *counts]


def rates(store: Store) -> Sequence[tuple[str, str, Tally]]:
    """The tallies of all rules and kinds of alert: what each is (`rule` or `kind`), its name, and its tally."""
    return [(of.rstrip(":"), name, found) for of in (RULE, KIND) for name, found in _tallies(store, of)]


def _tallies(store: Store, of: str) -> Iterable[tuple[str, Tally]]:
    items = store.query(keys.stat(of)[0], limit=LISTED)
    return ((item["SK"], _tally(item)) for item in items)


def _tally(item: Item) -> Tally:
    """A label that is taken back after its tally was forgotten leaves less than nothing."""
    found = load(Tally, item)
    return Tally(max(0, found.actionable), max(0, found.false_positive))
