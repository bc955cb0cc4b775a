"""Taking on: a source says that somebody acknowledged an alert elsewhere, and the alert's incident is told."""

from incident_bot.actor import execution
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.plaintext import line
from incident_bot.state import heads, incidents, mailbox, series
from incident_bot.world import World

MERGES = 8  # links followed from an incident that was merged into one that was merged


def take_on(world: World, scope: str, alert: Alert) -> str:
    """Acknowledge the open incident that the alert's series fires in; says what came of it. Raises Unavailable."""
    known = series.read(world.store, scope, [alert.fingerprint]).get(alert.fingerprint)
    if known is None or known.status is not Status.FIRING:
        return "nothing of that series fires"
    group = heads.read(world.store, scope).groups.get(known.group)
    incident = _present(world, group.incident if group else known.incident)
    if incident.over:
        return f"incident {incident.id} is over"
    if incident.generation == 0 and "hold" not in incident.clocks:
        return f"incident {incident.id} pages nobody"
    if incident.generation == 0:
        execution.restart(world, incident, f"{alert.source} says that somebody works on it")
    text = f"{alert.source} says that somebody took {line(known.title)} on"
    mailbox.post(world, incident.id, Mail(MailKind.ACK, world.now(), actor=alert.source, text=text))
    return f"incident {incident.id} is acknowledged"


def _present(world: World, identifier: str) -> Incident:
    """The incident, or the one that it was merged into in the end."""
    incident = incidents.read(world.store, identifier)
    for _ in range(MERGES):
        if incident.merged_into:
            incident = incidents.read(world.store, incident.merged_into)
    return incident
