"""What a change of the configuration would have done to recorded deliveries: two replays of them, page against page.

Incidents have other ids in each replay, so everything is matched by its deliveries: two pages are the same one where
they are about the same deliveries, as far as possible.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Incident
from incident_bot.virtual.replay import Page, Replay

NOTICED = 1.0  # seconds; a page that comes so much sooner or later is told


@dataclass(frozen=True, slots=True)
class Lone:
    """A page that only one of the two configurations sends; `instead` says what the other one does with its fault."""

    page: Page
    title: str
    instead: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One page as each of the two configurations sends it."""

    before: Page
    after: Page
    title: str

    @property
    def later(self) -> float:
        """By how many seconds the change delays it (negative: it comes sooner)."""
        return round(self.after.t - self.before.t, 6)

    @property
    def readdressed(self) -> bool:
        """Whether it goes to somebody else."""
        return (self.before.to, self.before.team) != (self.after.to, self.after.team)

    @property
    def shifted(self) -> bool:
        """Whether it comes noticeably sooner or later."""
        return abs(self.later) >= NOTICED


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a delivery: its incident's severity, None where nobody is told of it, and why."""

    severity: Severity | None
    title: str
    reason: str

    @property
    def label(self) -> str:
        """`sev1`..`sev5`, or `suppressed`."""
        return self.severity.label if self.severity else "suppressed"


@dataclass(frozen=True, slots=True)
class Change:
    """Deliveries that fare alike in each replay, and otherwise in one than in the other."""

    delivery_ids: tuple[str, ...]
    before: Fate
    after: Fate


@dataclass(frozen=True, slots=True)
class Difference:
    """What the change would have paged more, less or to somebody else, sooner or later, and what else it changes.

    `severity` are deliveries whose incident is worse or less bad; `suppressed` those of which nobody is told any more
    (noise, silenced or quarantined), `unsuppressed` those of which somebody is told now. `teams` counts pages.
    """

    more: tuple[Lone, ...]
    less: tuple[Lone, ...]
    other: tuple[Pair, ...]
    shifted: tuple[Pair, ...]
    severity: tuple[Change, ...]
    suppressed: tuple[Change, ...]
    unsuppressed: tuple[Change, ...]
    teams: Mapping[str, tuple[int, int]]

    @property
    def nothing(self) -> bool:
        """Whether the two do the same."""
        changes = (self.severity, self.suppressed, self.unsuppressed)
        return not any((self.more, self.less, self.other, self.shifted, *changes))


def compare(before: Replay, after: Replay) -> Difference:
    """Compare two replays of the same deliveries under two configurations."""
    was, now = _Side(before), _Side(after)
    pairs = list(_pairs(before.paged, after.paged))
    kept = {id(page) for pair in pairs for page in pair}
    both = [Pair(mine, theirs, was.title(mine)) for mine, theirs in sorted(pairs, key=lambda pair: pair[0].t)]
    changes = list(_changes(was, now))
    return Difference(
        more=tuple(Lone(p, now.title(p), was.instead_of(p)) for p in after.paged if id(p) not in kept),
        less=tuple(Lone(p, was.title(p), now.instead_of(p)) for p in before.paged if id(p) not in kept),
        other=tuple(pair for pair in both if pair.readdressed),
        shifted=tuple(pair for pair in both if pair.shifted),
        severity=tuple(c for c in changes if c.before.severity and c.after.severity),
        suppressed=tuple(c for c in changes if c.after.severity is None),
        unsuppressed=tuple(c for c in changes if c.before.severity is None),
        teams=_by_team(before.paged, after.paged),
    )


class _Side:
    """One replay, asked by delivery."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.incidents: dict[str, Incident] = {incident.id: incident for incident in replay.incidents}

    def title(self, page: Page) -> str:
        return self.incidents[page.incident].title

    @cached_property
    def ends(self) -> Mapping[str, tuple[str | None, str]]:
        """Where each delivery belongs at the end, and why it belongs nowhere."""
        return {line["delivery_id"]: (line["incident"], line.get("reason", "")) for line in self.replay.assign}

    def fate(self, delivery: str) -> Fate:
        """What became of a delivery."""
        identifier, reason = self.ends[delivery]
        if identifier is None:
            return Fate(None, "", f"quarantined: {reason}")
        incident, why = self.incidents[identifier], self.replay.reasons.get(identifier, "")
        return Fate(None if incident.noise else incident.severity, incident.title, why)

    def instead_of(self, page: Page) -> str:
        """What this replay does with the fault of a page that it does not send."""
        known = next((d for d in page.delivery_ids if d in self.ends), None)
        if known is None:
            return ""
        identifier, _ = self.ends[known]
        others = [p for p in self.replay.paged if p.incident == identifier]
        if others:
            return f"a part of {self.title(others[0])!r}, paged at {others[0].t:.1f} s"
        return self.fate(known).reason


def _pairs(before: tuple[Page, ...], after: tuple[Page, ...]) -> Iterator[tuple[Page, Page]]:
    """Which pages are the same: of those that share deliveries first the same purpose, then the most in common, then
    the nearest in time."""
    ranked = sorted(_shared(before, after))
    taken: tuple[set[int], set[int]] = set(), set()
    for *_, mine, theirs in ranked:
        if mine not in taken[0] and theirs not in taken[1]:
            taken[0].add(mine)
            taken[1].add(theirs)
            yield before[mine], after[theirs]


def _shared(before: tuple[Page, ...], after: tuple[Page, ...]) -> Iterator[tuple[bool, float, float, int, int]]:
    about = [frozenset(page.delivery_ids) for page in after]
    for mine, page in enumerate(before):
        deliveries = frozenset(page.delivery_ids)
        for theirs, other in enumerate(after):
            if common := len(deliveries & about[theirs]):
                alike = common / (len(deliveries) + len(about[theirs]) - common)
                yield page.purpose != other.purpose, -alike, abs(page.t - other.t), mine, theirs


def _changes(was: _Side, now: _Side) -> Iterator[Change]:
    """Deliveries whose severity or suppression differs, together where they belonged and belong together."""
    groups: dict[tuple[str | None, str | None], list[str]] = defaultdict(list)
    for delivery in was.ends:
        if was.fate(delivery).severity is not now.fate(delivery).severity:
            groups[was.ends[delivery][0], now.ends[delivery][0]].append(delivery)
    for deliveries in groups.values():
        yield Change(tuple(deliveries), was.fate(deliveries[0]), now.fate(deliveries[0]))


def _by_team(before: Iterable[Page], after: Iterable[Page]) -> dict[str, tuple[int, int]]:
    counts: dict[str, list[int]] = {}
    for place, pages in enumerate((before, after)):
        for page in pages:
            counts.setdefault(page.team, [0, 0])[place] += 1
    return {team: (was, now) for team, (was, now) in sorted(counts.items())}
