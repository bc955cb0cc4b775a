"""Is a mitigation called helpful only on fresh, complete and healthy data?"""

from datetime import timedelta

import pytest

from incident_bot.domain.helped import Finding, Verdict, helped
from incident_bot.domain.team import Signal
from incident_bot.virtual.clock import T0

ERRORS = Signal("Shop", "Errors", healthy_below=5, period_seconds=10)
SETTLED = T0 + timedelta(seconds=20)


def judged(*points: tuple[float, float], now: float = 30, **others: tuple[tuple[float, float], ...]) -> Finding:
    """`points`: (start in seconds after the change, value)."""
    series = {"a": points, **others}
    signals = {name: (ERRORS, [(T0 + timedelta(seconds=s), v) for s, v in values]) for name, values in series.items()}
    return helped(signals, T0, SETTLED, T0 + timedelta(seconds=now))


@pytest.mark.parametrize(
    ("because", "finding", "verdict"),
    [
        ("the last complete period is healthy", judged((0, 40), (10, 40), (20, 1)), "helped"),
        ("the last complete period is not", judged((0, 1), (10, 1), (20, 5)), "not helped"),
        ("healthy means below, not at", judged((20, 5)), "not helped"),
        ("a period that began before the change says nothing", judged((-1, 1)), "waiting"),
        ("a period that is not over yet says nothing", judged((21, 1)), "waiting"),
        ("an unfinished good period does not hide a bad one", judged((10, 50), (25, 0)), "not helped"),
        ("no data is waited for", judged(now=59), "waiting"),
        ("no data is not good news", judged(now=60), "not helped"),
        ("one target without data is waited for", judged((20, 1), b=(), now=59), "waiting"),
        ("one target without data at the end", judged((20, 1), b=(), now=60), "not helped"),
        ("one unhealthy target is enough", judged((20, 1), b=((20, 9),)), "not helped"),
        ("unhealthy is said at once, whoever is still silent", judged((20, 9), b=(), now=31), "not helped"),
        ("all targets healthy", judged((20, 1), b=((20, 2),)), "helped"),
    ],
)
def test_judging(because: str, finding: Finding, verdict: str) -> None:
    assert finding.verdict.value == verdict, because
    assert finding.reason


def test_without_any_signal_nothing_tells_that_it_helped() -> None:
    assert helped({}, T0, SETTLED, SETTLED).verdict is Verdict.NOT_HELPED


def test_waiting_says_when_to_look_again() -> None:
    assert judged(now=30).again_seconds == 10
