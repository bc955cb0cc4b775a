"""Alerts that resolve: the incident of their series is told, or a tombstone waits for a trigger that is late."""

from incident_bot.domain.batch import Batch, Verdict
from incident_bot.domain.opening import Observation, tombstone
from incident_bot.domain.series import Series


def ends(batch: Batch, observed: Observation, known: Series | None) -> Verdict:
    """A resolve, to the incident of its series, or to a tombstone where its trigger was never seen."""
    if known is None:
        opening = tombstone(observed, batch.new_id(), batch.team, batch.now)
        batch.openings[opening.incident.id] = opening
        batch.record(observed, f"{observed.found.service}@", opening.incident.id)
        return opening.incident.id, "tombstone", opening.page_reason
    home = batch.home(known)
    batch.clears(known)
    batch.record(observed, known.group, home or known.incident)
    if home:
        batch.tell(observed, known.group, (home, "source-resolved", "its source says so"))
    return home or known.incident, "source-resolved", f"{observed.alert.status} at its source"
