"""A batch under way: the head, series, incidents and mail of one scope, as the observations so far leave them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from incident_bot.domain.alert import Status
from incident_bot.domain.cause import topology_of
from incident_bot.domain.classify import Classification
from incident_bot.domain.connect import bare, sender
from incident_bot.domain.head import Group, Groups, Head, Member, make_room
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, Opening, member_of, suppressed
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.sender import learned
from incident_bot.domain.series import Series, after
from incident_bot.domain.shape import changed
from incident_bot.domain.suppress import Suppressed
from incident_bot.domain.team import Team
from incident_bot.domain.telling import alert_mail
from incident_bot.domain.transient import needs_execution

Verdict = tuple[str, RuleName, str]  # of an observation: its incident, by which rule, and why


class Batch:
    """The running state of one admission; every observation sees what the ones before it changed.

    `groups` and `incidents` are those of `head`: the batch's own, changed in place.
    """

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
        self.before, self.elsewhere, self.team, self.now, self.new_id = head, elsewhere, team, now, new_id
        self.groups = Groups(head.groups)
        self.incidents: dict[str, Member] = dict(head.incidents)
        self.head = replace(head, groups=self.groups, incidents=self.incidents)
        self.topology = topology_of(team.services)
        self.series: dict[str, Series] = dict(known)
        self.openings: dict[str, Opening] = {}
        self.mail: dict[str, list[Mail]] = {}
        self.moved: set[tuple[str, str]] = set()  # incident and group: a move that its mail tells of
        self.promoted: dict[str, None] = {}
        self.resume: dict[str, None] = {}
        self.muted: dict[str, Suppressed] = {}

    # -- where a series belongs --------------------------------------------------------------------------------------

    def home(self, known: Series) -> str | None:
        """The open incident that a known series belongs to: where its group is now, or where the series was put."""
        group = self.groups.get(known.group)
        if group:
            return group.incident
        if known.incident in self.incidents:
            return known.incident
        named = self._off_head(known.incident)
        return named.id if named and not named.over else None

    def acts(self, incident: str) -> bool:
        """Whether an execution reads the incident's mail; as it was before this batch, which starts none by itself."""
        if incident in self.before.incidents:
            return self.before.incidents[incident].actor
        named = self._off_head(incident)
        return named is None or named.generation > 0

    def _off_head(self, incident: str) -> Incident | None:
        """An incident that the head does not show: it fell off in this batch or before, or it is over."""
        if incident in self.openings:
            return self.openings[incident].incident
        return self.elsewhere.get(incident) or next((i for i in self.elsewhere.values() if i.id == incident), None)

    # -- what it becomes a part of -----------------------------------------------------------------------------------

    def open(self, observed: Observation, opening: Opening, name: str, group: Group) -> None:
        """Put the series into a new incident, with its group."""
        incident = opening.incident
        self.openings[incident.id] = opening
        member = member_of(incident, noise=observed.found.noise)
        self._place(name, changed(group, incident=incident.id, severity=observed.found.severity), member)
        self.record(observed, name, incident.id)

    def enter(
        self, observed: Observation, name: str, incident: str, *, root: str = "", firing: int = 0, second: bool = False
    ) -> None:
        """Put the series into an open incident, where its group is or comes back to; one without an execution may come
        to need one."""
        found, member = observed.found, self.needing(incident, observed.found, second=second)
        severity = member.severity if found.noise else min(member.severity, found.severity)
        known = self.series.get(observed.alert.fingerprint)
        group = self.groups.get(name) or bare(observed, known)
        group = changed(
            group,
            firing=min(group.series, group.firing + firing),
            flapping=group.flapping + bool(firing and known and len(known.flips) == 1),
            severity=min(group.severity, found.severity),
            incident=incident,
        )
        self._place(name, group, changed(member, severity=severity, root=root or member.root))
        self.record(observed, name, incident)

    def member(self, incident: str) -> Member:
        """The incident as it is on the head, or as it comes back to it."""
        return self.incidents.get(incident) or self._returned(incident)

    def needing(self, incident: str, found: Classification, *, second: bool = False) -> Member:
        """The incident, which is on the head from now on if it was not; it has an execution if it needs one."""
        member = self.member(incident)
        if needs_execution(member, found, second=second):
            severity = found.severity if member.noise else member.severity
            member = replace(member, actor=True, noise=False, severity=severity)
            self.promoted[incident] = None
        self.incidents[incident] = member
        return member

    def _returned(self, incident: str) -> Member:
        """An open incident that fell off the head comes back to it."""
        named = self._off_head(incident)
        assert named is not None  # noqa: S101 - what is entered is on the head, or one of these names it
        return member_of(named, noise=named.noise and "hold" not in named.clocks)

    def _place(self, name: str, group: Group, member: Member) -> None:
        self.groups[name], self.incidents[group.incident] = group, member
        make_room(self.groups, self.incidents, name)

    def clears(self, known: Series) -> None:
        """A series that fired does so no more in its group."""
        group = self.groups.get(known.group)
        if group and known.status is Status.FIRING:
            self.groups[known.group] = replace(group, firing=max(0, group.firing - 1))

    # -- writing it down ---------------------------------------------------------------------------------------------

    def learn_clock(self, observed: Observation) -> None:
        """A state change also tells how far its sender's clock may be off."""
        senders = learned(self.head.senders, sender(observed), observed.alert.occurred_at, self.now)
        if senders is not self.head.senders:
            self.head = replace(self.head, senders=senders)

    def learn_kinds(self, kinds: Mapping[str, tuple[int, int]]) -> None:
        """What a group that has grown teaches of its kinds of alert."""
        if kinds is not self.head.kinds:
            self.head = replace(self.head, kinds=kinds)

    def record(self, observed: Observation, group: str, incident: str) -> None:
        """The series, and what suppressed it, as it is to be written."""
        alert = observed.alert
        recorded = after(
            self.series.get(alert.fingerprint),
            alert,
            observed.found,
            group=group,
            incident=incident,
            delivery=observed.delivery,
            now=self.now,
        )
        if observed.muted:
            window = observed.muted.window
            recorded = replace(recorded, muted_until=window.ends, muted_by=window.id)
            self.muted[alert.fingerprint] = suppressed(observed, incident, self.now)
        self.series[alert.fingerprint] = recorded

    def tell(self, observed: Observation, group: str, verdict: Verdict, *, new: bool = False) -> None:
        """Tell the incident of the verdict of the alert, which is recorded already: before its group moves there, as
        the alert itself says whether its page waits, and a move does not."""
        incident, rule, why = verdict
        known, mails = self.series[observed.alert.fingerprint], self.mail.setdefault(incident, [])
        told, at = alert_mail(observed, known, self.now, group=group, joined=why, rule=rule, new=new), len(mails)
        if (incident, group) in self.moved:
            at = next(n for n, mail in enumerate(mails) if mail.kind is MailKind.MOVED_IN and mail.argument == group)
        mails.insert(at, told)

    def post(self, incident: str, mail: Mail) -> None:
        """Add to the mail of an incident."""
        self.mail.setdefault(incident, []).append(mail)
        if mail.kind is MailKind.MOVED_IN:
            self.moved.add((incident, mail.argument))
