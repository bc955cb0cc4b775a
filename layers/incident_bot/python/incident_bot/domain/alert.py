"""An alert: one source's statement that one series fires or has resolved, in one shape for all sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cached_property

from incident_bot.domain.fingerprint import fingerprint


class Status(StrEnum):
    """What the source says of the series. `UNKNOWN` (CloudWatch INSUFFICIENT_DATA) is neither firing nor resolved."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


class Severity(IntEnum):
    """Sev1 is worst; the number orders, so `min` of severities is the worst of them."""

    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4
    SEV5 = 5

    def __init__(self, number: int) -> None:
        self.label = f"sev{number}"  # the outward spelling


@dataclass(frozen=True)  # no slots: it keeps its fingerprint
class Alert:
    """One alert as its source's parser understood it; every string in it is untrusted text.

    `identity` holds the fields that name the series (never severity, never volatile values); the fingerprint is made of
    them and the source. `occurred_at` is the source's own time of this state change (UTC) and orders messages of one
    series; `started_at` is when the source says the fault began. `service` is a hint, not yet a configured service.
    `ask` is what `Verify` needs to ask the source again (for CloudWatch: the alarm's name), empty when it cannot be.
    """

    source: str
    title: str
    status: Status
    identity: Mapping[str, str]
    occurred_at: datetime
    started_at: datetime
    severity: Severity | None = None
    service: str = ""
    resource: str = ""
    summary: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    ask: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """`v1:` and 32 hex digits; the same series from the same source always has the same one."""
        return fingerprint(self.source, self.identity)
