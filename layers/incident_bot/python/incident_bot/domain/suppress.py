"""Suppression: which window keeps an alert from being told to people, until when, and whom it would have woken.

It blocks telling, never state: what is suppressed is recorded, resolves as ever, and pages if it still fires when its
window ends. What cannot be read or fails suppresses nothing.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.classify import Classification, playbook_fields
from incident_bot.domain.errors import Invalid
from incident_bot.domain.incident import Incident
from incident_bot.domain.match import matches
from incident_bot.domain.owner import frozen
from incident_bot.domain.planned import occurrences
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.series import Series
from incident_bot.domain.team import Team

LONGEST_SILENCE = timedelta(days=30)
FIELDS = ("source", "service", "title", "status", "resource", "severity", "category")
LABEL = "labels."
UNMUTED = "it is suppressed no more, and still fires"
FIRES, RESOLVED, CLOSED, SILENT = "fires", "resolved", "closed", "silent"
RULES: Mapping[str, RuleName] = {
    "silence": "silenced",
    "maintenance": "under-maintenance",
    "deploy": "deploy-window",
    "inhibition": "inhibited",
}
REPEATED = 2  # so often its source must have said it again, or once and so many others like it, to be missed
LEAST_SILENCE = 180  # seconds


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which what all its matchers fit is recorded and told to nobody: from `starts` on, until before `ends`.

    `kind` is silence, maintenance, deploy or inhibition; `name` is how people know it. An inhibition also ends with its
    `source`, the series (scope#fingerprint) that hides others.
    """

    id: str
    kind: str
    name: str
    when: Mapping[str, str]
    starts: datetime
    ends: datetime
    author: str = ""
    reason: str = ""
    source: str = ""

    @property
    def rule(self) -> RuleName:
        """The rule by which it suppresses."""
        return RULES.get(self.kind, "silenced")

    def holds(self, at: datetime) -> bool:
        """Whether it is under way at that moment."""
        return self.starts <= at < self.ends


@dataclass(frozen=True, slots=True)
class Suppression:
    """That a window suppresses an alert; `pages` says whether it would have woken somebody, `whom` whom."""

    window: Window
    pages: bool
    whom: str

    @property
    def said(self) -> str:
        """In words: until when, and whom it would have woken."""
        who = f"{self.whom} would have been" if self.pages else "it wakes nobody by itself"
        until = f"until {self.window.ends:%Y-%m-%d %H:%M:%S} UTC"
        if self.window.source:
            return f"not paged while {self.window.reason}, {until} at most: {who}"
        return f"not paged {until}: {who}"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One series that a window suppressed, as the ledger keeps it. `alert` is what is told again if it still fires.

    `at` is when it was suppressed last, `times` how often. `outcome` says how it stood when the window ended: fires,
    resolved or closed (by a person); empty while it lasts.
    """

    window: str
    scope: str
    fingerprint: str
    incident: str
    service: str
    title: str
    severity: str
    pages: bool
    whom: str
    at: datetime
    until: datetime
    alert: Alert
    times: int = 1
    outcome: str = ""


def suppress(
    alert: Alert, found: Classification, windows: Iterable[Window], team: Team, at: datetime
) -> tuple[Classification, Suppression | None]:
    """The classification under the windows: noise where one fits, the one that lasts longest; None where none does.

    What is noise by a rule of its own, and what does not fire, is nothing to suppress.
    """
    if found.noise or alert.status is not Status.FIRING:
        return found, None
    fields = playbook_fields(alert, found)
    fitting = [window for window in windows if window.holds(at) and _fits(window, fields)]
    if not fitting:
        return found, None
    return muted(found, max(fitting, key=lambda w: (w.ends, w.id)), team)


def muted(found: Classification, window: Window, team: Team) -> tuple[Classification, Suppression]:
    """The classification as that window suppresses it."""
    suppression = Suppression(window, found.pages, _whom(found, team))
    reason = f"{found.severity.label}; {suppression.said}, by {window.name}"
    return replace(found, noise=True, pages=False, reason=reason, level_by=window.rule), suppression


@dataclass(frozen=True, slots=True)
class Figures:
    """What a window did: series suppressed, how many of them would have woken somebody, and how many of those were
    real (missed signals): they still fired at its end, or somebody labelled their incident actionable."""

    suppressed: int
    would_have_paged: int
    missed: int


def figures(lines: Iterable[Suppressed], actionable: Collection[str] = ()) -> Figures:
    """Count a window's lines; `actionable` are the incidents that were labelled so."""
    listed = list(lines)
    waking = [line for line in listed if line.pages]
    missed = [line for line in waking if line.outcome == FIRES or line.incident in actionable]
    return Figures(len(listed), len(waking), len(missed))


def outcome(series: Series | None, incident: Incident | None) -> str:
    """How a suppressed series stands when its window ends: what a person closed is not told again."""
    if series is None or series.status is not Status.FIRING:
        return RESOLVED
    return CLOSED if incident and incident.over and not incident.merged_into else FIRES


def silent(series: Series, others: Iterable[Series], now: datetime) -> str:
    """Why a suppressed series is taken for over although its resolve never came; empty where it is not.

    Its source repeated it again and again (or once, as it does with others like it), has not for three times as long,
    and told meanwhile of others like it (the same title of the same service): then it is not the source that fell
    silent. Whatever it says later is told.
    """
    lasted = int((now - series.seen_at).total_seconds())
    if not series.repeats or lasted < max(LEAST_SILENCE, 3 * series.gap):
        return ""
    alike = (o for o in others if (o.source, o.service, o.title) == (series.source, series.service, series.title))
    later = series.seen_at + timedelta(seconds=series.gap / 2)
    went_on = [other for other in alike if other.fingerprint != series.fingerprint and other.seen_at > later]
    if not went_on or (series.repeats < REPEATED and sum(1 for other in went_on if other.repeats) < REPEATED):
        return ""
    said = f"{series.source} said it again every {series.gap} s, and for {lasted} s told of others like it only"
    return f"{said}: its resolve was lost; should it be said again, that pages"


def planned(team: Team, at: datetime) -> list[Window]:
    """The maintenance windows of the configuration that are under way."""
    once = [_work(m.name, m.when, m.starts, m.ends) for m in team.maintenance if m.starts <= at < m.ends]
    recurring = team.recurring_maintenance
    return once + [_work(r.name, r.when, *span) for r in recurring for span in occurrences(r, at)]


def _work(name: str, when: Mapping[str, str], starts: datetime, ends: datetime) -> Window:
    identifier = f"maintenance-{slug(name)}-{starts.astimezone(UTC):%Y%m%dT%H%MZ}"
    return Window(identifier, "maintenance", f"maintenance {name}", when, starts, ends, "configuration")


def checked(when: Mapping[str, str]) -> Mapping[str, str]:
    """The matchers of a silence; Invalid where one names what no alert has, or where they would fit everything."""
    for name in when:
        if name not in FIELDS and not (name.startswith(LABEL) and len(name) > len(LABEL)):
            raise Invalid(f"no alert has {name!r}: it is one of {', '.join(FIELDS)} or labels.NAME", where="match")
    if not any(pattern.strip("*") for pattern in when.values()):
        raise Invalid("it would silence everything: name at least one pattern that is not `*`", where="match")
    return when


def bounded(starts: datetime, ends: datetime, at: datetime) -> None:
    """Invalid where a silence ends before it starts or is over already, or lasts longer than `LONGEST_SILENCE`."""
    if ends <= starts or ends <= at:
        raise Invalid("must be after it starts, and in the future", where="ends")
    if ends - max(starts, at) > LONGEST_SILENCE or starts - at > LONGEST_SILENCE:
        raise Invalid(f"a silence lasts, and waits, {LONGEST_SILENCE.days} days at most", where="ends")


def slug(name: str) -> str:
    """A name as a part of an id."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name)[:80]


def _fits(window: Window, fields: Mapping[str, str]) -> bool:
    """Whether the alert fits; a window without matchers, or one whose matchers fail, fits nothing."""
    try:
        return bool(window.when) and matches(window.when, fields)
    except (TypeError, ValueError, AttributeError, re.error):
        return False


def _whom(found: Classification, team: Team) -> str:
    """Whom the first page would have gone to: the first step of its owner's escalation."""
    escalation = frozen(found.owner, team)
    named = [who for step in escalation.steps[:1] for who in step.notify]
    return ", ".join(named) or escalation.group
