"""An approximate rate limit: a bucket of tokens for each sender, as one warm sandbox sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_bot.domain.team import Sender
from incident_bot.world import Admitted

TELL_EVERY = timedelta(minutes=10)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime
    told_at: datetime | None = None

    def told(self, at: datetime) -> None:
        self.told_at = at


class RateLimit:
    """Lets each source's `per_second` requests through, and its `burst` after a quiet time; `senders` are by source."""

    def __init__(self, now: Callable[[], datetime], senders: Mapping[str, Sender] | None = None) -> None:
        self._now = now
        self._senders = senders or {}
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, sender: str) -> Admitted:
        """Take a token: no wait where there was one, otherwise the seconds until there is.

        A sender is a source, or one of several that a source has: `heartbeat/nightly-export`.
        """
        now, agreed = self._now(), self._senders.get(sender.partition("/")[0]) or Sender()
        bucket = self._buckets.setdefault(sender, _Bucket(agreed.burst, now))
        elapsed = max(0.0, (now - bucket.at).total_seconds())
        bucket.tokens = min(agreed.burst, bucket.tokens + elapsed * agreed.per_second)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return Admitted()
        tell = bucket.told_at is None or now - bucket.told_at >= TELL_EVERY
        return Admitted((1 - bucket.tokens) / agreed.per_second, (lambda: bucket.told(now)) if tell else None)
