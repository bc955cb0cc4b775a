"""Lambda failure destinations: events and stream batches that a function has failed for good.

Lambda sends one record to the destination of the team's choice: the default event bus, the alarm topic or the signals
queue itself; all three name the same series. Where success has the event bus as its destination too, the next success
resolves; otherwise, and for streams (each a series of its own, as their batches block one another), staleness ends it.
What the function was given stays out of the alert: payloads hold secrets.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import kind, mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import recognises, sent
from incident_bot.sources._fields import labelled

FAILURE = "Lambda Function Invocation Result - Failure"
SUCCESS = "Lambda Function Invocation Result - Success"
BATCHES = {"KinesisBatchInfo": "streamArn", "DDBStreamBatchInfo": "streamArn", "KafkaBatchInfo": "eventSourceArn"}

_of_eventbridge = recognises("lambda", FAILURE, SUCCESS)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """The event of such a record, or the record itself, in a notification or as a message of the queue."""
    return _of_eventbridge(envelope) or _is_record(envelope.get("Message")) or _is_record(envelope)


def _is_record(value: object) -> bool:
    context = value.get("requestContext") if isinstance(value, Mapping) else None
    return isinstance(context, Mapping) and "functionArn" in context and "condition" in context


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a record, in whichever envelope."""
    record = mapping(body, "detail") or mapping(body, "Message") or body
    at = moment(record, "timestamp", received_at) or moment(body, "time", received_at)
    if at is None:
        raise Unparseable("timestamp is missing", field="timestamp")
    return Parsed((_alert(record, at),))


def _alert(record: Mapping[str, Any], at: datetime) -> Alert:
    context = mapping(record, "requestContext", required=True)
    arn = text(context, "functionArn", required=True, path="requestContext.")
    parts = arn.split(":")
    if len(parts) not in (7, 8) or parts[2] != "lambda":
        raise Unparseable(f"requestContext.functionArn is no ARN: {shown(arn)!r}", field="requestContext.functionArn")
    _, partition, _, region, account, _, function, *version = parts
    condition = text(context, "condition", required=True, path="requestContext.")
    succeeded, function_arn = condition == "Success", ":".join(parts[:7])
    stream, error = _stream(record), _error(record)
    return Alert(
        source="lambda_failure",
        title=f"An invocation of {function} succeeded" if succeeded else f"Invocations of {function} fail",
        status=Status.RESOLVED if succeeded else Status.FIRING,
        identity={"function": function_arn} | ({"stream": stream} if stream else {}),
        occurred_at=at,
        started_at=at,
        service=function,
        resource=function_arn,
        summary=_summary(context, condition, *error),
        labels=labelled(
            function=function,
            version="".join(version),
            condition=condition,
            error=error[0],
            stream=stream,
            account=account,
            region=region,
        ),
        links=console_links(
            partition,
            region,
            f"lambda/home?region={region}#/functions/{quote(function, safe='')}?tab=monitoring",
        ),
    )


def _stream(record: Mapping[str, Any]) -> str:
    """The ARN of the stream whose batch failed; empty for an event that was invoked asynchronously."""
    batches = ((mapping(record, name), arn) for name, arn in BATCHES.items() if name in record)
    return next((prose(batch, arn) for batch, arn in batches), "")


def _error(record: Mapping[str, Any]) -> tuple[str, str]:
    """The error's type and message: the function's own, or else how Lambda says that it failed."""
    payload, context = record.get("responsePayload"), mapping(record, "responseContext")
    own = payload if isinstance(payload, Mapping) else {}
    return prose(own, "errorType") or prose(context, "functionError"), prose(own, "errorMessage")


def _summary(context: Mapping[str, Any], condition: str, error: str, message: str) -> str:
    count = context.get("approximateInvokeCount")
    attempts = f" after {count} attempts" if kind(count) == "a number" else ""
    said = f"Request {prose(context, 'requestId')}: {condition}{attempts}"
    return ": ".join(part for part in (said, error, message) if part)


_ARN = "arn:aws:lambda:eu-central-1:111122223333:function:invoices"
_IDENTITY = {"function": _ARN}
_RECORD: Mapping[str, Any] = {
    "version": "1.0",
    "timestamp": "2026-01-15T10:00:03.125Z",
    "requestContext": {
        "requestId": "5f1c7f9d-6c1b-4f63-8c06-91c84f2c2b1f",
        "functionArn": f"{_ARN}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    },
    "requestPayload": {"card": "not for the alert"},
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "responsePayload": {"errorMessage": "the ledger did not answer", "errorType": "LedgerTimeout", "stackTrace": []},
}
_BATCH: Mapping[str, Any] = {
    "version": "1.0",
    "timestamp": "2026-01-15T10:00:03.125Z",
    "requestContext": {
        "requestId": "0f7f6b1a-12b0-4d5e-9a3c-5b6f7d8e9f10",
        "functionArn": _ARN,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 1,
    },
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "KinesisBatchInfo": {
        "shardId": "shardId-000000000001",
        "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
        "endSequenceNumber": "49601189658422359378836298522902373528957594348623495186",
        "batchSize": 500,
        "streamArn": "arn:aws:kinesis:eu-central-1:111122223333:stream/orders",
    },
}


def _succeeded() -> Mapping[str, Any]:
    context = {**_RECORD["requestContext"], "condition": "Success", "approximateInvokeCount": 1}
    record = {**_RECORD, "timestamp": "2026-01-15T10:04:00.000Z", "requestContext": context, "responsePayload": None}
    return sent("lambda", SUCCESS, record, _ARN)


SOURCE = Source(
    name="lambda_failure",
    reference="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    parse=parse,
    labels=("function", "version", "condition", "error", "stream", "account", "region"),
    recognise=recognise,
    event_patterns=({"source": ["lambda"], "detail-type": [FAILURE, SUCCESS]},),
    examples=(
        Example(
            "an event that a function failed three times",
            sent("lambda", FAILURE, _RECORD, f"{_ARN}:$LATEST"),
            (
                {
                    "title": "Invocations of invoices fail",
                    "status": "firing",
                    "identity": _IDENTITY,
                    "resource": _ARN,
                    "occurred_at": "2026-01-15T10:00:03.125000Z",
                    "summary": "Request 5f1c7f9d-6c1b-4f63-8c06-91c84f2c2b1f: RetriesExhausted after 3 attempts: "
                    "LedgerTimeout: the ledger did not answer",
                    "labels": {"function": "invoices", "version": "$LATEST", "error": "LedgerTimeout"},
                },
            ),
        ),
        Example(
            "the same by the alarm topic",
            {
                "Type": "Notification",
                "MessageId": "4b5a2e0c-6d57-5e0f-8a3d-7f7c1b9d2e11",
                "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
                "Message": _RECORD,
            },
            ({"status": "firing", "identity": _IDENTITY},),
        ),
        Example("the same straight into the queue", _RECORD, ({"status": "firing", "identity": _IDENTITY},)),
        Example(
            "another event succeeded",
            _succeeded(),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "an event grew too old while the function was throttled, and never reached it",
            {
                **_RECORD,
                "requestContext": {"functionArn": _ARN, "condition": "EventAgeExceeded"},
                "responseContext": None,
                "responsePayload": None,
            },
            ({"status": "firing", "identity": _IDENTITY, "labels": {"condition": "EventAgeExceeded"}},),
        ),
        Example(
            "a batch of a stream",
            _BATCH,
            (
                {
                    "status": "firing",
                    "identity": {**_IDENTITY, "stream": "arn:aws:kinesis:eu-central-1:111122223333:stream/orders"},
                    "labels": {"error": "Unhandled"},
                },
            ),
        ),
    ),
)
