"""Causes: which group of alerts explains which other, by what services depend on, when both began, how sure each is."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from incident_bot.domain.head import Group
from incident_bot.domain.team import Correlation, Service

EARLY = 0.4  # of a hop: so much later than its effect a cause may be seen
TOO_EARLY = 0.8  # of a hop: so much later than its effect nothing explains it
LATE = 0.6  # of a hop: so much later than expected an effect may be seen
BROAD = 4  # series that one or two others hardly explain
Cost = tuple[int, int, int, int, float]


class Topology:
    """How many hops from each service the ones are that it depends on; cycles and unknown services are harmless."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._direct = {name: service.depends_on for name, service in services.items()}
        self._owners = {name: service.owner for name, service in services.items()}
        self.blank = not any(self._direct.values())
        self.upstream = cache(self._upstream)
        self.downstream = cache(self._downstream)
        self.callers = cache(self._callers)

    def _upstream(self, service: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        front, hops = list(self._direct.get(service, ())), 1
        while front:
            found |= dict.fromkeys(front, hops)
            front, hops = list({d for s in front for d in self._direct.get(s, ())} - found.keys()), hops + 1
        return found

    def _callers(self, service: str) -> tuple[str, ...]:
        """The services that depend on it directly."""
        return tuple(name for name, needs in self._direct.items() if service in needs and name != service)

    def related(self, one: str, other: str) -> bool:
        """Whether one of the two depends on the other, through others too, or both belong to one team."""
        depends = one in self.upstream(other) or other in self.upstream(one)
        return depends or self._owners.get(one, "") == self._owners.get(other) != ""

    def _downstream(self, service: str) -> tuple[str, ...]:
        """The services that depend on it, directly or through others."""
        return tuple(name for name in self._direct if name != service and service in self.upstream(name))


_LATEST: list[tuple[Mapping[str, Service], Topology]] = []


def topology_of(services: Mapping[str, Service]) -> Topology:
    """The topology of those services; the one asked for last is kept, as it is the same for every batch."""
    if not (_LATEST and _LATEST[0][0] is services):
        _LATEST[:] = [(services, Topology(services))]
    return _LATEST[0][1]


def cost(effect: Group, cause: Group, hops: int, by: Correlation) -> Cost | None:
    """How badly the cause explains the effect, over that many hops (smaller is better); None where it cannot."""
    reach = by.hop_seconds * hops
    lag, guessed = _lag(effect, cause, reach)
    early, slow = lag < -(EARLY * by.hop_seconds + cause.slow), lag > reach + LATE * by.hop_seconds
    by_its_clock = _seconds(cause.earliest, effect.began)  # it may have been told of late
    too_early = max(lag, by_its_clock) < -(TOO_EARLY * by.hop_seconds + cause.slow)
    if too_early or (slow and _seconds(cause.last, effect.began) > by.join_window):
        return None
    expected = 0 <= lag <= reach
    doubts = (not expected) + (effect.sure and not cause.sure) + (effect.series >= BROAD and cause.series <= 2)
    doubts += 2 * (effect.place != cause.place)
    return None if doubts >= 3 else (int(slow or early), doubts, int(guessed), hops, abs(lag))


def _lag(effect: Group, cause: Group, reach: float) -> tuple[float, bool]:
    """Seconds from cause to effect by our clock; where that makes no sense, as their own clocks would have it."""
    lag = _seconds(cause.began, effect.began)
    if 0 <= lag <= reach:
        return lag, False
    for other in (_seconds(cause.earliest, effect.began), _seconds(cause.began, effect.earliest)):
        if 0 <= other <= reach:
            return other, True
    return lag, False


def _seconds(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()
