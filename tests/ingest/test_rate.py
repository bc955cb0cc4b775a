"""Does the rate limit hold back who sends too fast, tell how long, and nobody else?"""

from datetime import UTC, datetime, timedelta

from incident_bot.domain.team import Sender
from incident_bot.ingest.rate import TELL_EVERY, RateLimit


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 15, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_a_burst_goes_through_and_the_next_one_is_told_how_long_to_wait() -> None:
    limit = RateLimit(Clock().now, {"generic": Sender(2, 3)})

    assert [limit.admit("generic").wait for _ in range(4)] == [0, 0, 0, 0.5]


def test_who_waits_as_told_is_admitted() -> None:
    clock = Clock()
    limit = RateLimit(clock.now, {"generic": Sender(2, 1)})
    limit.admit("generic")

    clock.at += timedelta(seconds=limit.admit("generic").wait)

    assert limit.admit("generic").wait == 0


def test_one_source_does_not_spend_anothers_tokens() -> None:
    limit = RateLimit(Clock().now, {"generic": Sender(1, 1)})
    limit.admit("generic")

    assert limit.admit("alertmanager").wait == 0


def test_quiet_time_saves_up_no_more_than_a_burst() -> None:
    clock = Clock()
    limit = RateLimit(clock.now, {"generic": Sender(10, 2)})
    limit.admit("generic")
    clock.at += timedelta(days=1)

    assert [limit.admit("generic").wait > 0 for _ in range(3)] == [False, False, True]


def test_a_clock_that_goes_back_gives_nothing_and_breaks_nothing() -> None:
    clock = Clock()
    limit = RateLimit(clock.now, {"generic": Sender(1, 1)})
    limit.admit("generic")
    clock.at -= timedelta(days=1)

    assert limit.admit("generic").wait == 1


def test_that_a_source_must_wait_is_to_be_told_once_in_a_while() -> None:
    clock = Clock()
    limit = RateLimit(clock.now, {"generic": Sender(0.001, 1)})
    limit.admit("generic")

    told = limit.admit("generic").told
    assert told
    assert limit.admit("generic").told, "it was not told yet: the queue may have refused it"
    told()
    assert not limit.admit("generic").told
    clock.at += TELL_EVERY
    assert limit.admit("generic").told
