"""The incident's next step: a pure function of the incident, its mail, what was read from the table, and the time.

Mail changes what is known and sets deadlines; deadlines that have passed and things left to do make the step. Whatever
somebody should do is derived from the incident itself, so a crash between two steps loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.admit import frozen
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import pages
from incident_bot.domain.clock import instant
from incident_bot.domain.escalate import after as next_escalation
from incident_bot.domain.escalate import waits_until
from incident_bot.domain.incident import ActionState, Escalation, Firing, Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.match import matches
from incident_bot.domain.message import Kind
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line

FIRING_KEPT = 20
LONGEST_QUIET = 1800.0
OUTCOMES = {"helped": "applied", "partial": "failed", "refused": "failed"}  # others are the state's own name
TELLS = ("undone", "failed", "partial", "suspended", "refused")


@dataclass(frozen=True, slots=True)
class Look:
    """What was read from the table for this decision: the incident's intents; the series of groups that moved in; all
    its firing series where the box was full; which of its actions' approvals stand how."""

    intents: Sequence[Intent] = ()
    moved: Mapping[str, Mapping[str, Firing]] = field(default_factory=dict)  # group -> fingerprint -> Firing
    everything: Mapping[str, Firing] | None = None
    actions: Mapping[str, ActionState] = field(default_factory=dict)  # as the ACTION items say, for mail that names one


@dataclass(frozen=True, slots=True)
class Advance:
    """What the actor writes: the incident with its step, its new lines, and the intents that are new or changed."""

    incident: Incident
    lines: tuple[Line, ...]
    intents: tuple[Intent, ...]
    step: Step | None


class _Turn:
    """One decision in the making."""

    def __init__(self, incident: Incident, look: Look, team: Team, now: datetime) -> None:
        self.incident, self.look, self.team, self.now = incident, look, team, now
        self.before = incident
        self.intents = {intent.name: intent for intent in look.intents}
        self.changed: dict[str, Intent] = {}
        self.lines: list[Line] = []

    # -- small moves ---------------------------------------------------------------------------------------------

    def set(self, **changes: object) -> None:
        self.incident = replace(self.incident, **changes)  # type: ignore[arg-type]

    def say(self, kind: str, text: str, reason: str = "", actor: str = "incident-bot") -> None:
        self.lines.append(Line(kind, text, reason, actor))

    def clock(self, name: str, at: datetime | None) -> None:
        clocks = {k: v for k, v in self.incident.clocks.items() if k != name}
        self.set(clocks={**clocks, name: at} if at else clocks)

    def due(self, name: str) -> bool:
        at = self.incident.clocks.get(name)
        return at is not None and at <= self.now

    def become(self, state: State, reason: str) -> None:
        if state is not self.incident.state:
            self.set(state=move(self.incident.state, state))
            self.say("state", f"the incident is {state}", reason)

    def write(self, intent: Intent) -> None:
        self.intents[intent.name] = self.changed[intent.name] = intent

    @property
    def wakes(self) -> bool:
        service = self.team.services.get(self.incident.service)
        return pages(self.incident.severity, service, noise=self.incident.noise)[0]

    @property
    def paged(self) -> bool:
        """Whether a page is out or on its way."""
        return any(i.pages and i.state in ("pending", "sent", "failed") for i in self.intents.values())

    @property
    def held(self) -> Intent | None:
        """The page that waits for a remediation (or for the alert to clear), if there is one."""
        waiting = (i for i in self.intents.values() if i.pages and i.state == "pending" and i.not_before)
        return next((i for i in waiting if i.not_before and i.not_before > self.now), None)

    # -- messages to people --------------------------------------------------------------------------------------

    def message(self, purpose: str, kind: Kind, reason: str, text: str = "", **changes: object) -> None:
        escalation = self.incident.escalation or Escalation(self.incident.owner)
        intent = Intent(
            incident=self.incident.id,
            name=f"{purpose}-{self.before.version + 1}-{len(self.changed)}",
            purpose=purpose,
            kind=kind,
            severity=self.incident.severity,
            group=escalation.group,
            steps=escalation.steps[escalation.step : escalation.step + 1],
            reason=reason,
            text=text,
            created_at=self.now,
        )
        self.write(replace(intent, **changes))  # type: ignore[arg-type]

    def page(self, purpose: str, reason: str, text: str = "") -> None:
        """Page somebody: the held page at once where there is one, a new one otherwise."""
        if self.held:
            self.unhold(reason, text)
        else:
            self.message(purpose, Kind.TRIGGER, reason, text)

    def unhold(self, reason: str, text: str = "") -> None:
        held = self.held
        if held:
            self.write(replace(held, not_before=self.now, text=text or held.text, reason=f"{held.reason}; {reason}"))
            self.clock("hold", None)
            self.say("decision", "the held page goes out now", reason)

    def cancel(self, reason: str, *, pages_only: bool = False) -> None:
        for intent in list(self.intents.values()):
            if intent.state == "pending" and (intent.pages or not pages_only):
                self.write(replace(intent, state="cancelled", outcome=reason))
                if intent.pages:
                    whom = ", ".join(name for step in intent.steps for name in step.notify) or intent.group
                    self.say("decision", f"not paged: {whom} would have been", reason)

    # -- mail ----------------------------------------------------------------------------------------------------

    def take(self, mail: Mail) -> None:
        handlers = {
            MailKind.ALERT: self.alert,
            MailKind.MOVED_IN: self.moved_in,
            MailKind.MOVED_OUT: self.moved_out,
            MailKind.ROOT: self.rerooted,
            MailKind.EVERYTHING: self.everything,
            MailKind.PAGED: self.told,
            MailKind.ACK: self.acknowledged,
            MailKind.RESOLVE: self.resolve_asked,
            MailKind.PROPOSE: self.action_changed,
            MailKind.APPROVAL: self.action_changed,
            MailKind.RESULT: self.result,
            MailKind.RELEASED: self.released,
            MailKind.NOTE: self.noted,
        }
        handlers[mail.kind](mail)

    def alert(self, mail: Mail) -> None:
        if self.incident.over:
            return self.say("signal", mail.text, "after the end: the series opens another incident", mail.actor)
        self.say("signal", mail.text, mail.detail.get("joined", ""), mail.actor)
        if mail.detail["status"] == Status.FIRING:
            self.fires(mail)
        elif mail.detail["status"] == Status.RESOLVED:
            self.clears(mail.argument, float(mail.detail.get("rhythm") or 0), "no alert of it fires any more")
        return None

    def fires(self, mail: Mail) -> None:
        detail = mail.detail
        new = bool(detail.get("new"))
        found = Firing(
            group=detail["group"],
            title=detail["title"],
            source=detail["source"],
            since=instant(detail["since"]),
            seen=self.now,
            severity=Severity(int(detail["severity"])),
            service=detail["service"],
            resource=detail.get("resource", ""),
            ask=detail.get("ask", ""),
        )
        self.remember({**self.incident.firing, mail.argument: found})
        self.set(cleared={f: s for f, s in self.incident.cleared.items() if f != mail.argument})
        self.set(alerts=self.incident.alerts + new, resolve_asked_by="")
        for name in ("quiet", "verify"):
            self.clock(name, None)
        again = self.incident.state is State.MITIGATED
        if again:
            self.become(State.ACTIVE, "it fires again inside the quiet period")
            self.await_answer(self.now)
        self.worsens(Severity(int(detail["severity"])), detail.get("why", ""))
        if again and self.wakes and not self.paged:
            self.page("first", "it fires again and nobody was paged before")
        if new and self.playbook_for(detail):
            self.clock("propose", self.now)

    def playbook_for(self, detail: Mapping[str, str]) -> bool:
        fields = {**detail, "severity": Severity(int(detail["severity"])).label}
        when = ({k: v for k, v in p.when.items() if k in fields} for p in self.team.playbooks)
        return any(matches(w, fields) for w in when)

    def remember(self, firing: Mapping[str, Firing]) -> None:
        kept = dict(list(firing.items())[-FIRING_KEPT:])
        self.set(firing=kept, many=self.incident.many or len(firing) > FIRING_KEPT)

    def worsens(self, severity: Severity, why: str) -> None:
        if severity >= self.incident.severity:
            return
        was = self.incident.severity
        self.set(severity=severity, noise=False)
        self.say("decision", f"{was.label} becomes {severity.label}", why)
        if self.wakes:
            self.set(acknowledged_at=None, acknowledged_by="")
            self.clock("ack", None)
            self.page("worsened", f"it got worse: {was.label} became {severity.label}")

    def clears(self, fingerprint: str, rhythm: float, reason: str) -> None:
        left = {f: s for f, s in self.incident.firing.items() if f != fingerprint}
        if fingerprint in self.incident.firing:
            self.set(cleared={**self.incident.cleared, fingerprint: self.incident.firing[fingerprint]})
        self.set(firing=left)
        slow = int(min(rhythm * 1.5, LONGEST_QUIET))
        if slow > max(self.incident.quiet_seconds, self.team.timing.quiet_period):
            self.set(quiet_seconds=slow)
            self.say("decision", f"flapping: it closes after {slow} s without news", "longer than its rhythm")
        if not left and not self.incident.many:
            self.all_clear(reason)

    def all_clear(self, reason: str) -> None:
        if self.incident.state is State.DETECTED:
            self.become(State.TRIAGED, "it cleared before it was triaged")
        if self.incident.state is not State.MITIGATED:
            self.set(mitigated_at=self.now)
        self.become(State.MITIGATED, reason)
        if self.held:
            self.cancel(reason, pages_only=True)
            self.clock("hold", None)
        self.clock("verify", self.now)

    def moved_in(self, mail: Mail) -> None:
        arrived = self.look.moved.get(mail.argument, {})
        self.remember({**self.incident.firing, **arrived})
        self.set(alerts=self.incident.alerts + len(arrived))
        self.say("signal", f"alerts {mail.argument} moved here from {mail.detail.get('from')}", mail.text, mail.actor)
        if arrived and self.incident.state is State.MITIGATED:
            self.become(State.ACTIVE, "alerts that moved here fire")
            self.clock("quiet", None)

    def moved_out(self, mail: Mail) -> None:
        into = mail.detail.get("to", "")
        self.set(firing={f: s for f, s in self.incident.firing.items() if s.group != mail.argument})
        self.say("signal", f"alerts {mail.argument} moved to {into}", mail.text, mail.actor)
        if mail.detail.get("emptied"):
            self.merge(into)

    def merge(self, into: str) -> None:
        reason = f"merged into {into}"
        self.cancel(reason)
        self.set(merged_into=into, resolved_at=self.now, clocks={})
        self.become(State.RESOLVED, reason)
        if self.incident.pages or any(i.pages and i.state == "sent" for i in self.intents.values()):
            self.message("resolve", Kind.RESOLVE, reason)
        void = {a: replace(s, state="expired") for a, s in self.incident.actions.items() if s.state == "proposed"}
        self.set(actions={**self.incident.actions, **void})

    def rerooted(self, mail: Mail) -> None:
        root, was = mail.argument, self.incident.owner
        if root == self.incident.service:
            return
        service = self.team.services.get(root)
        owner = service.owner if service else self.team.default_group
        self.set(service=root, owner=owner)
        self.say("decision", f"the probable root is {root} now", mail.text, mail.actor)
        if owner == was:
            return
        self.set(escalation=frozen(owner, self.team))
        if self.incident.acknowledged_at:
            self.message("update", Kind.UPDATE, f"the probable root is {root} of {owner}", mail.text)
        elif self.paged:
            self.message("reassigned", Kind.TRIGGER, f"reassigned from {was}: the probable root is {root}", mail.text)

    def everything(self, mail: Mail) -> None:
        firing = dict(self.look.everything or {})
        self.say("signal", f"{len(firing)} series fire", "there was more mail than is listed singly", mail.actor)
        self.set(many=False, alerts=max(self.incident.alerts, len(firing)))
        self.remember(firing)
        if not firing and not self.incident.over:
            self.all_clear("no alert of it fires any more")
        worst = min((f.severity for f in firing.values() if f.severity), default=None)
        if worst:
            self.worsens(worst, "the worst of all its alerts")

    def told(self, mail: Mail) -> None:
        """An intent was sent, failed or was cancelled by the sender."""
        intent, outcome = self.intents.get(mail.argument), mail.detail.get("outcome", "sent")
        to, via = mail.detail.get("to", ""), mail.detail.get("via", "")
        wakes = bool(intent and intent.pages)
        self.say(
            "page",
            f"{'paged' if wakes else 'told'} {to} by {via}" if outcome == "sent" else f"message {outcome}",
            mail.text,
        )
        if not wakes or outcome != "sent":
            return
        self.set(pages=self.incident.pages + 1, noise=False)
        if self.incident.state is State.TRIAGED:
            self.become(State.ACTIVE, "somebody was paged")
        self.await_answer(mail.at)

    def await_answer(self, since: datetime) -> None:
        """Escalate unless somebody acknowledges the page in time."""
        escalation = self.incident.escalation
        if escalation and self.incident.pages and not self.incident.over and not self.incident.acknowledged_at:
            self.clock("escalate", waits_until(escalation, since))

    def acknowledged(self, mail: Mail) -> None:
        if self.incident.over:
            return self.say("note", f"{mail.actor} acknowledges", "it is over already", mail.actor)
        group = self.team.groups.get(self.incident.owner)
        commander = self.incident.commander or mail.actor
        self.set(acknowledged_at=mail.at, acknowledged_by=mail.actor, commander=commander)
        self.say("decision", f"acknowledged; {commander} is incident commander", mail.text, mail.actor)
        self.clock("escalate", None)
        self.clock("ack", self.now + timedelta(seconds=group.ack_expires_seconds if group else 3600))
        self.cancel(f"{mail.actor} acknowledged", pages_only=True)
        self.clock("hold", None)
        if self.incident.state is State.TRIAGED:
            self.become(State.ACTIVE, f"{mail.actor} works on it")
        if self.incident.pages:
            self.message("acknowledge", Kind.ACKNOWLEDGE, f"{mail.actor} acknowledged")
        return None

    def resolve_asked(self, mail: Mail) -> None:
        self.say("decision", f"{mail.actor} says it is over", mail.text, mail.actor)
        if not self.incident.over:
            self.set(resolve_asked_by=mail.actor)
            self.clock("verify", self.now)

    def noted(self, mail: Mail) -> None:
        self.say("note", mail.text, actor=mail.actor)

    def action_changed(self, mail: Mail) -> None:
        """A person proposed an action, or an approval was decided: take over what its item says."""
        for name, state in self.look.actions.items():
            known = self.incident.actions.get(name)
            if known is None or (known.state in ("proposed", "busy") and known.state != state.state):
                kept = replace(state, attempts=known.attempts) if known else state
                self.set(actions={**self.incident.actions, name: kept})
        words = "proposes" if mail.kind is MailKind.PROPOSE else mail.detail.get("decision", "decided")
        self.say("approval", f"{words} {mail.argument}", mail.text, mail.actor)
        if mail.kind is MailKind.APPROVAL:
            self.clock("approval", None)

    def result(self, mail: Mail) -> None:
        known = self.incident.actions.get(mail.argument)
        if known is None:
            return self.say("action", f"{mail.argument}: {mail.text}", "not one of this incident's actions", mail.actor)
        outcome = mail.detail.get("outcome", "failed")
        self.say("action", f"{known.action} on {known.target}: {outcome}", mail.text, mail.actor)
        state = OUTCOMES.get(outcome, outcome)
        self.set(actions={**self.incident.actions, mail.argument: replace(known, state=state)})
        if outcome == "helped":
            if known.lift_after_seconds:
                self.clock(f"lift:{mail.argument}", self.now + timedelta(seconds=known.lift_after_seconds))
            return None
        if outcome in TELLS:
            self.tell_result(known, outcome, mail.text)
        elif outcome == "busy":
            self.unhold(f"{known.action} has to wait: {mail.text}")
        if outcome == "undone" and not self.incident.over:
            self.clock("propose", self.now)
        return None

    def tell_result(self, action: ActionState, outcome: str, text: str) -> None:
        """A remediation that did not simply help is a person's business: paged where something may be half done."""
        reason = f"{action.action} {outcome}"
        if self.held:
            self.unhold(reason, text)
        elif outcome == "undone" and self.paged:
            self.message("update", Kind.UPDATE, reason, text)
        else:
            self.message("undo", Kind.TRIGGER, reason, text)

    def released(self, mail: Mail) -> None:
        self.say("note", f"{mail.argument} is free again", mail.text, mail.actor)
        if not self.incident.over:
            self.clock("propose", self.now)

    # -- deadlines -----------------------------------------------------------------------------------------------

    def deadlines(self) -> None:
        self.clock("start", None)
        if self.due("hold"):
            self.clock("hold", None)
            self.say("decision", "the held page goes out now", "its hold is over and the alert still fires")
        if self.due("escalate"):
            self.escalate()
        if self.due("ack"):
            self.forget_acknowledgement()
        if self.due("stale"):
            self.clock("stale", None)
            self.clock("verify", self.now)
        if self.due("approval"):
            self.clock("approval", None)
            self.expire_approvals()

    def escalate(self) -> None:
        self.clock("escalate", None)
        if self.incident.acknowledged_at or self.incident.over or self.incident.escalation is None:
            return
        if self.incident.state is State.MITIGATED:
            self.say("decision", "no escalation", "nothing fires; it only waits for its quiet period")
            return
        escalation, step, _, reason = next_escalation(self.incident.escalation, self.now)
        self.set(escalation=escalation)
        steps = (step,) if step else ()
        self.message("escalation", Kind.TRIGGER, reason, "" if step else "nobody acknowledged", steps=steps)

    def forget_acknowledgement(self) -> None:
        self.clock("ack", None)
        if self.incident.over or self.incident.state is State.MITIGATED:
            return
        whom = self.incident.acknowledged_by
        self.set(acknowledged_at=None, acknowledged_by="", escalation=frozen(self.incident.owner, self.team))
        self.message("escalation", Kind.TRIGGER, f"the acknowledgement of {whom} expired and it still fires")

    def expire_approvals(self) -> None:
        for name, action in self.incident.actions.items():
            item = self.look.actions.get(name)
            if action.state == "proposed" and item and item.state == "expired":
                self.set(actions={**self.incident.actions, name: replace(action, state="expired")})
                self.say("approval", f"the request for {action.action} expired", "nobody decided in time")
                self.unhold("nobody approved in time")

    # -- the step ------------------------------------------------------------------------------------------------

    def step(self) -> Step | None:
        if any(i.ready(self.now) for i in self.intents.values()):
            return Step("Page", "there are messages to send")
        return self.remediation() or self.investigation()

    def remediation(self) -> Step | None:
        running = any(a.state == "running" for a in self.incident.actions.values())
        for name, action in self.incident.actions.items():
            if action.state == "approved" and not running and not self.incident.over:
                return self.start(name, action, "apply", "it is approved")
            if self.due(f"lift:{name}") and not running:
                self.clock(f"lift:{name}", None)
                return self.start(name, action, "lift", "its time is over")
        return None

    def start(self, name: str, action: ActionState, purpose: str, reason: str) -> Step:
        begun = replace(action, state="running", attempts=action.attempts + 1)
        self.set(actions={**self.incident.actions, name: begun})
        if self.incident.state is State.TRIAGED:
            self.become(State.ACTIVE, "an action starts")
        return Step("Remediate", reason, name, purpose)

    def investigation(self) -> Step | None:
        if self.incident.over:
            return None if self.in_force else Step("End", "it is over and nothing of it is in force")
        if self.due("verify"):
            self.clock("verify", None)
            return Step("Verify", "its alerts cleared" if not self.incident.resolve_asked_by else "a person says so")
        if self.due("quiet"):
            return self.close()
        if self.due("propose"):
            self.clock("propose", None)
            return Step("Propose", "the situation changed")
        return None

    @property
    def in_force(self) -> bool:
        lifts = any(name.startswith("lift:") for name in self.incident.clocks)
        acting = any(a.state in ("running", "suspended") for a in self.incident.actions.values())
        waiting = any(i.state == "pending" for i in self.intents.values())
        return lifts or acting or waiting

    def close(self) -> Step | None:
        if any(a.state == "running" for a in self.incident.actions.values()):
            self.clock("quiet", self.now + timedelta(seconds=10))
            return None
        self.clock("quiet", None)
        return Step("Close", "it stayed quiet")


def advance(incident: Incident, mail: Sequence[Mail], look: Look, team: Team, now: datetime) -> Advance:
    """Decide what the incident does next. Mail is taken in order; the last number is recorded with the decision."""
    turn = _Turn(incident, look, team, now)
    for letter in mail:
        turn.take(letter)
    turn.deadlines()
    step = turn.step()
    taken = max((letter.number for letter in mail), default=incident.mail_taken)
    after = replace(turn.incident, step=step, mail_taken=max(taken, incident.mail_taken), wakes=incident.wakes + 1)
    return Advance(after, tuple(turn.lines), tuple(turn.changed.values()), step)
