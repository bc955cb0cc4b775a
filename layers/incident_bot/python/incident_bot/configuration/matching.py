"""What rules and playbooks match on: which fields and labels exist, and whether one set of matchers covers another."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.nearest import nearest
from incident_bot.ingest.slowing import LABEL
from incident_bot.ingest.synthetic import OURS

FIELDS = ("source", "service", "title", "status", "resource", "severity")
PLAYBOOK_FIELDS = (*FIELDS, "category")
LABELS = "labels."


def check(when: Mapping[str, str], path: Path, draft: Draft, fields: Sequence[str] = FIELDS) -> Iterator[Flaw]:
    """Every matcher names a field or a label that a source declares, and a value that can occur."""
    for key, pattern in when.items():
        if key.startswith(LABELS):
            yield from _label(key.removeprefix(LABELS), when.get("source", "*"), (*path, key), draft)
        elif key not in fields:
            near = nearest(key, (*fields, *(f"{LABELS}{label}" for label in _labels("*", draft))))
            yield Flaw((*path, key), f"matches on {key!r}, which no alert has", near)
        else:
            yield from _value(key, pattern, (*path, key), draft)


def _value(key: str, pattern: str, path: Path, draft: Draft) -> Iterator[Flaw]:
    sources, severities = tuple(_declared(draft)), [s.label for s in Severity]
    if key == "source" and not _any(pattern, sources):
        yield unknown(path, "source", pattern, sources)
    if key == "service" and not _any(pattern, draft.names["services"]):
        yield unknown(path, "service", pattern, draft.names["services"])
    if key == "status" and not _any(pattern, [s.value for s in Status]):
        yield unknown(path, "status", pattern, [s.value for s in Status])
    if key == "severity" and not _any(pattern, severities):
        yield unknown(path, "severity", pattern, severities)


def _label(label: str, source: str, path: Path, draft: Draft) -> Iterator[Flaw]:
    declared = _labels(source, draft)
    if any(fnmatchcase(label, pattern) for pattern in declared):
        return
    whose = "no source" if source == "*" else f"no source like {source!r}"
    yield Flaw(path, f"{whose} declares a label {label!r}", nearest(label, declared))


def _labels(source: str, draft: Draft) -> set[str]:
    return {label for name, labels in _declared(draft).items() if covers_text(source, name) for label in labels}


def _declared(draft: Draft) -> Mapping[str, Collection[str]]:
    """The labels of every source of alerts: our own ones, which no sender can send, among them."""
    return {**draft.installed.labels, OURS: (LABEL,)}


def _any(pattern: str, values: Iterable[str]) -> bool:
    return any(covers_text(pattern, value) for value in values)


def covers(general: Mapping[str, str], special: Mapping[str, str]) -> bool:
    """Whether whatever matches `special` matches `general` too."""
    return all(key in special and covers_text(pattern, special[key]) for key, pattern in general.items())


def covers_text(general: str, special: str) -> bool:
    """The same of two patterns: a `*` of `special` is a text of its own that only a `*` of `general` covers.

    Undecided (False) where `general` uses `?` or `[...]` and `special` is a pattern too.
    """
    if any(sign in general for sign in "?[") and any(sign in special for sign in "*?["):
        return general == special
    return fnmatchcase(special.replace("*", "\0"), general)
