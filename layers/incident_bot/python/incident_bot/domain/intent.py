"""Intents: every message to people is written down before it is sent, so that a crash neither loses nor doubles it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity
from incident_bot.domain.message import Kind
from incident_bot.domain.team import EscalationStep

LEASE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery that a provider took."""

    to: str
    channel: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """One intended message. `name` is unique in the incident and makes the provider's deduplication key.

    `purpose`: first, escalation, worsened, spread, reassigned, unheld, undo (these page a person);
    acknowledge, resolve, update (these do not). `state`: pending, sent, cancelled (the reason says why), failed (every
    channel and the fallback). `not_before` delays it (a held page); `lease_until` belongs to whoever is sending.
    """

    incident: str
    name: str
    purpose: str
    kind: Kind
    severity: Severity
    group: str
    steps: tuple[EscalationStep, ...]  # whom to tell, resolved to people when it is sent; one step, frozen at opening
    reason: str
    text: str = ""
    state: str = "pending"
    created_at: datetime | None = None
    not_before: datetime | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    sent: tuple[Sent, ...] = ()
    outcome: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> bool:
        """Whether it wakes somebody (and counts as a page)."""
        return self.kind is Kind.TRIGGER

    def ready(self, now: datetime) -> bool:
        """Whether it is to be sent now: pending, not held, and in nobody's hands (nor waiting for its next try)."""
        waits = max(self.not_before or now, self.lease_until or now)
        return self.state == "pending" and waits <= now
