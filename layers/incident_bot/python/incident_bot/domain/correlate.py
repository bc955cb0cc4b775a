"""Correlation: which open incident a firing alert belongs to, by its group, its service and the service topology."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from incident_bot.domain.alert import Severity
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.head import Head, Member
from incident_bot.domain.team import Service

NEW = ""
JOINED_FOR = timedelta(hours=6)  # an incident older than this takes its own groups' alerts, and no others


@dataclass(frozen=True, slots=True)
class Candidate:
    """A firing alert as correlation sees it."""

    group: str
    service: str
    severity: Severity
    at: datetime
    noise: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert belongs (`incident` is NEW for a new one), why, which incidents it shows to be the same fault
    (they move into it) and the probable root service where that changes."""

    incident: str
    reason: str
    absorbs: tuple[str, ...] = ()
    root: str = ""


class Topology:
    """What each service depends on, directly or through others; cycles and unknown services are harmless."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services
        self.upstream = cache(self._upstream)

    def _upstream(self, service: str) -> AbstractSet[str]:
        found: set[str] = set()
        front = set(self._direct(service))
        while front:
            found |= front
            front = {d for s in front for d in self._direct(s)} - found
        return frozenset(found)

    def _direct(self, service: str) -> Sequence[str]:
        known = self._services.get(service)
        return known.depends_on if known else ()


def place(candidate: Candidate, head: Head, topology: Topology, join_window: timedelta) -> Placement:
    """Place one firing alert. Noise stays by itself; an incident takes joins while it was active within the window."""
    group = head.groups.get(candidate.group)
    if group and group.incident in head.incidents:
        return Placement(group.incident, f"its group {candidate.group} belongs there")
    if candidate.noise:
        return Placement(NEW, "noise is recorded by itself")
    near = [name for name, member in head.incidents.items() if _near(member, candidate.at, join_window)]
    near.sort(key=lambda name: head.incidents[name].opened_at)
    named = candidate.service != UNKNOWN_SERVICE  # that nobody named a service is nothing two alerts have in common
    for name in near:
        if named and candidate.service in head.services(name):
            return Placement(name, f"{candidate.service} alerts there already")
    return _by_topology(candidate, head, topology, near)


def _near(member: Member, at: datetime, join_window: timedelta) -> bool:
    """Whether an incident takes joins: each prolongs the window, but one that lasts for hours swallows nothing new."""
    return not member.noise and abs(at - member.last) <= join_window and at - member.opened_at <= JOINED_FOR


def _by_topology(candidate: Candidate, head: Head, topology: Topology, near: list[str]) -> Placement:
    """The candidate is the root of incidents whose root depends on it, or a dependent of some incident's root."""
    acting = set(head.acting.values())
    dependents = [n for n in near if candidate.service in topology.upstream(head.incidents[n].root)]
    if dependents:
        target = min(dependents, key=lambda n: (n not in acting, not head.incidents[n].actor))
        absorbed = tuple(n for n in dependents if n != target and n not in acting)
        reason = f"{head.incidents[target].root}, the root so far, depends on {candidate.service}"
        return Placement(target, reason, absorbed, candidate.service)
    upstream = topology.upstream(candidate.service)
    for name in near:
        root = head.incidents[name].root
        if root in upstream:
            return Placement(name, f"{candidate.service} depends on {root}, the root of that incident")
    return Placement(NEW, "no open incident explains it")
