"""A scope in memory for tests of decisions: batches go in, and what they do to head, series and incidents is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from incident_bot.domain.admit import Admission, admit
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.classify import Classification, classify
from incident_bot.domain.head import Head, without
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, Opening
from incident_bot.domain.series import Series
from incident_bot.domain.silent import Settled, settle
from incident_bot.domain.team import Team
from incident_bot.virtual.clock import T0
from tests.building import a_team, an_alert


def later(seconds: float) -> datetime:
    """The moment that many seconds after T0."""
    return T0 + timedelta(seconds=seconds)


def says(title: str = "errors", status: Status = Status.FIRING, at: float = 0, **changes: Any) -> Alert:
    """What `generic` says at that second of a series of `checkout` (or another service)."""
    service = changes.pop("service", "checkout")
    identity = {"title": title, "service": service, "instance": changes.pop("instance", "")}
    moment = {"occurred_at": later(at), "started_at": later(at)}
    return an_alert(title=title, service=service, identity=identity, status=status, **{**moment, **changes})


class Scope:
    """One scope, as `consume` keeps it. Incidents with an execution are only told: `mail` is what they got."""

    def __init__(self, team: Team | None = None) -> None:
        self.team = team or a_team()
        self.now = T0
        self.head = Head()
        self.series: dict[str, Series] = {}
        self.incidents: dict[str, Incident] = {}
        self.openings: dict[str, Opening] = {}
        self.mail: dict[str, list[Mail]] = {}
        self.settled: dict[str, Settled] = {}
        self.assigned: dict[str, str] = {}  # delivery -> incident
        self.reasons: dict[str, str] = {}  # delivery -> why
        self._ids, self._deliveries = count(1), count(1)

    def observe(self, alert: Alert, delivery: str = "", **changes: Any) -> Observation:
        """The alert, classified by the team's rules; `noise`, `pages`, ... set what they would have said."""
        hold = {k: changes.pop(k) for k in ("hold_seconds", "hold_reason") if k in changes}
        found: Classification = replace(classify(alert, self.team), **changes)
        return Observation(alert, found, delivery or f"d{next(self._deliveries)}", **hold)

    def take(self, *batch: Alert | Observation, at: float | None = None) -> Admission:
        """Admit a batch and keep what it does."""
        if at is not None:
            self.now = later(at)
        observations = [self.observe(one) if isinstance(one, Alert) else one for one in batch]
        return self.keep(self.decide(observations))

    def decide(self, observations: Sequence[Observation]) -> Admission:
        """What a batch would do."""
        prints = {o.alert.fingerprint for o in observations}
        known = {f: s for f, s in self.series.items() if f in prints}
        groups = self.head.groups
        shown = {s.incident for s in known.values() if s.group in groups and groups[s.group].incident == s.incident}
        elsewhere = {s.incident: self.final(s.incident) for s in known.values() if s.incident not in shown}
        return admit(
            observations,
            head=self.head,
            known=known,
            elsewhere=elsewhere,
            team=self.team,
            now=self.now,
            new_id=lambda: f"inc{next(self._ids)}",
        )

    def keep(self, admission: Admission) -> Admission:
        """Apply an admission as `consume` does."""
        self.head = admission.head
        self.series |= {series.fingerprint: series for _, series in admission.series}
        for opening in admission.openings:
            self.incidents[opening.incident.id] = opening.incident
            self.openings[opening.incident.id] = opening
        for incident, mails in admission.mail.items():
            self.mail.setdefault(incident, []).extend(mails)
            if incident in admission.silent:
                self._settle(incident, mails, promote=incident in admission.promoted)
            else:
                self._told(incident, mails)
        for delivery, incident, _, reason in admission.verdicts:
            self.assigned[delivery], self.reasons[delivery] = incident, reason
        return admission

    def _settle(self, incident: str, mails: Sequence[Mail], *, promote: bool) -> None:
        settled = settle(self.incidents[incident], mails, self.team, self.now, promote=promote)
        self.settled[incident] = settled
        self.incidents[incident] = settled.incident
        if settled.incident.over:
            self.head = without(self.head, incident)

    def _told(self, incident: str, mails: Sequence[Mail]) -> None:
        """As its actor would in the end: emptied, it is merged."""
        for mail in mails:
            if mail.kind is MailKind.MOVED_OUT and mail.detail.get("emptied"):
                self.incidents[incident] = replace(
                    self.incidents[incident],
                    state=State.RESOLVED,
                    resolved_at=self.now,
                    merged_into=mail.detail["to"],
                )

    def close(self, incident: str, at: float | None = None) -> None:
        """The incident ends, whatever its series say."""
        if at is not None:
            self.now = later(at)
        self.incidents[incident] = replace(self.incidents[incident], state=State.RESOLVED, resolved_at=self.now)
        self.head = without(self.head, incident)

    def final(self, incident: str) -> Incident:
        """The incident, or the one that it was merged into."""
        found = self.incidents[incident]
        return self.final(found.merged_into) if found.merged_into else found

    def home(self, series: Series) -> Incident:
        """The incident that a series belongs to now."""
        group = self.head.groups.get(series.group)
        return self.incidents[group.incident] if group else self.final(series.incident)

    def alert_mails(self, incident: str) -> list[str]:
        """The states that the incident was told of, in order."""
        return [mail.detail["status"] for mail in self.mail.get(incident, []) if mail.kind is MailKind.ALERT]
