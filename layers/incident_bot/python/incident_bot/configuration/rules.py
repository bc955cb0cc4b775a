"""`rules.yaml`: how alerts are classified, which wait and which are noise, the clocks of an incident's life, what
belongs together, and planned maintenance."""

from collections.abc import Iterator
from typing import Any

from incident_bot.configuration import matching, windows
from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.alert import Severity
from incident_bot.domain.nearest import nearest
from incident_bot.domain.team import Rule

MOST_PAGES = 100  # within a storm's window: nobody reads more singly
LONGEST_HOLD = 180  # seconds: nobody may be left unpaged for longer


def spelled_out(raw: Any, flaws: list[Flaw]) -> Any:
    """The list of rules with `severity: sev1` as the number that the domain counts with."""
    if not isinstance(raw, list):
        return raw
    return [
        _with_number(body, ("rules", index), flaws) if isinstance(body, dict) else body
        for index, body in enumerate(raw)
    ]


def numbered(raw: Any, path: Path, flaws: list[Flaw]) -> Any:
    """A mapping of entries with `severity: sev1` as that number."""
    if not isinstance(raw, dict):
        return raw
    return {
        name: _with_number(body, (*path, name), flaws) if isinstance(body, dict) else body for name, body in raw.items()
    }


def _with_number(body: dict[str, Any], path: Path, flaws: list[Flaw]) -> dict[str, Any]:
    if "severity" not in body:
        return body
    return {**body, "severity": severity(body["severity"], (*path, "severity"), flaws)}


def severity(raw: Any, path: Path, flaws: list[Flaw]) -> Severity | None:
    """The severity of that label; None, with the flaw appended, where there is none."""
    labels = {severity.label: severity for severity in Severity}
    given = str(raw)
    if given not in labels:
        near = nearest(given, labels) or nearest(f"sev{given}", labels)
        flaws.append(Flaw(path, f"must be one of {', '.join(labels)}, not {given!r}", near))
    return labels.get(given)


def check(draft: Draft) -> Iterator[Flaw]:
    """Every rule can match, has an effect, and is not hidden by an earlier one."""
    seen: dict[str, int] = {}
    for position, (index, rule) in enumerate(draft.rules):
        path: Path = ("rules", index)
        if rule.name in seen:
            yield Flaw((*path, "name"), f"is the name of rules[{seen[rule.name]}] already")
        seen.setdefault(rule.name, index)
        yield from matching.check(rule.when, (*path, "when"), draft)
        yield from _effect(rule, path, draft)
        earlier = (other for _, other in draft.rules[:position] if matching.covers(other.when, rule.when))
        if (hiding := next(earlier, None)) is not None:
            yield Flaw(
                (*path, "when"), f"never decides: whatever it matches, the earlier rule {hiding.name!r} matches first"
            )
    yield from _timing(draft)
    yield from _correlation(draft)
    yield from _confidence(draft)
    yield from _storm(draft)
    if draft.records and draft.records <= Severity.SEV2:
        yield Flaw(("records",), f"{draft.records.label} wakes people: sev3 is the worst that may be a mere record")
    yield from windows.check(draft)


def _effect(rule: Rule, path: Path, draft: Draft) -> Iterator[Flaw]:
    if rule.owner not in draft.names["groups"]:
        yield unknown((*path, "owner"), "group", rule.owner, draft.names["groups"])
    if rule.service and rule.service not in draft.names["services"]:
        yield unknown((*path, "service"), "service", rule.service, draft.names["services"])
    if not 0 <= rule.hold_seconds <= LONGEST_HOLD:
        yield Flaw((*path, "hold_seconds"), f"must be between 0 and {LONGEST_HOLD} seconds, not {rule.hold_seconds}")
    if rule.noise and rule.hold_seconds:
        yield Flaw((*path, "hold_seconds"), "noise never pages, so there is nothing to hold")
    if not (rule.severity or rule.category or rule.service or rule.noise or rule.hold_seconds):
        yield Flaw(path, "sets nothing: a rule that matches decides, so it needs an effect")


def _timing(draft: Draft) -> Iterator[Flaw]:
    for name in ("quiet_period", "reopen_window", "stale_after"):
        if getattr(draft.timing, name) < 1:
            yield Flaw(("timing", name), "must be at least 1 second")
    if not 0 <= draft.timing.cause_wait <= LONGEST_HOLD:
        yield Flaw(("timing", "cause_wait"), f"must be between 0 and {LONGEST_HOLD} seconds")
    if not 0 <= draft.timing.agreed_grace <= LONGEST_HOLD:
        yield Flaw(("timing", "agreed_grace"), f"must be between 0 and {LONGEST_HOLD} seconds")
    if not 0 <= draft.timing.hold_limit <= LONGEST_HOLD:
        yield Flaw(("timing", "hold_limit"), f"must be between 0 and {LONGEST_HOLD} seconds")


def _correlation(draft: Draft) -> Iterator[Flaw]:
    for name in ("gather_seconds", "hop_seconds", "join_window", "agree"):
        if getattr(draft.correlation, name) < 1:
            yield Flaw(("correlation", name), "must be at least 1")
    for name in ("together_seconds", "siblings_seconds"):
        if getattr(draft.correlation, name) < 0:
            yield Flaw(("correlation", name), "must not be negative")


def _confidence(draft: Draft) -> Iterator[Flaw]:
    by = draft.confidence
    for name in ("page_at", "another_source", "tier", "dependant", "spread", "burn"):
        if not 0 <= getattr(by, name) <= 1:
            yield Flaw(("confidence", name), "must be between 0 and 1")
    if not 0.5 <= by.sure < 1:
        yield Flaw(("confidence", "sure"), "must be at least 0.5 and below 1: nothing is certain")
    for name in ("prior_actionable", "prior_false_positive"):
        if getattr(by, name) < 1:
            yield Flaw(("confidence", name), "must be at least 1: nothing is certain before anybody labelled it")
    if by.burn_at < 1:
        yield Flaw(("confidence", "burn_at"), "must be at least 1: at 1 an error budget just lasts")


def _storm(draft: Draft) -> Iterator[Flaw]:
    if not 1 <= draft.storm.pages <= MOST_PAGES:
        yield Flaw(("storm", "pages"), f"must be between 1 and {MOST_PAGES}")
    if draft.storm.window_seconds < 1:
        yield Flaw(("storm", "window_seconds"), "must be at least 1 second")
