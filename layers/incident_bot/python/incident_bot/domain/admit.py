"""Admission: what a batch of alerts does to the series, the head and the incidents of one scope, decided in one go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.classify import Classification
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.correlate import NEW, Candidate, Placement, Topology, place
from incident_bot.domain.head import Group, Head, Member, placed
from incident_bot.domain.incident import Escalation, Firing, Incident, State
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.series import News, Series, after, news, seen
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line


@dataclass(frozen=True, slots=True)
class Observation:
    """One alert of a batch with its classification, the delivery it came in, and how long its page may be held."""

    alert: Alert
    found: Classification
    delivery: str
    hold_seconds: int = 0  # a playbook may fix it unattended
    hold_reason: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A new incident with its first timeline lines; `pages` says whether its first page is written with it."""

    incident: Incident
    lines: tuple[Line, ...]
    pages: bool
    not_before: datetime | None
    page_reason: str


@dataclass(frozen=True, slots=True)
class Admission:
    """What the batch does. `series` are (before, after) pairs to write; `mail` is per incident, in order.

    Mail to an incident without an execution (its member on the head has no actor) is decided by the consumer.
    `promoted` names those that now need an execution and a page at once. `resume` names incidents whose last change came
    by a delivery that is here again: what it left undone is to be done.
    """

    head: Head
    series: tuple[tuple[Series | None, Series], ...] = ()
    openings: tuple[Opening, ...] = ()
    mail: Mapping[str, tuple[Mail, ...]] = field(default_factory=dict)
    promoted: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, str, str], ...] = ()  # (delivery, incident, reason) of every observation


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident that a known series belongs to and that is not on the head: whether and when it was resolved."""

    incident: str
    resolved_at: datetime | None


class _Batch:
    """The running state of one admission; every observation sees what the ones before it changed."""

    def __init__(
        self,
        *,
        head: Head,
        known: Mapping[str, Series],
        ended: Mapping[str, Ended],
        team: Team,
        now: datetime,
        new_id: Callable[[], str],
    ) -> None:
        self.head, self.before, self.ended, self.team, self.now, self.new_id = head, known, ended, team, now, new_id
        self.topology = Topology(team.services)
        self.series: dict[str, Series] = dict(known)
        self.openings: dict[str, Opening] = {}
        self.mail: dict[str, list[Mail]] = {}
        self.promoted: dict[str, None] = {}
        self.resume: dict[str, None] = {}
        self.verdicts: list[tuple[str, str, str]] = []

    def admit(self, seen_alert: Observation) -> None:
        alert = seen_alert.alert
        known = self.series.get(alert.fingerprint)
        kind, why = news(known, alert)
        if kind is News.FIRST or kind is News.CHANGE:
            incident, why = self._fires(seen_alert) if alert.status is Status.FIRING else self._ends(seen_alert, known)
        elif known is not None:
            incident = known.incident
            self._repeats(seen_alert, known, kind)
        self.verdicts.append((seen_alert.delivery, incident, why))

    def _repeats(self, seen_alert: Observation, known: Series, kind: News) -> None:
        if kind is News.REPEAT:
            if known.delivery == seen_alert.delivery and known.incident not in self.openings:
                self.resume[known.incident] = None
            elif self.now - known.seen_at > timedelta(seconds=self.team.timing.stale_after / 4):
                self.series[known.fingerprint] = seen(known, self.now)

    def _fires(self, seen_alert: Observation) -> tuple[str, str]:
        alert, found = seen_alert.alert, seen_alert.found
        group = f"{found.service}/{alert.title}"
        candidate = Candidate(group, found.service, found.severity, self.now, found.noise)
        window = timedelta(seconds=self.team.timing.join_window)
        placement = place(candidate, self.head, self.topology, window)
        known = self.series.get(alert.fingerprint)
        if placement.incident == NEW and known and known.incident in self.ended:
            placement = self._again(known.incident, placement)
        if placement.incident == NEW:
            incident = self._open(seen_alert, known)
            self._enter(incident, seen_alert, group, placement)
        else:
            incident = placement.incident
            self._absorb(placement)
            self._enter(incident, seen_alert, group, placement)
            new = known is None or known.incident != incident
            self._post(incident, self._alert_mail(seen_alert, group, placement.reason, new=new))
        return incident, placement.reason

    def _again(self, incident: str, placement: Placement) -> Placement:
        """A series whose group fell off the head belongs to its incident while that is open."""
        if self.ended[incident].resolved_at is None:
            return Placement(incident, "its series belongs there")
        return placement

    def _enter(self, incident: str, seen_alert: Observation, group: str, placement: Placement) -> None:
        found = seen_alert.found
        member = self.head.incidents.get(incident) or Member(found.service, self.now, self.now, found.severity)
        if placement.root:
            self._post(incident, Mail(MailKind.ROOT, self.now, placement.root, "correlation", placement.reason))
        severity = Severity(min(member.severity, found.severity))
        member = replace(member, last=self.now, severity=severity, root=placement.root or member.root)
        if placement.incident != NEW and not member.actor and found.pages and not found.hold_seconds:
            member = replace(member, actor=True, noise=False)
            self.promoted[incident] = None
        self.head = placed(self.head, group, Group(incident, found.service, self.now), member)
        self._record(seen_alert, group, incident)

    def _absorb(self, placement: Placement) -> None:
        """Move the groups of the incidents that turned out to be the same fault; emptied, those end as merged."""
        target, why = placement.incident, placement.reason
        for other in placement.absorbs:
            groups = self.head.of(other)
            for group in groups:
                last = {"emptied": "yes"} if group == groups[-1] else {}
                self._post(other, Mail(MailKind.MOVED_OUT, self.now, group, "correlation", why, {"to": target, **last}))
                self._post(target, Mail(MailKind.MOVED_IN, self.now, group, "correlation", why, {"from": other}))
            moved = {g: replace(self.head.groups[g], incident=target) for g in groups}
            incidents = {i: m for i, m in self.head.incidents.items() if i != other}
            self.head = replace(self.head, groups={**self.head.groups, **moved}, incidents=incidents)

    def _ends(self, seen_alert: Observation, known: Series | None) -> tuple[str, str]:
        """A resolve: to the incident of its group, or a tombstone where its trigger was never seen."""
        alert = seen_alert.alert
        if known is None:
            return self._tombstone(seen_alert)
        group = self.head.groups.get(known.group)
        incident = group.incident if group else known.incident
        self._record(seen_alert, known.group, incident)
        if group or (incident in self.ended and self.ended[incident].resolved_at is None):
            self._post(incident, self._alert_mail(seen_alert, known.group, "its source says so"))
        return incident, f"{alert.status} at its source"

    def _tombstone(self, seen_alert: Observation) -> tuple[str, str]:
        alert = seen_alert.alert
        why = f"{alert.status} without a trigger: a tombstone, in case the trigger is late"
        incident = replace(
            self._incident(seen_alert), state=State.RESOLVED, noise=True, resolved_at=self.now, firing={}
        )
        lines = (Line("signal", _said(alert), actor=alert.source), Line("decision", "recorded, nobody paged", why))
        self.openings[incident.id] = Opening(incident, lines, False, None, why)
        self._record(seen_alert, f"{seen_alert.found.service}/{alert.title}", incident.id)
        return incident.id, why

    def _open(self, seen_alert: Observation, known: Series | None) -> str:
        found, now = seen_alert.found, self.now
        hold, held_by = _hold(seen_alert, self.team.timing.hold_limit)
        not_before = now + timedelta(seconds=hold) if found.pages and hold else None
        silent = found.noise or bool(not_before and found.hold_seconds)  # no execution yet
        incident = self._incident(seen_alert)
        reopens = self._reopens(known)
        clocks = {"hold": not_before} if not_before else {}
        clocks |= _first_clocks(now, self.team, silent)
        incident = replace(incident, noise=silent, generation=0 if silent else 1, reopens=reopens, clocks=clocks)
        lines = [
            Line("signal", _said(seen_alert.alert), actor=seen_alert.alert.source),
            Line("decision", _decided(found), found.reason),
        ]
        if reopens:
            lines.append(Line("note", f"reopens {reopens}", "the same series fired again inside the reopen window"))
        if not_before:
            lines.append(Line("decision", f"the page is held until {not_before:%H:%M:%S} UTC at most", held_by))
        self.openings[incident.id] = Opening(incident, tuple(lines), found.pages, not_before, found.reason)
        self.head = replace(
            self.head, incidents={**self.head.incidents, incident.id: _member(incident, found.noise, not silent)}
        )
        return incident.id

    def _reopens(self, known: Series | None) -> str:
        ended = self.ended.get(known.incident) if known else None
        if ended is None or ended.resolved_at is None:
            return ""
        window = timedelta(seconds=self.team.timing.reopen_window)
        return ended.incident if self.now - ended.resolved_at <= window else ""

    def _incident(self, seen_alert: Observation) -> Incident:
        alert, found = seen_alert.alert, seen_alert.found
        identity = self.new_id()
        return Incident(
            id=identity,
            scope=scope_of(found),
            state=State.DETECTED,
            severity=found.severity,
            service=found.service,
            title=alert.title,
            opened_at=self.now,
            started_at=min(alert.started_at, self.now),
            owner=found.owner,
            environment=found.environment,
            summary=alert.summary,
            category=found.category,
            config_digest=self.team.digest,
            escalation=frozen(found.owner, self.team),
            alerts=1,
            firing={alert.fingerprint: firing(alert, found, f"{found.service}/{alert.title}", self.now)},
        )

    def _record(self, seen_alert: Observation, group: str, incident: str) -> None:
        alert = seen_alert.alert
        self.series[alert.fingerprint] = after(
            self.series.get(alert.fingerprint),
            alert,
            group=group,
            service=seen_alert.found.service,
            incident=incident,
            delivery=seen_alert.delivery,
            now=self.now,
        )

    def _alert_mail(self, seen_alert: Observation, group: str, reason: str, *, new: bool = False) -> Mail:
        alert, found = seen_alert.alert, seen_alert.found
        detail = {
            "status": alert.status.value,
            "group": group,
            "title": alert.title,
            "source": alert.source,
            "since": rfc3339(alert.started_at),
            "service": found.service,
            "resource": alert.resource,
            "ask": alert.ask,
            "severity": str(int(found.severity)),
            "pages": "yes" if found.pages else "",
            "why": found.reason,
            "rhythm": str(self.series[alert.fingerprint].rhythm),
            "joined": reason,
            "new": "yes" if new else "",
        }
        return Mail(MailKind.ALERT, self.now, alert.fingerprint, alert.source, _said(alert), detail)

    def _post(self, incident: str, mail: Mail) -> None:
        self.mail.setdefault(incident, []).append(mail)


def admit(
    observations: Sequence[Observation],
    *,
    head: Head,
    known: Mapping[str, Series],
    ended: Mapping[str, Ended],
    team: Team,
    now: datetime,
    new_id: Callable[[], str],
) -> Admission:
    """Decide for a whole batch of one scope. `known` and `ended` hold what the table said of the batch's series."""
    batch = _Batch(head=head, known=known, ended=ended, team=team, now=now, new_id=new_id)
    for observation in sorted(observations, key=lambda o: (o.alert.occurred_at, o.alert.status is not Status.FIRING)):
        batch.admit(observation)
    changed = ((known.get(f), series) for f, series in batch.series.items() if series is not known.get(f))
    return Admission(
        head=batch.head,
        series=tuple((before, _one_up(before, series)) for before, series in changed),
        openings=tuple(batch.openings.values()),
        mail={incident: tuple(mails) for incident, mails in batch.mail.items()},
        promoted=tuple(batch.promoted),
        resume=tuple(batch.resume),
        verdicts=tuple(batch.verdicts),
    )


def scope_of(found: Classification) -> str:
    """The scope in which correlation is decided: one per environment of the account the bot is deployed in."""
    return found.environment or "production"


def frozen(owner: str, team: Team) -> Escalation:
    """The owner's escalation as it is now (or the default team's), kept for the incident's life."""
    name = owner if owner in team.groups else team.default_group
    group = team.groups.get(name)
    return Escalation(name, group.steps, group.rounds) if group else Escalation(name)


def firing(alert: Alert, found: Classification, group: str, now: datetime) -> Firing:
    """The alert as the incident remembers it while it fires."""
    return Firing(
        group=group,
        title=alert.title,
        source=alert.source,
        since=alert.started_at,
        seen=now,
        severity=found.severity,
        service=found.service,
        resource=alert.resource,
        ask=alert.ask,
    )


def _one_up(before: Series | None, series: Series) -> Series:
    """Several changes in one batch are one write."""
    return replace(series, version=before.version + 1 if before else 1)


def _member(incident: Incident, noise: bool, actor: bool) -> Member:
    return Member(incident.service, incident.opened_at, incident.opened_at, incident.severity, noise, actor)


def _hold(seen_alert: Observation, limit: int) -> tuple[int, str]:
    """How long the first page is held and why: a rule waits for transient alerts, or a playbook may fix it."""
    if seen_alert.found.hold_seconds:
        rule = seen_alert.found.rule
        return min(seen_alert.found.hold_seconds, limit), f"rule {rule} waits: such alerts often clear by themselves"
    return min(seen_alert.hold_seconds, limit), seen_alert.hold_reason


def _first_clocks(now: datetime, team: Team, silent: bool) -> dict[str, datetime]:
    """When to look whether its execution lives, or, where it has none, whether it is still heard of."""
    stale = now + timedelta(seconds=team.timing.stale_after)
    return {"stale": stale} if silent else {"start": now + timedelta(seconds=60), "stale": stale}


def _said(alert: Alert) -> str:
    return f"{alert.source} says {alert.title} is {alert.status}" + (f" on {alert.resource}" if alert.resource else "")


def _decided(found: Classification) -> str:
    rule = f" by rule {found.rule}" if found.rule else ""
    return f"an incident of {found.service}, {found.severity.label}{rule}"
