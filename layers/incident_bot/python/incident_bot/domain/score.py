"""The score of an alert: what people said of it before, who else says it, how far it reaches, and what it burns.

The rules say first how severe it is. Then what is known of its worth counts: each point is said with its reason, and
what is hardly believed becomes a ticket instead of a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import exp, lgamma, log

from incident_bot.domain.alert import Severity
from incident_bot.domain.classify import Classification
from incident_bot.domain.label import UNLABELLED, Tally
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.team import Confidence, Service, Team

SOURCES_COUNTED = 2
DEPENDANTS_COUNTED = 5
SPREAD_NAMED = 3
UNKNOWN_TIER = 2  # the middle one, which speaks neither for an alert nor against it


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an alert beside itself: labels of its fingerprint, the other sources that speak of its service
    now, how many services depend on that one, the first few of them that alert as well, and how fast an error budget
    burns."""

    tally: Tally = UNLABELLED
    sources: tuple[str, ...] = ()
    dependants: int = 0
    spread: tuple[str, ...] = ()
    burn: float = 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One reason to believe an alert more, or less, by which rule. `points` are shares of 1."""

    rule: RuleName
    points: float
    why: str


@dataclass(frozen=True)  # no slots: it keeps what it comes to
class Score:
    """All points, and the probability that the alert is worth a page less often than the threshold, by labels alone."""

    points: tuple[Point, ...]
    doubt: float = 0.0

    @cached_property
    def value(self) -> float:
        """The confidence: the sum of all points, from 0 to 1."""
        return round(min(1.0, max(0.0, sum(point.points for point in self.points))), 3)

    @cached_property
    def text(self) -> str:
        """The confidence with each point and its reason."""
        return "; ".join(f"{point.rule} {point.points:+.0%} ({point.why})" for point in self.points)


def score(evidence: Evidence, service: Service | None, by: Confidence) -> Score:
    """Weigh the evidence."""
    return _weighed(evidence, service.name, service.tier, by) if service else _weighed(evidence, "", UNKNOWN_TIER, by)


@lru_cache(maxsize=256)
def _weighed(evidence: Evidence, service: str, tier: int, by: Confidence) -> Score:
    """The score; kept, as in a storm the evidence is the same for most alerts of a service."""
    said = evidence.tally
    doubt = _below(by.page_at, 1 + said.actionable, 1 + said.false_positive) if said.total else 0.0
    return Score((_history(said, by), *_present(evidence, service, tier, by)), doubt)


def believed(found: Classification, score: Score, team: Team) -> Classification:
    """The classification as far as it is believed: a page below the threshold is a ticket (Sev3), and says whom it
    would have woken. A Sev1 is doubted only where people called that very alert a false positive often enough."""
    by = team.confidence
    if not found.pages or score.value >= by.page_at or (found.severity is Severity.SEV1 and score.doubt < by.sure):
        return found
    group = team.groups.get(found.owner)
    whom = ", ".join(group.steps[0].notify) if group and group.steps else found.owner
    why = f"confidence {score.value:.0%}, below {by.page_at:.0%}: a ticket; not paged: {whom} would have been"
    severity = Severity.SEV3
    return replace(
        found,
        severity=severity,
        rated=found.said,
        pages=False,
        reason=f"{severity.label}, not {found.reason}: {why}",
        severity_by="low-confidence",
        level_by="low-confidence",
    )


def _history(said: Tally, by: Confidence) -> Point:
    """The mean of the Beta distribution that the labels make of the one which every alert begins with."""
    before = by.prior_actionable + by.prior_false_positive
    mean = (by.prior_actionable + said.actionable) / (before + said.total)
    if not said.total:
        why = f"nobody labelled it yet: it begins with {by.prior_actionable} of {before}"
        return Point("history", mean, why)
    told = f"{said.false_positive} of {said.total} labelled incidents of it were false positives"
    return Point("history", mean, f"{told}, beside the {by.prior_actionable} of {before} that it began with")


def _present(evidence: Evidence, service: str, tier: int, by: Confidence) -> Iterator[Point]:
    """What speaks for it, or against it, right now."""
    if others := evidence.sources[:SOURCES_COUNTED]:
        yield Point("sources", by.another_source * len(others), f"{' and '.join(others)} alert of the same service")
    if tier != UNKNOWN_TIER:
        more = by.tier if tier < UNKNOWN_TIER else -by.tier
        yield Point("tier", more, f"{service} is tier {tier}")
    if evidence.dependants:
        counted = min(evidence.dependants, DEPENDANTS_COUNTED)
        yield Point("blast-radius", by.dependant * counted, f"{evidence.dependants} services depend on it")
    if evidence.spread:
        yield Point("spread", by.spread, f"{', '.join(evidence.spread)} alerts too")
    if evidence.burn > by.burn_at:
        yield Point("burn-rate", by.burn, f"an error budget burns {evidence.burn:g} times as fast as it would last")


def _below(share: float, a: int, b: int) -> float:
    """The probability that a share with the distribution Beta(a, b) is below that one (a and b whole, `share` inside
    0 and 1): as often are at least `a` of `a + b - 1` independent draws hits of that probability."""
    if not 0 < share < 1:
        return float(share >= 1)
    draws = a + b - 1
    hit, miss = log(share), log(1 - share)
    return 1.0 - sum(exp(_log_choose(draws, hits) + hits * hit + (draws - hits) * miss) for hits in range(a))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
