"""What simpler correlation makes of the same deliveries: one incident for each service, or a join over one hop.

Both keep an incident open until it was not heard of for five minutes, and page once, for its first critical alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.ingest.recording import Recorded
from incident_bot.payload import decode
from incident_bot.sources.alertmanager import SOURCE
from incident_bot.virtual.clock import T0
from incident_bot.virtual.replay import Page, Replay

OPEN_FOR = timedelta(minutes=5)
PAGES_FROM = Severity.SEV2
Calls = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class _Open:
    """An incident as it grows."""

    name: str
    services: set[str]
    heard: datetime
    deliveries: list[str] = field(default_factory=list)
    paged: bool = False


def one_hop(deliveries: Sequence[Recorded], calls: Calls) -> Replay:
    """An alert joins the open incident of its service, or else the last one of a service that it calls or that calls
    it; without calls: one incident for each service."""
    incidents: list[_Open] = []
    pages: list[Page] = []
    for delivery in sorted(deliveries, key=lambda one: one.at):
        alert, *_ = SOURCE.parse(decode(delivery.body), delivery.at).alerts
        home = _home(incidents, alert, delivery.at, calls)
        home.services.add(alert.service)
        home.deliveries.append(delivery.delivery_id)
        home.heard = delivery.at
        if not home.paged and _wakes(alert):
            home.paged = True
            pages.append(_page(home, delivery.at))
    assign = {name: incident.name for incident in incidents for name in incident.deliveries}
    return Replay(tuple({"delivery_id": d, "incident": i} for d, i in assign.items()), tuple(pages), ())


def _home(incidents: list[_Open], alert: Alert, at: datetime, calls: Calls) -> _Open:
    still = [incident for incident in incidents if at - incident.heard <= OPEN_FOR]
    own = [incident for incident in still if alert.service in incident.services]
    near = [i for i in still if any(_calls(calls, alert.service, other) for other in i.services)]
    found = max(own or near, key=lambda incident: incident.heard, default=None)
    if found is None:
        found = _Open(f"incident-{len(incidents)}", set(), at)
        incidents.append(found)
    return found


def _calls(calls: Calls, one: str, other: str) -> bool:
    return other in calls.get(one, ()) or one in calls.get(other, ())


def _wakes(alert: Alert) -> bool:
    return alert.status is Status.FIRING and (alert.severity or Severity.SEV3) <= PAGES_FROM


def _page(incident: _Open, at: datetime) -> Page:
    seconds = (at - T0).total_seconds()
    about = tuple(incident.deliveries)
    return Page(seconds, about, "whoever is on call", incident.name, "", PAGES_FROM, "first", "a critical alert")
