"""Admission: what a batch of alerts does to the series, the head and the incidents of one scope, decided in one go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import Classification
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.correlate import NEW, Candidate, Placement, Topology, place
from incident_bot.domain.head import Group, Head, Member, placed
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, Opening, opened, said, tombstone
from incident_bot.domain.plaintext import line
from incident_bot.domain.series import News, Series, after, heard, news
from incident_bot.domain.team import Team


@dataclass(frozen=True, slots=True)
class Admission:
    """What the batch does. `series` are (before, after) pairs to write; `mail` is per incident, in order.

    The mail of `silent` incidents, which have no execution, is decided by the consumer. `promoted` names those of them
    that need an execution from now on. `resume` names incidents whose last change came by a delivery that is here
    again: what it left undone is to be done.
    """

    head: Head
    series: tuple[tuple[Series | None, Series], ...] = ()
    openings: tuple[Opening, ...] = ()
    mail: Mapping[str, tuple[Mail, ...]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, str, str], ...] = ()  # (delivery, incident, reason) of every observation


def admit(
    observations: Sequence[Observation],
    *,
    head: Head,
    known: Mapping[str, Series],
    elsewhere: Mapping[str, Incident],
    team: Team,
    now: datetime,
    new_id: Callable[[], str],
) -> Admission:
    """Decide for a whole batch of one scope.

    `known` is what the table said of the batch's series; `elsewhere` holds the incidents that known series name and
    whose groups the head does not show there, by the named id (of one that was merged: what it was merged into).
    """
    batch = _Batch(head=head, known=known, elsewhere=elsewhere, team=team, now=now, new_id=new_id)
    for observation in sorted(observations, key=lambda o: (o.alert.occurred_at, o.alert.status is not Status.FIRING)):
        batch.admit(observation)
    changed = ((known.get(f), series) for f, series in batch.series.items() if series is not known.get(f))
    return Admission(
        head=batch.head,
        series=tuple((before, _one_up(before, series)) for before, series in changed),
        openings=tuple(batch.openings.values()),
        mail={incident: tuple(mails) for incident, mails in batch.mail.items()},
        silent=tuple(incident for incident in batch.mail if not batch.acts(incident)),
        promoted=tuple(batch.promoted),
        resume=tuple(batch.resume),
        verdicts=tuple(batch.verdicts),
    )


def _one_up(before: Series | None, series: Series) -> Series:
    """Several changes in one batch are one write."""
    version = before.version + 1 if before else 1
    return series if series.version == version else replace(series, version=version)


class _Batch:
    """The running state of one admission; every observation sees what the ones before it changed."""

    def __init__(
        self,
        *,
        head: Head,
        known: Mapping[str, Series],
        elsewhere: Mapping[str, Incident],
        team: Team,
        now: datetime,
        new_id: Callable[[], str],
    ) -> None:
        self.head, self.elsewhere, self.team, self.now, self.new_id = head, elsewhere, team, now, new_id
        self.before = head
        self.topology = Topology(team.services)
        self.series: dict[str, Series] = dict(known)
        self.openings: dict[str, Opening] = {}
        self.mail: dict[str, list[Mail]] = {}
        self.promoted: dict[str, None] = {}
        self.resume: dict[str, None] = {}
        self.verdicts: list[tuple[str, str, str]] = []

    def admit(self, observed: Observation) -> None:
        known = self.series.get(observed.alert.fingerprint)
        kind, why = news(known, observed.alert, observed.found.severity)
        if known and kind not in (News.FIRST, News.CHANGE):
            incident, why = self._no_change(observed, known, kind, why)
        elif observed.alert.status is Status.FIRING:
            incident, why = self._fires(observed, known)
        else:
            incident, why = self._ends(observed, known)
        self.verdicts.append((observed.delivery, incident, why))

    def acts(self, incident: str) -> bool:
        """Whether an execution reads the incident's mail; as it was before this batch, which starts none by itself."""
        if incident in self.before.incidents:
            return self.before.incidents[incident].actor
        named = self._off_head(incident)
        return named is None or named.generation > 0

    # -- what is known already ---------------------------------------------------------------------------------------

    def _no_change(self, observed: Observation, known: Series, kind: News, why: str) -> tuple[str, str]:
        home, again = self._home(known), known.delivery == observed.delivery
        if observed.alert.status is Status.FIRING and kind in (News.WORSE, News.REPEAT):
            if home is None and not again:
                incident, _ = self._fires(observed, known)
                return incident, f"{why}, but its incident is over: its source insists"
            if home and (kind is News.WORSE or self._strays(observed, known, home, again=again)):
                self._enter(observed, known.group, home)
                self._tell(observed, known.group, home, why)
                return home, why
        if again and home and home not in self.openings:
            self.resume[home] = None
        if kind is News.REPEAT:
            self._hear(observed, known)
        return home or known.incident, why

    def _strays(self, observed: Observation, known: Series, home: str, *, again: bool) -> bool:
        """Whether a repeat is news to the incident of its group: its own ended without it, and another series opened
        this one; or it was recorded here as noise, which it is not (any more)."""
        member, own = self.head.incidents.get(home), self.elsewhere.get(known.incident)
        left_behind = bool(own and own.over and own.id != home)
        noise_no_more = bool(member and member.noise and not observed.found.noise)
        return not again and (left_behind or noise_no_more)

    def _hear(self, observed: Observation, known: Series) -> None:
        """A repeat writes its own item at most: where it is the newer word (what is older than it is late from then
        on), or where its series was not heard of for some time."""
        fresh = timedelta(seconds=self.team.timing.stale_after / 4)
        if observed.alert.occurred_at > known.occurred_at or self.now - known.seen_at > fresh:
            self.series[known.fingerprint] = heard(known, observed.alert, self.now)

    def _home(self, known: Series) -> str | None:
        """The open incident that a known series belongs to: where its group is now, or where the series was put."""
        group = self.head.groups.get(known.group)
        if group:
            return group.incident
        if known.incident in self.head.incidents:
            return known.incident
        named = self._off_head(known.incident)
        return named.id if named and not named.over else None

    def _off_head(self, incident: str) -> Incident | None:
        """An incident that the head does not show: it fell off in this batch or before, or it is over."""
        if incident in self.openings:
            return self.openings[incident].incident
        return self.elsewhere.get(incident) or next((i for i in self.elsewhere.values() if i.id == incident), None)

    # -- firing ------------------------------------------------------------------------------------------------------

    def _fires(self, observed: Observation, known: Series | None) -> tuple[str, str]:
        placement = self._placement(observed, known)
        if placement.incident == NEW:
            return self._open(observed, known), placement.reason
        incident, group = placement.incident, observed.group
        new = known is None or known.incident != incident
        self._enter(observed, group, incident, root=placement.root)
        if placement.root:
            self._post(incident, Mail(MailKind.ROOT, self.now, placement.root, "correlation", placement.reason))
        if self.head.incidents[incident].actor:
            self._absorb(placement)
        self._tell(observed, group, incident, placement.reason, new=new)
        return incident, placement.reason

    def _placement(self, observed: Observation, known: Series | None) -> Placement:
        """A series goes on in its own incident while that is open, also where its group fell off the head."""
        found = observed.found
        home = self._home(known) if known else None
        if home and observed.group not in self.head.groups:
            return Placement(home, "its series belongs there")
        candidate = Candidate(observed.group, found.service, found.severity, self.now, found.noise)
        window = timedelta(seconds=self.team.timing.join_window)
        return place(candidate, self.head, self.topology, window)

    def _open(self, observed: Observation, known: Series | None) -> str:
        opening = opened(observed, self.new_id(), self.team, self.now, reopens=self._reopens(known))
        incident = opening.incident
        self.openings[incident.id] = opening
        member = _member(incident, noise=observed.found.noise)
        group = Group(incident.id, observed.found.service, self.now)
        self.head = placed(self.head, observed.group, group, member)
        self._record(observed, observed.group, incident.id)
        return incident.id

    def _reopens(self, known: Series | None) -> str:
        """The incident that closed not long ago and that the same series opens again; what paged nobody is none."""
        last = self.elsewhere.get(known.incident) if known else None
        if last is None or last.resolved_at is None or last.noise:
            return ""
        return last.id if self.now - last.resolved_at <= timedelta(seconds=self.team.timing.reopen_window) else ""

    def _enter(self, observed: Observation, group: str, incident: str, *, root: str = "") -> None:
        """Put the series and its group into an open incident; one without an execution may come to need one."""
        found, now = observed.found, self.now
        member = self.head.incidents.get(incident) or self._returned(incident)
        if _needs_execution(member, found):
            member = replace(member, actor=True, noise=False)
            self.promoted[incident] = None
        severity = member.severity if found.noise else Severity(min(member.severity, found.severity))
        member = replace(member, last=now, severity=severity, root=root or member.root)
        self.head = placed(self.head, group, Group(incident, found.service, now), member)
        self._record(observed, group, incident)

    def _returned(self, incident: str) -> Member:
        """An open incident that fell off the head comes back to it."""
        named = self._off_head(incident)
        assert named is not None  # noqa: S101 - what is entered is on the head, or one of these names it
        return _member(named, noise=named.noise and "hold" not in named.clocks)

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

    # -- ending ------------------------------------------------------------------------------------------------------

    def _ends(self, observed: Observation, known: Series | None) -> tuple[str, str]:
        """A resolve: to the incident of its series, or a tombstone where its trigger was never seen."""
        alert = observed.alert
        if known is None:
            opening = tombstone(observed, self.new_id(), self.team, self.now)
            self.openings[opening.incident.id] = opening
            self._record(observed, observed.group, opening.incident.id)
            return opening.incident.id, opening.page_reason
        home = self._home(known)
        self._record(observed, known.group, home or known.incident)
        if home:
            self._tell(observed, known.group, home, "its source says so")
        return home or known.incident, f"{alert.status} at its source"

    # -- writing it down ---------------------------------------------------------------------------------------------

    def _record(self, observed: Observation, group: str, incident: str) -> None:
        alert = observed.alert
        self.series[alert.fingerprint] = after(
            self.series.get(alert.fingerprint),
            alert,
            observed.found,
            group=group,
            incident=incident,
            delivery=observed.delivery,
            now=self.now,
        )

    def _tell(self, observed: Observation, group: str, incident: str, reason: str, *, new: bool = False) -> None:
        alert, found = observed.alert, observed.found
        detail = {
            "status": alert.status.value,
            "group": group,
            "title": line(alert.title),
            "source": alert.source,
            "since": rfc3339(alert.started_at),
            "service": found.service,
            "resource": alert.resource,
            "ask": alert.ask,
            "severity": str(int(found.severity)),
            "pages": "yes" if found.pages else "",
            "noise": "yes" if found.noise else "",
            "why": found.reason,
            "rhythm": str(self.series[alert.fingerprint].rhythm),
            "joined": reason,
            "new": "yes" if new else "",
            "playbooks": ",".join(found.playbooks),
        }
        self._post(incident, Mail(MailKind.ALERT, self.now, alert.fingerprint, alert.source, said(alert), detail))

    def _post(self, incident: str, mail: Mail) -> None:
        self.mail.setdefault(incident, []).append(mail)


def _member(incident: Incident, *, noise: bool) -> Member:
    acts = incident.generation > 0
    return Member(incident.service, incident.opened_at, incident.opened_at, incident.severity, noise, acts)


def _needs_execution(member: Member, found: Classification) -> bool:
    """Whether an incident without an execution comes to need one: noise that is joined by what is none, and a held page
    that another alert agrees with or that gets worse."""
    if member.actor or found.noise:
        return False
    if member.noise:
        return True
    return found.pages and (not found.hold_seconds or found.severity < member.severity)
