"""Whether a mitigation helped: read from the signals of exactly the targets it touched, since it touched them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from incident_bot.domain.team import Signal

PATIENCE_PERIODS = 4  # how many periods after the settling a signal may stay silent


class Verdict(StrEnum):
    """What the signals say."""

    HELPED = "helped"
    NOT_HELPED = "not helped"
    WAITING = "waiting"  # no complete period yet: look again


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict, why, and after how many seconds to look again where it is still open."""

    verdict: Verdict
    reason: str
    again_seconds: int = 0


Points = Sequence[tuple[datetime, float]]  # (start of the period, value), in order of time


def helped(signals: Mapping[str, tuple[Signal, Points]], since: datetime, settled: datetime, now: datetime) -> Finding:
    """Judge by the last complete period after `since` of each target's signal; `settled` is when it should have shown.

    A period that had begun before the change still holds the fault, and one that is not over yet looks better than it
    is: neither counts. No data is not good: after PATIENCE_PERIODS it is "not helped".
    """
    waiting: list[str] = []
    seen: list[str] = []
    latest = settled
    for target, (signal, points) in sorted(signals.items()):
        period = timedelta(seconds=signal.period_seconds)
        latest = max(latest, settled + PATIENCE_PERIODS * period)
        complete = [value for start, value in points if start >= since and start + period <= now]
        if not complete:
            waiting.append(f"{signal.metric} of {target} has no data since the change")
        elif complete[-1] >= signal.healthy_below:
            return Finding(Verdict.NOT_HELPED, f"{_says(signal, complete[-1])}, which is not healthy ({target})")
        else:
            seen.append(_says(signal, complete[-1]))
    if not signals:
        return Finding(Verdict.NOT_HELPED, "no signal tells whether it helped")
    if waiting and now < latest:
        again = min(s.period_seconds for s, _ in signals.values())
        return Finding(Verdict.WAITING, "; ".join(waiting), again_seconds=max(again, 1))
    if waiting:
        return Finding(Verdict.NOT_HELPED, "no data is not good news: " + "; ".join(waiting))
    return Finding(Verdict.HELPED, f"{', '.join(seen)}: healthy on all targets touched")


def _says(signal: Signal, value: float) -> str:
    return f"{signal.statistic} of {signal.metric} is {value:g} (healthy below {signal.healthy_below:g})"
