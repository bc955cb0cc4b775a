"""Replay: recorded deliveries go through the product's own handlers and machines on a virtual clock, without AWS.

Nobody acknowledges anything, no source can be asked, every provider takes every message.
"""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incident_bot import plugins
from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.classify import classify
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Invalid, NotFound, Unparseable
from incident_bot.domain.incident import Incident
from incident_bot.domain.intent import Intent
from incident_bot.domain.opening import FIRST_PAGE, scope_of
from incident_bot.domain.shape import load
from incident_bot.domain.team import Team
from incident_bot.ingest import signals
from incident_bot.ingest.recording import QUEUE, Recorded, text_of
from incident_bot.sources import Source
from incident_bot.stage import logger
from incident_bot.state import heads, series
from incident_bot.virtual import checkout
from incident_bot.virtual.clock import T0, VirtualClock
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.moves import Moves
from incident_bot.virtual.world import virtual_world
from incident_bot.world import Item

SECRET = "whsec_cmVwbGF5IHJlcGxheSByZXBsYXk="  # noqa: S105 - of the replay's own sender and receiver
AFTERWARDS = timedelta(minutes=15)  # a page can be held for three minutes, a failed step repeated for a few more


@dataclass(frozen=True, slots=True)
class Page:
    """One page: when, in seconds from the origin, to whom, in whose team, and about which deliveries so far."""

    t: float
    delivery_ids: tuple[str, ...]
    to: str
    incident: str
    team: str
    severity: Severity
    purpose: str
    reason: str

    @property
    def line(self) -> dict[str, Any]:
        """As `incidentbot replay` writes it."""
        return {"t": self.t, "delivery_ids": list(self.delivery_ids), "to": self.to, "incident": self.incident}


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it: where each delivery belongs at the end, the pages in order of time, and the incidents.

    `reasons` says of each incident why it was never paged, or else what opened it.
    """

    assign: tuple[Mapping[str, Any], ...]  # {"delivery_id", "incident"} or {"delivery_id", "incident": None, "reason"}
    paged: tuple[Page, ...]
    incidents: tuple[Incident, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> tuple[Mapping[str, Any], ...]:
        """{"t", "delivery_ids", "to", "incident"} of each page."""
        return tuple(page.line for page in self.paged)

    @property
    def quarantined(self) -> tuple[Mapping[str, Any], ...]:
        """The lines of `assign` that name no incident."""
        return tuple(line for line in self.assign if line["incident"] is None)


def recorded(line: str, number: int, t0: datetime) -> Recorded:
    """The delivery of one line of a recording; a number is seconds after `t0`. Invalid says what is wrong with it."""
    try:
        entry = json.loads(line)
        at = entry["at"]
        moment = t0 + timedelta(seconds=at) if isinstance(at, (int, float)) else instant(at)
        body = text_of(b64decode(entry["base64"], validate=True)) if "base64" in entry else str(entry["body"])
        named = str(entry["delivery_id"]), str(entry["source"]), body
        return Recorded(moment, *named, service=str(entry.get("service", "")))
    except KeyError as missing:
        raise Invalid(f"has no {missing}", where=f"line {number}") from missing
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Invalid(str(error), where=f"line {number}") from error


def replay(deliveries: Iterable[Recorded], team: Team, t0: datetime = T0) -> Replay:
    """Replay deliveries in order of their arrival; the times of pages count from `t0`."""
    ordered = sorted(deliveries, key=lambda delivery: delivery.at)
    if not ordered:
        return Replay((), (), (), {})
    with _silence():
        sitting = _Sitting(team, ordered[0].at)
        for delivery in ordered:
            sitting.take(delivery)
        sitting.deployment.run_for(AFTERWARDS.total_seconds())
        return sitting.outcome(t0)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a delivery went when it was taken: an incident, or nowhere for a reason."""

    at: datetime
    incident: str | None
    reason: str = ""
    group: str = ""


@dataclass(slots=True)
class _Sitting:
    """A replay under way."""

    team: Team
    starts: datetime
    deployment: Deployment = field(init=False)
    places: dict[str, tuple[_Place, ...]] = field(default_factory=dict)  # of each alert of a delivery, in their order
    moves: Moves = field(default_factory=Moves)

    def __post_init__(self) -> None:
        world = virtual_world(
            replace(self.team, recording=False), clock=VirtualClock(self.starts), secrets=_secrets(self.team)
        )
        world.http.answer("", 202, {"status": "success", "message": "Event processed", "dedup_key": "replay"})
        self.deployment = Deployment(world, checkout.handlers(), checkout.definitions())

    def take(self, delivery: Recorded) -> None:
        """Let the delivery arrive, everything happen that follows at once, and note where it went."""
        self.deployment.run_until(delivery.at)
        alerts, reason = self._arrive(delivery)
        while self.deployment.step():
            pass
        places = tuple(self._place_of(alert, delivery.at) for alert in alerts)
        if delivery.delivery_id not in self.places or not self.places[delivery.delivery_id][0].incident:
            self.places[delivery.delivery_id] = places or (_Place(delivery.at, None, reason),)

    def _arrive(self, delivery: Recorded) -> tuple[Sequence[Alert], str]:
        """Hand the delivery in by the door its source uses; its alerts, or why it has none."""
        if delivery.source == QUEUE:
            return self._raw(delivery)
        try:
            source = plugins.source(delivery.source, self.team.custom)
        except NotFound as unknown:
            return (), unknown.reason
        if source.authentication is None:
            return self._raw(delivery)
        key = f"{delivery.service}:{SECRET}" if delivery.service else SECRET  # as PagerDuty's routing keys are kept
        self.deployment.world.secrets.known[f"webhooks/{source.sender}"] = (key,)
        answer = self.deployment.invoke("receive", _request(delivery, source, self.deployment.world.now()))
        enqueued = self.deployment.world.queue.visible()
        if not enqueued:
            said = json.loads(answer["body"])
            return (), said.get("detail") or "; ".join(said["notes"])
        alerts = [alert for message in enqueued for alert in signals.unpacked(signals.opened(message.body))[2]]
        return alerts, "" if alerts else "it tells of a change, and holds no alert"

    def _raw(self, delivery: Recorded) -> tuple[Sequence[Alert], str]:
        """What comes by SNS or EventBridge goes into the queue as it is."""
        self.deployment.world.queue.send([delivery.body])
        try:
            parsed = signals.read_raw(delivery.body, self.deployment.world.now()).parsed
        except Unparseable as problem:
            return (), problem.reason
        if parsed.alerts:
            return parsed.alerts, ""
        return (), parsed.rejected[0].reason if parsed.rejected else "the delivery holds no alert"

    def _place_of(self, alert: Alert, at: datetime) -> _Place:
        """Where the alert's series is by now; what moved on its account is noted."""
        scope, store = scope_of(classify(alert, self.team)), self.deployment.world.store
        head = heads.read(store, scope)
        self.moves.note(head, self.deployment.world.now())
        found = series.read(store, scope, [alert.fingerprint]).get(alert.fingerprint)
        if found is None:
            return _Place(at, None, "a synthetic alert, counted only, or an acknowledgement of what nobody knows")
        return _Place(at, self.moves.present(head, found.group, found.incident), group=found.group)

    def outcome(self, t0: datetime) -> Replay:
        """Follow what was merged meanwhile, and list the pages."""
        items = list(self.deployment.world.store)
        incidents = {item["id"]: load(Incident, item) for item in items if item["SK"] == "META"}
        intents = [load(Intent, item) for item in items if item["SK"].startswith("INTENT#")]
        assign = []
        for delivery, (place, *_) in self.places.items():
            if place.incident is None:
                assign.append({"delivery_id": delivery, "incident": None, "reason": place.reason})
            else:
                ends = self.moves.followed(incidents, place.group, place.incident, place.at)
                assign.append({"delivery_id": delivery, "incident": ends})
        pages = [page for intent in intents for page in self._pages(intent, incidents, t0)]
        reasons = _decided(items) | {intent.incident: intent.outcome for intent in intents if _called_off(intent)}
        return Replay(tuple(assign), tuple(sorted(pages, key=lambda p: p.t)), tuple(incidents.values()), reasons)

    def _pages(self, intent: Intent, incidents: Mapping[str, Incident], t0: datetime) -> Iterator[Page]:
        if not intent.pages or intent.purpose == "escalation" or not intent.sent:
            return
        at = intent.sent[0].at
        yield Page(
            t=round((at - t0).total_seconds(), 6),
            delivery_ids=tuple(
                delivery
                for delivery, places in self.places.items()
                if any(self._in(intent.incident, place, incidents, at) for place in places)
            ),
            to=", ".join(sent.to for sent in intent.sent),
            incident=intent.incident,
            team=intent.group,
            severity=intent.severity,
            purpose=intent.purpose,
            reason=intent.reason,
        )

    def _in(self, incident: str, place: _Place, incidents: Mapping[str, Incident], at: datetime) -> bool:
        """Whether what went there belongs to that incident at that time."""
        if not place.incident or place.at > at:
            return False
        return self.moves.followed(incidents, place.group, place.incident, place.at, at) == incident


def _called_off(intent: Intent) -> bool:
    return intent.name == FIRST_PAGE and not intent.sent and bool(intent.outcome)


def _decided(items: Iterable[Item]) -> dict[str, str]:
    """The reason of the first decision on each incident's timeline."""
    found: dict[str, str] = {}
    for item in items:
        if item["PK"].startswith("LOG#") and item["kind"] == "decision":
            found.setdefault(item["incident"], item["reason"])
    return found


def _request(delivery: Recorded, source: Source, now: datetime) -> dict[str, Any]:
    """The delivery as the HTTP API would hand it over, signed as its vendor does."""
    body = delivery.body.encode(errors="surrogatepass")
    sign = source.authentication.sign if source.authentication else None
    return {
        "rawPath": f"/v1/webhooks/{source.name}",
        "requestContext": {"requestId": delivery.delivery_id, "http": {"method": "POST"}},
        "headers": sign(body, SECRET, now, delivery.delivery_id) if sign else {},
        "body": delivery.body,
        "isBase64Encoded": False,
    }


def _secrets(team: Team) -> dict[str, tuple[str, ...]]:
    names = {f"webhooks/{name}" for name in plugins.sources(team.custom)}
    names |= {name for group in team.groups.values() for name in group.pager.values()}
    names |= {channel.secret for channel in team.channels.values() if channel.secret}
    return dict.fromkeys(names, (SECRET,))


@contextmanager
def _silence() -> Iterator[None]:
    """What the handlers log is of no use in a replay, and stdout belongs to the command."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        logger.setLevel(level)
