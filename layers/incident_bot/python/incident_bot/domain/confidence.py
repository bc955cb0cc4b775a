"""Confidence: what an alert's place among the others says of its severity, and of whether its page should wait."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from incident_bot.domain.alert import Severity
from incident_bot.domain.cause import Topology, topology_of
from incident_bot.domain.classify import Classification, pages
from incident_bot.domain.connect import Connected
from incident_bot.domain.head import MANY_ENOUGH, Group, Head
from incident_bot.domain.learn import Kinds, consequent, kind_of, original
from incident_bot.domain.opening import Observation
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.score import SPREAD_NAMED, Evidence, believed, score
from incident_bot.domain.shape import changed
from incident_bot.domain.team import Team

WAITS = "its kind of alert nearly always has a cause upstream, which may report yet"
APART = "its kind of alert is practically never an effect of something else"
AGREES = "mere warnings, but of many services: something worse may report yet"
IN_ONE_PLACE = 4  # services: the place itself fails
BROAD = 6  # services: so many are not affected by chance


def scored(observed: Observation, head: Head, topology: Topology, team: Team) -> Observation:
    """The observation with how far it is believed, by the labels it came with and by what else the head shows now. Of
    one that is suppressed that only says whether it would have woken anybody."""
    found, muted = observed.found, observed.muted
    if found.noise and not (muted and muted.pages):
        return observed
    service, source, below = found.service, observed.alert.source, topology.downstream(found.service)
    groups = head.by_service
    says = {kind.partition(":")[0] for group in _firing(head, groups.get(service)) for kind in group.kinds} - {source}
    spread = islice((other for other in below if other in groups and _firing(head, groups[other])), SPREAD_NAMED)
    evidence = Evidence(observed.tally, tuple(sorted(says)), len(below), tuple(spread), found.burn)
    result = score(evidence, team.services.get(service), team.confidence)
    if muted:
        would = believed(replace(found, noise=False, pages=True), result, team)
        return replace(observed, muted=replace(muted, pages=would.pages))
    return replace(observed, found=believed(found, result, team), score=result)


def _firing(head: Head, groups: Mapping[str, Group] | None) -> list[Group]:
    """Those of a service's groups that fire and are no noise."""
    return [g for g in groups.values() if g.firing and not head.incidents[g.incident].noise] if groups else []


def weighed(observed: Observation, among: Connected, before: Group | None, kinds: Kinds, team: Team) -> Observation:
    """The observation as its place among the others makes it; `before` is its group without it."""
    by_itself = observed.found.pages
    observed = changed(observed, found=_severity(observed.found, among, before, team))
    if not observed.found.pages:
        return observed
    wait, alert = team.timing.cause_wait, observed.alert
    kind = kind_of(alert.source, alert.title, observed.found.service)
    if not by_itself and not observed.found.assumed and wait > observed.hold_seconds:
        found = replace(observed.found, hold_seconds=wait)
        return replace(observed, found=found, hold_reason=AGREES, hold_by="agreement-wait")
    shown = before.kinds if before else {}
    if by_itself and among.group.cause and kind not in shown and original(kinds, kind):
        observed = replace(observed, apart=APART)
    upstream = topology_of(team.services).upstream(observed.found.service)
    may_wait = upstream and not among.placement.explains and consequent(kinds, kind)
    if wait <= observed.hold_seconds or not may_wait:
        return observed
    return replace(observed, found=replace(observed.found, hold_seconds=wait), hold_reason=WAITS, hold_by="cause-wait")


def _severity(found: Classification, among: Connected, before: Group | None, team: Team) -> Classification:
    """A fault of many services is none to leave till tomorrow. What is only assumed of a severity gives way to what is
    seen: that it spreads, or what others there say."""
    if found.noise:
        return found
    if found.severity > Severity.SEV2 and among.breadth >= BROAD:
        return _changed(found, Severity.SEV2, "many-services", f"as {among.breadth} services are affected", team)
    if found.severity > Severity.SEV2 and among.together >= IN_ONE_PLACE:
        because = f"as {among.together} services are affected in {among.group.place}"
        return _changed(found, Severity.SEV2, "many-in-one-place", because, team)
    if not found.assumed or found.rated:
        return found
    if (among.placement.cause or among.placement.explains) and found.severity > Severity.SEV2:
        return _changed(found, Severity.SEV2, "it-spreads", "as it spreads from service to service", team)
    if before and before.series >= MANY_ENOUGH and before.severity > found.severity:
        because = f"as {before.series} other alerts of {found.service} are"
        return _changed(found, before.severity, "like-its-group", because, team)
    return found


def _changed(found: Classification, severity: Severity, rule: RuleName, because: str, team: Team) -> Classification:
    wakes, level, why = pages(severity, team.services.get(found.service))
    reason = f"{severity.label} {because}; {why}"
    return replace(
        found, severity=severity, rated=found.said, pages=wakes, reason=reason, severity_by=rule, level_by=level
    )
