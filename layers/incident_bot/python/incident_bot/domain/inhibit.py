"""Inhibition: an alert that fires keeps others from being told that only follow from it.

The source has to be active: it fires, in an open incident, and is itself neither suppressed nor noise, so that
somebody knows of it; and it wakes people where the target would. Alerts that match both sides of a rule never silence
each other, and of alerts that hide one another by several rules the last one is told. What lacks an equal label is not
equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident_bot.domain.alert import Status
from incident_bot.domain.head import Head
from incident_bot.domain.match import matches
from incident_bot.domain.series import Series
from incident_bot.domain.team import Inhibition

LONGEST = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Firing:
    """A firing alert as inhibition sees it: the fields that rules name, and whether it wakes people by itself."""

    fingerprint: str
    title: str
    service: str
    since: datetime
    pages: bool
    fields: Mapping[str, str] = field(default_factory=dict)


def told_by(rules: Iterable[Inhibition], fields: Mapping[str, str]) -> dict[str, str]:
    """Those of an alert's fields that the rules name."""
    named = {name for rule in rules for name in (*rule.source, *rule.target, *rule.equal)}
    return {name: value for name, value in fields.items() if name in named}


def hides_something(rules: Iterable[Inhibition], fields: Mapping[str, str]) -> bool:
    """Whether an alert with those fields can be a source."""
    return any(matches(rule.source, fields) for rule in rules)


def hidden_by(
    target: Firing, rules: Sequence[Inhibition], sources: Iterable[Firing]
) -> tuple[Inhibition, Firing] | None:
    """The rule, and of its sources the one that fires longest, that keep the target from being told; or None."""
    others = sorted((s for s in sources if s.fingerprint != target.fingerprint), key=lambda s: (s.since, s.fingerprint))
    found = ((rule, source) for rule in rules for source in others if _hides(rule, source, target))
    return next(found, None)


def _hides(rule: Inhibition, source: Firing, target: Firing) -> bool:
    if not (rule.source and rule.target):
        return False
    if not (matches(rule.source, source.fields) and matches(rule.target, target.fields)):
        return False
    if matches(rule.target, source.fields) and matches(rule.source, target.fields):
        return False
    equal = all(source.fields.get(name) and source.fields.get(name) == target.fields.get(name) for name in rule.equal)
    return equal and (source.pages or not target.pages)


def is_active(source: Series | None, head: Head) -> bool:
    """Whether somebody knows of the source while it hides others: it fires, unsuppressed, in an open incident."""
    if source is None or source.status is not Status.FIRING or source.muted_by:
        return False
    group = head.groups.get(source.group)
    member = head.incidents.get(group.incident if group else source.incident)
    return member is not None and not member.noise
