"""The virtual clock: time stands still until somebody moves it."""

from datetime import UTC, datetime, timedelta

T0 = datetime(2026, 1, 15, 10, tzinfo=UTC)  # what offsets in recorded deliveries count from by default


class VirtualClock:
    """A clock that only its owner moves, and never backwards."""

    def __init__(self, start: datetime = T0) -> None:
        self._now = start

    def now(self) -> datetime:
        """The virtual moment, UTC."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Let that much time pass; returns the new moment."""
        return self.advance_to(self._now + timedelta(seconds=seconds))

    def advance_to(self, moment: datetime) -> datetime:
        """Go on to `moment`; a moment that is past changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))
        return self._now
