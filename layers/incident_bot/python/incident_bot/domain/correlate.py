"""Correlation: which group a firing alert joins, which open incident explains it, and what moves on its account."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity
from incident_bot.domain.cause import Cost, Topology, cost
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.head import Group, Head
from incident_bot.domain.learn import LEARNED_AT, causal
from incident_bot.domain.team import Correlation

NEW = ""
JOINED_FOR = timedelta(hours=6)  # an incident older than this takes its own groups' alerts, and no others
LONGEST_GATHERING = 2.5  # times `gather_seconds`: a group that grows for longer is closed to new series
SHARED_WITHIN = timedelta(seconds=60)
SURELY = 5  # series of a group that share a place: no chance
OTHERS = 2  # services there besides
SHARE = 0.33  # of a hop: so much later may fire what all explain who depend on it


@dataclass(frozen=True, slots=True)
class Candidate:
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


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a group belongs (`incident` is NEW for a new one) and why, the group that explains it, the groups that this
    one explains, all that moves (group -> incident), and the probable root service where that changes."""

    incident: str
    reason: str
    cause: str = ""
    explains: tuple[str, ...] = ()
    moves: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    effect: bool = False  # something upstream could explain it, even if that is not taken for its cause


def gathered(candidate: Candidate, head: Head, by: Correlation) -> str | None:
    """The group of its service that is still growing; where either is noise, one with the same kind of alert. None: it
    begins a group."""
    found: list[tuple[datetime, str]] = []
    for name, group in head.groups.items():
        if group.service != candidate.service:
            continue
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
        slow=max(group.slow, candidate.slow),
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


def place(name: str, head: Head, topology: Topology, by: Correlation) -> Placement:
    """Place a group that is strong: find what explains it, and what it explains better than what did so far."""
    return _Election(name, head, topology, by).held()


def _shows(group: Group, kind: str) -> bool:
    return any(name.split(":", 1)[1] == kind for name in group.kinds)


class _Election:
    """One group among all others of the head."""

    def __init__(self, name: str, head: Head, topology: Topology, by: Correlation) -> None:
        self.name, self.head, self.topology, self.by = name, head, topology, by
        self.group = head.groups[name]
        self.effect = False
        self.apart = False  # it turns out to be nobody's effect, but was taken for one
        self.others = {n: g for n, g in head.groups.items() if n != name and self._open(g)}

    def _open(self, group: Group) -> bool:
        member = self.head.incidents[group.incident]
        fresh = self.group.last - member.opened_at <= JOINED_FOR
        return not member.noise and fresh and strong(group, self.by)

    def held(self) -> Placement:
        if self.group.pinned:
            return Placement(self.group.incident, "people decided where it belongs")
        cause, why = self._cause()
        explains = {} if self.topology.blank else self._explained(self._upwards(cause))
        target = self.others[cause].incident if cause else self._home(explains)
        if cause and self._outlives(target):
            return self._taking_over(cause, target, why)
        if not cause and explains:
            first = self.head.groups[next(iter(explains))]
            so_far = ", the root so far," if self._takes_over(target, explains) else ""
            why = f"{first.service}{so_far} depends on {self.group.service}"
        moves = dict(self._moves((self.name, *explains), target))
        stays = self.group.incident not in {NEW, target} and self.name not in moves
        if stays:
            return Placement(self.group.incident, "an action of its incident is in flight: nothing leaves it")
        kept = tuple(n for n in explains if n in moves or self.head.groups[n].incident == target)
        root = self.group.service if not cause and self._takes_over(target, kept) else ""
        return Placement(target, why, cause, kept, moves, root, self.effect)

    def _outlives(self, other: str) -> bool:
        """Whether the group's own incident is worse than the one it belongs with, and would be emptied: then that one
        comes here, for whom this one paged needs no other page."""
        own = self.group.incident
        if own in {NEW, other} or other in self.head.acting.values():
            return False
        if any(self.head.groups[name].pinned for name in self.head.of(other)):
            return False
        worse = self.head.incidents[own].severity < self.head.incidents[other].severity
        return worse and len(self._downwards(self.name)) == len(self.head.of(own))

    def _taking_over(self, cause: str, other: str, why: str) -> Placement:
        own = self.group.incident
        moves = dict.fromkeys(self.head.of(other), own)
        upstream = self.head.groups[cause].service in self.topology.upstream(self.group.service)
        root = self.head.incidents[other].root if upstream else ""
        return Placement(own, why, cause, (), moves, root, self.effect)

    # -- what explains it --------------------------------------------------------------------------------------------

    def _cause(self) -> tuple[str, str]:
        below = self._downwards(self.name)
        found: list[tuple[Cost, str]] = []
        for name, other in self.others.items():
            if name not in below and (paid := self._cost(self.group, other)) is not None:
                found.append((paid, name))
        self.effect = bool(found)
        if kind := self._causal(self.group):
            self.effect, self.apart = False, bool(self.group.cause)
            if same := self._same(below, kind):
                return same, f"{self.group.service} shows {kind} there already"
            return "", f"{kind} names a cause, not an effect"
        if near := self._near_by(below):
            return near, self._in_place
        if found:
            name = min(found, key=self._weighed)[1]
            service = self.head.groups[name].service
            if self.topology.blank:
                return name, f"{self.group.service} fires right after {service}"
            root = self.head.incidents[self.head.groups[name].incident].root
            which = "the root of that incident" if service == root else "which alerts there"
            return name, f"{self.group.service} depends on {service}, {which}"
        return self._neighbour(below)

    def _weighed(self, found: tuple[Cost, str]) -> tuple[Cost, str]:
        """The cost, less where many of those who depend on the cause directly fire too: of two that fit as well, the
        one whose fault shows everywhere explains more than the one that fired last."""
        (*paid, lag), name = found
        cause = self.others[name]
        direct = self.topology.callers(cause.service)
        if not direct:
            return found
        reach = 2 * self.by.hop_seconds
        began = {g.service: (g.began - cause.began).total_seconds() for g in self.others.values() if g.firing}
        firing = sum(1 for s in direct if s == self.group.service or abs(began.get(s, reach + 1)) <= reach)
        slow, doubts, guessed, hops = paid
        return (slow, doubts, guessed, hops, lag - SHARE * self.by.hop_seconds * firing / len(direct)), name

    def _causal(self, group: Group, cause: Group | None = None) -> str:
        """The kind of alert that makes it a cause and no effect of that one, which does not show that kind itself."""
        if self.topology.blank:
            return ""
        spread = {} if cause is None else cause.kinds
        own = {kind: number for kind, number in group.kinds.items() if kind not in spread}
        counted = not group.effect and group.series > LEARNED_AT
        return causal(self.head.kinds, group.kinds, self.by.causes, counted=counted, among=own)

    def _cost(self, effect: Group, cause: Group) -> Cost | None:
        if effect.service == cause.service:
            return None
        if not self.topology.blank:
            hops = self.topology.upstream(effect.service).get(cause.service)
            return cost(effect, cause, hops, self.by) if hops else None
        if not self.by.together_seconds:
            return None
        lag = (effect.began - cause.began).total_seconds()
        apart = effect.place != cause.place
        return (0, 0, 0, 1, lag) if 0 <= lag <= self.by.together_seconds and not apart else None

    def _neighbour(self, below: Collection[str]) -> tuple[str, str]:
        """Without a cause upstream: a place that is shared with another group, or the same service shortly before."""
        group = self.group
        beside = [(o.began, n) for n, o in self.others.items() if n not in below and self._beside(o)]
        if beside:
            return min(beside)[1], self._in_place
        after = [(o.began, n) for n, o in self.others.items() if n not in below and self._after_the_same(o)]
        if after:
            return min(after)[1], self._shared_change(self.others[min(after)[1]])
        free = [(other.last, name) for name, other in self.others.items() if name not in below]
        for _, name in sorted(free):
            if shared := self._sibling(self.others[name]):
                other = self.others[name].service
                return name, f"{group.service} and {other} both depend on {shared}, which may fail silently"
        if same := self._same(below):
            return same, f"{group.service} alerts there already"
        return "", "no open incident explains it"

    def _same(self, below: Collection[str], kind: str = "") -> str:
        """The last group of the same service, with that kind of alert if one is named, to grow shortly before."""
        free = ((other.last, name) for name, other in self.others.items() if name not in below and self._again(other))
        return max(((at, n) for at, n in free if not kind or _shows(self.others[n], kind)), default=(None, ""))[1]

    @property
    def _in_place(self) -> str:
        return f"all of it is in {self.group.place}, like others that fire at the same time"

    def _near_by(self, below: Collection[str]) -> str:
        """The first of several groups that are as surely in the same place, which no service upstream explains."""
        if self.group.series < SURELY or not self.group.place:
            return ""
        beside = sorted((o.began, n) for n, o in self.others.items() if n not in below and self._beside(o))
        return beside[0][1] if len({self.others[n].service for _, n in beside}) >= OTHERS else ""

    def _beside(self, other: Group) -> bool:
        group = self.group
        near = abs(group.began - other.began) <= SHARED_WITHIN
        if not near or not group.place or other.place != group.place or other.service == group.service:
            return False
        explained = self.head.groups.get(other.cause)
        return explained is None or explained.place == other.place

    def _after_the_same(self, other: Group) -> bool:
        """Whether it is of another service that began to fire after the same change, which explains it best.

        What an alert merely claims would let whoever may send one join any incident: that takes a related service.
        """
        group = self.group
        near = abs((group.began - other.began).total_seconds()) <= self.by.join_window
        if not near or not group.change or other.change != group.change or other.service == group.service:
            return False
        if (group.claimed or other.claimed) and not self.topology.related(group.service, other.service):
            return False
        explained = self.head.groups.get(other.cause)
        return explained is None or explained.change == other.change

    def _shared_change(self, other: Group) -> str:
        said = f"{self.group.after} s before" if self.group.after else "as their alerts say"
        return f"shared change: {self.group.service} and {other.service} both follow {self.group.change}, {said}"

    def _again(self, other: Group) -> bool:
        """Whether it is the same service that began to fire shortly before, or shortly after what is told late."""
        group, window = self.group, timedelta(seconds=self.by.join_window)
        same = other.service == group.service != UNKNOWN_SERVICE and other.again == group.again
        return same and other.began - window <= group.began <= other.last + window

    def _sibling(self, other: Group) -> str:
        """What both depend on directly, where both began at nearly the same time and nothing explains either."""
        if not self.by.siblings_seconds:
            return ""
        near = abs((self.group.began - other.began).total_seconds()) <= self.by.siblings_seconds
        if not near or other.cause or other.service == self.group.service or other.place != self.group.place:
            return ""
        if self._causal(other):
            return ""
        direct, theirs = (self.topology.upstream(g.service) for g in (self.group, other))
        return min((s for s, hops in direct.items() if hops == 1 and theirs.get(s) == 1), default="")

    # -- what it explains --------------------------------------------------------------------------------------------

    def _explained(self, above: Collection[str]) -> dict[str, None]:
        found: dict[str, None] = {}
        for name, other in self.others.items():
            if name in above or other.cause == self.name or (paid := self._cost(other, self.group)) is None:
                continue
            if other.pinned or self._causal(other, self.group):
                continue
            present = self.head.groups.get(other.cause)
            beside = bool(present and present.place and present.place == other.place)
            held_by = self._cost(other, present) if present else None
            if not beside and (held_by is None or paid < held_by):
                found[name] = None
        return dict.fromkeys(sorted(found, key=lambda name: (self.others[name].began, name)))

    # -- what moves --------------------------------------------------------------------------------------------------

    def _home(self, explains: Collection[str]) -> str:
        """The incident of a group without a cause: its own, or one whose root turns out to be its effect."""
        names = [
            *(() if self.apart else (self.group.incident,)),
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
            for name in self._downwards(root):
                incident, pinned = self.head.groups[name].incident, self.head.groups[name].pinned
                if not pinned and incident not in (NEW, target) and incident not in frozen:
                    yield name, target

    def _takes_over(self, target: str, explains: Collection[str]) -> bool:
        """Whether the target's root so far is among what this group explains."""
        member = self.head.incidents.get(target)
        return bool(member) and any(self.head.groups[n].service == member.root for n in explains if member)

    def _downwards(self, name: str) -> dict[str, None]:
        """The group and all that it explains, through others too, inside its incident."""
        found = {name: None}
        incident = self.head.groups[name].incident
        for _ in range(len(self.head.groups)):
            more = {n: None for n, g in self.head.groups.items() if g.cause in found and n not in found}
            more = {n: None for n in more if self.head.groups[n].incident == incident}
            if not more:
                break
            found |= more
        return found

    def _upwards(self, name: str) -> set[str]:
        found: set[str] = set()
        while name and name not in found:
            found.add(name)
            name = self.head.groups[name].cause if name in self.head.groups else ""
        return found
