"""An incident's actor in memory for tests: mail comes in, `advance` decides, the states of its machine do as told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from incident_bot.domain.advance import Advance, advance
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.deliberation import Look
from incident_bot.domain.incident import ActionState, Firing, Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.mail import Mail, MailKind, firing_in
from incident_bot.domain.message import Kind
from incident_bot.domain.owner import frozen
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line
from tests.building import a_team, an_incident
from tests.deciding import later


def alert_mail(
    title: str = "errors",
    status: Status = Status.FIRING,
    *,
    severity: Severity = Severity.SEV2,
    service: str = "checkout",
    new: bool = False,
    pages: bool = False,
    noise: bool = False,
    rhythm: float = 0,
    joined: str = "",
    at: float = 0,
    playbooks: str = "",
    apart: str = "",
    ask: str = "alarm",
) -> Mail:
    """What admission tells an incident of the series `v1:<title>`."""
    detail = {
        "status": status.value,
        "group": f"{service}/{title}",
        "title": title,
        "source": "generic",
        "since": rfc3339(later(at)),
        "service": service,
        "resource": "",
        "ask": ask,
        "severity": str(int(severity)),
        "pages": "yes" if pages else "",
        "noise": "yes" if noise else "",
        "why": f"{severity.label} as its source says",
        "rhythm": str(rhythm),
        "joined": joined,
        "new": "yes" if new else "",
        "playbooks": playbooks,
        "apart": apart,
    }
    return Mail(MailKind.ALERT, later(at), f"v1:{title}", "generic", f"generic says {title} is {status}", detail)


def a_firing(title: str = "errors", *, severity: Severity = Severity.SEV2, service: str = "checkout") -> Firing:
    """The series `v1:<title>` as an incident remembers it."""
    return firing_in(alert_mail(title, severity=severity, service=service), later(0))


def a_page(name: str = "page-first", **changes: Any) -> Intent:
    """A pending first page of `inc1`."""
    steps = frozen("payments", a_team()).steps[:1]
    page = Intent("inc1", name, "first", Kind.TRIGGER, Severity.SEV2, "payments", steps, "Sev2 pages")
    page = replace(page, created_at=later(0))
    return replace(page, **changes)


def an_action(state: str = "proposed", **changes: Any) -> ActionState:
    """One action of the incident."""
    action = ActionState("roll_back", "arn:aws:lambda:us-east-1:000000000000:function:checkout", state)
    return replace(action, **{"approval": "inc1-p1" if state == "proposed" else "", **changes})


class Actor:
    """The incident's execution: one at a time, each decision committed, each step done at once and without fault.

    What the source answers to Verify is `source_fires`; a remediation runs until the test mails its result. Messages
    leave at once, unless `providers_down`.
    """

    def __init__(self, incident: Incident | None = None, *intents: Intent, team: Team | None = None) -> None:
        self.team = team or a_team()
        given = incident or an_incident(firing={"v1:errors": a_firing()}, clocks={"stale": later(3600)})
        self.incident = given if given.escalation else replace(given, escalation=frozen(given.owner, self.team))
        self.intents = {intent.name: intent for intent in intents}
        self.now = later(0)
        self.box: list[Mail] = []
        self.number = 0
        self.lines: list[Line] = []
        self.steps: list[Step] = []
        self.history: list[tuple[datetime, Advance, Mapping[str, Intent]]] = []
        self.source_fires: set[str] = set()
        self.providers_down = False
        self.items: dict[str, ActionState] = {}
        self.table: dict[str, Firing] = {}  # what the table says fires of this incident
        self.ended = False

    def post(self, kind: MailKind, argument: str = "", *, actor: str = "ada", text: str = "", **detail: str) -> None:
        """Put a mail into the box."""
        self.deliver(Mail(kind, self.now, argument, actor, text, detail))

    def deliver(self, *mails: Mail) -> None:
        """Put mails into the box."""
        for mail in mails:
            self.number += 1
            self.box.append(replace(mail, number=self.number, at=self.now))

    def hear(self, *mails: Mail, at: float | None = None) -> "Actor":
        """Alerts come in, and the actor takes its turns."""
        self.at(at)
        self.deliver(*mails)
        return self.run()

    def tell(self, kind: MailKind, argument: str = "", *, at: float | None = None, **more: Any) -> "Actor":
        """A mail comes in, and the actor takes its turns."""
        self.at(at)
        self.post(kind, argument, **more)
        return self.run()

    def at(self, seconds: float | None) -> None:
        """Let time pass until then; nothing wakes the actor by itself."""
        self.now = later(seconds) if seconds is not None else self.now

    def wait(self, until: float) -> "Actor":
        """Let time pass; the actor is woken at each of its deadlines."""
        end: datetime = later(until)
        while self.incident.next_due and self.incident.next_due <= end and not self.ended:
            due, self.now = self.incident.next_due, max(self.now, self.incident.next_due)
            self.run()
            if self.incident.next_due == due:
                raise AssertionError(f"nothing is done about what was due at {due}: {self.incident.clocks}")
        self.now = end
        return self

    def run(self) -> "Actor":
        """Take turns until there is nothing to do now."""
        for _ in range(25):
            step = self.turn()
            if step is None or self.ended:
                return self
        raise AssertionError(f"it does not come to rest: {self.steps[-5:]}")

    def turn(self) -> Step | None:
        """One turn: decide, commit, and do the step."""
        mail, self.box = tuple(self.box), []
        decided = advance(self.incident, mail, self._look(mail), self.team, self.now)
        self.incident = replace(decided.incident, version=self.incident.version + 1)
        self.intents |= {intent.name: intent for intent in decided.intents}
        self.lines += decided.lines
        self.history.append((self.now, decided, dict(self.intents)))
        if decided.step:
            self.steps.append(decided.step)
            self._do(decided.step)
        return decided.step

    def _look(self, mail: Sequence[Mail]) -> Look:
        kinds = {m.kind for m in mail}
        groups = {m.argument for m in mail if m.kind is MailKind.MOVED_IN}
        whole = MailKind.EVERYTHING in kinds or self.incident.many
        moved: Mapping[str, Mapping[str, Firing]] = {
            group: {f: s for f, s in self.table.items() if s.group == group} for group in groups
        }
        return Look(tuple(self.intents.values()), moved, dict(self.table) if whole else None, self.items)

    def _do(self, step: Step) -> None:
        self.incident = replace(self.incident, step=None)
        if step.name == "Page":
            for intent in [i for i in self.intents.values() if i.ready(self.now)]:
                self._send(intent)
        elif step.name == "Verify":
            self._verify()
        elif step.name == "Close":
            self.incident = self.incident.drafted
            self.ended = self.incident.finished
        elif step.name == "End":
            self.ended = True

    def _send(self, intent: Intent) -> None:
        tried = replace(intent, attempts=intent.attempts + 1)
        if self.providers_down:
            self.intents[intent.name] = replace(tried, not_before=later((self.now - later(0)).total_seconds() + 60))
            self.post(MailKind.PAGED, intent.name, actor="page", outcome="failed", to="ada", via="pagerduty")
            return
        self.intents[intent.name] = replace(tried, state="sent")
        self.post(MailKind.PAGED, intent.name, actor="page", outcome="sent", to="ada", via="pagerduty")

    def _verify(self) -> None:
        asked = {**self.incident.cleared, **self.incident.firing}
        still = {f: s for f, s in asked.items() if f in self.source_fires}
        clocks = {name: at for name, at in self.incident.clocks.items() if name != "quiet"}
        seconds = (self.now - later(0)).total_seconds()
        quiet = later(seconds + max(self.incident.quiet_seconds, self.team.timing.quiet_period))
        fires = State.ACTIVE if self.incident.state is State.MITIGATED else self.incident.state
        state = move(self.incident.state, fires if still else State.MITIGATED)
        quiet = self.now if self.incident.resolve_asked_by else quiet
        clocks |= {"stale": later(seconds + 3600)} if still else {"quiet": quiet}
        self.incident = replace(self.incident, firing=still, cleared={}, state=state, clocks=clocks)

    # -- what tests ask ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The incident's state."""
        return self.incident.state.value

    @property
    def pages(self) -> list[str]:
        """Purposes of the pages that left, in order."""
        return [i.purpose for i in self.intents.values() if i.pages and i.state == "sent"]

    def sent(self, kind: Kind) -> list[Intent]:
        """The messages of that kind that left."""
        return [i for i in self.intents.values() if i.kind is kind and i.state == "sent"]

    def said(self, kind: str = "") -> list[str]:
        """The texts of the timeline's new lines."""
        return [line.text for line in self.lines if kind in ("", line.kind)]

    def reasons(self) -> dict[str, str]:
        """Text -> reason of the timeline's new lines."""
        return {line.text: line.reason for line in self.lines}


def paged_and_active(team: Team | None = None, **changes: Any) -> Actor:
    """An actor whose first page left at T0 and is not answered yet."""
    firing = {"v1:errors": a_firing()}
    incident = an_incident(**{"firing": firing, "clocks": {"stale": later(3600)}, **changes})
    actor = Actor(incident, a_page(), team=team).run()
    assert actor.pages == ["first"]
    return actor
