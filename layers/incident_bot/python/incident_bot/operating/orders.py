"""What a person orders an incident to do: mail to its execution, which decides, or a write where it has none."""

from dataclasses import replace

from incident_bot import remedy
from incident_bot.actor import execution
from incident_bot.domain.errors import Conflict, Refused
from incident_bot.domain.head import without
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.team import Person
from incident_bot.domain.timeline import Line
from incident_bot.operating.documents import Proposal
from incident_bot.state import heads, incidents, mailbox
from incident_bot.state.actions import Remediation
from incident_bot.world import World

TRIES = 3


def acknowledge(world: World, identifier: str, person: Person, reason: str) -> None:
    """Somebody works on it: escalation stops. Refused (409) where it is over or nobody is to be paged for it."""
    incident = _open(world, identifier)
    if _silent(incident):
        raise Refused("it is recorded as noise: nobody is paged for it", rule="noise", status=409)
    _mail(world, incident, MailKind.ACK, person, reason)


def resolve(world: World, identifier: str, person: Person, reason: str) -> None:
    """Somebody says it is over: the source is asked, the quiet period skipped. Refused (409) where it is over."""
    incident = _open(world, identifier)
    if _silent(incident):
        _end(world, incident, person, reason)
    else:
        _mail(world, incident, MailKind.RESOLVE, person, reason)


def propose(world: World, identifier: str, person: Person, wanted: Proposal) -> Remediation:
    """Somebody asks for an action: it is planned and judged, and somebody else is asked to approve it."""
    incident = _open(world, identifier)
    if _silent(incident):
        raise Refused("it is recorded as noise: there is nothing to remediate", rule="noise", status=409)
    if incident.generation == 0:
        execution.restart(world, incident, f"{person.id} acts on it")
    return remedy.propose(world, identifier, wanted.action, wanted.target, wanted.parameters, person.id, wanted.reason)


def _open(world: World, identifier: str) -> Incident:
    incident = incidents.read(world.store, identifier)
    if incident.over:
        where = f", merged into {incident.merged_into}" if incident.merged_into else ""
        raise Refused(f"it is {incident.state}{where}", rule="lifecycle", status=409)
    return incident


def _silent(incident: Incident) -> bool:
    """Whether it is noise without an execution; one whose page is only held gets one."""
    return incident.generation == 0 and "hold" not in incident.clocks


def _mail(world: World, incident: Incident, kind: MailKind, person: Person, reason: str) -> None:
    if incident.generation == 0:
        execution.restart(world, incident, f"{person.id} acts on it")
    mailbox.post(world, incident.id, Mail(kind, world.now(), actor=person.id, text=reason))


def _end(world: World, incident: Incident, person: Person, reason: str) -> None:
    """Resolve noise: it has no execution to do it. News that came in at the same moment is looked at first."""
    for _ in range(TRIES):
        head = heads.read(world.store, incident.scope)
        ended = replace(incident, state=State.RESOLVED, resolved_at=world.now(), clocks={})
        line = Line("state", "the incident is resolved", reason or f"{person.id} says it is over", person.id)
        try:
            also = [heads.write(incident.scope, head, without(head, incident.id))]
            incidents.commit(world, incident, ended, [line], also)
        except Conflict:
            incident = _open(world, incident.id)
        else:
            return
    raise Conflict(f"incident {incident.id} changed {TRIES} times meanwhile: look at it again")
