"""Correcting correlation by hand: what people part or join stays so while the incidents are open.

Both are decided on the scope's head, as what correlation moves by itself is: groups change their incident, and both are
told by mail. Every group of both is pinned then, so that no later alert undoes it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import Level, pages
from incident_bot.domain.errors import Refused
from incident_bot.domain.head import Group, Head, Member, placed
from incident_bot.domain.incident import FINGERPRINTS_KEPT, Incident, State
from incident_bot.domain.learn import kind_of
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import START_WITHIN
from incident_bot.domain.owner import frozen
from incident_bot.domain.plaintext import line
from incident_bot.domain.series import Series, firing_of
from incident_bot.domain.team import Team

PAIRS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Order:
    """Who corrects it, why and when; `new` is the id of what is split off."""

    by: str
    reason: str
    at: datetime
    new: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """The head as it is then, the mail of each incident, the series whose group changed (before, after), the pairs of
    services that were parted or joined, and the incident that was split off."""

    head: Head
    mail: Mapping[str, tuple[Mail, ...]] = field(default_factory=dict)
    series: tuple[tuple[Series, Series], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    opened: Incident | None = None


def shown(head: Head, incident: Incident) -> Head:
    """The head with an open incident on it, also one that fell off: its groups as far as its own series tell."""
    own = Member(incident.service, incident.opened_at, incident.severity, incident.noise, incident.generation > 0)
    member = head.incidents.get(incident.id, own)
    head = replace(head, incidents={**head.incidents, incident.id: member})
    for one in incident.firing.values():
        if one.group and one.group not in head.groups:
            severity = one.severity or Severity.SEV3
            group = Group(incident.id, one.service, one.seen, one.since, one.since, severity=severity)
            head = placed(head, one.group, group, member)
    return head


def join(head: Head, incident: Incident, into: Incident, order: Order) -> Correction:
    """Move all of an incident into another one, in which it ends."""
    _free(head, incident)
    names = head.of(incident.id)
    if not names:
        raise Refused(f"{incident.id} has no alerts that could move", rule="empty", status=409)
    pairs = _pairs(head.services(incident.id), head.services(into.id))
    leaving = [_left(order, name, into.id, emptied=name == names[-1]) for name in names]
    arriving = tuple(
        Mail(MailKind.MOVED_IN, order.at, name, order.by, order.reason, {"from": incident.id, "rule": "by-hand"})
        for name in names
    )
    groups = {n: replace(g, incident=into.id) if n in names else g for n, g in head.groups.items()}
    members = {i: m for i, m in head.incidents.items() if i != incident.id}
    after = _pinned(replace(head, groups=groups, incidents=members), {into.id})
    return Correction(after, {incident.id: tuple(leaving), into.id: arriving}, pairs=pairs)


def part(
    head: Head, incident: Incident, moving: Sequence[Series], present: Collection[Series], *, team: Team, order: Order
) -> Correction:
    """Move those of an incident's firing series (`present`) out of it into `order.new`; whole groups where all of a
    group's move. Refused where it is not known any more what else is in a group."""
    _free(head, incident)
    if gone := [series for series in moving if series.group not in head.groups]:
        raise Refused(
            f"{gone[0].group} of {incident.id} is no more known as a group, since too many came after it: "
            f"{line(gone[0].title)} of {gone[0].service} stays there until it fires anew",
            rule="forgotten",
            status=409,
        )
    groups, changed, mails = dict(head.groups), list[tuple[Series, Series]](), list[Mail]()
    for name in dict.fromkeys(series.group for series in moving):
        here = [series for series in moving if series.group == name]
        stay = sum(1 for series in present if series.group == name) - len(here)
        if not stay:
            groups[name] = replace(groups[name], incident=order.new, cause="")
            mails.append(_left(order, name, order.new))
            continue
        own, whole = f"{name}/{order.new}", groups[name]
        groups[own] = replace(_of(here, whole), incident=order.new)
        groups[name] = replace(whole, series=max(stay, whole.series - len(here)), firing=stay)
        mails.append(_left(order, name, order.new, fingerprints=[series.fingerprint for series in here]))
        changed += [(s, replace(s, group=own, incident=order.new, version=s.version + 1)) for s in here]
    rest = {name: group for name, group in groups.items() if group.incident == incident.id}
    if not rest:
        raise Refused(f"nothing would be left of {incident.id}", rule="whole", status=409)
    after = {series.fingerprint: series for _, series in changed}
    opened = _split_off(incident, [after.get(s.fingerprint, s) for s in moving], team, order)
    members = {**head.incidents, order.new: Member(opened.service, order.at, opened.severity)}
    member, services = members[incident.id], {group.service for group in rest.values()}
    if member.root not in services:
        root = min(rest.values(), key=lambda g: (bool(g.cause), g.began)).service
        members[incident.id] = replace(member, root=root)
        why = f"its root so far was split off: {order.reason}"
        mails.append(Mail(MailKind.ROOT, order.at, root, order.by, why, {"rule": "by-hand"}))
    corrected = _pinned(replace(head, groups=groups, incidents=members), {incident.id, order.new})
    pairs = _pairs({series.service for series in moving}, services)
    return Correction(corrected, {incident.id: tuple(mails)}, tuple(changed), pairs, opened)


def _split_off(parent: Incident, moving: Sequence[Series], team: Team, order: Order) -> Incident:
    """The incident that those series are from now on: as bad as the worst of them."""
    first = min(moving, key=lambda s: (s.severity or Severity.SEV5, s.started_at))
    service = team.services.get(first.service)
    owner = service.owner if service else team.default_group
    kept, stale = moving[:FINGERPRINTS_KEPT], timedelta(seconds=team.timing.stale_after)
    return Incident(
        id=order.new,
        scope=parent.scope,
        state=State.DETECTED,
        severity=first.severity or Severity.SEV3,
        service=first.service,
        title=line(first.title),
        opened_at=order.at,
        started_at=min(series.started_at for series in moving),
        owner=owner,
        environment=parent.environment,
        kind=kind_of(first.source, line(first.title), first.service),
        fingerprints=tuple(series.fingerprint for series in kept),
        config_digest=team.digest,
        generation=1,
        alerts=len(moving),
        many=len(moving) > len(kept),
        escalation=frozen(owner, team),
        firing={series.fingerprint: firing_of(series) for series in kept},
        clocks={"start": order.at + START_WITHIN, "stale": order.at + stale},
    )


def wakes(incident: Incident, team: Team) -> Level:
    """Whether what was split off needs a page of its own, and why."""
    return pages(incident.severity, team.services.get(incident.service))


def present(known: Iterable[Series], head: Head, incident: str) -> list[Series]:
    """Those of the series that fire in that incident: by the head, where their group is there."""
    groups = head.groups
    here = (s for s in known if s.status is Status.FIRING)
    return [s for s in here if (groups[s.group].incident if s.group in groups else s.incident) == incident]


def _free(head: Head, incident: Incident) -> None:
    acting = [action for action, frozen_one in head.acting.items() if frozen_one == incident.id]
    if acting:
        raise Refused(f"{acting[0]} of it is in flight: nothing leaves it until that ended", rule="acting", status=409)


def _left(order: Order, group: str, into: str, *, emptied: bool = False, fingerprints: Sequence[str] = ()) -> Mail:
    detail = {"to": into, "rule": "by-hand", **({"emptied": "yes"} if emptied else {})}
    detail |= {"fingerprints": ",".join(fingerprints)} if fingerprints else {}
    return Mail(MailKind.MOVED_OUT, order.at, group, order.by, order.reason, detail)


def _of(series: Sequence[Series], whole: Group) -> Group:
    """A part of a group, which stands for itself."""
    kinds: dict[str, int] = {}
    for one in series:
        kind = kind_of(one.source, one.title, one.service)
        kinds[kind] = kinds.get(kind, 0) + 1
    return replace(
        whole,
        began=max(whole.began, min(one.started_at for one in series)),
        series=len(series),
        firing=len(series),
        severity=min((one.severity for one in series if one.severity), default=whole.severity),
        kinds=dict(list(kinds.items())[:4]),
        cause="",
    )


def _pinned(head: Head, incidents: Collection[str]) -> Head:
    groups = {n: replace(g, pinned=True) if g.incident in incidents else g for n, g in head.groups.items()}
    return replace(head, groups=groups)


def _pairs(some: Collection[str], others: Collection[str]) -> tuple[tuple[str, str], ...]:
    found = {(min(a, b), max(a, b)) for a, b in product(some, others) if a != b}
    return tuple(sorted(found))[:PAIRS_KEPT]
