"""Explaining: which other group explains one, and why: what its service depends on, a place or a change they share."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from incident_bot.domain.cause import Cost
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.head import Group
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.surroundings import Surroundings

SHARED_WITHIN = timedelta(seconds=60)
SURELY = 5  # series of a group that share a place: no chance
OTHERS = 2  # services there besides
SHARE = 0.33  # of a hop: so much later may fire what all explain who depend on it


@dataclass(frozen=True, slots=True)
class Explanation:
    """The group that explains one (empty: none does), by which rule, and why; `effect`: something upstream could
    explain it, even if that is not taken for its cause; `apart`: it is nobody's effect, but was taken for one."""

    cause: str
    rule: RuleName
    reason: str
    effect: bool = False
    apart: bool = False


def explanation(around: Surroundings) -> Explanation:
    """The group that explains the one, and why."""
    group, head, below = around.group, around.head, around.downwards(around.name)
    found: list[tuple[Cost, str]] = []
    for name, other in around.others.items():
        if name not in below and (paid := around.cost(group, other)) is not None:
            found.append((paid, name))
    effect = bool(found)
    if kind := around.causal(group):
        if same := _same(around, below, kind):
            return Explanation(
                same, "same-cause-kind", f"{group.service} shows {kind} there already", apart=bool(group.cause)
            )
        return Explanation("", "cause-kind", f"{kind} names a cause, not an effect", apart=bool(group.cause))
    if near := _near_by(around, below):
        return Explanation(near, "shared-resource", _in_place(around), effect)
    if found:
        least = min(paid[:-1] for paid, _ in found)
        name = min(_weighed(around, one) for one in found if one[0][:-1] == least)[1]
        service = head.groups[name].service
        if around.topology.blank:
            return Explanation(name, "right-after", f"{group.service} fires right after {service}", effect)
        root = head.incidents[head.groups[name].incident].root
        depends = f"{group.service} depends on {service}"
        if service == root:
            return Explanation(name, "downstream-of-root", f"{depends}, the root of that incident", effect)
        return Explanation(name, "downstream", f"{depends}, which alerts there", effect)
    return _neighbour(around, below)


def _weighed(around: Surroundings, found: tuple[Cost, str]) -> tuple[Cost, str]:
    """The cost, less where many of those who depend on the cause directly fire too: of two that fit as well, the
    one whose fault shows everywhere explains more than the one that fired last."""
    (*paid, lag), name = found
    cause = around.others[name]
    direct = around.topology.callers(cause.service)
    if not direct:
        return found
    reach, began = timedelta(seconds=2 * around.by.hop_seconds), around.began
    firing = sum(s == around.group.service or (s in began and abs(began[s] - cause.began) <= reach) for s in direct)
    slow, doubts, guessed, hops = paid
    return (slow, doubts, guessed, hops, lag - SHARE * around.by.hop_seconds * firing / len(direct)), name


def _neighbour(around: Surroundings, below: Collection[str]) -> Explanation:
    """Without a cause upstream: a place that is shared with another group, or the same service shortly before."""
    group = around.group
    beside = [(o.began, n) for n, o in around.others.items() if n not in below and _beside(around, o)]
    if beside:
        return Explanation(min(beside)[1], "shared-resource", _in_place(around))
    after = [(o.began, n) for n, o in around.others.items() if n not in below and _after_the_same(around, o)]
    if after:
        first = min(after)[1]
        return Explanation(first, "shared-change", _shared_change(around, around.others[first]))
    free = [(other.last, name) for name, other in around.others.items() if name not in below]
    for _, name in sorted(free):
        if shared := _sibling(around, around.others[name]):
            other = around.others[name].service
            why = f"{group.service} and {other} both depend on {shared}, which may fail silently"
            return Explanation(name, "shared-dependency", why)
    if same := _same(around, below):
        return Explanation(same, "same-service", f"{group.service} alerts there already")
    return Explanation("", "no-cause", "no open incident explains it")


def _same(around: Surroundings, below: Collection[str], kind: str = "") -> str:
    """The last group of the same service, with that kind of alert if one is named, to grow shortly before."""
    free = ((other.last, name) for name, other in around.others.items() if name not in below and _again(around, other))
    return max(((at, n) for at, n in free if not kind or _shows(around.others[n], kind)), default=(None, ""))[1]


def _in_place(around: Surroundings) -> str:
    return f"all of it is in {around.group.place}, like others that fire at the same time"


def _near_by(around: Surroundings, below: Collection[str]) -> str:
    """The first of several groups that are as surely in the same place, which no service upstream explains."""
    if around.group.series < SURELY or not around.group.place:
        return ""
    beside = sorted((o.began, n) for n, o in around.others.items() if n not in below and _beside(around, o))
    return beside[0][1] if len({around.others[n].service for _, n in beside}) >= OTHERS else ""


def _beside(around: Surroundings, other: Group) -> bool:
    group = around.group
    near = abs(group.began - other.began) <= SHARED_WITHIN
    if not near or not group.place or other.place != group.place or other.service == group.service:
        return False
    explained = around.head.groups.get(other.cause)
    return explained is None or explained.place == other.place


def _after_the_same(around: Surroundings, other: Group) -> bool:
    """Whether it is of another service that began to fire after the same change, which explains it best.

    What an alert merely claims would let whoever may send one join any incident: that takes a related service.
    """
    group = around.group
    near = abs((group.began - other.began).total_seconds()) <= around.by.join_window
    if not near or not group.change or other.change != group.change or other.service == group.service:
        return False
    if (group.claimed or other.claimed) and not around.topology.related(group.service, other.service):
        return False
    explained = around.head.groups.get(other.cause)
    return explained is None or explained.change == other.change


def _shared_change(around: Surroundings, other: Group) -> str:
    said = f"{around.group.after} s before" if around.group.after else "as their alerts say"
    return f"{around.group.service} and {other.service} both follow {around.group.change}, {said}"


def _again(around: Surroundings, other: Group) -> bool:
    """Whether it is the same service that began to fire shortly before, or shortly after what is told late."""
    group, window = around.group, timedelta(seconds=around.by.join_window)
    same = other.service == group.service != UNKNOWN_SERVICE and other.again == group.again
    return same and other.began - window <= group.began <= other.last + window


def _sibling(around: Surroundings, other: Group) -> str:
    """What both depend on directly, where both began at nearly the same time and nothing explains either."""
    if not around.by.siblings_seconds:
        return ""
    near = abs((around.group.began - other.began).total_seconds()) <= around.by.siblings_seconds
    if not near or other.cause or other.service == around.group.service or other.place != around.group.place:
        return ""
    if around.causal(other):
        return ""
    direct, theirs = (around.topology.upstream(g.service) for g in (around.group, other))
    return min((s for s, hops in direct.items() if hops == 1 and theirs.get(s) == 1), default="")


def _shows(group: Group, kind: str) -> bool:
    return any(name.split(":", 1)[1] == kind for name in group.kinds)
