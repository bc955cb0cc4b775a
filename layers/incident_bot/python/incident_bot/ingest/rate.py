"""An approximate rate limit: a bucket of tokens for each source, as one warm sandbox sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class RateLimit:
    """Lets `per_second` requests of each source through, and a burst of `burst` after a quiet time."""

    def __init__(self, now: Callable[[], datetime], *, per_second: float = 50, burst: int = 500) -> None:
        self._now = now
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, source: str) -> float:
        """Take a token: 0.0 where there was one, otherwise the seconds until there is."""
        now = self._now()
        bucket = self._buckets.setdefault(source, _Bucket(self._burst, now))
        elapsed = max(0.0, (now - bucket.at).total_seconds())
        bucket.tokens = min(self._burst, bucket.tokens + elapsed * self._per_second)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._per_second
