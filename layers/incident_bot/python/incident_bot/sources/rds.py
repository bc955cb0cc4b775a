"""RDS and Aurora: databases that fail, fail over, restart, recover, lose replication or run out of storage.

A database has a series for each of these; the event that says it is over resolves it. What only fails once (a change,
an option, the scaling of storage) has a series of its own by its event and ends by staleness or by a person: the
database runs on. Planned maintenance, backups and what people ask for are no trouble. Event subscriptions tell the
same by SNS.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

INSTANCE, CLUSTER = "RDS DB Instance Event", "RDS DB Cluster Event"
TROUBLED = ["failure", "low storage"]  # the categories that are trouble whatever the event
SERIES = {  # which events begin each, and which end it
    "availability": ("0004 0022 0031 0035 0036", "0006 0087 0088"),  # stopped: somebody wanted the shutdown
    "failover": ("0013 0050 0069 0070 0072 0073", "0015 0049 0051 0065 0071"),
    "recovery": ("0020 0052 0066 0361", "0021 0053 0362"),
    "replication": ("0045 0057 0358", "0046 0357"),
    "low storage": ("0007 0089 0221 0222 0227 0330 0331", "0017 0218 0332"),
    "encryption key": ("0418 0419", "0420"),
}
FAILURES = (  # the rest of the category failure, which an event subscription does not name
    "0058 0079 0080 0081 0165 0188 0195 0202 0223 0224 0254 0278 0279 0280 0281 0282 0283 0284 0285"
    " 0306 0315 0328 0329 0353 0354 0355 0356 0421"
)
TRIED_AGAIN = "0219 0220 0237"  # of that category too, but by their own words nobody has to do anything
KINDS = {"db-instance": "db", "db-cluster": "cluster"}  # how a subscription names what an ARN names


def _named(numbers: str) -> list[str]:
    return [f"RDS-EVENT-{number}" for number in numbers.split()]


EVENTS = {
    name: (about, status)
    for about, (begin, end) in SERIES.items()
    for status, numbers in ((Status.FIRING, begin), (Status.RESOLVED, end))
    for name in _named(numbers)
}

_of_eventbridge = recognises("aws.rds", INSTANCE, CLUSTER)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """An event of an instance or a cluster, or any notification of an event subscription."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return "Event Source" in message and "Event ID" in message
    return _of_eventbridge(envelope)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the database; none for what is neither trouble nor its end."""
    message = mapping(body, "Message")
    if message and text(message, "Event Source") not in KINDS:
        return Parsed((), notes=("neither about an instance nor about a cluster",))
    event = _subscribed(body, message, received_at) if message else opened(body, received_at)
    name = text(event.detail, "EventID", required=True, path="detail.")
    categories = event.detail.get("EventCategories")
    about, status = EVENTS.get(name, ("", Status.FIRING))
    troubled = [c for c in TROUBLED if isinstance(categories, list) and c in categories]
    if name in _named(TRIED_AGAIN) or not (about or troubled or name in _named(FAILURES)):
        return Parsed((), notes=(f"neither trouble nor its end: {shown(name)}",))
    return Parsed((_alert(event, name, about, status, received_at),))


def _subscribed(envelope: Mapping[str, Any], message: Mapping[str, Any], received_at: datetime) -> Event:
    """A notification as EventBridge would have told it: its time is UTC without saying so, its id ends a link."""
    at = moment(
        {"Event Time": text(message, "Event Time", required=True).replace(" ", "T") + "Z"}, "Event Time", received_at
    )
    _, partition, _, region, account, *_ = [*text(envelope, "TopicArn", required=True).split(":", 5), *[""] * 5]
    kind, identifier = KINDS[text(message, "Event Source")], text(message, "Source ID", required=True)
    arn = text(message, "Source ARN") or f"arn:{partition}:rds:{region}:{account}:{kind}:{identifier}"
    _, _, _, region, account, *_ = [*arn.split(":", 5), *[""] * 5]
    detail = {
        "EventID": text(message, "Event ID", required=True).rpartition("#")[2].strip(),
        "Message": message.get("Event Message"),
        "SourceArn": arn,
    }
    return Event(account, region, at or received_at, "", (arn,), detail)


def _alert(event: Event, name: str, about: str, status: Status, received_at: datetime) -> Alert:
    arn = text(event.detail, "SourceArn", path="detail.") or event.resource
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds":
        raise Unparseable(f"detail.SourceArn is no ARN of a database: {shown(arn)!r}", field="detail.SourceArn")
    kind, database = parts[5], parts[6]
    at = moment(event.detail, "Date", received_at) or event.at
    page = f"rds/home?region={event.region}#database:id={quote(database, safe='')}"
    return Alert(
        source="rds",
        title=f"RDS {database}: {about or f'failure ({name})'}",
        status=status,
        identity={**event.place, "kind": kind, "database": database, "about": about or name},
        occurred_at=at,
        started_at=at,
        severity=None if about else Severity.SEV3,
        service=database,
        resource=arn,
        summary=prose(event.detail, "Message"),
        labels=labelled(kind=kind, database=database, about=about or "failure", event=name, **event.place),
        links=console_links(
            event.partition, event.region, f"{page};is-cluster={'true' if kind == 'cluster' else 'false'}"
        ),
    )


_ARN = "arn:aws:rds:eu-central-1:111122223333:db:orders"
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "kind": "db", "database": "orders"}


def _event(number: int, category: str, message: str, at: str = "2026-01-15T10:00:02.125Z") -> Mapping[str, Any]:
    detail = {
        "EventCategories": [category],
        "SourceType": "DB_INSTANCE",
        "SourceArn": _ARN,
        "Date": at,
        "Message": message,
        "SourceIdentifier": "orders",
        "EventID": f"RDS-EVENT-{number:04}",
    }
    return sent("aws.rds", INSTANCE, detail, _ARN)


def _notification(**changes: Any) -> Mapping[str, Any]:
    message = {
        "Event Source": "db-instance",
        "Event Time": "2026-01-15 10:00:02.125",
        "Identifier Link": "https://console.aws.amazon.com/rds/home?region=eu-central-1#dbinstance:id=orders",
        "Source ID": "orders",
        "Source ARN": _ARN,
        "Event ID": "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html#RDS-EVENT-0013",
        "Event Message": "Multi-AZ instance failover started.",
        **changes,
    }
    return {
        "Type": "Notification",
        "MessageId": "3e4f1c52-0f53-5f0d-a0a8-4b6f7c7a9d01",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "Message": {name: value for name, value in message.items() if value is not None},
    }


SOURCE = Source(
    name="rds",
    reference="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html",
    parse=parse,
    labels=("kind", "database", "about", "event", "account", "region"),
    recognise=recognise,
    event_patterns=(
        {
            "source": ["aws.rds"],
            "detail-type": [INSTANCE, CLUSTER],
            "detail": {"EventCategories": TROUBLED, "EventID": [{"anything-but": _named(TRIED_AGAIN)}]},
        },
        {
            "source": ["aws.rds"],
            "detail-type": [INSTANCE, CLUSTER],
            "detail": {"EventCategories": [{"anything-but": TROUBLED}], "EventID": list(EVENTS)},
        },
    ),
    examples=(
        Example(
            "a failover started",
            _event(13, "failover", "Multi-AZ instance failover started."),
            (
                {
                    "title": "RDS orders: failover",
                    "status": "firing",
                    "severity": None,
                    "identity": {**_IDENTITY, "about": "failover"},
                    "resource": _ARN,
                    "occurred_at": "2026-01-15T10:00:02.125000Z",
                    "summary": "Multi-AZ instance failover started.",
                },
            ),
        ),
        Example(
            "the same by an event subscription",
            _notification(),
            (
                {
                    "title": "RDS orders: failover",
                    "status": "firing",
                    "identity": {**_IDENTITY, "about": "failover"},
                    "resource": _ARN,
                    "occurred_at": "2026-01-15T10:00:02.125000Z",
                },
            ),
        ),
        Example(
            "it completed",
            _event(49, "failover", "Multi-AZ instance failover completed.", at="2026-01-15T10:01:30.000Z"),
            ({"status": "resolved", "identity": {**_IDENTITY, "about": "failover"}},),
        ),
        Example(
            "the storage is full",
            _event(7, "low storage", "Allocated storage has been exhausted. Allocate additional storage to resolve."),
            ({"title": "RDS orders: low storage", "status": "firing", "labels": {"event": "RDS-EVENT-0007"}},),
        ),
        Example(
            "more was allocated, told by an older subscription without an ARN",
            _notification(
                **{
                    "Source ARN": None,
                    "Event ID": "http://docs.amazonwebservices.com/USER_Events.html#RDS-EVENT-0017",
                    "Event Message": "Finished applying modification to allocated storage.",
                }
            ),
            ({"status": "resolved", "identity": {**_IDENTITY, "about": "low storage"}, "resource": _ARN},),
        ),
        Example(
            "a failure that nothing resolves",
            _event(223, "failure", "Storage autoscaling is unable to scale the storage for the reason: quota."),
            (
                {
                    "title": "RDS orders: failure (RDS-EVENT-0223)",
                    "status": "firing",
                    "severity": 3,
                    "identity": {**_IDENTITY, "about": "RDS-EVENT-0223"},
                },
            ),
        ),
        Example("a backup began", _event(1, "backup", "Backing up DB instance."), ()),
        Example("a snapshot was made", _notification(**{"Event Source": "db-snapshot"}), ()),
    ),
)
