"""Splitting and merging incidents by hand: decided on the scope's head, on the timeline of both, remembered."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from incident_bot.actor import execution
from incident_bot.domain import correct
from incident_bot.domain.correct import Correction, Order
from incident_bot.domain.errors import Conflict, NotFound, Refused
from incident_bot.domain.head import Head
from incident_bot.domain.incident import Incident, Step
from incident_bot.domain.opening import first_page
from incident_bot.domain.series import Series
from incident_bot.domain.storm import KIND as STORM
from incident_bot.domain.team import Person
from incident_bot.domain.timeline import Line
from incident_bot.state import corrections, heads, incidents, intents, mailbox, series
from incident_bot.world import World, Write

TRIES = 5


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of it: where the alerts are now, their groups, and whether that incident pages by itself."""

    incident: str
    groups: tuple[str, ...]
    pages: bool


def split(
    world: World, identifier: str, person: Person, *, alerts: Collection[str], groups: Collection[str], reason: str
) -> Corrected:
    """Part alerts (fingerprints) or groups of an incident from it: they are an incident of their own, which pages where
    it needs to. Refused (409) where an action of it is in flight, or where nothing would be left of it."""

    def decided(order: Order) -> tuple[Head, Correction]:
        incident = _workable(world, identifier, person)
        found = heads.read(world.store, incident.scope)
        head = correct.shown(found, incident)
        present = correct.present(series.firing(world.store, incident.scope), head, identifier)
        moving = _named(present, alerts, groups, identifier)
        return found, correct.part(head, incident, moving, present, team=world.team, order=order)

    done = _written(world, person, reason, decided, corrections.PARTED)
    opened = done.opened
    assert opened is not None  # noqa: S101 - parting opens an incident
    execution.start(world, incidents.read(world.store, opened.id))
    names = tuple(dict.fromkeys(one.group for one in opened.firing.values()))
    return Corrected(opened.id, names, correct.wakes(opened, world.team)[0])


def merge(world: World, identifier: str, into: str, person: Person, reason: str) -> Corrected:
    """Join an incident to another: all its alerts belong there, it ends as merged, and that one pages as it needs to.
    Refused (409) where an action of it is in flight, or where either is over."""
    if identifier == into:
        raise Refused("an incident cannot be merged into itself", rule="itself", status=409)

    def decided(order: Order) -> tuple[Head, Correction]:
        incident, other = _workable(world, identifier, person), _workable(world, into, person)
        if incident.scope != other.scope:
            raise Refused(f"{into} is of another environment ({other.environment})", rule="scope", status=409)
        found = heads.read(world.store, incident.scope)
        head = correct.shown(correct.shown(found, incident), other)
        return found, correct.join(head, incident, other, order)

    done = _written(world, person, reason, decided, corrections.JOINED)
    return Corrected(into, tuple(mail.argument for mail in done.mail[into]), False)


def _written(
    world: World, person: Person, reason: str, decided: Callable[[Order], tuple[Head, Correction]], what: str
) -> Correction:
    """Decide and write in one transaction; whoever changed the head first is looked at again."""
    for _ in range(TRIES):
        order = Order(person.id, reason, world.now(), world.new_id())
        before, done = decided(order)
        try:
            world.store.write(_writes(world, before, done, what, order))
        except Conflict:
            continue
        for told in done.mail:
            mailbox.wake(world, told)
        return done
    raise Conflict(f"alerts kept coming in and changed it {TRIES} times meanwhile: try again")


def _writes(world: World, before: Head, done: Correction, what: str, order: Order) -> list[Write]:
    told = [mailbox.posting(world, incident, mails) for incident, mails in done.mail.items()]
    (scope,) = {incidents.read(world.store, incident).scope for incident in done.mail}
    moved = [series.write(scope, old, new) for old, new in done.series]
    counted = corrections.counting(done.pairs, what, world.now())
    return [heads.write(scope, before, done.head), *told, *moved, *counted, *_opening(world, done, order)]


def _opening(world: World, done: Correction, order: Order) -> list[Write]:
    if done.opened is None:
        return []
    pages, rule, why = correct.wakes(done.opened, world.team)
    (parent,) = done.mail
    of = f"an incident of {done.opened.service}, {done.opened.severity.label}"
    lines = [Line("note", f"split off from {parent}", order.reason, order.by), Line("decision", of, why, rule=rule)]
    step = Step("Page", "it is split off") if pages else None
    opened, writes = incidents.opening(world, replace(done.opened, step=step), lines)
    page = [intents.opening(first_page(opened, f"split off from {parent}; {why}"), world.now())] if pages else []
    return [*writes, mailbox.opening(world, opened.id), *page]


def _workable(world: World, identifier: str, person: Person) -> Incident:
    """The open incident with an execution that reads its mail; one whose page is only held gets one."""
    incident = incidents.read(world.store, identifier)
    if incident.over:
        raise Refused(f"{identifier} is {incident.state}", rule="lifecycle", status=409)
    if incident.kind == STORM:
        raise Refused(f"{identifier} stands for a storm: correct the incidents themselves", rule="storm", status=409)
    if incident.generation == 0 and "hold" not in incident.clocks:
        raise Refused(f"{identifier} is recorded as noise", rule="noise", status=409)
    if incident.generation == 0:
        execution.restart(world, incident, f"{person.id} corrects it")
        return incidents.read(world.store, identifier)
    return incident


def _named(
    present: Collection[Series], alerts: Collection[str], groups: Collection[str], identifier: str
) -> list[Series]:
    """The alerts that were named; NotFound for one that does not fire there."""
    fire, known = {one.fingerprint for one in present}, {one.group for one in present}
    missing = [name for name in alerts if name not in fire] + [name for name in groups if name not in known]
    if missing:
        raise NotFound(f"nothing named {', '.join(missing)} fires in {identifier}")
    return [one for one in present if one.fingerprint in alerts or one.group in groups]
