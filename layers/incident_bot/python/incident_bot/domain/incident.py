"""An incident: what is known of one fault, from detection to postmortem, as its actor writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from incident_bot.domain.alert import Severity
from incident_bot.domain.team import EscalationStep


class State(StrEnum):
    """The life cycle; `lifecycle.py` says which moves are legal."""

    DETECTED = "detected"
    TRIAGED = "triaged"
    ACTIVE = "active"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"


FINGERPRINTS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Firing:
    """One series of the incident that fires now: its group on the head, and how to ask its source about it."""

    group: str
    title: str
    source: str
    since: datetime
    seen: datetime
    severity: Severity | None = None
    service: str = ""
    resource: str = ""
    ask: str = ""
    playbooks: tuple[str, ...] = ()  # those that fit it, by name


@dataclass(frozen=True, slots=True)
class Step:
    """What the actor decided to do next and why; it stays on the incident until the state that does it clears it."""

    name: str  # Page, Propose, Remediate, Verify, Close, End
    reason: str
    action: str = ""  # the action's id, for Remediate
    purpose: str = ""  # apply, undo or lift, for Remediate


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where the escalation stands: the team's steps as they were at opening, the step to take next, the round."""

    group: str
    steps: tuple[EscalationStep, ...] = ()
    rounds: int = 1
    step: int = 0
    round: int = 0


@dataclass(frozen=True, slots=True)
class ActionState:
    """One action of the incident as the actor knows it; the ACTION item holds the whole truth."""

    action: str  # name of the plug-in
    target: str
    state: (
        str  # proposed, approved, running, applied, undone, failed, suspended, rejected, expired, denied, busy, lifted
    )
    playbook: str = ""
    digest: str = ""
    approval: str = ""
    attempts: int = 0  # remediation executions started for it
    lift_after_seconds: int = 0
    holds_page: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. Only its current execution (that `generation`) writes it, each write raising `version`.

    `mail_taken` is the number of the last mail decided upon; `seq` and `head` are the timeline's length and hash.
    `clocks` maps the name of a deadline (`start`, `escalate`, `quiet`, `hold`, `ack`, `approval`, `stale`, `verify`,
    `propose`, `tell`, `draft`, `lift:ACTION`) to when it is due. `pages` counts pages sent to people, `alerts` the
    distinct series that ever belonged to it.
    """

    id: str
    scope: str
    state: State
    severity: Severity
    service: str
    title: str
    opened_at: datetime
    started_at: datetime
    owner: str = ""  # the team paged for it
    environment: str = "production"
    summary: str = ""
    category: str = ""
    rule: str = ""  # the one that classified the alert which opened it
    kind: str = ""  # of the alert which opened it
    fingerprints: tuple[str, ...] = ()  # the first series that belonged to it: what a label of it is about
    confidence: float = 0.0  # how far the alert of it that is believed most is believed, from 0 to 1
    evidence: str = ""  # why so far
    noise: bool = False
    resolved_at: datetime | None = None
    mitigated_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    commander: str = ""
    config_digest: str = ""
    reopens: str = ""
    merged_into: str = ""
    suppressed_by: str = ""  # the window that suppressed its first alert: of planned work, it is planned
    generation: int = 0
    version: int = 0
    seq: int = 0
    head: str = ""
    mail_taken: int = 0
    wakes: int = 0
    alerts: int = 0
    pages: int = 0
    many: bool = False  # more series fire than `firing` holds: ask the table
    quiet_seconds: int = 0  # how long without news before it closes; longer where a series flaps
    resolve_asked_by: str = ""  # the person whose word skips the quiet period (not the source's)
    step: Step | None = None
    escalation: Escalation | None = None
    firing: Mapping[str, Firing] = field(default_factory=dict)  # fingerprint ->
    cleared: Mapping[str, Firing] = field(default_factory=dict)  # what its source said is over, until that is verified
    clocks: Mapping[str, datetime] = field(default_factory=dict)
    actions: Mapping[str, ActionState] = field(default_factory=dict)

    def believing(self, detail: Mapping[str, str]) -> "Incident":
        """The incident with an alert of that confidence and evidence: what is believed most counts."""
        confidence = float(detail.get("confidence", 0))
        if confidence <= self.confidence:
            return self
        return replace(self, confidence=confidence, evidence=detail.get("evidence", ""))

    def remembering(self, fingerprints: Iterable[str]) -> tuple[str, ...]:
        """Its first fingerprints with those, as far as there is room."""
        return tuple(dict.fromkeys((*self.fingerprints, *fingerprints)))[:FINGERPRINTS_KEPT]

    @property
    def next_due(self) -> datetime | None:
        """The earliest of its deadlines."""
        return min(self.clocks.values(), default=None)

    @property
    def over(self) -> bool:
        """Whether it is resolved (or further)."""
        return self.state in (State.RESOLVED, State.POSTMORTEM)

    @property
    def finished(self) -> bool:
        """Whether nothing of it needs an execution any more: it is over and nothing in force, in flight or untold."""
        waits = any(name in ("tell", "draft") or name.startswith("lift:") for name in self.clocks)
        acting = any(action.state in ("running", "suspended") for action in self.actions.values())
        done = self.step is None or self.step.name == "End"
        return self.over and not waits and not acting and done

    @property
    def drafted(self) -> "Incident":
        """The incident with its postmortem drafted."""
        step = None if self.step and self.step.name == "Close" else self.step
        return replace(self, step=step, clocks={name: at for name, at in self.clocks.items() if name != "draft"})
