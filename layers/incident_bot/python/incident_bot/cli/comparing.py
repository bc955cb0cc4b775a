"""How `replay --against` tells what a change of the configuration would have done: to people and as a document."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from incident_bot.cli.session import safe

if TYPE_CHECKING:
    from incident_bot.virtual.compare import Change, Difference, Lone, Pair
    from incident_bot.virtual.replay import Page, Replay


def document(before: "Replay", after: "Replay", found: "Difference", deliveries: int) -> dict[str, Any]:
    """The difference with its counts; every list is empty where nothing differs."""
    lists: dict[str, list[dict[str, Any]]] = {
        "more": [_lone(lone) for lone in found.more],
        "less": [_lone(lone) for lone in found.less],
        "other": [_pair(pair) for pair in found.other],
        "shifted": [_pair(pair) for pair in found.shifted],
        "severity": [_change(change) for change in found.severity],
        "suppressed": [_change(change) for change in found.suppressed],
        "unsuppressed": [_change(change) for change in found.unsuppressed],
    }
    return {
        "deliveries": deliveries,
        "before": _counts(before),
        "after": _counts(after),
        "teams": {team: {"before": was, "after": now} for team, (was, now) in found.teams.items()},
        "counts": {name: len(entries) for name, entries in lists.items()},
        **lists,
    }


def lines(before: "Replay", after: "Replay", found: "Difference", deliveries: int) -> Iterator[str]:
    """The same for people."""
    yield f"{deliveries} deliveries: {_summed(before)}; with the change {_summed(after)}"
    for team, (was, now) in found.teams.items():
        yield safe(f"  team {team}: {was} -> {now} pages")
    if found.nothing:
        yield "the change makes no difference to them"
    yield from _told("would not be paged any more", [_spoken(lone) for lone in found.less])
    yield from _told("would be paged as well", [_spoken(lone) for lone in found.more])
    yield from _told("would go to somebody else", [_readdressed(pair) for pair in found.other])
    yield from _told("would come at another time", [_delayed(pair) for pair in found.shifted])
    yield from _told("would have another severity", [_altered(change) for change in found.severity])
    yield from _told("would be suppressed", [_altered(change) for change in found.suppressed])
    yield from _told("would be suppressed no more", [_altered(change) for change in found.unsuppressed])


def _told(what: str, entries: Sequence[str]) -> Iterator[str]:
    if entries:
        yield f"{len(entries)} {what}:"
        yield from (safe(f"  {entry}") for entry in entries)


def _spoken(lone: "Lone") -> str:
    page = lone.page
    return f"{_when(page)}  {page.to}  {lone.title} ({page.severity.label}): {page.reason}; otherwise: {lone.instead}"


def _readdressed(pair: "Pair") -> str:
    before, after = (f"{page.to} (team {page.team})" for page in (pair.before, pair.after))
    return f"{_when(pair.before)}  {before} -> {after}  {pair.title}"


def _delayed(pair: "Pair") -> str:
    word = "later" if pair.later > 0 else "sooner"
    return f"{_when(pair.before)}  {pair.before.to}  {pair.title}: {abs(pair.later):.1f} s {word}"


def _altered(change: "Change") -> str:
    number = len(change.delivery_ids)
    deliveries = change.delivery_ids[0] if number == 1 else f"{change.delivery_ids[0]} and {number - 1} more"
    title = change.before.title or change.after.title
    return f"{deliveries}  {title}: {change.before.label} -> {change.after.label} ({change.after.reason})"


def _when(page: "Page") -> str:
    return f"{page.t:>9.1f} s"


def _summed(replay: "Replay") -> str:
    return f"{len(replay.incidents)} incidents, {len(replay.pages)} pages"


def _counts(replay: "Replay") -> dict[str, int]:
    return {
        "incidents": len(replay.incidents),
        "noise": sum(incident.noise for incident in replay.incidents),
        "pages": len(replay.pages),
        "quarantined": len(replay.quarantined),
    }


def _lone(lone: "Lone") -> dict[str, Any]:
    return {"title": lone.title, **_page(lone.page), "otherwise": lone.instead}


def _pair(pair: "Pair") -> dict[str, Any]:
    return {
        "title": pair.title,
        "before": _page(pair.before),
        "after": _page(pair.after),
        "later_seconds": pair.later,
    }


def _page(page: "Page") -> dict[str, Any]:
    return {
        "t": page.t,
        "delivery_ids": list(page.delivery_ids),
        "to": page.to,
        "team": page.team,
        "severity": page.severity.label,
        "purpose": page.purpose,
        "reason": page.reason,
    }


def _change(change: "Change") -> dict[str, Any]:
    return {
        "title": change.before.title or change.after.title,
        "delivery_ids": list(change.delivery_ids),
        "before": {"severity": change.before.label, "reason": change.before.reason},
        "after": {"severity": change.after.label, "reason": change.after.reason},
    }
