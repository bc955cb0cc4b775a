"""What Alertmanager and what grew out of it (Grafana) have in common: a group of alerts, each with labels and times."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from incident_bot.domain.alert import Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import bounded, kind, moment, shown
from incident_bot.sources import Parsed

NOT_ENDED = "0001-01-01T00:00:00Z"  # Go's zero time: how it says that an alert has not ended
CHANGES_WITH_THE_WEATHER = frozenset({"severity", "priority"})  # raising them must not make another series of it
SERVICE_LABELS = ("service", "app", "job")
RESOURCE_LABELS = ("arn", "resource", "instance", "pod")
SUMMARIES = ("summary", "description", "message")
REPEATED_WITHIN_SECONDS = 5 * 3600  # the repeat interval is four hours by default, and a group may wait for its turn


def alerts_of(body: Mapping[str, Any], version: str) -> list[Any]:
    """The alerts of a notification; Unparseable where it is not of that version or has no list of them."""
    if body.get("version") != version:
        raise Unparseable(f'version is not "{version}", the only one of this webhook', field="version")
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise Unparseable(f"alerts is {kind(alerts)}, expected an array", field="alerts")
    return alerts


def status_of(word: str) -> Status:
    """Firing or resolved."""
    if word == "firing":
        return Status.FIRING
    if word == "resolved":
        return Status.RESOLVED
    raise Unparseable(f"status is neither firing nor resolved: {shown(word)!r}", field="status")


def started_at(raw: Mapping[str, Any], received_at: datetime) -> datetime:
    """When it began to fire."""
    started = moment(raw, "startsAt", received_at)
    if started is None:
        raise Unparseable("startsAt is missing", field="startsAt")
    return started


def ended_at(raw: Mapping[str, Any], started: datetime, received_at: datetime) -> datetime:
    """When it resolved: never before it fired, or the resolve would be taken for an older message than the firing."""
    ended = None if raw.get("endsAt") == NOT_ENDED else moment(raw, "endsAt", received_at)
    return max(ended or received_at, started)


def named_by(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that name the series; Unparseable where there are none."""
    if not labels:
        raise Unparseable("labels is empty, and they alone name the series", field="labels")
    return {name: value for name, value in labels.items() if name not in CHANGES_WITH_THE_WEATHER}


def with_what_was_left_out(parsed: Parsed, truncated: object, sender: str) -> Parsed:
    """Large groups are cut by the sender's limit; whoever reads the alerts must know that there were more."""
    if not isinstance(truncated, int) or isinstance(truncated, bool) or truncated <= 0:
        return parsed
    note = f"{sender} left out {truncated} more alerts of this group (truncatedAlerts)"
    told = tuple(replace(a, summary=bounded(f"{a.summary[:500]} [{note}]".lstrip(), "summary")) for a in parsed.alerts)
    return replace(parsed, alerts=told, notes=(*parsed.notes, note))


def first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of those that says anything."""
    for name in names:
        if found := values.get(name):
            return found
    return ""
