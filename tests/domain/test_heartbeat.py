"""When is a heartbeat missing, when is that told again, and when is it over?"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.heartbeat import BELIEVED_AFTER, TOLD_EVERY, Pulse, due_at, missing, settled, to_tell
from incident_bot.domain.team import Heartbeat
from incident_bot.virtual.clock import T0

HOURLY = Heartbeat("export", "orders", every_seconds=3600, grace_seconds=300)
DUE = T0 + timedelta(seconds=3900)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "told_at", "tells", "because"),
    [
        (DUE - SECOND, None, False, "it may still come"),
        (DUE, None, True, "the grace is over"),
        (DUE + SECOND, DUE, False, "that was told just now"),
        (DUE + TOLD_EVERY, DUE, True, "it is still missing"),
        (DUE, T0 - SECOND, True, "what was told was of an absence before"),
    ],
)
def test_it_is_told_when_it_is_missing_and_then_from_time_to_time(at, told_at, tells, because) -> None:
    assert to_tell(HOURLY, Pulse("export", T0, told_at), at) is tells, because


def test_of_one_absence_the_alert_is_always_the_same_but_for_nothing() -> None:
    early, late = Pulse("export", T0), Pulse("export", T0, told_at=DUE)
    assert missing(HOURLY, early) == missing(HOURLY, late)
    assert missing(HOURLY, early).occurred_at == DUE


@pytest.mark.parametrize(
    ("pulse", "at", "over", "because"),
    [
        (Pulse("export", T0), T0 + BELIEVED_AFTER, False, "nothing was told"),
        (Pulse("export", T0, DUE), DUE + BELIEVED_AFTER, False, "it was not heard of since"),
        (Pulse("export", DUE + SECOND, DUE), DUE + 2 * SECOND, False, "the ping may still be on its way"),
        (Pulse("export", DUE + SECOND, DUE), DUE + SECOND + BELIEVED_AFTER, True, "it has arrived by now"),
    ],
)
def test_what_was_told_is_over_once_a_ping_has_arrived_everywhere(pulse, at, over, because) -> None:
    assert settled(pulse, at) is over, because


@given(st.integers(60, 10**7), st.integers(0, 10**6), st.integers(0, 10**7))
def test_it_is_never_told_before_it_is_due(every: int, grace: int, waited: int) -> None:
    expected, pulse = Heartbeat("x", "orders", every, grace), Pulse("x", T0)
    now = T0 + timedelta(seconds=waited)
    assert to_tell(expected, pulse, now) is (now >= due_at(expected, pulse))
