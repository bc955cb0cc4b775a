"""What people order and are shown of suppression: silences, and the ledger of every window with its missed signals."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from incident_bot.domain.label import Label
from incident_bot.domain.suppress import Suppressed, Window, figures
from incident_bot.domain.team import Person
from incident_bot.ingest import suppression
from incident_bot.operating.documents import Asked, Reason
from incident_bot.state import keys, ledger, silences
from incident_bot.state.ledger import Kept
from incident_bot.world import World

Pattern = Annotated[str, Field(min_length=1, max_length=500)]


class Silencing(Asked):
    """A silence to be made: what all its patterns fit is recorded and told to nobody until it ends."""

    match: dict[str, Pattern] = Field(
        min_length=1,
        max_length=20,
        description="Patterns with `*` by source, service, title, status, resource, severity, category, labels.NAME.",
    )
    ends: AwareDatetime = Field(description="30 days from now at most.")
    starts: AwareDatetime | None = Field(default=None, description="Now, unless it is given.")
    reason: str = Reason


class WindowShown(BaseModel):
    """A window and what it did. What was missed is not known (null) before it has ended and was looked at."""

    id: str
    kind: str = Field(description="silence, maintenance, deploy or inhibition")
    name: str
    match: dict[str, str]
    starts: datetime
    ends: datetime
    author: str
    reason: str
    state: Literal["waiting", "active", "ended"]
    seconds: int = Field(description="How long it lasted, or has lasted so far.")
    suppressed: int = Field(description="Series that it suppressed.")
    would_have_paged: int = Field(description="Those of them that would have woken somebody.")
    missed: int | None = Field(description="Those of these that still fired at its end, or were labelled actionable.")


class SuppressedShown(BaseModel):
    """One series that a window suppressed."""

    incident: str
    service: str
    title: str
    severity: str
    would_have_paged: bool
    whom: str
    at: datetime
    times: int
    outcome: str = Field(description="How it stood at the end: fires, resolved, closed (by a person) or silent.")
    label: str = Field(description="What people said of its incident; empty where nobody did.")


class LedgerShown(WindowShown):
    """A window with all that it suppressed."""

    lines: list[SuppressedShown]


class Expired(BaseModel):
    """A silence that was ended, and how many of its series still fire: those are told now."""

    id: str
    by: str
    fires: int
    over: int


def silence(world: World, person: Person, wanted: Silencing) -> WindowShown:
    """Make a silence."""
    made = silences.add(world, person.id, wanted.match, starts=wanted.starts, ends=wanted.ends, reason=wanted.reason)
    return _shown(world, Kept(made, closed=False), [])


def expire(world: World, person: Person, identifier: str, reason: str) -> Expired:
    """End a silence now; what it suppressed and still fires is told at once."""
    silences.expire(world, person.id, identifier, reason)
    ended = suppression.close(world, identifier)
    return Expired(id=identifier, by=person.id, fires=ended.fires, over=ended.over)


def windows(world: World, *, kind: str = "", days: int = 0) -> list[WindowShown]:
    """The windows that wait or are under way, and those that ended in the last days; the newest first."""
    since = world.now() - timedelta(days=days)
    kept = [k for k in ledger.windows(world.store) if kind in ("", k.window.kind) and k.window.ends > since]
    shown = (_shown(world, k, ledger.lines(world.store, k.window.id)) for k in kept)
    return sorted(shown, key=lambda window: (window.starts, window.id), reverse=True)


def window(world: World, identifier: str) -> LedgerShown:
    """One window with all that it suppressed; NotFound."""
    kept = ledger.read(world.store, identifier)
    lines = ledger.lines(world.store, identifier)
    labels = _labels(world, lines)
    entries = [_line(line, labels.get(line.incident, "")) for line in sorted(lines, key=lambda line: line.at)]
    return LedgerShown(**_shown(world, kept, lines).model_dump(), lines=entries)


def _shown(world: World, kept: Kept, lines: Sequence[Suppressed]) -> WindowShown:
    now, of = world.now(), kept.window
    actionable = {i for i, label in _labels(world, lines).items() if label == Label.ACTIONABLE} if kept.closed else ()
    counted = figures(lines, actionable)
    return WindowShown(
        id=of.id,
        kind=of.kind,
        name=of.name,
        match=dict(of.when),
        starts=of.starts,
        ends=of.ends,
        author=of.author,
        reason=of.reason,
        state=_state(of, now),
        seconds=max(0, int((min(of.ends, now) - of.starts).total_seconds())),
        suppressed=counted.suppressed,
        would_have_paged=counted.would_have_paged,
        missed=counted.missed if kept.closed else None,
    )


def _state(of: Window, now: datetime) -> Literal["waiting", "active", "ended"]:
    if of.ends <= now:
        return "ended"
    return "active" if of.starts <= now else "waiting"


def _labels(world: World, lines: Iterable[Suppressed]) -> dict[str, str]:
    """What people said of the incidents, by incident."""
    wanted = {keys.label(line.incident): line.incident for line in lines}
    return {wanted[key]: str(item["label"]) for key, item in world.store.get_many(list(wanted)).items()}


def _line(line: Suppressed, label: str) -> SuppressedShown:
    return SuppressedShown(
        incident=line.incident,
        service=line.service,
        title=line.title,
        severity=line.severity,
        would_have_paged=line.pages,
        whom=line.whom,
        at=line.at,
        times=line.times,
        outcome=line.outcome,
        label=label,
    )
