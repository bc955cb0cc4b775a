"""Hearing of alerts: what mail about firing, cleared and moved series does to an incident."""

from collections.abc import Mapping
from dataclasses import replace

from incident_bot.domain import tell
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import pages
from incident_bot.domain.deliberation import Deliberation
from incident_bot.domain.incident import Escalation, Firing, State
from incident_bot.domain.mail import Mail, firing_in, leaves
from incident_bot.domain.message import Kind
from incident_bot.domain.owner import rerooted
from incident_bot.domain.plaintext import line
from incident_bot.domain.rulebook import RuleName, told

FIRING_KEPT = 20
LONGEST_QUIET = 1800.0


def alert(d: Deliberation, mail: Mail) -> None:
    """A series changed its state, or got worse."""
    if d.incident.over:
        d.say("signal", mail.text, "after the end: the series opens another incident", mail.actor, "after-the-end")
        return
    d.say("signal", mail.text, mail.detail.get("joined", ""), mail.actor, told(mail.detail, "joined_by"))
    if muted := mail.detail.get("muted", ""):
        d.decide(told(mail.detail, "muted_rule"), muted, mail.detail.get("muted_by", ""))
    if mail.detail.get("late"):
        _fired(d, mail)
    elif mail.detail["status"] == Status.FIRING:
        _fires(d, mail)
    elif mail.detail["status"] == Status.RESOLVED:
        _clears(d, mail.argument, _rhythm(d, mail.detail))


def _fires(d: Deliberation, mail: Mail) -> None:
    detail, severity = mail.detail, Severity(int(mail.detail["severity"]))
    new = bool(detail.get("new"))
    _remember(d, {**d.incident.firing, mail.argument: firing_in(mail, d.now)})
    d.set(cleared={f: s for f, s in d.incident.cleared.items() if f != mail.argument})
    d.set(alerts=d.incident.alerts + new)
    d.incident = d.incident.believing(detail)
    _fires_again(d, "it fires again inside the quiet period", quietly=bool(detail.get("noise")))
    hold = int(detail.get("hold") or 0)
    worse = not detail.get("noise") and _worsens(d, severity, told(detail, "severity_by"), detail.get("why", ""), hold)
    if detail.get("pages"):
        _wakes(d, told(detail, "level_by"), f"{line(detail['title'])} wakes people: {detail.get('why', '')}", hold)
    if detail.get("apart") and d.paged:
        tell.spread(d, detail["service"], detail["title"], detail["apart"])
    if detail.get("pages") and not hold and d.held and d.held.details.get("waits") == "cause":
        tell.unhold(d, "agreed", "another alert agrees")
    if (new or worse) and detail.get("playbooks"):
        d.clock("propose", d.now)


def _fired(d: Deliberation, mail: Mail) -> None:
    """What was over before it was heard of is part of it, and may have been its worst; nobody is woken for it."""
    severity, was = Severity(int(mail.detail["severity"])), d.incident.severity
    d.set(fingerprints=d.incident.remembering((mail.argument,)), alerts=d.incident.alerts + bool(mail.detail["new"]))
    if severity < was:
        d.set(severity=severity)
        because = f"{mail.detail['joined']}: nobody is woken for it"
        d.decide("belated-firing", f"{was.label} becomes {severity.label}", because)


def _fires_again(d: Deliberation, reason: str, *, quietly: bool = False) -> None:
    """Something fires: nothing is over. Where all was clear, whoever knows of it is not paged again, and noise pages
    nobody."""
    for name in ("quiet", "verify"):
        d.clock(name, None)
    d.set(resolve_asked_by="")
    if d.incident.state is not State.MITIGATED:
        return
    d.become(State.ACTIVE, reason)
    if d.may_stand:
        tell.await_answer(d)
    elif d.wakes and not quietly and not d.paged and not d.incident.acknowledged_at:
        tell.page(d, "first", "it fires again and nobody was paged before")


def _remember(d: Deliberation, firing: Mapping[str, Firing]) -> None:
    kept = dict(list(firing.items())[-FIRING_KEPT:])
    d.set(firing=kept, many=d.incident.many or len(firing) > FIRING_KEPT)
    d.set(fingerprints=d.incident.remembering(firing))


def _worsens(d: Deliberation, severity: Severity, rule: RuleName, why: str, hold: int = 0) -> bool:
    """A worse alert pages again, whoever acknowledged the lesser fault; a first page may have to wait."""
    if severity >= d.incident.severity:
        return False
    was = d.incident.severity
    d.set(severity=severity, noise=False)
    d.decide(rule, f"{was.label} becomes {severity.label}", why)
    if d.wakes:
        d.forget_answer()
        reason = f"it got worse: {was.label} became {severity.label}" + (f": {why}" if why else "")
        if hold and not d.paged:
            tell.hold(d, "worsened", reason, hold)
        else:
            tell.page(d, "worsened", reason)
    return True


def _wakes(d: Deliberation, rule: RuleName, why: str, hold: int = 0) -> None:
    """What would have paged by itself pages the incident that it joined, where nobody was: a ticket silences nothing.

    Where a page was written already and somebody acknowledged, they know.
    """
    if d.paged or (d.incident.acknowledged_at and any(intent.pages for intent in d.intents.values())):
        return
    d.set(noise=False)
    d.forget_answer()
    if hold:
        tell.hold(d, "first", why, hold)
        return
    d.decide(rule, "it pages now", why)
    tell.page(d, "first", why)


def _rhythm(d: Deliberation, detail: Mapping[str, str]) -> float:
    """How far apart its firings are, where it flaps; of what opened another incident not long ago, two firings tell."""
    rhythm, pause = float(detail.get("rhythm") or 0), float(detail.get("pause") or 0)
    return rhythm or (pause if d.incident.reopens else 0.0)


def _clears(d: Deliberation, fingerprint: str, rhythm: float) -> None:
    """A series is over, as its source says; one that flaps holds the incident open for longer than its rhythm."""
    if fingerprint in d.incident.firing:
        cleared = {**d.incident.cleared, fingerprint: d.incident.firing[fingerprint]}
        d.set(cleared=dict(list(cleared.items())[-FIRING_KEPT:]))
    d.set(firing={f: s for f, s in d.incident.firing.items() if f != fingerprint})
    slow = int(min(rhythm * 1.5, LONGEST_QUIET))
    if slow > max(d.incident.quiet_seconds, d.team.timing.quiet_period):
        d.set(quiet_seconds=slow)
        d.decide("flapping", f"flapping: it closes after {slow} s without news", "longer than its rhythm")
    if not d.incident.firing and not d.incident.many:
        _all_clear(d)


def _all_clear(d: Deliberation) -> None:
    """Nothing fires: the source is asked."""
    if d.incident.state is State.DETECTED:
        d.become(State.TRIAGED, "it cleared before it was triaged")
    if d.incident.state is not State.MITIGATED:
        d.set(mitigated_at=d.now)
    d.become(State.MITIGATED, tell.CLEARED)
    d.clock("escalate", None)
    d.clock("verify", d.now)


def moved_in(d: Deliberation, mail: Mail) -> None:
    """A group of another incident turned out to belong here; as bad as it is, so is this one."""
    arrived = d.look.moved.get(mail.argument, {})
    d.say(
        "signal",
        f"alerts {mail.argument} moved here from {mail.detail.get('from')}",
        mail.text,
        mail.actor,
        told(mail.detail, "rule"),
    )
    if not arrived or d.incident.over:
        return
    _remember(d, {**d.incident.firing, **arrived})
    d.set(alerts=d.incident.alerts + len(arrived))
    _fires_again(d, "alerts that moved here fire")
    _as_bad_as(d, arrived, f"as bad as {mail.argument}, which moved here")


def _as_bad_as(d: Deliberation, firing: Mapping[str, Firing], why: str) -> None:
    """The incident is as bad as the worst of its series, and wakes people where one of them does."""
    worst = min((f.severity for f in firing.values() if f.severity), default=None)
    if worst:
        _worsens(d, worst, "worst-alert", why)
    for series in firing.values():
        level = pages(series.severity, d.team.services.get(series.service)) if series.severity else None
        if level and level.wakes:
            _wakes(d, level.rule, f"{series.title} of {series.service} wakes people")


def moved_out(d: Deliberation, mail: Mail) -> None:
    """A group belongs to another incident now; an incident that is emptied so ends as merged."""
    into = mail.detail.get("to", "")
    d.say("signal", f"alerts {mail.argument} moved to {into}", mail.text, mail.actor, told(mail.detail, "rule"))
    if d.incident.over:
        return
    listed = {**d.incident.cleared, **d.incident.firing}
    gone = {f for f, series in listed.items() if leaves(mail, f, series)}
    d.set(fingerprints=tuple(f for f in d.incident.fingerprints if f not in gone))
    for kept in ("firing", "cleared"):
        d.set(**{kept: {f: s for f, s in getattr(d.incident, kept).items() if f not in gone}})
    if mail.detail.get("emptied"):
        _merge(d, into)
    elif not d.incident.firing and not d.incident.many:
        _all_clear(d)


def _merge(d: Deliberation, into: str) -> None:
    """It ends in the other one: its page is closed, its requests are void, what it changed is lifted in its time."""
    reason = f"merged into {into}"
    tell.cancel(d, "merged", reason, [i for i in d.intents.values() if i.state == "pending" and i.purpose != "undo"])
    lifts = {name: at for name, at in d.incident.clocks.items() if name.startswith("lift:")}
    d.set(merged_into=into, resolved_at=d.now, clocks=lifts, firing={}, cleared={}, many=False)
    d.become(State.RESOLVED, reason)
    if d.may_stand:
        tell.message(d, "resolve", Kind.RESOLVE, reason)
    open_ones = ("proposed", "approved", "busy")
    void = {a: replace(s, state="expired") for a, s in d.incident.actions.items() if s.state in open_ones}
    d.set(actions={**d.incident.actions, **void})


def reroot(d: Deliberation, mail: Mail) -> None:
    """Another service is the probable root; where that is another team's, it is told."""
    root, was = mail.argument, d.incident.escalation or Escalation(d.incident.owner)
    if root == d.incident.service:
        return
    d.decide(told(mail.detail, "rule"), f"the probable root is {root} now", mail.text, mail.actor)
    if d.incident.over:
        return
    owner, d.incident = d.incident.owner, rerooted(d.incident, root, d.team)
    if d.incident.owner != owner:
        tell.reassign(d, was, mail.text)


def storm(d: Deliberation, mail: Mail) -> None:
    """A summary counts more: who was told is told the new count, and woken again only where it got worse, or another
    service is at Sev1."""
    d.say("signal", mail.text, mail.detail["summary"], mail.actor, told(mail.detail, "rule"))
    if d.incident.over:
        return
    severity = Severity(int(mail.detail["severity"]))
    firing = {f: replace(s, title=mail.text, seen=d.now) for f, s in d.incident.firing.items()}
    d.set(title=mail.text, summary=mail.detail["summary"], alerts=int(mail.detail["count"]), firing=firing)
    critical = mail.detail["critical"]
    if _worsens(d, severity, "storm-worse", f"{critical or 'one of its incidents'} is at {severity.label}"):
        return
    if critical:
        tell.notice(d, critical)
    elif d.may_stand:
        tell.message(d, "update", Kind.UPDATE, mail.text)


def everything(d: Deliberation, mail: Mail) -> None:
    """There was more mail than is listed singly: what the table says of all series counts."""
    number = len(d.look.everything or {})
    d.say("signal", f"{number} series fire", "there was more mail than is listed singly", mail.actor, "all-series")


def count_everything(d: Deliberation) -> None:
    """Where not every series is listed (any more), only the table knows what fires."""
    if d.look.everything is None or d.incident.over:
        return
    firing = d.look.everything
    d.set(many=False, alerts=max(d.incident.alerts, len(firing)))
    _remember(d, firing)
    if not firing and d.incident.state is not State.MITIGATED:
        _all_clear(d)
    elif firing:
        if d.incident.state is State.MITIGATED:
            _fires_again(d, "it fires again inside the quiet period")
        _as_bad_as(d, firing, "the worst of all its alerts")
