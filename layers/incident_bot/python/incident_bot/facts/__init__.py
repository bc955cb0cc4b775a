"""Enrichment: one file is one fact provider and declares everything about it in one `Fact` named FACT."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_bot.domain.incident import Incident
from incident_bot.permission import Permission
from incident_bot.world import World


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out: its text for people, the value for machines, and when the value was true (RFC 3339)."""

    text: str
    value: object
    as_of: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One enrichment provider.

    `gather(incident, world)` returns what it found, or None where it does not apply. It may raise anything: the
    incident then records the failure and goes on. `deadline_seconds` bounds it; `ttl_seconds` is how long a finding
    stays fresh.
    """

    name: str
    reads: str
    gather: Callable[[Incident, World], Finding | None]
    deadline_seconds: float = 2.0
    ttl_seconds: int = 300
    permissions: tuple[Permission, ...] = ()
