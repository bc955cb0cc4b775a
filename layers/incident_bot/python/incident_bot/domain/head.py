"""The head of a scope: the one place that says which group of alerts belongs to which open incident.

It is read strongly consistent before every decision and written under its version, so concurrent consumers cannot both
see no incident. It stays small: a full head closes its oldest groups to joins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from incident_bot.domain.alert import Severity

GROUPS_KEPT = 80  # about 5 KB in a storm, as the head is written
SENDERS_KEPT = 64
NEARLY_ALL = 0.8
MANY_ENOUGH = 3  # series: fewer share a place by chance


@dataclass(frozen=True, slots=True)
class Group:
    """A wave: series of one service that began to fire together. Alerts are correlated and moved by these.

    `began` is when the first of them fired by our clock, `earliest` the same by its sender's clock, which may be wrong;
    `last` is when a series last joined, `slow` the seconds by which the promptest of its sources may tell late. `kinds`
    counts its series by the kind of alert, `places` by the label that says what they share with other services. A
    `sure` group holds an alert that is believed by itself; one that began `again` fired and cleared before. `cause`
    names the group that explains it, `change` what was deployed or changed before it began, `after` how many seconds
    before (0: not known), and `claimed` that no pipeline told of it: a claim connects with related services only.
    """

    incident: str
    service: str
    last: datetime
    began: datetime
    earliest: datetime
    slow: int = 0
    series: int = 1
    firing: int = 1
    flapping: int = 0  # series that fired again
    severity: Severity = Severity.SEV3
    sure: bool = True
    again: bool = False
    effect: bool = False  # something upstream could explain it
    kinds: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    cause: str = ""
    pinned: bool = False  # people decided where it belongs: it does not move by itself
    change: str = ""
    after: int = 0
    claimed: bool = False

    @property
    def place(self) -> str:
        """The place that nearly all its series share; empty where they share none, or are too few to tell."""
        if self.series < MANY_ENOUGH or not self.places:
            return ""
        most = max(self.places, key=self.places.__getitem__)
        return most if self.places[most] >= NEARLY_ALL * self.series else ""


class Groups(dict[str, Group]):
    """The groups of a batch under way, by name. Set and delete them by item alone: `services` has them by service too,
    so that nobody looks through all of them for a few."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        super().__init__(groups)
        self.services: dict[str, dict[str, Group]] = {}
        for name, group in groups.items():
            self.services.setdefault(group.service, {})[name] = group

    def __setitem__(self, name: str, group: Group) -> None:
        super().__setitem__(name, group)
        self.services.setdefault(group.service, {})[name] = group

    def __delitem__(self, name: str) -> None:
        del self.services[self[name].service][name]
        super().__delitem__(name)


@dataclass(frozen=True, slots=True)
class Member:
    """An open incident as correlation needs it."""

    root: str
    opened_at: datetime
    severity: Severity
    noise: bool = False
    actor: bool = True  # has an execution (generation 1 or later)


@dataclass(frozen=True, slots=True)
class Head:
    """The scope's groups and open incidents; `version` rises with every write.

    `acting` maps each remediation in flight to its incident, and freezes that: nothing moves out of it. `senders` maps
    who was heard of to how many seconds our clock is ahead of theirs. `kinds` is what was learned of each kind of
    alert: in how many groups that had a cause it occurred, and in how many that had none; under `*` all together.
    """

    version: int = 0
    groups: Mapping[str, Group] = field(default_factory=dict)
    incidents: Mapping[str, Member] = field(default_factory=dict)
    acting: Mapping[str, str] = field(default_factory=dict)
    senders: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def by_service(self) -> Mapping[str, Mapping[str, Group]]:
        """The groups by their names, by their services."""
        return (self.groups if isinstance(self.groups, Groups) else Groups(self.groups)).services

    def of(self, incident: str) -> list[str]:
        """The groups of an incident."""
        return [name for name, group in self.groups.items() if group.incident == incident]

    def services(self, incident: str) -> set[str]:
        """The services that alert in an incident."""
        return {group.service for group in self.groups.values() if group.incident == incident}


def placed(head: Head, name: str, group: Group, member: Member) -> Head:
    """The head with that group in that incident, as far as there is room."""
    groups, incidents = {**head.groups, name: group}, {**head.incidents, group.incident: member}
    make_room(groups, incidents, name)
    return replace(head, groups=groups, incidents=incidents)


def make_room(groups: dict[str, Group], incidents: dict[str, Member], kept: str) -> None:
    """Where there are too many groups the oldest go, but for the one to be kept, and incidents without any."""
    if len(groups) <= GROUPS_KEPT:
        return
    while len(groups) > GROUPS_KEPT:
        del groups[min((n for n in groups if n != kept), key=lambda n: groups[n].last)]
    for incident in incidents.keys() - {group.incident for group in groups.values()}:
        del incidents[incident]


def without(head: Head, incident: str) -> Head:
    """The head after an incident closed: neither it nor its groups."""
    return replace(
        head,
        groups={n: g for n, g in head.groups.items() if g.incident != incident},
        incidents={i: m for i, m in head.incidents.items() if i != incident},
    )
