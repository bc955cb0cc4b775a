"""Correlation: which open incident a group of alerts belongs to, what it explains, and what moves on its account."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from incident_bot.domain.alert import Severity
from incident_bot.domain.cause import Topology
from incident_bot.domain.explain import explanation
from incident_bot.domain.gather import NEW
from incident_bot.domain.head import Head
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.surroundings import Surroundings
from incident_bot.domain.team import Correlation


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a group belongs (`incident` is NEW for a new one), by which rule, and why; the group that explains it, the
    groups that this one explains, all that moves (group -> incident), and the probable root where that changes."""

    incident: str
    rule: RuleName
    reason: str
    cause: str = ""
    explains: tuple[str, ...] = ()
    moves: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    effect: bool = False  # something upstream could explain it, even if that is not taken for its cause


def place(name: str, head: Head, topology: Topology, by: Correlation) -> Placement:
    """Place a group that is strong: find what explains it, and what it explains better than what did so far."""
    if head.groups[name].pinned:
        return Placement(head.groups[name].incident, "pinned", "people decided where it belongs")
    return _Election(Surroundings(name, head, topology, by)).held()


class _Election:
    """One group, with what is around it on the head and what explains it there."""

    def __init__(self, around: Surroundings) -> None:
        self.around, self.name, self.group, self.head = around, around.name, around.group, around.head
        self.found = explanation(around)

    def held(self) -> Placement:
        cause, rule, why = self.found.cause, self.found.rule, self.found.reason
        explains = {} if self.around.topology.blank else self._explained(self.around.upwards(cause))
        target = self.around.others[cause].incident if cause else self._home(explains)
        if cause and self._outlives(target):
            return self._taking_over(cause, target)
        if not cause and explains:
            first = self.head.groups[next(iter(explains))]
            better = self._takes_over(target, explains)
            rule = "better-root" if better else "upstream"
            why = f"{first.service}{', the root so far,' if better else ''} depends on {self.group.service}"
        moves = dict(self._moves((self.name, *explains), target))
        stays = self.group.incident not in {NEW, target} and self.name not in moves
        if stays:
            why = "an action of its incident is in flight: nothing leaves it"
            return Placement(self.group.incident, "action-in-flight", why)
        kept = tuple(n for n in explains if n in moves or self.head.groups[n].incident == target)
        root = self.group.service if not cause and self._takes_over(target, kept) else ""
        return Placement(target, rule, why, cause, kept, moves, root, self.found.effect)

    def _outlives(self, other: str) -> bool:
        """Whether the group's own incident is worse than the one it belongs with, and would be emptied: then that one
        comes here, for whom this one paged needs no other page."""
        own = self.group.incident
        if own in {NEW, other} or other in self.head.acting.values():
            return False
        if any(self.head.groups[name].pinned for name in self.head.of(other)):
            return False
        worse = self.head.incidents[own].severity < self.head.incidents[other].severity
        return worse and len(self.around.downwards(self.name)) == len(self.head.of(own))

    def _taking_over(self, cause: str, other: str) -> Placement:
        own = self.group.incident
        moves = dict.fromkeys(self.head.of(other), own)
        upstream = self.head.groups[cause].service in self.around.topology.upstream(self.group.service)
        root = self.head.incidents[other].root if upstream else ""
        return Placement(own, self.found.rule, self.found.reason, cause, (), moves, root, self.found.effect)

    # -- what it explains --------------------------------------------------------------------------------------------

    def _explained(self, above: Collection[str]) -> dict[str, None]:
        found: dict[str, None] = {}
        for name, other in self.around.others.items():
            if name in above or other.cause == self.name or (paid := self.around.cost(other, self.group)) is None:
                continue
            present = self.head.groups.get(other.cause)
            beside = bool(present and present.place and present.place == other.place)
            held_by = self.around.cost(other, present) if present else None
            if other.pinned or beside or (held_by is not None and held_by <= paid):
                continue
            if not self.around.causal(other, self.group):
                found[name] = None
        return dict.fromkeys(sorted(found, key=lambda name: (self.around.others[name].began, name)))

    # -- what moves --------------------------------------------------------------------------------------------------

    def _home(self, explains: Collection[str]) -> str:
        """The incident of a group without a cause: its own, or one whose root turns out to be its effect."""
        names = [
            *(() if self.found.apart else (self.group.incident,)),
            *(self.head.groups[n].incident for n in explains if not self.head.groups[n].cause),
        ]
        known = dict.fromkeys(name for name in names if name != NEW)
        frozen = set(self.head.acting.values())

        def rank(name: str) -> tuple[bool, bool, Severity, datetime, str]:
            member = self.head.incidents[name]
            return name not in frozen, not member.actor, member.severity, member.opened_at, name

        return min(known, key=rank, default=NEW)

    def _moves(self, roots: Collection[str], target: str) -> Iterator[tuple[str, str]]:
        frozen = set(self.head.acting.values())
        for root in roots:
            for name in self.around.downwards(root):
                incident, pinned = self.head.groups[name].incident, self.head.groups[name].pinned
                if not pinned and incident not in (NEW, target) and incident not in frozen:
                    yield name, target

    def _takes_over(self, target: str, explains: Collection[str]) -> bool:
        """Whether the target's root so far is among what this group explains."""
        member = self.head.incidents.get(target)
        return bool(member) and any(self.head.groups[n].service == member.root for n in explains if member)
