"""Gathering: which group of its service a firing alert joins, or begins, and what the group is with it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from incident_bot.domain.alert import Severity
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.head import Group, Head
from incident_bot.domain.team import Correlation

NEW = ""
LONGEST_GATHERING = 2.5  # times `gather_seconds`: a group that grows for longer is closed to new series


class Candidate(NamedTuple):
    """A firing alert of a series that goes on nowhere, as correlation sees it. `at` is its arrival."""

    service: str
    kind: str
    severity: Severity
    at: datetime
    began: datetime
    earliest: datetime
    sure: bool = True
    noise: bool = False
    again: bool = False
    slow: int = 0
    place: str = ""
    change: str = ""
    after: int = 0
    claimed: bool = False


def gathered(candidate: Candidate, head: Head, by: Correlation) -> str | None:
    """The group of its service that is still growing; where either is noise, one with the same kind of alert. None: it
    begins a group."""
    found: list[tuple[datetime, str]] = []
    for name, group in head.by_service.get(candidate.service, {}).items():
        if candidate.noise or candidate.service == UNKNOWN_SERVICE or head.incidents[group.incident].noise:
            fits = candidate.kind in group.kinds
        else:
            fits = _growing(group, candidate, by.gather_seconds)
        if fits:
            found.append((group.last, name))
    return max(found)[1] if found else None


def _growing(group: Group, candidate: Candidate, gather: float) -> bool:
    grew, lasted = (candidate.at - group.last).total_seconds(), (candidate.at - group.began).total_seconds()
    return grew <= gather + candidate.slow and lasted <= LONGEST_GATHERING * gather + candidate.slow


def begun(candidate: Candidate) -> Group:
    """The group that the candidate begins, in no incident yet."""
    return Group(
        incident=NEW,
        service=candidate.service,
        last=candidate.at,
        began=candidate.began,
        earliest=candidate.earliest,
        slow=candidate.slow,
        severity=candidate.severity,
        sure=candidate.sure,
        again=candidate.again,
        kinds={candidate.kind: 1},
        places={candidate.place: 1} if candidate.place else {},
        change=candidate.change,
        after=candidate.after,
        claimed=candidate.claimed,
    )


def grown(group: Group, candidate: Candidate) -> Group:
    """The group with one series more; noise makes it no worse."""
    if candidate.noise:
        return replace(group, series=group.series + 1, firing=group.firing + 1)
    return replace(
        group,
        last=max(group.last, candidate.at),
        began=min(group.began, candidate.began),
        earliest=min(group.earliest, candidate.earliest),
        slow=min(group.slow, candidate.slow),
        series=group.series + 1,
        firing=group.firing + 1,
        severity=Severity(min(group.severity, candidate.severity)),
        sure=group.sure or candidate.sure,
        kinds=_counted(group.kinds, candidate.kind),
        places=_counted(group.places, candidate.place),
        change=group.change or candidate.change,
        after=group.after if group.change else candidate.after,
        claimed=group.claimed if group.change else candidate.claimed,
    )


def _counted(counts: Mapping[str, int], name: str) -> Mapping[str, int]:
    if not name or (name not in counts and len(counts) >= 4):
        return counts
    return {**counts, name: counts.get(name, 0) + 1}


def strong(group: Group, by: Correlation) -> bool:
    """Whether enough speaks for the group to connect it with others: a mere warning by itself may be anything."""
    return group.sure or group.series >= by.agree
