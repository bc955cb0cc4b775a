"""Admission: what a batch of alerts does to the series, the head and the incidents of one scope, decided in one go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.cause import topology_of
from incident_bot.domain.classify import Classification
from incident_bot.domain.confidence import scored, weighed
from incident_bot.domain.connect import Connected, bare, connect, sender
from incident_bot.domain.correlate import NEW, Placement
from incident_bot.domain.head import Group, Head, Member, placed
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, Opening, member_of, opened, suppressed, tombstone
from incident_bot.domain.recur import anew
from incident_bot.domain.sender import learned
from incident_bot.domain.series import News, Series, after, begun_late, heard, news
from incident_bot.domain.suppress import UNMUTED, Suppressed
from incident_bot.domain.team import Team
from incident_bot.domain.telling import BELATED, alert_mail, lost_mail
from incident_bot.domain.transient import needs_execution, steadied


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
    muted: tuple[Suppressed, ...] = ()  # for the ledger
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
        muted=tuple(batch.muted.values()),
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
        self.topology = topology_of(team.services)
        self.series: dict[str, Series] = dict(known)
        self.openings: dict[str, Opening] = {}
        self.mail: dict[str, list[Mail]] = {}
        self.promoted: dict[str, None] = {}
        self.resume: dict[str, None] = {}
        self.muted: dict[str, Suppressed] = {}
        self.verdicts: list[tuple[str, str, str]] = []

    def admit(self, observed: Observation) -> None:
        known = self.series.get(observed.alert.fingerprint)
        kind, why = news(known, observed.alert, observed.found.said)
        if known and kind not in (News.FIRST, News.CHANGE):
            incident, why = self._no_change(observed, known, kind, why)
        elif observed.alert.status is Status.FIRING:
            incident, why = self._fires(observed, known)
        else:
            incident, why = self._ends(observed, known)
        if kind in (News.FIRST, News.CHANGE):
            self._learn_clock(observed)
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
        if kind is News.LATE and (joined := self._belated(observed, known, home)):
            return joined, f"{why}: it counts for that incident, and wakes nobody"
        if (
            observed.alert.status is Status.FIRING
            and kind is News.REPEAT
            and home
            and self._anew(observed, known, home)
        ):
            return self._fires(observed, known)
        if observed.alert.status is Status.FIRING and kind in (News.WORSE, News.REPEAT):
            if home is None and not again:
                incident, _ = self._fires(observed, known)
                return incident, f"{why}, but its incident is over: its source insists"
            if home and (kind is News.WORSE or self._strays(observed, known, home, again=again)):
                why = UNMUTED if known.muted_by and not observed.found.noise else why
                observed = scored(observed, self.head, self.topology, self.team)
                self._enter(observed, known.group, home)
                self._tell(observed, known.group, home, why)
                return home, why
        if again and home and home not in self.openings:
            self.resume[home] = None
        if kind is News.REPEAT and not (again and known.muted_until):
            self._hear(observed, known)
        return home or known.incident, why

    def _strays(self, observed: Observation, known: Series, home: str, *, again: bool) -> bool:
        """Whether a repeat is news to the incident of its group: its own ended without it, and another series opened
        this one; or it was recorded here as noise, which it is not (any more); or what suppressed it is over."""
        if known.muted_by and observed.suppressed_otherwise(known.muted_by):
            return True
        member, own = self.head.incidents.get(home), self.elsewhere.get(known.incident)
        left_behind = bool(own and own.over and own.id != home)
        noise_no_more = bool(member and member.noise and not observed.found.noise)
        return not again and (left_behind or noise_no_more)

    def _belated(self, observed: Observation, known: Series, home: str | None) -> str:
        """The incident for which a firing counts that was over before it was heard of: one that was as bad as it says,
        or that explains a series of which only the resolve was known; empty where there is none."""
        if observed.alert.status is not Status.FIRING or observed.found.noise:
            return ""
        new = home is None and not known.flips
        if new:
            found = connect(observed, self.head, self.topology, self.team, self.now, again=False)
            home = found.placement.incident
            if home == NEW:
                return ""
            group = replace(found.group, firing=found.group.firing - 1)
            self.head = replace(self.head, kinds=found.kinds)
            self._join(found, group, self._member(home).root)
            known = begun_late(known, observed.alert, found.name, home)
            self.series[known.fingerprint] = known
        if home is None or not (new or observed.found.severity < self._member(home).severity):
            return ""
        member = self._member(home)
        member = replace(member, severity=Severity(min(member.severity, observed.found.severity)))
        self.head = replace(self.head, incidents={**self.head.incidents, home: member})
        self._post(home, alert_mail(observed, known, self.now, group=known.group, joined=BELATED, new=new, late=True))
        return home

    def _member(self, incident: str) -> Member:
        return self.head.incidents.get(incident) or self._returned(incident)

    def _hear(self, observed: Observation, known: Series) -> None:
        """A repeat writes its own item at most: where it is the newer word (what is older than it is late from then
        on), where its series was not heard of for some time, or where it is suppressed and how it is repeated will tell
        whether it still fires at the end."""
        fresh = timedelta(seconds=self.team.timing.stale_after / 4)
        suppressed_yet = known.muted_until and observed.alert.status is Status.FIRING
        if suppressed_yet or observed.alert.occurred_at > known.occurred_at or self.now - known.seen_at > fresh:
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
        """A series goes on in its own incident while that is open, unless it had long cleared there."""
        observed = steadied(scored(observed, self.head, self.topology, self.team), known)
        home = self._home(known) if known else None
        if known and home and not self._anew(observed, known, home):
            why = f"its series belongs there, in {known.group}"
            self._enter(observed, known.group, home, firing=1)
            self._tell(observed, known.group, home, why, new=known.incident != home)
            return home, why
        if known and home:
            if known.status is Status.FIRING:
                self._post(home, lost_mail(known, self.now))
            self._clears(known)
        return self._correlated(observed, known, again=bool(known and home))

    def _anew(self, observed: Observation, known: Series, home: str) -> bool:
        quiet = self.team.timing.quiet_period
        return anew(known, observed.alert, self.head, home=home, quiet_seconds=quiet, now=self.now)

    def _correlated(self, observed: Observation, known: Series | None, *, again: bool) -> tuple[str, str]:
        found = connect(observed, self.head, self.topology, self.team, self.now, again=again)
        placement, group = found.placement, found.group
        before = self.head.groups.get(found.name)
        observed = weighed(observed, found, before, self.head.kinds, self.team)
        self.head = replace(self.head, kinds=found.kinds)
        if placement.incident == NEW:
            opened_now = self._open(observed, known, found.name, group)
            if group.incident:  # a split: it leaves the incident that it was in
                self.head = replace(self.head, groups={**self.head.groups, found.name: group})
            self._move(found.name, replace(placement, moves=dict.fromkeys(placement.moves, opened_now)))
            return opened_now, placement.reason
        incident = placement.incident
        self._join(found, group, self._promoted(incident, observed.found).root)
        new = known is None or known.incident != incident
        self._enter(observed, found.name, incident, root=placement.root, second=new)
        self._tell(observed, found.name, incident, placement.reason, new=new)
        return incident, placement.reason

    def _join(self, found: Connected, group: Group, root: str) -> None:
        """Put the group into the open incident where it belongs, whose root is that so far, and move what follows."""
        placement = found.placement
        home = group.incident or placement.incident
        self.head = replace(self.head, groups={**self.head.groups, found.name: replace(group, incident=home)})
        if placement.root not in ("", root):
            text = placement.reason
            self._post(placement.incident, Mail(MailKind.ROOT, self.now, placement.root, "correlation", text))
        self._move(found.name, placement)

    def _open(self, observed: Observation, known: Series | None, name: str, group: Group) -> str:
        opening = opened(observed, self.new_id(), self.team, self.now, group=name, reopens=self._reopens(known))
        incident = opening.incident
        self.openings[incident.id] = opening
        member = member_of(incident, noise=observed.found.noise)
        self.head = placed(
            self.head, name, replace(group, incident=incident.id, severity=observed.found.severity), member
        )
        self._record(observed, name, incident.id)
        return incident.id

    def _reopens(self, known: Series | None) -> str:
        """The incident that closed not long ago and that the same series opens again; what paged nobody is none."""
        last = self.elsewhere.get(known.incident) if known else None
        if last is None or last.resolved_at is None or last.noise:
            return ""
        return last.id if self.now - last.resolved_at <= timedelta(seconds=self.team.timing.reopen_window) else ""

    def _enter(
        self, observed: Observation, name: str, incident: str, *, root: str = "", firing: int = 0, second: bool = False
    ) -> None:
        """Put the series into an open incident, where its group is or comes back to; one without an execution may come
        to need one."""
        found, member = observed.found, self._promoted(incident, observed.found, second=second)
        severity = member.severity if found.noise else Severity(min(member.severity, found.severity))
        member = replace(member, severity=severity, root=root or member.root)
        known = self.series.get(observed.alert.fingerprint)
        group = self.head.groups.get(name) or bare(observed, known)
        group = replace(
            group,
            firing=min(group.series, group.firing + firing),
            flapping=group.flapping + bool(firing and known and len(known.flips) == 1),
            severity=Severity(min(group.severity, found.severity)),
        )
        self.head = placed(self.head, name, replace(group, incident=incident), member)
        self._record(observed, name, incident)

    def _promoted(self, incident: str, found: Classification, *, second: bool = False) -> Member:
        """The incident as it is on the head, where it is now if it was not; it has an execution if it needs one."""
        member = self._member(incident)
        if needs_execution(member, found, second=second):
            severity = found.severity if member.noise else member.severity
            member = replace(member, actor=True, noise=False, severity=severity)
            self.promoted[incident] = None
        self.head = replace(self.head, incidents={**self.head.incidents, incident: member})
        return member

    def _returned(self, incident: str) -> Member:
        """An open incident that fell off the head comes back to it."""
        named = self._off_head(incident)
        assert named is not None  # noqa: S101 - what is entered is on the head, or one of these names it
        return member_of(named, noise=named.noise and "hold" not in named.clocks)

    def _move(self, name: str, placement: Placement) -> None:
        """Move groups whose fault turned out to be another incident's; one that is emptied so ends as merged."""
        groups, incidents, why = dict(self.head.groups), dict(self.head.incidents), placement.reason
        for effect in placement.explains:
            groups[effect] = replace(groups[effect], cause=name)
        origins: dict[str, str] = {}
        for moved, target in placement.moves.items():
            origins[moved], groups[moved] = groups[moved].incident, replace(groups[moved], incident=target)
        for moved, left in origins.items():
            target, rest = groups[moved].incident, [g for g in groups.values() if g.incident == left]
            detail = {"to": target, **({} if rest else {"emptied": "yes"})}
            self._post(left, Mail(MailKind.MOVED_OUT, self.now, moved, "correlation", why, detail))
            self._post(target, Mail(MailKind.MOVED_IN, self.now, moved, "correlation", why, {"from": left}))
            if not rest:
                incidents.pop(left, None)
            elif incidents[left].root not in {g.service for g in rest}:
                root = min(rest, key=lambda g: (bool(g.cause), g.began)).service
                incidents[left] = replace(incidents[left], root=root)
                self._post(left, Mail(MailKind.ROOT, self.now, root, "correlation", f"its root so far moved: {why}"))
        self.head = replace(self.head, groups=groups, incidents=incidents)

    # -- ending ------------------------------------------------------------------------------------------------------

    def _ends(self, observed: Observation, known: Series | None) -> tuple[str, str]:
        """A resolve: to the incident of its series, or a tombstone where its trigger was never seen."""
        alert = observed.alert
        if known is None:
            opening = tombstone(observed, self.new_id(), self.team, self.now)
            self.openings[opening.incident.id] = opening
            self._record(observed, f"{observed.found.service}@", opening.incident.id)
            return opening.incident.id, opening.page_reason
        home = self._home(known)
        self._clears(known)
        self._record(observed, known.group, home or known.incident)
        if home:
            self._tell(observed, known.group, home, "its source says so")
        return home or known.incident, f"{alert.status} at its source"

    def _clears(self, known: Series) -> None:
        group = self.head.groups.get(known.group)
        if group and known.status is Status.FIRING:
            fewer = replace(group, firing=max(0, group.firing - 1))
            self.head = replace(self.head, groups={**self.head.groups, known.group: fewer})

    # -- writing it down ---------------------------------------------------------------------------------------------

    def _learn_clock(self, observed: Observation) -> None:
        """A state change also tells how far its sender's clock may be off."""
        senders = learned(self.head.senders, sender(observed), observed.alert.occurred_at, self.now)
        if senders is not self.head.senders:
            self.head = replace(self.head, senders=senders)

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
        if observed.muted:
            window, recorded = observed.muted.window, self.series[alert.fingerprint]
            self.series[alert.fingerprint] = replace(recorded, muted_until=window.ends, muted_by=window.id)
            self.muted[alert.fingerprint] = suppressed(observed, incident, self.now)

    def _tell(self, observed: Observation, group: str, incident: str, reason: str, *, new: bool = False) -> None:
        known = self.series[observed.alert.fingerprint]
        self._post(incident, alert_mail(observed, known, self.now, group=group, joined=reason, new=new))

    def _post(self, incident: str, mail: Mail) -> None:
        self.mail.setdefault(incident, []).append(mail)
