"""Alert sources: one file is one source and declares everything about it in one `Source` named SOURCE.

A source's parser is pure. It never raises anything but `Unparseable`; unknown extra fields and missing optional ones
never break it. What it cannot read in one alert of a delivery is a rejection of that alert alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from incident_bot.authentication import Authentication
from incident_bot.domain.alert import Alert
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import decode, kind
from incident_bot.permission import Permission
from incident_bot.world import Clients

ONLY_CHANGES_SECONDS = 24 * 3600  # `repeats_within_seconds` of who never repeats: silence means nothing for a day


@dataclass(frozen=True, slots=True)
class Rejection:
    """One alert of a delivery that could not be read: its index, the field's path inside the alert, and why."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a delivery says: its alerts in order, what had to be rejected, and what else its sender must hear.

    A note alone says that the delivery is understood and holds no alert on purpose. `acknowledged` are alerts (of
    status unknown) that somebody took on elsewhere, `changes` are deployments that began or ended.
    """

    alerts: tuple[Alert, ...]
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()
    acknowledged: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A payload that follows the format, made by us, and what it must parse to: some fields of each alert, in order.

    An expected mapping (such as `labels`) names some of its entries. `received_at` is when it is taken to arrive.
    """

    name: str
    body: Mapping[str, Any]
    expect: tuple[Mapping[str, Any], ...]
    rejects: tuple[str, ...] = ()  # the fields of the alerts that must be rejected, in order
    received_at: str = "2026-01-15T10:05:00Z"


@dataclass(frozen=True, slots=True)
class Source:
    """One alert source.

    `recognise` says whether a queue envelope (SNS notification already opened, or an EventBridge event) is this
    source's; webhooks are named by their path instead. `parse(body, received_at)` takes the decoded JSON.
    `ask(alert_ask, clients)` returns the source's present opinion of one series, or None when it cannot be asked (then
    a resolve is believed).
    `repeats_within_seconds` is how seldom it may say again that something still fires: silence up to then (or for the
    team's `stale_after`, where that is longer) means nothing.
    `resolves` is whether it ever says that a series is over; of one that does not, silence or a person says it.
    `slow_seconds` is how late it may tell what others tell at once, as it looks only once a period.
    `labels` are patterns with `*`; rules may match only labels that one of them covers.
    `shares` names another source whose senders send this too, with the same secret and as fast together.
    """

    name: str
    reference: str  # the public document that defines the format
    parse: Callable[[Mapping[str, Any], datetime], Parsed]
    examples: tuple[Example, ...]
    labels: tuple[str, ...] = ()  # labels that rules may match; ("*",) when the sender chooses them
    recognise: Callable[[Mapping[str, Any]], bool] | None = None
    authentication: Authentication | None = None  # None: not a webhook
    media_types: tuple[str, ...] = ("application/json", "*+json")  # of its webhook: patterns with `*`
    decode: Callable[[bytes | str], Any] = decode  # what its webhook's body says; Unparseable
    event_patterns: tuple[Mapping[str, Any], ...] = ()
    ask: Callable[[str, Clients], "bool | None"] | None = None  # True: still firing
    permissions: tuple[Permission, ...] = field(default=())  # what `ask` needs
    resolves: bool = True
    repeats_within_seconds: int = 0
    slow_seconds: int = 0
    shares: str = ""

    @property
    def sender(self) -> str:
        """The source whose secret and agreed rate it is sent with."""
        return self.shares or self.name


def read_each(items: Sequence[Any], read: Callable[[Mapping[str, Any]], Alert]) -> Parsed:
    """Every alert of a delivery by itself, so that a bad one costs its neighbours nothing."""
    alerts: list[Alert] = []
    rejected: list[Rejection] = []
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            rejected.append(Rejection(index, "", f"the alert is {kind(item)}, expected an object"))
            continue
        try:
            alerts.append(read(item))
        except Unparseable as problem:
            rejected.append(Rejection(index, problem.field, problem.reason))
    return Parsed(tuple(alerts), tuple(rejected))


def assigned(parsed: Parsed, service: str) -> Parsed:
    """The same of a sender whose secret is for one service: its alerts are that service's, and its keys its own."""
    if not service:
        return parsed

    def of_it(alert: Alert) -> Alert:
        return replace(alert, service=service, identity={**alert.identity, "service": service})

    mine, taken_on = (tuple(map(of_it, alerts)) for alerts in (parsed.alerts, parsed.acknowledged))
    changes = tuple(replace(change, service=service) for change in parsed.changes)
    return replace(parsed, alerts=mine, acknowledged=taken_on, changes=changes)


def read(source: Source, document: Any, received_at: datetime) -> Parsed:
    """What the source's parser makes of decoded JSON; whatever goes wrong is Unparseable."""
    if not isinstance(document, Mapping):
        raise Unparseable(f"the body is {kind(document)}, expected an object")
    try:
        return source.parse(document, received_at)
    except Unparseable:
        raise
    except Exception as bug:  # a bug in one parser may cost one delivery, which is kept aside, and not its neighbours
        raise Unparseable(f"the parser of {source.name} failed: {type(bug).__name__}") from bug
