"""Recurrence: whether a series that fires again begins anew what was over, or only goes on, or flaps."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.head import Group, Head
from incident_bot.domain.series import Series

CROWD = 3  # series: of fewer it says nothing that most of them have cleared
MOSTLY_CLEAR = 0.34  # of them still fire
BRIEF = 35  # seconds of silence that say nothing, though all around it is quiet


def anew(known: Series, alert: Alert, head: Head, *, home: str, quiet_seconds: int, now: datetime) -> bool:
    """Whether the series begins anew, in its open incident `home`, what is mostly over around it.

    What fired with it tells most; where it began too lately for that, the whole incident does.
    """
    if not lapsed(known, alert, min(BRIEF, quiet_seconds)):
        return False
    group = head.groups.get(known.group)
    lasted = now - group.began if group else timedelta()
    if group and _mostly_clear([group]) and lasted > timedelta(seconds=2 * quiet_seconds):
        return bool(lapsed(known, alert, max(BRIEF, known.rhythm)))
    whole = [g for g in head.groups.values() if g.incident == home]
    return _mostly_clear(whole) and bool(lapsed(known, alert, max(quiet_seconds, known.rhythm)))


def _mostly_clear(groups: Sequence[Group]) -> bool:
    """Whether most of the series have cleared, and most of them do not flap."""
    series, firing = sum(g.series for g in groups), sum(g.firing for g in groups)
    flapping = sum(g.flapping for g in groups)
    return series >= CROWD and firing <= MOSTLY_CLEAR * series and flapping <= series / 2


def lapsed(known: Series, alert: Alert, seconds: float) -> str:
    """Why a firing begins anew what was over for so many seconds; empty where it goes on, or flaps.

    Of a series whose resolve was lost only that it begins later tells, and that nothing was heard of it.
    """
    if known.status is Status.FIRING:
        if alert.started_at <= known.started_at:
            return ""
        silent = (alert.occurred_at - known.seen_at).total_seconds()
    else:
        silent = (alert.occurred_at - known.occurred_at).total_seconds()
    return f"silent for {silent:.0f} s before it fires again" if silent > seconds else ""
