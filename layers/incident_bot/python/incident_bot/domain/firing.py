"""Alerts that fire: which incident they join or open, and what moves on their account."""

from dataclasses import replace
from datetime import timedelta

from incident_bot.domain import recur
from incident_bot.domain.alert import Status
from incident_bot.domain.batch import Batch, Verdict
from incident_bot.domain.confidence import scored, weighed
from incident_bot.domain.connect import Connected, connect
from incident_bot.domain.correlate import Placement
from incident_bot.domain.gather import NEW
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, opened
from incident_bot.domain.series import Series
from incident_bot.domain.shape import changed
from incident_bot.domain.telling import lost_mail
from incident_bot.domain.transient import steadied


def fires(batch: Batch, observed: Observation, known: Series | None) -> Verdict:
    """A series goes on in its own incident while that is open, unless it had long cleared there; which, and why."""
    observed = steadied(scored(observed, batch.head, batch.topology, batch.team), known)
    home = batch.home(known) if known else None
    if known and home and not anew(batch, observed, known, home):
        verdict: Verdict = (home, "same-alert", f"its series belongs there, in {known.group}")
        batch.enter(observed, known.group, home, firing=1)
        batch.tell(observed, known.group, verdict, new=known.incident != home)
        return verdict
    if known and home:
        if known.status is Status.FIRING:
            batch.post(home, lost_mail(known, batch.now))
        batch.clears(known)
    return _correlated(batch, observed, known, again=bool(known and home))


def anew(batch: Batch, observed: Observation, known: Series, home: str) -> bool:
    """Whether the series begins anew what was over in its open incident."""
    quiet = batch.team.timing.quiet_period
    return recur.anew(known, observed.alert, batch.head, home=home, quiet_seconds=quiet, now=batch.now)


def _correlated(batch: Batch, observed: Observation, known: Series | None, *, again: bool) -> Verdict:
    """A series that goes on nowhere joins or begins a group, which joins or opens an incident."""
    found = connect(observed, batch.head, batch.topology, batch.team, batch.now, again=again)
    placement, name = found.placement, found.name
    observed = weighed(observed, found, batch.groups.get(name), batch.head.kinds, batch.team)
    batch.learn_kinds(found.kinds)
    if placement.incident == NEW:
        return _open(batch, observed, known, found), placement.rule, placement.reason
    incident = placement.incident
    verdict = incident, placement.rule, placement.reason
    join(batch, found, batch.needing(incident, observed.found).root)
    new = known is None or known.incident != incident
    batch.enter(observed, name, incident, root=placement.root, second=new)
    batch.tell(observed, name, verdict, new=new)
    return verdict


def join(batch: Batch, found: Connected, root: str) -> None:
    """Put the group into the open incident where it belongs, whose root is that so far, and move what follows."""
    placement = found.placement
    batch.groups[found.name] = changed(found.group, incident=found.group.incident or placement.incident)
    if placement.root not in ("", root):
        detail = {"rule": placement.rule}
        told = Mail(MailKind.ROOT, batch.now, placement.root, "correlation", placement.reason, detail)
        batch.post(placement.incident, told)
    _move(batch, found.name, placement)


def _open(batch: Batch, observed: Observation, known: Series | None, found: Connected) -> str:
    rule, why, reopens = found.placement.rule, found.placement.reason, _reopens(batch, known)
    opening = opened(
        observed, batch.new_id(), batch.team, batch.now, rule=rule, why=why, group=found.name, reopens=reopens
    )
    batch.open(observed, opening, found.name, found.group)
    if found.group.incident:  # a split: it leaves the incident that it was in
        batch.groups[found.name] = found.group
    moves = dict.fromkeys(found.placement.moves, opening.incident.id)
    _move(batch, found.name, replace(found.placement, moves=moves))
    return opening.incident.id


def _reopens(batch: Batch, known: Series | None) -> str:
    """The incident that closed not long ago and that the same series opens again; what paged nobody is none."""
    last = batch.elsewhere.get(known.incident) if known else None
    if last is None or last.resolved_at is None or last.noise:
        return ""
    return last.id if batch.now - last.resolved_at <= timedelta(seconds=batch.team.timing.reopen_window) else ""


def _move(batch: Batch, name: str, placement: Placement) -> None:
    """Move groups whose fault turned out to be another incident's; one that is emptied so ends as merged."""
    groups, why, now, rule = batch.groups, placement.reason, batch.now, placement.rule
    for effect in placement.explains:
        groups[effect] = replace(groups[effect], cause=name)
    origins: dict[str, str] = {}
    for moved, target in placement.moves.items():
        origins[moved], groups[moved] = groups[moved].incident, replace(groups[moved], incident=target)
    for moved, left in origins.items():
        target, rest = groups[moved].incident, [g for g in groups.values() if g.incident == left]
        detail = {"to": target, "rule": rule, **({} if rest else {"emptied": "yes"})}
        batch.post(left, Mail(MailKind.MOVED_OUT, now, moved, "correlation", why, detail))
        batch.post(target, Mail(MailKind.MOVED_IN, now, moved, "correlation", why, {"from": left, "rule": rule}))
        if not rest:
            batch.incidents.pop(left, None)
        elif batch.incidents[left].root not in {g.service for g in rest}:
            root = min(rest, key=lambda g: (bool(g.cause), g.began)).service
            batch.incidents[left] = replace(batch.incidents[left], root=root)
            moved_away = f"its root so far moved: {why}"
            batch.post(left, Mail(MailKind.ROOT, now, root, "correlation", moved_away, {"rule": "root-moved"}))
