"""What each vendor accepts and answers, as its documentation says: PagerDuty, Standard Webhooks and SNS over HTTP.

Pure: a request and what came before it go in, a verdict with its reason comes out.
"""

import binascii
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from infra.local.received import Record

PAGERDUTY_LIMIT_BYTES = 512 * 1024
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
SNS_FIELDS = {
    "type": "Type",
    "topic_arn": "TopicArn",
    "message_id": "MessageId",
    "subject": "Subject",
    "message": "Message",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one request: its HTTP status and body, the reason, and the fields worth reading at a glance."""

    status: int
    answer: Mapping[str, Any]
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    follow: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status < 300


@dataclass(frozen=True, slots=True)
class PagerDutyAlert:
    """One alert as PagerDuty would show it: all events with its key while it is open are about it."""

    routing_key: str
    dedup_key: str
    state: str
    summary: str
    severity: str
    opened_at: str
    changed_at: str
    triggers: int


def judge_pagerduty(body: bytes, routing_keys: Collection[str]) -> Verdict:
    """Events API v2, `POST /v2/enqueue`: 202, or 400 with the list of what is wrong."""
    if len(body) > PAGERDUTY_LIMIT_BYTES:
        return _invalid_event([f"Event is {len(body)} bytes, the limit is {PAGERDUTY_LIMIT_BYTES}"], {})
    event = _json_object(body)
    if event is None:
        return _invalid_event(["Event is not a JSON object"], {})
    fields = {name: event.get(name) for name in ("routing_key", "event_action", "dedup_key")}
    errors = _event_errors(event, routing_keys)
    if errors:
        return _invalid_event(errors, fields)
    dedup_key = event.get("dedup_key") or uuid.uuid4().hex
    payload = event.get("payload") or {}
    fields |= {"dedup_key": dedup_key, "summary": payload.get("summary"), "severity": payload.get("severity")}
    answer = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
    return Verdict(202, answer, "Event processed", fields)


def _event_errors(event: Mapping[str, Any], routing_keys: Collection[str]) -> list[str]:
    errors = []
    routing_key, action, dedup_key = (event.get(name) for name in ("routing_key", "event_action", "dedup_key"))
    if not isinstance(routing_key, str):
        errors.append("'routing_key' is missing or blank")
    elif len(routing_key) != 32:
        errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    elif routing_key not in routing_keys:
        errors.append("Invalid routing key")
    if action not in ACTIONS:
        errors.append(f"'event_action' is not one of {', '.join(ACTIONS)}")
    if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > 255):
        errors.append("'dedup_key' is not a string of at most 255 characters")
    if action in ("acknowledge", "resolve") and not dedup_key:
        errors.append(f"'dedup_key' is missing or blank, {action} needs it")
    return errors + (_payload_errors(event.get("payload")) if action == "trigger" else [])


def _payload_errors(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or not an object"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not isinstance(payload.get(name), str) or not payload[name].strip()
    ]
    if isinstance(payload.get("severity"), str) and payload["severity"] not in ("", *SEVERITIES):
        errors.append(f"'payload.severity' is not one of {', '.join(SEVERITIES)}")
    if isinstance(payload.get("summary"), str) and len(payload["summary"]) > 1024:
        errors.append("'payload.summary' is longer than 1024 characters")
    if not isinstance(payload.get("custom_details", {}), dict):
        errors.append("'payload.custom_details' is not an object")
    if "timestamp" in payload and not _is_iso_8601(payload["timestamp"]):
        errors.append("'payload.timestamp' is not an ISO 8601 time")
    return errors


def _is_iso_8601(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _invalid_event(errors: Sequence[str], fields: Mapping[str, Any]) -> Verdict:
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
    return Verdict(400, answer, "; ".join(errors), fields)


def pagerduty_alerts(records: Sequence[Record]) -> list[PagerDutyAlert]:
    """The alerts that the accepted events lead to, resolved ones included, in the order of their opening."""
    alerts: list[PagerDutyAlert] = []
    open_at: dict[tuple[str, str], int] = {}
    for record in records:
        if not record["accepted"]:
            continue
        key = (record["routing_key"], record["dedup_key"])
        action, at = record["event_action"], record["received_at"]
        if key not in open_at:
            if action == "trigger":  # anything else for an unknown key is dropped, as PagerDuty does
                open_at[key] = len(alerts)
                alerts.append(PagerDutyAlert(*key, "triggered", record["summary"], record["severity"], at, at, 1))
            continue
        alerts[open_at[key]] = _after(alerts[open_at[key]], action, at)
        if action == "resolve":
            del open_at[key]
    return alerts


def _after(alert: PagerDutyAlert, action: str, at: str) -> PagerDutyAlert:
    state = {"trigger": alert.state, "acknowledge": "acknowledged", "resolve": "resolved"}[action]
    return PagerDutyAlert(
        routing_key=alert.routing_key,
        dedup_key=alert.dedup_key,
        state=state,
        summary=alert.summary,
        severity=alert.severity,
        opened_at=alert.opened_at,
        changed_at=at,
        triggers=alert.triggers + (action == "trigger"),
    )


def judge_webhook(headers: Mapping[str, str], body: bytes, secret: str, earlier: Sequence[Record]) -> Verdict:
    """A receiver of Standard Webhooks: signature over id, time and raw body, 300 s tolerance, one effect per id."""
    fields: dict[str, Any] = {"webhook_id": headers.get("webhook-id")}
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError as refusal:
        return _unsigned(str(refusal), fields)
    except (ValueError, binascii.Error):  # a signature without a version, not base64, or a body that is not UTF-8
        return _unsigned("Invalid Signature Headers", fields)
    message = _json_object(body)
    if message is None:
        return Verdict(400, {"error": "body is not a JSON object"}, "body is not a JSON object", fields)
    fields |= {name: message[name] for name in ("type", "dedup_key", "event_action") if name in message}
    if any(record["accepted"] and record.get("webhook_id") == fields["webhook_id"] for record in earlier):
        fields["duplicate"] = True
        return Verdict(200, {"status": "duplicate"}, "webhook-id seen before, no further effect", fields)
    return Verdict(200, {"status": "received"}, "signature verified", fields)


def _unsigned(reason: str, fields: Mapping[str, Any]) -> Verdict:
    return Verdict(401, {"error": reason}, reason, fields)


def judge_sns(headers: Mapping[str, str], body: bytes, emulator_port: int) -> Verdict:
    """An HTTP subscriber of SNS: notifications are taken, a confirmation is followed only to the loopback emulator."""
    kind = headers.get("x-amz-sns-message-type")
    message = _json_object(body)
    if message is None or message.get("Type") != kind:
        reason = "body is not an SNS message of the type that its header names"
        return Verdict(400, {"error": reason}, reason)
    fields = {name: message.get(key) for name, key in SNS_FIELDS.items()}
    if kind == "Notification":
        return Verdict(200, {"status": "received"}, "notification", fields)
    url = str(message.get("SubscribeURL", ""))
    if kind != "SubscriptionConfirmation" or not _is_emulator(url, emulator_port):
        reason = f"{kind} is not taken, or its SubscribeURL is not the loopback emulator"
        return Verdict(403, {"error": reason}, reason, fields)
    query = urlsplit(url).query
    return Verdict(
        200, {"status": "confirmed"}, "subscription confirmed", fields, f"http://127.0.0.1:{emulator_port}/?{query}"
    )


def _is_emulator(url: str, port: int) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "http"
            and parts.hostname in LOOPBACK
            and parts.port == port
            and parts.path == "/"
            and "Action=ConfirmSubscription" in parts.query.split("&")
        )
    except ValueError:
        return False


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
