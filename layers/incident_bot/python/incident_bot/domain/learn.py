"""Learning which kinds of alert are causes: those that hardly ever fire where something upstream explains them."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

ALL = "*"
KINDS_KEPT = 24
FADES_AT = 64  # groups with a cause: from then on the past counts half
LEARNED_FROM = 6  # groups with a cause; fewer teach nothing
CAUSES_SEEN = 1  # groups of that kind without a cause, besides the one in question
RARELY = 0.12  # of all groups with a cause
MOSTLY_CAUSE = 0.34  # of the groups of its kind have one
TELLING = 0.4  # of a group's series
Kinds = Mapping[str, tuple[int, int]]


def kind_of(source: str, title: str, service: str) -> str:
    """The kind of an alert: its title without its service's name, in the words of its source."""
    return f"{source}:{title.replace(service, '')}"


def taught(known: Kinds, kinds: Collection[str], *, effect: bool, undo: bool = False) -> dict[str, tuple[int, int]]:
    """What is known once those kinds occurred in a group that something upstream could explain (`effect`) or
    in one that nothing could; or did not.

    Each source is counted by itself, under `source:*`: sources name the same thing differently.
    """
    step = -1 if undo else 1
    change = (step, 0) if effect else (0, step)
    after = dict(known)
    for kind in (*kinds, *{_all(kind) for kind in kinds}):
        effects, origins = after.pop(kind, (0, 0))
        after[kind] = (max(0, effects + change[0]), max(0, origins + change[1]))
    while len(after) > KINDS_KEPT:
        del after[min((kind for kind in after if kind not in map(_all, after)), key=lambda kind: sum(after[kind]))]
    if any(effects > FADES_AT for effects, _ in after.values()):
        after = {kind: (effects // 2, origins // 2) for kind, (effects, origins) in after.items()}
    return after


def causal(known: Kinds, kinds: Mapping[str, int], patterns: Collection[str], *, counted: bool) -> str:
    """The kind of alert, of those that a group shows, that points to a cause and not to an effect; empty where none.

    `counted` says that the group itself is among what is known, as one without a cause.
    """
    series = sum(kinds.values())
    telling = [kind for kind, number in kinds.items() if number >= TELLING * series]
    for kind in telling:
        name = kind.split(":", 1)[1]
        effects, origins = known.get(kind, (0, 0))
        total = known.get(_all(kind), (0, 0))[0]
        rare = total >= LEARNED_FROM and effects <= RARELY * total and effects <= MOSTLY_CAUSE * (effects + origins)
        if any(fnmatchcase(name, pattern) for pattern in patterns) or (rare and origins - counted >= CAUSES_SEEN):
            return name
    return ""


def consequent(known: Kinds, kind: str) -> bool:
    """Whether nearly all groups that showed that kind could be explained by something upstream."""
    effects, origins = known.get(kind, (0, 0))
    return effects >= LEARNED_FROM and origins <= MOSTLY_CAUSE * (effects + origins)


def _all(kind: str) -> str:
    return f"{kind.split(':', 1)[0]}:{ALL}"
