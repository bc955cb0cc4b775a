"""Learning which kinds of alert are causes: those that hardly ever fire where something upstream explains them."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

ALL = "*"
KINDS_KEPT = 24
KIND_CHARACTERS = 120  # of a title: the head keeps kinds, and how long titles are is up to their senders
FADES_AT = 64  # groups with a cause: from then on the past counts half
LEARNED_AT = 5  # series: so many of a group show what it is made of
LEARNED_FROM = 6  # groups with a cause; fewer teach nothing
TIMES = 6.0  # as common among groups without a cause as among those with one
MOSTLY_CAUSE = 0.34  # of the groups of its kind have one
RARELY = 0.1  # of all groups with a cause are of its kind
TELLING = 0.4  # of a group's series
Kinds = Mapping[str, tuple[int, int]]


def kind_of(source: str, title: str, service: str) -> str:
    """The kind of an alert: its title without its service's name, in the words of its source."""
    return f"{source}:{title.replace(service, '')[:KIND_CHARACTERS]}"


def taught(known: Kinds, kinds: Mapping[str, int], *, effect: bool) -> dict[str, tuple[int, int]]:
    """What is known once those kinds (of so many series each) made up a group that something upstream could explain
    (`effect`), or one that nothing could. A kind that only few of its series are of says nothing.

    Each source is counted by itself, under `source:*`: sources name the same thing differently.
    """
    after = dict(known)
    for kind in sorted({*telling(kinds), *map(_all, kinds)}):
        effects, origins = after.pop(kind, (0, 0))
        after[kind] = (effects + effect, origins + (not effect))
    while len(after) > KINDS_KEPT:
        del after[min((kind for kind in after if kind not in map(_all, after)), key=lambda kind: sum(after[kind]))]
    if any(effects > FADES_AT for effects, _ in after.values()):
        after = {kind: (effects // 2, origins // 2) for kind, (effects, origins) in after.items()}
    return after


def telling(kinds: Mapping[str, int]) -> list[str]:
    """The kinds that a good part of a group's series are of; a single one tells nothing where there are others."""
    series = sum(kinds.values())
    return [kind for kind, number in kinds.items() if number >= TELLING * series and (number > 1 or series == 1)]


def causal(
    known: Kinds, kinds: Mapping[str, int], patterns: Collection[str], *, counted: bool, among: Collection[str]
) -> str:
    """The kind of alert, `among` those that a group shows, that points to a cause and to no effect; empty where none.

    `counted` says that the group itself is among what is known, as one without a cause.
    """
    for kind in (k for k in telling(kinds) if k in among):
        name = kind.split(":", 1)[1]
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return name
        effects, origins = known.get(kind, (0, 0))
        explained, unexplained = known.get(_all(kind), (0, 0))
        if explained >= LEARNED_FROM:
            as_cause = (origins - counted + 0.5) / (unexplained - counted + 1)
            as_effect = (effects + 0.5) / (explained + 1)
            if as_cause >= TIMES * as_effect:
                return name
    return ""


def consequent(known: Kinds, kind: str) -> bool:
    """Whether nearly all groups that showed that kind could be explained by something upstream."""
    effects, origins = known.get(kind, (0, 0))
    return effects >= LEARNED_FROM and origins <= MOSTLY_CAUSE * (effects + origins)


def original(known: Kinds, kind: str) -> bool:
    """Whether that kind is practically never an effect, as far as many effects have taught."""
    explained = known.get(_all(kind), (0, 0))[0]
    return explained >= LEARNED_FROM and known.get(kind, (0, 0))[0] <= RARELY * explained


def _all(kind: str) -> str:
    return f"{kind.split(':', 1)[0]}:{ALL}"
