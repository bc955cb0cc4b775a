"""Do two messages about one series have one fingerprint, and two series two?"""

import json
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.alert import Alert
from incident_bot.domain.clock import instant
from incident_bot.ingest.signals import read_raw
from incident_bot.sources import read

NOW = instant("2026-01-15T10:05:00Z")
SOURCES = plugins.sources()


def alertmanager(**changes: Any) -> Alert:
    body = SOURCES["alertmanager"].examples[0].body
    (alert,) = read(SOURCES["alertmanager"], {**body, "alerts": [{**body["alerts"][0], **changes}]}, NOW).alerts
    return alert


def generic(**fields: str) -> Alert:
    (alert,) = read(SOURCES["generic"], {"title": "late", "status": "firing", **fields}, NOW).alerts
    return alert


def notification(topic: str = "arn:aws:sns:eu-west-1:111122223333:alarms", **message: str) -> dict[str, str]:
    alarm = {
        "AlarmName": "queue: old",
        "AWSAccountId": "111122223333",
        "NewStateValue": "ALARM",
        "StateChangeTime": "2026-01-15T10:00:00.000+0000",
        "Region": "EU (Ireland)",
        **message,
    }
    return {"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": json.dumps(alarm)}


def event(region: str = "eu-west-1") -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "region": region,
        "account": "111122223333",
        "resources": [f"arn:aws:cloudwatch:{region}:111122223333:alarm:queue: old"],
        "detail": {"alarmName": "queue: old", "state": {"value": "OK", "timestamp": "2026-01-15T10:04:00.000+0000"}},
    }


def test_the_sns_and_the_eventbridge_copy_of_an_alarm_are_one_series() -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:queue: old"
    messages = [notification(), notification(AlarmArn=arn), event()]

    readings = [read_raw(json.dumps(message), NOW) for message in messages]

    assert len({reading.parsed.alerts[0].fingerprint for reading in readings}) == 1
    assert {reading.parsed.alerts[0].ask for reading in readings} == {arn}
    assert [(reading.source, reading.delivery) for reading in readings] == [
        ("cloudwatch", "m-1"),
        ("cloudwatch", "m-1"),
        ("cloudwatch", "e-1"),
    ]


def test_alarms_of_one_name_in_two_regions_are_two_series() -> None:
    here, there = (read_raw(json.dumps(event(region)), NOW).parsed.alerts[0] for region in ("eu-west-1", "eu-west-2"))

    assert here.fingerprint != there.fingerprint


def test_severity_and_annotations_do_not_name_the_series() -> None:
    labels = {"alertname": "Errors", "service": "orders", "cell": "b"}
    page, ticket = ({**labels, "severity": word, "priority": word} for word in ("critical", "warning"))

    one = alertmanager(labels=page)
    other = alertmanager(labels=ticket, annotations={"summary": "9 %"}, status="resolved", fingerprint="other")

    assert one.fingerprint == other.fingerprint
    assert (one.severity, other.severity) == (1, 3)


def test_every_other_label_does() -> None:
    assert alertmanager(labels={"a": "1"}).fingerprint != alertmanager(labels={"a": "2"}).fingerprint
    assert alertmanager(labels={"ab": "c"}).fingerprint != alertmanager(labels={"a": "bc"}).fingerprint
    assert alertmanager(labels={"a": "1"}).fingerprint != alertmanager(labels={"a": "1", "b": ""}).fingerprint


def test_a_key_names_a_generic_series_whatever_else_changes() -> None:
    assert generic(key="k", title="late").fingerprint == generic(key="k", title="later", service="s").fingerprint
    assert generic(key="k").fingerprint != generic().fingerprint


@pytest.mark.parametrize("field", ["title", "service", "resource"])
def test_without_a_key_title_service_and_resource_do(field: str) -> None:
    assert generic(**{field: "x"}).fingerprint != generic(**{field: "y"}).fingerprint
    assert generic(**{field: "x"}, summary="a").fingerprint == generic(**{field: "x"}, summary="b").fingerprint


def test_a_resolve_is_never_older_than_its_firing() -> None:
    resolved = alertmanager(status="resolved", startsAt="2026-01-15T10:00:00Z", endsAt="2026-01-15T09:00:00Z")

    assert resolved.occurred_at == resolved.started_at


def test_a_generic_firing_that_is_sent_again_keeps_the_time_of_its_start() -> None:
    alert = generic(started_at="2026-01-15T09:00:00Z")

    assert alert.occurred_at == alert.started_at == instant("2026-01-15T09:00:00Z")


def test_the_series_of_one_rule_of_managed_prometheus_are_several() -> None:
    def key(labels: dict[str, str], condition: str = "Fired") -> str:
        essentials = {
            "alertRule": "pods/NotReady",
            "monitorCondition": condition,
            "firedDateTime": "2026-01-15T10:00:00Z",
        }
        data = {"essentials": essentials, "alertContext": {"expression": "x > 0", "labels": labels}}
        body = {"schemaId": "azureMonitorCommonAlertSchema", "data": data}
        (alert,) = read(plugins.sources()["azure_monitor"], body, NOW).alerts
        return alert.fingerprint

    many = {f"label_{n:02}": "x" for n in range(30)}
    assert key({"pod": "a"}) != key({"pod": "b"})
    assert key(many | {"zone": "1"}) != key(many | {"zone": "2"})
    assert key({"pod": "a", "job": "j"}) == key({"job": "j", "pod": "a"}, "Resolved")
