"""The execution of an incident: exactly one lives while the incident is open, whatever died before."""

from dataclasses import replace
from datetime import datetime, timedelta

from incident_bot.domain.errors import Conflict
from incident_bot.domain.head import without
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.opening import UNTOLD
from incident_bot.domain.suppress import UNMUTED
from incident_bot.domain.timeline import Line
from incident_bot.state import heads, incidents, mailbox, series
from incident_bot.world import World, Write

PATIENCE = timedelta(seconds=60)  # a generation that was just started is not yet called dead
PATIENT_NUDGES = 3  # a minute apart: a task that tries again with backoff is not yet called lost
LONGEST_BACKOFF = timedelta(minutes=30)
EARLY = timedelta(seconds=2)  # by which a message that reminds of a deadline may be there before it


def name_of(incident: Incident) -> str:
    """The execution's name. Names stay taken for 90 days, so every restart has a generation of its own."""
    return f"{incident.id}-{incident.generation}"


def start(world: World, incident: Incident) -> bool:
    """Start the incident's generation; True if it lives (an existing execution counts only while it is RUNNING)."""
    payload = {"incident": incident.id, "generation": incident.generation}
    name = name_of(incident)
    return world.machines.start("incident", name, payload) or world.machines.running("incident", name)


def ensure(world: World, identifier: str, *, insist: bool = False) -> str:
    """Wake the incident's execution, or start the next generation where it is dead; says which in a word.

    `sweep` insists: an execution that runs and yet does not answer (its task was lost with its worker) is dead as well.
    """
    incident = incidents.read(world.store, identifier)
    if finished(incident) and not (incident.generation and mailbox.read(world, incident).mails):
        _settle(world, incident)
        return "over"
    if incident.generation == 0 and not _hold_is_over(world, incident):
        return expire_silent(world, incident)
    alive = bool(incident.generation) and world.machines.running("incident", name_of(incident))
    if alive and not insist and not _anything_due(world, incident):
        return "nothing is due"
    if alive and (not insist or mailbox.nudge(world, identifier) <= PATIENT_NUDGES):
        mailbox.wake(world, identifier)
        return "woken"
    patient_until = incident.clocks.get("start")
    if patient_until and not alive and start(world, incident):
        return "started"
    if patient_until and not alive and patient_until > world.now():
        return "just started"
    why = "its execution did not answer" if alive else "its execution was not running"
    return "restarted" if restart(world, incident, why) else "lost the race"


def restart(world: World, incident: Incident, reason: str) -> bool:
    """Raise the generation by a conditional write and start it; whoever loses that write leaves it to the winner."""
    following = incident.generation + 1
    clocks = {**incident.clocks, "start": world.now() + _backoff(following)}
    step = None if incident.step and incident.step.name == "End" else incident.step  # it ended, and has mail again
    after = replace(incident, generation=following, clocks=clocks, noise=False, step=step)
    line = Line("decision", f"generation {following} takes over", reason)
    try:
        after = incidents.commit(
            world, incident, after, [line], [*_given_an_actor(world, incident), mailbox.patience(incident.id)]
        )
    except Conflict:
        return False
    return start(world, after)


def _given_an_actor(world: World, incident: Incident) -> list[Write]:
    """The head learns that an incident which had no execution has one now, so that its mail goes to the box."""
    if incident.generation:
        return []
    head = heads.read(world.store, incident.scope)
    member = head.incidents.get(incident.id)
    if member is None:
        return []
    known = {**head.incidents, incident.id: replace(member, actor=True, noise=False)}
    return [heads.write(incident.scope, head, replace(head, incidents=known))]


def expire_silent(world: World, incident: Incident) -> str:
    """Noise whose resolve was lost ends when its series were not heard of for the stale time.

    What is suppressed does not; and where its window is over and nobody was told, whatever went wrong, it is told now.
    """
    heard = series.read(world.store, incident.scope, incident.firing)
    told_by = max((s.muted_until + UNTOLD for s in heard.values() if s.muted_until), default=None)
    if told_by and told_by <= world.now():
        return "restarted" if restart(world, incident, UNMUTED) else "lost the race"
    last = max((s.seen_at for s in heard.values()), default=incident.opened_at)
    stale = timedelta(seconds=world.team.timing.stale_after)
    if told_by or world.now() - last < stale:
        look = told_by or last + stale
        incidents.commit(world, incident, replace(incident, clocks={**incident.clocks, "stale": look}))
        return "not stale yet"
    head = heads.read(world.store, incident.scope)
    ended = replace(incident, state=State.RESOLVED, resolved_at=world.now(), clocks={})
    line = Line("state", "the incident is resolved", f"noise not heard of for {stale.total_seconds():.0f} s")
    incidents.commit(world, incident, ended, [line], [heads.write(incident.scope, head, without(head, incident.id))])
    return "expired"


def _hold_is_over(world: World, incident: Incident) -> bool:
    hold = incident.clocks.get("hold")
    return hold is not None and hold <= world.now()


def _anything_due(world: World, incident: Incident) -> bool:
    """Whether there is a deadline or mail; what a message was to remind of may have been done, or put off."""
    return due_at(incident, world.now() + EARLY) or mailbox.read(world, incident).waits


def finished(incident: Incident) -> bool:
    """Whether nothing of the incident needs an execution any more."""
    return incident.finished


def due_at(incident: Incident, now: datetime) -> bool:
    """Whether one of its deadlines has passed."""
    return incident.next_due is not None and incident.next_due <= now


def _backoff(generation: int) -> timedelta:
    """An execution that dies again and again is restarted less and less often, never not."""
    doubled: int = 2 ** min(max(0, generation - 2), 8)
    return min(PATIENCE * doubled, LONGEST_BACKOFF)


def _settle(world: World, incident: Incident) -> None:
    """Take a finished incident and its box out of the `due` index."""
    if incident.clocks:
        incidents.commit(world, incident, replace(incident, clocks={}))
    mailbox.rest(world, incident.id)
