"""Publish: turn the tables' streams into domain events on the bus, the archive of the timeline, and metrics."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from incident_bot.aws.streams import Change, changes
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import IncidentBotError
from incident_bot.stage import logger, stage
from incident_bot.world import World

BY_STATE = {"triaged": "Incident Triaged", "mitigated": "Incident Mitigated", "resolved": "Incident Resolved"}
BY_ACTION = {
    "proposed": "Action Proposed",
    "approved": "Action Approved",
    "rejected": "Action Rejected",
    "applied": "Action Applied",
    "undone": "Action Undone",
    "lifted": "Action Undone",
    "failed": "Action Failed",
    "partial": "Action Failed",
    "suspended": "Action Failed",
}


def publish(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a batch of stream records; returns the partial batch response, cut at the first record that failed."""
    batch = list(changes(event))  # of one table's stream
    works = [(change, partial(_publish, world, change)) for change in batch if not _logged(change)]
    works += [(log[0], partial(_archive, world, log)) for log in _by_timeline(batch)]
    for change, work in works:
        try:
            work()
        except IncidentBotError as error:
            logger.exception("a change could not be published and comes again", reason=error.reason)
            return {"batchItemFailures": [{"itemIdentifier": change.sequence}]}
    return {"batchItemFailures": []}


def _logged(change: Change) -> bool:
    return change.key[0].startswith("LOG#")


def _by_timeline(batch: Sequence[Change]) -> Iterator[list[Change]]:
    """The timeline entries of each incident; what was written at once comes in one batch."""
    logs: dict[str, list[Change]] = {}
    for change in filter(_logged, batch):
        logs.setdefault(change.key[0], []).append(change)
    yield from logs.values()


def _publish(world: World, change: Change) -> None:
    kind = change.key[1].split("#")[0]
    if kind == "META" and change.after:
        for detail_type in _incident_events(change.before, change.after):
            world.bus.publish(detail_type, _incident(change.after))
        _measure(world, change.before, change.after)
    elif kind == "INTENT" and _turned(change, "sent") and (change.after or {}).get("kind") == "trigger":
        world.bus.publish("Incident Paged", _page(change.after or {}))
    elif kind == "ACTION" and change.after:
        state = change.after.get("state", "")
        if state in BY_ACTION and _turned(change, state):
            world.bus.publish(BY_ACTION[state], _action(change.after))


def _archive(world: World, log: Sequence[Change]) -> None:
    """Every timeline entry goes to the archive, those of one batch as lines of one object; one that was overwritten or
    removed is an alarm of its own."""
    for change in log:
        if change.before is not None:
            pk, sk = change.key
            logger.error("a timeline entry was changed", entry=f"{pk}|{sk}")
            world.metrics.count("TimelineTampered")
            world.notices.publish("A timeline entry was changed", f"{pk} {sk}: run `incidentbot audit verify`.")
    entries = [(change.key, change.after) for change in log if change.after is not None]
    if entries:
        (pk, first), (_, last) = entries[0][0], entries[-1][0]
        name = first if first == last else f"{first}-{last}"
        body = "\n".join(json.dumps(after, sort_keys=True) for _, after in entries)
        world.archive.put(f"timeline/{pk.removeprefix('LOG#')}/{name}.json", body.encode())


def _incident_events(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[str]:
    if before is None:
        yield "Incident Opened"
        if after.get("reopens"):
            yield "Incident Reopened"
    was = (before or {}).get("state")
    if after["state"] != was and after["state"] in BY_STATE:
        yield BY_STATE[after["state"]]
    if after.get("acknowledged_at") and after["acknowledged_at"] != (before or {}).get("acknowledged_at"):
        yield "Incident Acknowledged"


def _measure(world: World, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    severity = f"sev{after['severity']}"
    if before is None and not after.get("noise"):
        world.metrics.count("IncidentsOpened", severity=severity)
        world.metrics.count("IncidentsReopened", 1 if after.get("reopens") else 0)
    if before is not None and after["state"] == "resolved" != before["state"] and not after.get("noise"):
        seconds = (instant(after["resolved_at"]) - instant(after["opened_at"])).total_seconds()
        world.metrics.count("SecondsToResolve", seconds, severity=severity)
        world.metrics.count("PagesPerIncident", float(after.get("pages", 0)))


def _turned(change: Change, state: str) -> bool:
    return (change.after or {}).get("state") == state != (change.before or {}).get("state")


def _incident(item: Mapping[str, Any]) -> dict[str, Any]:
    named = ("id", "state", "severity", "service", "title", "opened_at", "resolved_at", "owner", "reopens", "noise")
    return {name: item.get(name) for name in named} | {"severity": f"sev{item['severity']}"}


def _page(item: Mapping[str, Any]) -> dict[str, Any]:
    sent = [{"to": s["to"], "channel": s["channel"], "at": s["at"]} for s in item.get("sent", ())]
    return {
        "incident": item["incident"],
        "purpose": item["purpose"],
        "severity": f"sev{item['severity']}",
        "sent": sent,
    }


def _action(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.get(name) for name in ("id", "incident", "action", "state", "digest", "playbook", "approvers")}


handler = stage(publish)
