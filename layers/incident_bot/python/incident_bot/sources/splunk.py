"""Splunk Enterprise and Cloud: the built-in webhook action of an alert, which is a saved search.

The action has nothing but its URL, so that holds the secret: .../v1/webhooks/splunk?token=<secret>. (An add-on or a
proxy that can send headers may send it as a bearer token instead.) Of the results it sends the first row alone; some of
its fields are ours: `service`, `severity` and `host`, `incident_key` where one search is about several things, and
`incident_status` = resolved, by which another search can end it under the same name. Otherwise an incident ends when
its search has not fired again for `stale_after`, so throttle the alert for less than that.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from incident_bot.authentication import AnyOf, BearerOrBasic, QueryToken
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, plausible, prose, severity, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._fields import labelled

DISPATCHED = re.compile(r"_at_(\d{10})_")  # in the id of a scheduled search: when it was dispatched
FIELDS = 32
RESOLVED = ("resolved", "ok")


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a delivery: its search, and the first row of what it found."""
    app, sid = text(body, "app"), text(body, "sid")
    name = text(body, "search_name")
    if not (name or sid):
        raise Unparseable("search_name is missing, and so is sid", field="search_name")
    row = labelled(**dict(list(mapping(body, "result").items())[:FIELDS]))
    key, at = row.get("incident_key", ""), _dispatched(sid, received_at)
    over = row.get("incident_status", "").lower() in RESOLVED
    alert = Alert(
        source="splunk",
        title=f"{name}: {key}"[:500] if name and key else name or f"Unsaved search in {app or 'Splunk'}",
        status=Status.RESOLVED if over else Status.FIRING,
        identity={"app": app, "search": name or "unsaved", "key": key},
        occurred_at=at,
        started_at=at,
        severity=severity(row.get("severity", "")),
        service=row.get("service", ""),
        resource=row.get("host", ""),
        summary=", ".join(f"{field} = {value}" for field, value in row.items() if not field.startswith("_"))[:500],
        labels={field: value for field, value in row.items() if not field.startswith("_")}
        | labelled(search=name, app=app, owner=prose(body, "owner")),
        links=links({"source": text(body, "results_link")}),
    )
    return Parsed((alert,))


def _dispatched(sid: str, received_at: datetime) -> datetime:
    """When the search began, which its id tells where it was scheduled."""
    found = DISPATCHED.search(sid)
    if found is None:
        return received_at
    return plausible(datetime.fromtimestamp(int(found.group(1)), UTC), "sid", received_at)


_FOUND: Mapping[str, Any] = {
    "sid": "scheduler__admin__search__RMD5c0ffee0123456789_at_1768471200_132",
    "search_name": "Refused payments",
    "app": "search",
    "owner": "ada",
    "results_link": "https://splunk.example.com/app/search/@go?sid=scheduler__admin__search__RMD5c0ffee",
    "result": {
        "service": "checkout",
        "severity": "high",
        "host": "web-3",
        "count": "214",
        "_raw": "402 POST /pay",
        "extra": ["a", "b"],
    },
}

SOURCE = Source(
    name="splunk",
    reference="https://help.splunk.com/splunk-enterprise/alert-and-respond/alerting-manual/10.0/"
    "configure-alert-actions/use-a-webhook-alert-action",
    parse=parse,
    labels=("*",),
    authentication=AnyOf(QueryToken("token"), BearerOrBasic()),
    examples=(
        Example(
            "a scheduled search found something",
            _FOUND,
            (
                {
                    "title": "Refused payments",
                    "status": "firing",
                    "severity": 2,
                    "service": "checkout",
                    "resource": "web-3",
                    "identity": {"app": "search", "search": "Refused payments", "key": ""},
                    "occurred_at": "2026-01-15T10:00:00.000000Z",
                    "summary": "service = checkout, severity = high, host = web-3, count = 214",
                    "labels": {"count": "214", "owner": "ada"},
                },
            ),
        ),
        Example(
            "a search over several things says which, and later that it is over",
            {**_FOUND, "result": {"incident_key": "acquirer-b", "incident_status": "Resolved"}},
            (
                {
                    "title": "Refused payments: acquirer-b",
                    "status": "resolved",
                    "identity": {"app": "search", "search": "Refused payments", "key": "acquirer-b"},
                },
            ),
        ),
        Example(
            "a search that nobody saved, with no row and no link that anybody should follow",
            {
                "sid": "1768471200.77",
                "search_name": None,
                "app": "search",
                "results_link": "file:///etc",
                "result": None,
            },
            (
                {
                    "title": "Unsaved search in search",
                    "severity": None,
                    "occurred_at": "2026-01-15T10:05:00.000000Z",
                    "links": {},
                },
            ),
        ),
    ),
)
