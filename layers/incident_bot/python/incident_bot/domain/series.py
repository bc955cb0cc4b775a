"""A series: what is remembered of one fingerprint, and whether a message about it is news."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.classify import Classification
from incident_bot.domain.incident import Firing
from incident_bot.domain.rulebook import RuleName

FLIPS_KEPT = 6
HOUR = timedelta(hours=1)
FLAPS_FROM = 3  # this many firings remembered make a rhythm


class News(StrEnum):
    """What a message is to what was known."""

    FIRST = "first"  # the series was unknown
    CHANGE = "change"  # newer, and another state
    WORSE = "worse"  # fires as is known, but is more severe now
    REPEAT = "repeat"  # says what is known
    LATE = "late"  # older than what is known
    NEITHER = "neither"  # says nothing of firing or resolved


RULES: Mapping[News, RuleName] = {
    News.FIRST: "first-seen",
    News.CHANGE: "state-change",
    News.WORSE: "worse-alert",
    News.REPEAT: "repeat",
    News.LATE: "late-alert",
    News.NEITHER: "no-data",
}


@dataclass(frozen=True, slots=True)
class Series:
    """The last state of one series, by its source's own time.

    `flips` are the last times it began to fire, `severity` is what was decided of its alert.
    While it fires suppressed, `muted_until` is when its window is to end, `muted_by` the window's id; `repeats` counts
    how often its source said it again since then (kept when it resolves), and `gap` is the longest pause between, in
    seconds.
    """

    fingerprint: str
    source: str
    title: str
    group: str
    service: str
    incident: str
    status: Status
    occurred_at: datetime
    started_at: datetime
    seen_at: datetime
    delivery: str
    severity: Severity | None = None
    rated: Severity | None = None  # where evidence made another severity of what was said
    resource: str = ""
    ask: str = ""
    playbooks: tuple[str, ...] = ()  # those that fit it, by name
    flips: tuple[datetime, ...] = ()
    muted_until: datetime | None = None
    muted_by: str = ""
    repeats: int = 0
    gap: int = 0
    version: int = 0

    @property
    def pause(self) -> float:
        """The seconds between its last two firings, 0.0 where it fired but once in an hour."""
        return (self.flips[-1] - self.flips[-2]).total_seconds() if len(self.flips) > 1 else 0.0

    @property
    def rhythm(self) -> float:
        """The longest gap between its recent firings in seconds where it flaps, 0.0 where it does not."""
        if len(self.flips) < FLAPS_FROM:
            return 0.0
        gaps = (b - a for a, b in zip(self.flips, self.flips[1:], strict=False))
        return max(gap.total_seconds() for gap in gaps)


def news(known: Series | None, alert: Alert, severity: Severity | None = None) -> tuple[News, str]:
    """Say what the alert, said to be of that severity, is to the known series, and why.

    Order is by the source's own time, never by arrival; of a firing and a resolve of one moment the resolve counts.
    """
    if known is None:
        return News.FIRST, "a series not seen before"
    if alert.status is Status.UNKNOWN:
        return News.NEITHER, "no data is neither firing nor resolved"
    if known.status is Status.UNKNOWN:
        return News.CHANGE, f"nothing was known but that there was no data, {alert.status} now"
    if alert.occurred_at < known.occurred_at:
        return News.LATE, f"older than the {known.status} of {known.occurred_at:%H:%M:%S}"
    if alert.status is known.status:
        return _same(known, alert, severity)
    if alert.occurred_at == known.occurred_at and known.status is Status.RESOLVED:
        return News.LATE, "resolved at the very time it says it fired"
    return News.CHANGE, f"{known.status} before, {alert.status} now"


def _same(known: Series, alert: Alert, severity: Severity | None) -> tuple[News, str]:
    before = known.rated or known.severity
    if alert.status is Status.FIRING and severity and before and severity < before:
        return News.WORSE, f"firing already, {before.label} before, {severity.label} now"
    return News.REPEAT, f"{known.status} already"


def after(
    known: Series | None,
    alert: Alert,
    found: Classification,
    *,
    group: str,
    incident: str,
    delivery: str,
    now: datetime,
) -> Series:
    """The series once the alert is taken in."""
    flips = known.flips if known else ()
    if alert.status is Status.FIRING and not (known and known.status is Status.FIRING):
        at = alert.occurred_at
        flips = (*(flip for flip in flips if at - flip < HOUR), at)[-FLIPS_KEPT:]
    return Series(
        fingerprint=alert.fingerprint,
        source=alert.source,
        title=alert.title,
        group=group,
        service=found.service,
        incident=incident,
        status=alert.status,
        occurred_at=alert.occurred_at,
        started_at=alert.started_at,
        seen_at=now,
        delivery=delivery,
        severity=found.severity,
        rated=found.rated,
        resource=alert.resource,
        ask=alert.ask,
        playbooks=found.playbooks,
        flips=flips,
        repeats=known.repeats if known and alert.status is Status.RESOLVED else 0,
        version=known.version + 1 if known else 1,
    )


def heard(known: Series, alert: Alert, now: datetime) -> Series:
    """The same series in the same state, said again just now, perhaps of a later moment."""
    latest = max(known.occurred_at, alert.occurred_at)
    after = replace(known, occurred_at=latest, seen_at=now, version=known.version + 1)
    if not known.muted_until:
        return after
    return replace(after, repeats=known.repeats + 1, gap=max(known.gap, int((now - known.seen_at).total_seconds())))


def begun_late(known: Series, alert: Alert, group: str, incident: str) -> Series:
    """A series that is over, once the trigger is heard of that its resolve overtook."""
    known = replace(known, group=group, incident=incident, version=known.version + 1)
    return replace(known, started_at=alert.started_at, flips=(alert.occurred_at,))


def firing_of(known: Series) -> Firing:
    """A firing series as the incident remembers it."""
    return Firing(
        group=known.group,
        title=known.title,
        source=known.source,
        since=known.started_at,
        seen=known.seen_at,
        severity=known.severity,
        service=known.service,
        resource=known.resource,
        ask=known.ask,
        playbooks=known.playbooks,
    )
