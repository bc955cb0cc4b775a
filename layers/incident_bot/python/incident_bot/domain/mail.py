"""Mail: what anybody but its actor may tell an incident; the actor decides what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from incident_bot.domain.alert import Severity
from incident_bot.domain.clock import instant
from incident_bot.domain.incident import Firing


class MailKind(StrEnum):
    """What a mail says."""

    ALERT = "alert"  # a series changed its state: fingerprint, status, group and what Firing needs
    MOVED_IN = "moved_in"  # a group now belongs here (argument: group; detail: from)
    MOVED_OUT = "moved_out"  # a group left (argument: group; detail: to, and the fingerprints if only some of it)
    ROOT = "root"  # another service is the probable root now (argument: service; text: why)
    EVERYTHING = "everything"  # the box was full: look at the table
    PAGED = "paged"  # an intent was sent, or failed for good (argument: intent key)
    ACK = "ack"
    RESOLVE = "resolve"  # a person says it is over
    PROPOSE = "propose"  # a person's proposal was recorded (argument: action id)
    APPROVAL = "approval"  # an approval was decided (argument: approval id)
    RESULT = "result"  # a remediation ended (argument: action id; detail: outcome, text)
    NOTE = "note"
    STORM = "storm"  # a summary counts more pages, or a worse one (argument: team; text: its title)
    RELEASED = "released"  # a lock this incident waited for is free (argument: target)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `number` is given by the box, from 1; `actor` is who sent it (a person's id, or a stage)."""

    kind: MailKind
    at: datetime
    argument: str = ""
    actor: str = ""
    text: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    number: int = 0


def firing_in(mail: Mail, now: datetime) -> Firing:
    """The firing series that an ALERT mail tells of."""
    detail = mail.detail
    return Firing(
        group=detail["group"],
        title=detail["title"],
        source=detail["source"],
        since=instant(detail["since"]),
        seen=now,
        severity=Severity(int(detail["severity"])),
        service=detail["service"],
        resource=detail.get("resource", ""),
        ask=detail.get("ask", ""),
        playbooks=tuple(name for name in detail.get("playbooks", "").split(",") if name),
    )


def leaves(mail: Mail, fingerprint: str, series: Firing) -> bool:
    """Whether a MOVED_OUT mail takes that series with it: one of its group, or of those that it names."""
    named = mail.detail.get("fingerprints")
    return fingerprint in named.split(",") if named else series.group == mail.argument
