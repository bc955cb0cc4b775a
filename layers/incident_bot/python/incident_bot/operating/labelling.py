"""Labelling: a person says whether an incident was worth waking somebody, and later alerts are judged by it."""

from collections.abc import Sequence
from dataclasses import replace

from incident_bot.domain.errors import Conflict, Refused
from incident_bot.domain.incident import Incident
from incident_bot.domain.label import Label, Labelled, subjects
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.team import Person
from incident_bot.domain.timeline import Line
from incident_bot.state import incidents, labels, mailbox
from incident_bot.world import World, Write

TRIES = 3


def label(world: World, identifier: str, person: Person, said: Label, reason: str) -> Labelled:
    """Label an incident, open or over; its last label counts. Saying the same again changes nothing.

    Refused (409) where it was merged: what it was merged into is what people worked on.
    """
    for _ in range(TRIES):
        incident = incidents.read(world.store, identifier)
        if incident.merged_into:
            raise Refused(f"it was merged into {incident.merged_into}: label that", rule="merged", status=409)
        before = labels.read(world.store, identifier)
        counted = subjects(incident)
        if before and (before.label, before.counted, before.reason) == (said, counted, reason):
            return before
        changes = before.changes + 1 if before else 1
        after = Labelled(said, person.id, world.now(), reason, counted, changes)
        try:
            _write(world, incident, after, labels.labelling(world, identifier, before, after))
        except Conflict:
            continue
        return after
    raise Conflict(f"incident {identifier} changed {TRIES} times meanwhile: look at it again")


def _write(world: World, incident: Incident, after: Labelled, writes: Sequence[Write]) -> None:
    """With its line on the timeline: by its execution, or at once where none reads its mail."""
    text = f"labelled {after.label}"
    if incident.generation == 0 or incident.finished:
        incidents.commit(world, incident, replace(incident), [Line("note", text, after.reason, after.by)], writes)
        return
    mail = Mail(MailKind.NOTE, after.at, actor=after.by, text=text, detail={"reason": after.reason})
    world.store.write([*writes, mailbox.posting(world, incident.id, [mail])])
    mailbox.wake(world, incident.id)
