"""Is everything that a format forbids refused by name, alert by alert?"""

from collections.abc import Mapping
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.ingest.signals import identify, open_envelope, read_raw
from incident_bot.payload import decode
from incident_bot.sources import Parsed, Source, read

NOW = instant("2026-01-15T10:05:00Z")
SOURCES = plugins.sources()
MANY_KEYS = ("{" + ",".join(f'"k{i}":1' for i in range(80_000)) + ',"k79999":1}').encode()


def first_example(name: str) -> dict[str, Any]:
    return dict(SOURCES[name].examples[0].body)


def changed(value: Any, path: str, to: Any) -> Any:
    """The value with one part of it replaced (`...` removes it); a path like `alerts.0.labels`."""
    head, _, rest = path.partition(".")
    key: Any = int(head) if isinstance(value, list) else head
    copy = list(value) if isinstance(value, list) else dict(value)
    if rest:
        copy[key] = changed(copy[key], rest, to)
    elif to is ...:
        del copy[key]
    else:
        copy[key] = to
    return copy


def parsed(source: str, path: str, to: Any) -> Parsed:
    return read(SOURCES[source], changed(first_example(source), path, to), NOW)


@pytest.mark.parametrize(
    ("source", "path", "to", "field"),
    [
        ("alertmanager", "version", ..., "version"),
        ("alertmanager", "version", 4, "version"),
        ("alertmanager", "version", "3", "version"),
        ("alertmanager", "alerts", ..., "alerts"),
        ("alertmanager", "alerts", "not-a-list", "alerts"),
        ("alertmanager", "alerts", {"0": {}}, "alerts"),
        ("alertmanager", "externalURL", 7, "externalURL"),
        ("generic", "alerts", "not-a-list", "alerts"),
        ("cloudwatch", "Message.AlarmName", ..., "AlarmName"),
        ("cloudwatch", "Message.AlarmName", ["x"], "AlarmName"),
        ("cloudwatch", "Message.AlarmArn", "arn:aws:s3:::bucket", "AlarmArn"),
        ("cloudwatch", "Message.NewStateValue", "PANIC", "state"),
        ("cloudwatch", "Message.StateChangeTime", ..., "StateChangeTime"),
        ("cloudwatch", "Message.StateChangeTime", "noon", "StateChangeTime"),
        ("cloudwatch", "Message.StateChangeTime", "2026-01-15T10:00:00", "StateChangeTime"),
        ("cloudwatch", "Message.Trigger", [1], "Trigger"),
        ("datadog", "date", "noon", "date"),
        ("dynatrace", "State", "BROKEN", "State"),
        ("dynatrace", "ProblemDetailsJSONv2.startTime", "noon", "startTime"),
        ("elastic", "rule_id", ..., "rule_id"),
        ("elastic", "action_group", "", "action_group"),
        ("elastic", "date", "today", "date"),
        ("grafana", "version", "4", "version"),
        ("grafana", "alerts", {}, "alerts"),
        ("new_relic", "id", ..., "id"),
        ("new_relic", "state", "MELTED", "state"),
        ("new_relic", "createdAt", True, "createdAt"),
        ("sentry", "action", ..., "action"),
        ("sentry", "data", ..., "data"),
        ("sentry", "data.event.issue_id", {}, "data.event.issue_id"),
        ("sentry", "data.event.received", 1e300, "data.event.received"),
        ("splunk", "sid", 7, "sid"),
        ("splunk_observability", "statusExtended", "on fire", "statusExtended"),
        ("splunk_observability", "timestamp", "20122-10-25T21:19:38Z", "timestamp"),
        ("step_functions", "detail", ..., "detail"),
        ("step_functions", "detail.status", "EXPLODED", "detail.status"),
        ("step_functions", "detail.stateMachineArn", ..., "detail.stateMachineArn"),
        ("step_functions", "detail.stateMachineArn", "nightly", "detail.stateMachineArn"),
        ("step_functions", "detail.stopDate", "today", "detail.stopDate"),
        ("step_functions", "detail.stopDate", True, "detail.stopDate"),
        ("step_functions", "detail.stopDate", 10**17, "detail.stopDate"),
        ("step_functions", "detail.stopDate", -1, "detail.stopDate"),
        ("codedeploy", "detail.state", "EXPLODED", "detail.state"),
        ("codedeploy", "detail.application", ..., "detail.application"),
        ("codedeploy", "region", ..., "region"),
        ("codepipeline", "detail.state", "EXPLODED", "detail.state"),
        ("codepipeline", "detail.pipeline", ["checkout"], "detail.pipeline"),
        ("ecs", "detail.eventName", ..., "detail.eventName"),
        ("ecs", "resources", ["arn:aws:ecs:eu-central-1:111122223333:cluster/shop"], "resources"),
        ("ecs", "detail.updatedAt", "noon", "updatedAt"),
        ("auto_scaling", "detail-type", "EC2 Instance Launch Pondered", "detail-type"),
        ("auto_scaling", "detail.AutoScalingGroupName", ..., "detail.AutoScalingGroupName"),
        ("rds", "detail.EventID", ..., "detail.EventID"),
        ("rds", "detail.SourceArn", "orders", "detail.SourceArn"),
        ("lambda_failure", "detail.requestContext.functionArn", "invoices", "requestContext.functionArn"),
        ("lambda_failure", "detail.requestContext.condition", ..., "requestContext.condition"),
        ("synthetics", "detail.canary-name", ..., "detail.canary-name"),
        ("synthetics", "detail.canary-run-timeline.completed", 10**17, "detail.completed"),
    ],
)
def test_a_delivery_that_breaks_its_format_names_the_field(source: str, path: str, to: Any, field: str) -> None:
    with pytest.raises(Unparseable) as refusal:
        parsed(source, path, to)

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("source", "path", "to", "field"),
    [
        ("alertmanager", "alerts.0", "firing", ""),
        ("alertmanager", "alerts.0", None, ""),
        ("alertmanager", "alerts.0.labels", ..., "labels"),
        ("alertmanager", "alerts.0.labels", {}, "labels"),
        ("alertmanager", "alerts.0.labels", ["alertname"], "labels"),
        ("alertmanager", "alerts.0.labels", {f"l{i}": "v" for i in range(65)}, "labels"),
        ("alertmanager", "alerts.0.labels.cell", 7, "labels.cell"),
        ("alertmanager", "alerts.0.labels.cell", None, "labels.cell"),
        ("alertmanager", "alerts.0.labels.cell", "x" * 2049, "labels.cell"),
        ("alertmanager", "alerts.0.labels.cell", "\u00fc" * 1025, "labels.cell"),
        ("alertmanager", "alerts.0.annotations.summary", "A" * 300_000, "annotations.summary"),
        ("alertmanager", "alerts.0.annotations", {f"l{i}": "v" for i in range(65)}, "annotations"),
        ("alertmanager", "alerts.0.generatorURL", "https://" + "x" * 2048, "generatorURL"),
        ("alertmanager", "alerts.0.status", "flaming", "status"),
        ("alertmanager", "alerts.0.startsAt", ..., "startsAt"),
        ("alertmanager", "alerts.0.startsAt", "not a date", "startsAt"),
        ("alertmanager", "alerts.0.startsAt", "0001-01-01T00:00:00Z", "startsAt"),
        ("alertmanager", "alerts.0.startsAt", "0001-01-01T00:00:00+14:00", "startsAt"),
        ("alertmanager", "alerts.0.startsAt", "2026-01-16T10:05:01Z", "startsAt"),
        ("alertmanager", "alerts.0.startsAt", 1768471200, "startsAt"),
        ("alertmanager", "alerts.0.blob", "x" * 190_000, ""),
        ("grafana", "alerts.0.labels", {"__alert_rule_uid__": "x"}, "labels"),
        ("grafana", "alerts.0.status", "alerting", "status"),
        ("grafana", "alerts.0.annotations", ["x"], "annotations"),
        ("generic", "title", ..., "title"),
        ("generic", "title", "", "title"),
        ("generic", "title", ["late"], "title"),
        ("generic", "title", "x" * 2049, "title"),
        ("generic", "status", ..., "status"),
        ("generic", "status", "unknown", "status"),
        ("generic", "severity", "purple", "severity"),
        ("generic", "severity", 1, "severity"),
        ("generic", "service", {}, "service"),
        ("generic", "key", "x" * 2049, "key"),
        ("generic", "labels", [], "labels"),
        ("generic", "labels.team", 7, "labels.team"),
        ("generic", "links", {f"l{i}": "v" for i in range(65)}, "links"),
        ("generic", "started_at", "2026-01-15", "started_at"),
        ("generic", "occurred_at", "9999-12-31T23:59:59Z", "occurred_at"),
        ("generic", "occurred_at", "9999-12-31T23:59:59-14:00", "occurred_at"),
        ("generic", "blob", "x" * 190_000, ""),
    ],
)
def test_an_alert_that_breaks_its_format_is_rejected_with_its_field(
    source: str, path: str, to: Any, field: str
) -> None:
    found = parsed(source, path, to)

    assert found.alerts == ()
    assert [(rejection.index, rejection.field) for rejection in found.rejected] == [(0, field)]
    assert found.rejected[0].reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b'{"alerts":[{"labels":{"alertname":"x"', "not JSON"),
        (b'{"title": "a"} {"title": "b"}', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"title": "\xc3("}', "not UTF-8"),
        (b'{"a": 1, "b": {"x": 1, "x": 2}}', "the key x occurs twice"),
        pytest.param(MANY_KEYS, "the key k79999 occurs twice", id="the last of 80,000 keys"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"a": 9223372036854775808}', "out of range"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"[" * 20_000 + b"]" * 20_000, "nested deeper than 32"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested deeper than 32"),
        (b'"' + b"x" * (1 << 20) + b'"', "at most 1048576 are read"),
    ],
)
def test_json_with_more_than_one_reading_or_none_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Unparseable) as refusal:
        decode(body)

    assert reason in refusal.value.reason


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 32 + b"]" * 32,
        b'{"a": "' + b"[" * 100 + b'"}',
        b'"' + b"{" * 100 + b'"',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": 123456789012345678, "b": -1.5e3}',
        b"[" + b",".join([b'{"a":[]}'] * 100) + b"]",
    ],
)
def test_json_at_its_limits_is_read(body: bytes) -> None:
    decode(body)


def test_half_a_surrogate_in_a_message_of_the_queue_is_refused() -> None:
    with pytest.raises(Unparseable, match="surrogate"):
        decode('{"a": "\ud800"}')


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "an array, expected an object"),
        ("{}", "no source recognises"),
        ('{"Type": "Notification", "Message": "Your budget is spent"}', "no source recognises"),
        ('{"Type": "Notification", "Message": "{\\"AlarmName\\": \\"x\\""}', "Message: the body is not JSON"),
        ('{"Type": "Notification", "Message": "{\\"AlarmName\\": 1, \\"AlarmName\\": 2}"}', "occurs twice"),
        (
            '{"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm Configuration Change"}',
            "no source recognises",
        ),
    ],
)
def test_a_raw_message_that_no_source_can_read_says_why(body: str, reason: str) -> None:
    with pytest.raises(Unparseable) as refusal:
        read_raw(body, NOW)

    assert reason in refusal.value.reason


def test_an_event_inside_a_notification_is_that_event() -> None:
    event = SOURCES["step_functions"].examples[0].body

    opened = open_envelope({"Type": "Notification", "MessageId": "m", "Message": '{"detail-type": "x", "source": "y"}'})

    assert opened == {"detail-type": "x", "source": "y"}
    assert identify(event) is SOURCES["step_functions"]


def test_a_parser_with_a_bug_costs_one_delivery() -> None:
    def broken(body: Mapping[str, Any], received_at: Any) -> Parsed:
        raise ZeroDivisionError

    source = Source(name="broken", reference="", parse=broken, examples=())

    with pytest.raises(Unparseable, match="the parser of broken failed: ZeroDivisionError"):
        read(source, {}, NOW)
