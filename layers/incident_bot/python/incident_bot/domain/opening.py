"""Opening: the incident, with its first lines, that a firing alert begins or that a resolve leaves as a tombstone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Alert
from incident_bot.domain.classify import Classification
from incident_bot.domain.head import Member
from incident_bot.domain.incident import Firing, Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.label import UNLABELLED, Tally
from incident_bot.domain.learn import kind_of
from incident_bot.domain.message import Kind
from incident_bot.domain.owner import frozen
from incident_bot.domain.plaintext import line, plain
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.score import Score
from incident_bot.domain.suppress import Suppressed, Suppression
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line

FIRST_PAGE = "page-first"
UNTOLD = timedelta(minutes=2)  # after the end of its window: what is suppressed then was told, or is told now
START_WITHIN = timedelta(seconds=60)  # then it is looked whether its execution lives


@dataclass(frozen=True, slots=True)
class Observation:
    """One alert of a batch with its classification, the delivery it came in, and how long its page may be held."""

    alert: Alert
    found: Classification
    delivery: str
    hold_seconds: int = 0  # a playbook may fix it unattended
    hold_reason: str = ""
    hold_by: RuleName = "playbook-hold"
    slow: int = 0  # seconds by which its source may tell late
    tally: Tally = UNLABELLED  # what people said of its fingerprint
    score: Score | None = None  # how far it is believed; None for what needs no belief: noise, and what is over
    muted: Suppression | None = None
    change: str = ""  # what was deployed of its service not long before it began, or what it says that it follows
    after: int = 0  # seconds, so long before
    claimed: bool = False  # only its sender says so
    apart: str = ""  # why it is a fault of its own that people must hear of, though the incident was told before

    def suppressed_otherwise(self, muted_by: str) -> bool:
        """Whether what fired suppressed by that window is so by another one now, or no more."""
        return self.muted.window.id != muted_by if self.muted else not self.found.noise


@dataclass(frozen=True, slots=True)
class Opening:
    """A new incident with its first timeline lines; `pages` says whether its first page is written with it."""

    incident: Incident
    lines: tuple[Line, ...]
    pages: bool
    not_before: datetime | None
    page_reason: str


def opened(
    observed: Observation,
    identifier: str,
    team: Team,
    now: datetime,
    *,
    rule: RuleName = "no-cause",
    why: str = "",
    group: str = "",
    reopens: str = "",
) -> Opening:
    """The incident of a firing alert that belongs to no open incident, by that rule, and why; noise, and what a rule
    holds, has no execution."""
    found = observed.found
    hold, hold_by, held = _hold(observed, team.timing.hold_limit)
    not_before = now + timedelta(seconds=hold) if found.pages and hold else None
    silent = found.noise or bool(not_before and found.hold_seconds)
    stale = now + timedelta(seconds=team.timing.stale_after)
    clocks = {"stale": observed.muted.window.ends + UNTOLD if observed.muted else stale}
    clocks |= {"hold": not_before} if not_before else {}
    clocks |= {} if silent else {"start": now + START_WITHIN}
    incident = replace(
        _incident(observed, identifier, team, now, group),
        noise=silent,
        generation=0 if silent else 1,
        reopens=reopens,
        suppressed_by=observed.muted.window.id if observed.muted else "",
        clocks=clocks,
    )
    lines = [
        Line("signal", said(observed.alert), why, observed.alert.source, rule if why else ""),
        Line("decision", _decided(found), _grounds(observed), rule=found.rules),
    ]
    if observed.muted:
        lines.append(muting(observed.muted))
    if found.burn > team.confidence.burn_at:
        lines.append(Line("decision", "a mitigation review is due", _proposals(identifier, found), rule="burn-rate"))
    if reopens:
        again = "the same series fired again inside the reopen window"
        lines.append(Line("note", f"reopens {reopens}", again, rule="reopened"))
    if not_before:
        lines.append(Line("decision", f"the page is held until {not_before:%H:%M:%S} UTC at most", held, rule=hold_by))
    return Opening(incident, tuple(lines), found.pages, not_before, found.reason)


def _proposals(identifier: str, found: Classification) -> str:
    """What a review has to choose from."""
    fitting = f"what fits is proposed: {', '.join(found.playbooks)}" if found.playbooks else "no playbook fits"
    return f"{fitting}; anything else: incidentbot propose {identifier} ACTION TARGET"


def _grounds(observed: Observation) -> str:
    if observed.score is None:
        return observed.found.reason
    return f"{observed.found.reason}; confidence {observed.score.value:.0%}: {observed.score.text}"


def muting(suppression: Suppression) -> Line:
    """That an alert was suppressed: until when, whom it would have woken, and which window did it on whose word."""
    window = suppression.window
    because = ", ".join(said for said in (window.author, window.reason) if said)
    reason = f"{window.name} ({because})" if because else window.name
    return Line("decision", suppression.said, reason, rule=window.rule)


def suppressed(observed: Observation, incident: str, now: datetime) -> Suppressed:
    """The ledger's line of a suppressed alert, with all that is needed to tell of it again."""
    alert, found, muted = observed.alert, observed.found, observed.muted
    assert muted is not None  # noqa: S101 - only what is suppressed gets a line
    return Suppressed(
        window=muted.window.id,
        scope=scope_of(found),
        fingerprint=alert.fingerprint,
        incident=incident,
        service=found.service,
        title=line(alert.title),
        severity=found.severity.label,
        pages=muted.pages,
        whom=muted.whom,
        at=now,
        until=muted.window.ends,
        alert=alert,
    )


def member_of(incident: Incident, *, noise: bool) -> Member:
    """The open incident as the head shows it."""
    return Member(incident.service, incident.opened_at, incident.severity, noise, incident.generation > 0)


def first_page(incident: Incident, reason: str, not_before: datetime | None = None) -> Intent:
    """The page that the incident's team gets first: by the first step of its escalation, held until `not_before`."""
    escalation = incident.escalation
    return Intent(
        incident=incident.id,
        name=FIRST_PAGE,
        purpose="first",
        kind=Kind.TRIGGER,
        severity=incident.severity,
        group=escalation.group if escalation else incident.owner,
        steps=escalation.steps[:1] if escalation else (),
        reason=reason,
        not_before=not_before,
    )


def tombstone(observed: Observation, identifier: str, team: Team, now: datetime) -> Opening:
    """The incident, over already, of a series whose trigger was never seen: an older trigger joins it unpaged."""
    alert = observed.alert
    why = f"{alert.status} without a trigger: a tombstone, in case the trigger is late"
    incident = replace(
        _incident(observed, identifier, team, now, ""), state=State.RESOLVED, noise=True, resolved_at=now, firing={}
    )
    lines = (
        Line("signal", said(alert), actor=alert.source),
        Line("decision", "recorded, nobody paged", why, rule="tombstone"),
    )
    return Opening(incident, lines, False, None, why)


def firing(observed: Observation, now: datetime, group: str) -> Firing:
    """The alert as the incident remembers it while it fires."""
    alert, found = observed.alert, observed.found
    return Firing(
        group=group,
        title=line(alert.title),
        source=alert.source,
        since=alert.started_at,
        seen=now,
        severity=found.severity,
        service=found.service,
        resource=alert.resource,
        ask=alert.ask,
        playbooks=found.playbooks,
    )


def said(alert: Alert) -> str:
    """What the source says, in words; what it says of itself is foreign text and dead here."""
    where = f" on {line(alert.resource)}" if alert.resource else ""
    return f"{alert.source} says {line(alert.title)} is {alert.status}{where}"


def _incident(observed: Observation, identifier: str, team: Team, now: datetime, group: str) -> Incident:
    alert, found = observed.alert, observed.found
    return Incident(
        id=identifier,
        scope=scope_of(found),
        state=State.DETECTED,
        severity=found.severity,
        service=found.service,
        title=line(alert.title),
        opened_at=now,
        started_at=min(alert.started_at, now),
        owner=found.owner,
        environment=found.environment,
        summary=plain(alert.summary),
        category=found.category,
        rule=found.rule,
        kind=kind_of(alert.source, line(alert.title), found.service),
        fingerprints=(alert.fingerprint,),
        confidence=observed.score.value if observed.score else 0.0,
        evidence=observed.score.text if observed.score else "",
        config_digest=team.digest,
        escalation=frozen(found.owner, team),
        alerts=1,
        firing={alert.fingerprint: firing(observed, now, group)},
    )


def scope_of(found: Classification) -> str:
    """The scope in which correlation is decided: one per environment of the account the bot is deployed in."""
    return found.environment or "production"


def _hold(observed: Observation, limit: int) -> tuple[int, RuleName, str]:
    """How long the first page is held, by which rule, and why: for transient alerts, or a playbook may fix it."""
    if observed.found.hold_seconds:
        hold = min(observed.found.hold_seconds, limit)
        if observed.hold_reason:
            return hold, observed.hold_by, observed.hold_reason
        return hold, "transient-hold", f"rule {observed.found.rule} waits: such alerts often clear by themselves"
    return min(observed.hold_seconds, limit), observed.hold_by, observed.hold_reason


def _decided(found: Classification) -> str:
    rule = f" by rule {found.rule}" if found.rule else ""
    return f"an incident of {found.service}, {found.severity.label}{rule}"
