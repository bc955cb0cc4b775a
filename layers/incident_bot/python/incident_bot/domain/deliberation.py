"""One deliberation of an incident's actor: the incident as it is so far, its new lines and its messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incident_bot.domain.classify import pages
from incident_bot.domain.incident import ActionState, Firing, Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line


@dataclass(frozen=True, slots=True)
class Look:
    """What was read from the table for this decision: the incident's intents; the series of groups that moved in; all
    its firing series where it may not list them all; how the actions stand that mail or a deadline names; and whether
    there is more mail than this decision takes."""

    intents: Sequence[Intent] = ()
    moved: Mapping[str, Mapping[str, Firing]] = field(default_factory=dict)  # group -> fingerprint -> Firing
    everything: Mapping[str, Firing] | None = None
    actions: Mapping[str, ActionState] = field(default_factory=dict)
    more: bool = False


class Deliberation:
    """Small moves, each leaving its line; what they amount to is committed as one."""

    def __init__(self, incident: Incident, look: Look, team: Team, now: datetime) -> None:
        self.before, self.incident, self.look, self.team, self.now = incident, incident, look, team, now
        self.intents = {intent.name: intent for intent in look.intents}
        self.changed: dict[str, Intent] = {}
        self.lines: list[Line] = []

    def set(self, **changes: object) -> None:
        """Change fields of the incident."""
        self.incident = replace(self.incident, **changes)  # type: ignore[arg-type]

    def say(self, kind: str, text: str, reason: str = "", actor: str = "incident-bot", rule: str = "") -> None:
        """Add a line to the timeline."""
        self.lines.append(Line(kind, text, reason, actor, rule))

    def decide(self, rule: RuleName, text: str, reason: str, actor: str = "incident-bot") -> None:
        """Add a decision to the timeline, by the rule of that name."""
        self.lines.append(Line("decision", text, reason, actor, rule=rule))

    def clock(self, name: str, at: datetime | None) -> None:
        """Set a deadline, or with None take it away."""
        clocks = {k: v for k, v in self.incident.clocks.items() if k != name}
        self.set(clocks={**clocks, name: at} if at else clocks)

    def forget_answer(self) -> None:
        """Whoever acknowledged knows less than there is to know now."""
        self.set(acknowledged_at=None, acknowledged_by="")
        self.clock("ack", None)

    def due(self, name: str) -> bool:
        """Whether that deadline has passed."""
        at = self.incident.clocks.get(name)
        return at is not None and at <= self.now

    def become(self, state: State, reason: str) -> None:
        """Move on in the life cycle; Refused where that is impossible."""
        if state is not self.incident.state:
            self.set(state=move(self.incident.state, state))
            self.say("state", f"the incident is {state}", reason)

    def write(self, intent: Intent) -> None:
        """Record an intent, new or changed."""
        self.intents[intent.name] = self.changed[intent.name] = intent

    def later(self, seconds: float) -> datetime:
        """The moment that many seconds from now."""
        return self.now + timedelta(seconds=seconds)

    @property
    def wakes(self) -> bool:
        """Whether an incident as bad as this wakes somebody."""
        service = self.team.services.get(self.incident.service)
        return pages(self.incident.severity, service, noise=self.incident.noise).wakes

    @property
    def paged(self) -> bool:
        """Whether a page is out or on its way."""
        return any(i.pages and i.state in ("pending", "sent", "failed") for i in self.intents.values())

    @property
    def may_stand(self) -> bool:
        """Whether a page stands at a provider, or may: one whose sender died before it recorded anything."""
        return bool(self.incident.pages) or any(i.pages and i.attempts for i in self.intents.values())

    @property
    def untried(self) -> list[Intent]:
        """Pages that nobody has begun to send; what tells of something half done is not among them."""
        waiting = (i for i in self.intents.values() if i.pages and i.state == "pending" and not i.attempts)
        return [intent for intent in waiting if intent.purpose != "undo"]

    @property
    def held(self) -> Intent | None:
        """The page that waits for a remediation (or for the alert to clear), if there is one."""
        return next((i for i in self.untried if i.not_before and i.not_before > self.now), None)
