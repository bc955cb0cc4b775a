"""Connecting: which group a firing alert joins or begins, where its series goes on nowhere, and where that belongs."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity
from incident_bot.domain.cause import Topology
from incident_bot.domain.correlate import Placement, place
from incident_bot.domain.gather import NEW, Candidate, begun, gathered, grown, strong
from incident_bot.domain.head import Group, Head
from incident_bot.domain.learn import LEARNED_AT, Kinds, kind_of, taught
from incident_bot.domain.opening import Observation
from incident_bot.domain.sender import moment
from incident_bot.domain.series import Series
from incident_bot.domain.shape import changed
from incident_bot.domain.team import Correlation, Team

ALONE = "a mere warning by itself: nothing else of its service agrees"
NOISE = "noise is recorded by itself"
PLACE_CHARACTERS = 120  # of a label: the head keeps places too
TELLING = (3, 5, 8, 13)  # so many series of a group make it worth another look


@dataclass(frozen=True, slots=True)
class Connected:
    """The alert's group as it is now (still in the incident it was in; NEW where in none), where it belongs, and what
    the head learned of its kinds of alert."""

    name: str
    group: Group
    placement: Placement
    kinds: Kinds
    breadth: int = 1  # services of its incident
    together: int = 1  # of those, the ones in the same place as its own, unless a worse incident is there


def connect(
    observed: Observation, head: Head, topology: Topology, team: Team, now: datetime, *, again: bool
) -> Connected:
    """Find or begin the alert's group and place it; `again`: its series fired and cleared in an open incident."""
    by = team.correlation
    candidate = _candidate(observed, head, by, now, again=again)
    found = gathered(candidate, head, by)
    before = head.groups[found] if found else None
    group = grown(before, candidate) if before else begun(candidate)
    name = found or _name(observed, head, now)
    kinds = head.kinds
    if before and observed.found.noise:
        return Connected(name, group, _alerts_already(group), kinds)
    if observed.found.noise:
        return Connected(name, group, Placement(group.incident, "noise-apart", NOISE), kinds)
    if not strong(group, by):
        return Connected(name, group, Placement(group.incident, "lone-warning", ALONE), kinds)
    fresh = before is None or not strong(before, by)
    if not fresh and not _telling(before, group):
        return Connected(name, group, _alerts_already(group), kinds)
    placement = place(name, replace(head, groups={**head.groups, name: group}), topology, by)
    after = changed(group, cause=placement.cause, effect=placement.effect)
    if not topology.blank and after.series == LEARNED_AT:
        kinds = taught(kinds, after.kinds, effect=after.effect)
    there = [after, *_beside(head, placement)]
    where = after.place
    together = {g.service for g in there if g.place == where} if where and not _told_of(after, head, there, by) else ()
    return Connected(name, after, placement, kinds, len({group.service for group in there}), len(together))


def _alerts_already(group: Group) -> Placement:
    return Placement(group.incident, "same-service", f"{group.service} alerts there already")


def _told_of(group: Group, head: Head, there: Collection[Group], by: Correlation) -> bool:
    """Whether another incident, bad enough to wake people, began in the group's place at about the same time: all of
    its alerts are there, as far as it is known."""
    here, near = {other.incident for other in there}, timedelta(seconds=by.gather_seconds)
    elsewhere = (other for other in head.groups.values() if other.incident not in here)
    begun_there = {
        other.incident
        for other in elsewhere
        if other.places.get(group.place) == other.series and abs(other.began - group.began) <= near
    }
    return any(i in head.incidents and head.incidents[i].severity <= Severity.SEV2 for i in begun_there)


def _beside(head: Head, placement: Placement) -> list[Group]:
    """The other groups of the incident, with those that move there."""
    there = {*placement.moves, *placement.explains}
    if placement.incident != NEW:
        there |= {name for name, other in head.groups.items() if other.incident == placement.incident}
    return [head.groups[name] for name in there if name in head.groups]


def sender(observed: Observation) -> str:
    """Whose clock the alert's times are by: a source may be fed by many machines, of which its service names one."""
    return f"{observed.alert.source}/{observed.found.service}"


def _candidate(observed: Observation, head: Head, by: Correlation, now: datetime, *, again: bool) -> Candidate:
    alert, found = observed.alert, observed.found
    began, earliest = moment(head.senders, sender(observed), alert.started_at, now)
    where = next((name for name in by.shared_labels if alert.labels.get(name)), "")
    return Candidate(
        service=found.service,
        kind=kind_of(alert.source, alert.title, found.service),
        severity=found.severity,
        at=now,
        began=began,
        earliest=earliest,
        sure=alert.severity is None or found.severity <= Severity.SEV2,
        noise=found.noise,
        again=again,
        slow=observed.slow,
        place=f"{where}={alert.labels[where][:PLACE_CHARACTERS]}" if where else "",
        change=observed.change[:PLACE_CHARACTERS],
        after=observed.after,
        claimed=observed.claimed,
    )


def _name(observed: Observation, head: Head, now: datetime) -> str:
    name = f"{observed.found.service}@{now:%m%dT%H%M%S}"
    return name if name not in head.groups else f"{name}-{observed.alert.fingerprint[3:9]}"


def _telling(before: Group | None, group: Group) -> bool:
    """Whether a group that was placed has changed so that it may belong elsewhere."""
    return group.series in TELLING or bool(before and group.severity < before.severity)


def bare(observed: Observation, known: Series | None) -> Group:
    """A group that fell off the head comes back to it, as old as it is, with what is known without it."""
    alert = observed.alert
    began = min((alert.occurred_at, *(known.flips if known else ())))
    return Group("", observed.found.service, began, began, began, severity=observed.found.severity, sure=False)
