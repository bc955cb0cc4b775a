"""Amazon DevOps Guru insights: anomalies that belong together, which fire until DevOps Guru closes the insight.

An upgraded severity is the same series, worse. A proactive insight tells of what may happen, and so is at most Sev3.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.payload import EARLIEST, links, mapping, prose, severity, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import first, labelled

OPENED = "DevOps Guru New Insight Open"
WORSE = "DevOps Guru Insight Severity Upgraded"
CLOSED = "DevOps Guru Insight Closed"


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one insight of the event."""
    return Parsed((_alert(opened(body, received_at)),))


def _alert(event: Event) -> Alert:
    insight = event.detail
    place = {"account": text(insight, "accountId") or event.account, "region": text(insight, "region") or event.region}
    identifier = text(insight, "insightId", required=True, path="detail.")
    kind = text(insight, "insightType").upper()
    metric = mapping(first(first(insight, "anomalies"), "sourceDetails"), "dataIdentifiers")
    return Alert(
        source="devops_guru",
        title=prose(insight, "insightDescription") or f"Insight {identifier}",
        status=Status.RESOLVED if event.kind == CLOSED else Status.FIRING,
        identity={**place, "insight": identifier},
        occurred_at=event.at,
        started_at=_started_at(insight, event.at),
        severity=_severity(text(insight, "insightSeverity"), kind),
        summary=f"{prose(metric, 'namespace')} {prose(metric, 'name')} is unusual" if metric else "",
        labels=place | labelled(type=kind, namespace=metric.get("namespace"), metric=metric.get("name")),
        links=links({"source": prose(insight, "insightUrl")}),
    )


def _severity(word: str, kind: str) -> Severity | None:
    found = severity(word)
    return max(found, Severity.SEV3) if found and kind == "PROACTIVE" else found


def _started_at(insight: Mapping[str, Any], told_at: datetime) -> datetime:
    """Milliseconds since 1970, which DevOps Guru writes as a string; the event's own time where they make no sense."""
    try:
        at = datetime.fromtimestamp(int(insight["startTime"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return told_at
    return at if EARLIEST <= at <= told_at else told_at


_INSIGHT: Mapping[str, Any] = {
    "insightSeverity": "medium",
    "insightDescription": "Lambda Duration Anomalous In Stack checkout",
    "insightType": "REACTIVE",
    "anomalies": [
        {
            "id": "AL41JDFF",
            "startTime": "1768470900000",
            "sourceDetails": [
                {
                    "dataSource": "CW_METRICS",
                    "dataIdentifiers": {
                        "name": "Duration",
                        "namespace": "AWS/Lambda",
                        "period": "60",
                        "stat": "p90",
                        "dimensions": [{"name": "FunctionName", "value": "checkout"}],
                    },
                }
            ],
        }
    ],
    "accountId": "111122223333",
    "messageType": "NEW_INSIGHT",
    "insightUrl": "https://eu-central-1.console.aws.amazon.com/devops-guru/#/insight/reactive/AIYH6Jxd",
    "startTime": "1768471080000",
    "insightId": "AIYH6Jxd",
    "region": "eu-central-1",
}
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "insight": "AIYH6Jxd"}


def _event(kind: str, **changes: Any) -> Mapping[str, Any]:
    return sent("aws.devops-guru", kind, {k: v for k, v in {**_INSIGHT, **changes}.items() if v is not None})


SOURCE = Source(
    name="devops_guru",
    reference="https://docs.aws.amazon.com/devops-guru/latest/userguide/working-with-eventbridge.html",
    parse=parse,
    labels=("account", "region", "type", "namespace", "metric"),
    recognise=recognises("aws.devops-guru", OPENED, WORSE, CLOSED),
    event_patterns=({"source": ["aws.devops-guru"], "detail-type": [OPENED, WORSE, CLOSED]},),
    repeats_within_seconds=24 * 3600,
    slow_seconds=600,
    examples=(
        Example(
            "an insight opens",
            _event(OPENED),
            (
                {
                    "title": "Lambda Duration Anomalous In Stack checkout",
                    "status": "firing",
                    "severity": 3,
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "started_at": "2026-01-15T09:58:00.000000Z",
                    "summary": "AWS/Lambda Duration is unusual",
                    "labels": {"type": "REACTIVE", "metric": "Duration"},
                },
            ),
        ),
        Example(
            "it becomes worse",
            {**_event(WORSE, insightSeverity="high", messageType="SEVERITY_UPGRADED"), "time": "2026-01-15T10:02:00Z"},
            ({"status": "firing", "severity": 2, "identity": _IDENTITY},),
        ),
        Example(
            "it is closed, with a number for a time and without its anomalies",
            {**_event(CLOSED, anomalies=None, startTime=1768471080000), "time": "2026-01-15T10:04:00Z"},
            (
                {
                    "status": "resolved",
                    "identity": _IDENTITY,
                    "started_at": "2026-01-15T09:58:00.000000Z",
                    "summary": "",
                },
            ),
        ),
        Example(
            "something that may happen, with hardly a word",
            _event(
                OPENED,
                insightType="PROACTIVE",
                insightSeverity="high",
                insightDescription=None,
                insightUrl=None,
                startTime="soon",
            ),
            ({"title": "Insight AIYH6Jxd", "severity": 3, "started_at": "2026-01-15T10:00:03.000000Z", "links": {}},),
        ),
    ),
)
