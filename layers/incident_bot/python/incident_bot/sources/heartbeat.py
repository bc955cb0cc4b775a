"""Heartbeats: a job or a monitor says that it lives, or that it failed; silence becomes an alert (dead-man's switch).

`POST /v1/heartbeats/NAME` after each good run, `POST /v1/heartbeats/NAME?status=failed` after a bad one; NAME is one of
`heartbeats:` in `sources.yaml`. It needs no body. Pings of what is well go no further than the table.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.domain.heartbeat import title
from incident_bot.payload import prose, shown, text
from incident_bot.sources import Example, Parsed, Source

SAYS = {"ok": Status.RESOLVED, "failed": Status.FIRING}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one word of a heartbeat, said when it arrives."""
    name, status = text(body, "heartbeat", required=True), text(body, "status") or "ok"
    if status not in SAYS:
        raise Unparseable(f"status is neither ok nor failed: {shown(status)!r}", field="status")
    alert = Alert(
        source="heartbeat",
        title=title(name),
        status=SAYS[status],
        identity={"heartbeat": name},
        occurred_at=received_at,
        started_at=received_at,
        summary=prose(body, "message") or ("it says itself that it failed" if status == "failed" else ""),
        labels={"heartbeat": name},
    )
    return Parsed((alert,))


SOURCE = Source(
    name="heartbeat",
    reference="https://prometheus.io/docs/practices/alerting/#metamonitoring",  # the idea; the words are ours,
    parse=parse,
    labels=("heartbeat", "reason"),
    authentication=BearerOrBasic(),
    media_types=("*",),
    repeats_within_seconds=15 * 60,  # what is missing is told again so often
    examples=(
        Example(
            "all is well",
            {"heartbeat": "nightly-export", "status": "ok"},
            ({"title": "Heartbeat nightly-export", "status": "resolved", "identity": {"heartbeat": "nightly-export"}},),
        ),
        Example(
            "it failed, and says why",
            {"heartbeat": "nightly-export", "status": "failed", "message": "exit status 3"},
            ({"status": "firing", "occurred_at": "2026-01-15T10:05:00.000000Z", "summary": "exit status 3"},),
        ),
        Example("it says nothing but its name", {"heartbeat": "nightly-export"}, ({"status": "resolved"},)),
    ),
)
