"""The head of a scope: the one place that says which group of alerts belongs to which open incident.

It is read strongly consistent before every decision and written under its version, so concurrent consumers cannot both
see no incident. It stays small: a full head closes its oldest groups to joins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from incident_bot.domain.alert import Severity

GROUPS_KEPT = 80  # about 8 KB


@dataclass(frozen=True, slots=True)
class Group:
    """A group of series (one service's alerts of one name): where it belongs and when it last fired."""

    incident: str
    service: str
    last: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """An open incident as correlation needs it."""

    root: str
    opened_at: datetime
    last: datetime
    severity: Severity
    noise: bool = False
    actor: bool = True  # has an execution (generation 1 or later)


@dataclass(frozen=True, slots=True)
class Head:
    """The scope's groups and open incidents; `version` rises with every write.

    `acting` maps each remediation in flight to its incident, and freezes that: nothing moves out of it.
    """

    version: int = 0
    groups: Mapping[str, Group] = field(default_factory=dict)
    incidents: Mapping[str, Member] = field(default_factory=dict)
    acting: Mapping[str, str] = field(default_factory=dict)

    def of(self, incident: str) -> list[str]:
        """The groups of an incident."""
        return [name for name, group in self.groups.items() if group.incident == incident]

    def services(self, incident: str) -> set[str]:
        """The services that alert in an incident."""
        return {group.service for group in self.groups.values() if group.incident == incident}


def placed(head: Head, name: str, group: Group, member: Member) -> Head:
    """The head with that group in that incident. When it is full the oldest groups go, and incidents without any."""
    groups, incidents = {**head.groups, name: group}, {**head.incidents, group.incident: member}
    if len(groups) <= GROUPS_KEPT:
        return Head(head.version, groups, incidents, head.acting)
    while len(groups) > GROUPS_KEPT:
        groups.pop(min((n for n in groups if n != name), key=lambda n: groups[n].last))
    named = {g.incident for g in groups.values()}
    return replace(head, groups=groups, incidents={i: m for i, m in incidents.items() if i in named})


def without(head: Head, incident: str) -> Head:
    """The head after an incident closed: neither it nor its groups."""
    return replace(
        head,
        groups={n: g for n, g in head.groups.items() if g.incident != incident},
        incidents={i: m for i, m in head.incidents.items() if i != incident},
    )
