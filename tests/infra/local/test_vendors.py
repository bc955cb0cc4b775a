"""What do the stand-ins accept and refuse, compared with what each vendor's documentation says?"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from infra.local.vendors import judge_pagerduty, judge_sns, judge_webhook, pagerduty_alerts

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EMULATOR_PORT = 4599


def an_event(**changes):
    payload = {"summary": "checkout is slow", "source": "checkout-api", "severity": "critical"}
    event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "inc-1", "payload": payload}
    return {name: value for name, value in (event | changes).items() if value is not None}


def a_payload(**changes):
    payload = {"summary": "checkout is slow", "source": "checkout-api", "severity": "critical"} | changes
    return an_event(payload={name: value for name, value in payload.items() if value is not None})


REFUSED_EVENTS = [
    ("a key of the wrong length", an_event(routing_key="short"), "Length of 'routing_key' is incorrect"),
    ("a key nobody owns", an_event(routing_key=OTHER_KEY), "Invalid routing key"),
    ("no key", an_event(routing_key=None), "'routing_key' is missing"),
    ("an unknown action", an_event(event_action="escalate"), "'event_action' is not one of"),
    ("a dedup_key over 255 characters", an_event(dedup_key="k" * 256), "'dedup_key' is not a string of at most 255"),
    ("an acknowledgement of nothing", an_event(event_action="acknowledge", dedup_key=None), "acknowledge needs it"),
    ("a trigger without payload", an_event(payload=None), "'payload' is missing"),
    ("no summary", a_payload(summary=None), "'payload.summary' is missing"),
    ("a blank source", a_payload(source=" "), "'payload.source' is missing"),
    ("a severity of its own making", a_payload(severity="sev1"), "'payload.severity' is not one of"),
    ("a summary over 1024 characters", a_payload(summary="s" * 1025), "longer than 1024"),
    ("details that are no object", a_payload(custom_details="text"), "'payload.custom_details' is not an object"),
    ("a time that is none", a_payload(timestamp="yesterday"), "not an ISO 8601 time"),
    ("a list", [an_event()], "not a JSON object"),
    ("more than 512 KB", a_payload(custom_details={"log": "x" * 512 * 1024}), "the limit is 524288"),
]


@pytest.mark.parametrize(
    ("event", "error"), [row[1:] for row in REFUSED_EVENTS], ids=[row[0] for row in REFUSED_EVENTS]
)
def test_pagerduty_refuses(event, error):
    verdict = judge_pagerduty(json.dumps(event).encode(), [KEY])
    assert verdict.status == 400
    assert verdict.answer["status"] == "invalid event"
    assert error in "; ".join(verdict.answer["errors"])


@pytest.mark.parametrize(
    "event", [an_event(), an_event(event_action="resolve", payload=None), an_event(dedup_key="k" * 255)]
)
def test_pagerduty_accepts(event):
    verdict = judge_pagerduty(json.dumps(event).encode(), [KEY])
    expected = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
    assert (verdict.status, verdict.answer) == (202, expected)


def test_pagerduty_gives_each_trigger_without_a_dedup_key_its_own():
    keys = {judge_pagerduty(json.dumps(an_event(dedup_key=None)).encode(), [KEY]).answer["dedup_key"] for _ in range(2)}
    assert len(keys) == 2


def a_record(action, dedup_key="inc-1", at="t0", *, routing_key=KEY, accepted=True):
    fields = {"routing_key": routing_key, "dedup_key": dedup_key, "event_action": action}
    return fields | {"accepted": accepted, "received_at": at, "summary": "slow", "severity": "critical"}


ALERT_STORIES = [
    ("repeats stay one alert", [("trigger",), ("trigger",), ("trigger",)], [("triggered", 3)]),
    (
        "a trigger does not undo an acknowledgement",
        [("trigger",), ("acknowledge",), ("trigger",)],
        [("acknowledged", 2)],
    ),
    (
        "after a resolve the key opens a new alert",
        [("trigger",), ("resolve",), ("trigger",)],
        [("resolved", 1), ("triggered", 1)],
    ),
    ("a resolve of nothing is dropped", [("resolve",), ("acknowledge",)], []),
    ("another key is another alert", [("trigger", "a"), ("trigger", "b")], [("triggered", 1), ("triggered", 1)]),
]


@pytest.mark.parametrize(
    ("events", "expected"), [row[1:] for row in ALERT_STORIES], ids=[row[0] for row in ALERT_STORIES]
)
def test_pagerduty_alerts(events, expected):
    alerts = pagerduty_alerts([a_record(*event) for event in events])
    assert [(alert.state, alert.triggers) for alert in alerts] == expected


def test_only_the_integration_that_opened_an_alert_resolves_it():
    alerts = pagerduty_alerts([a_record("trigger"), a_record("resolve", routing_key=OTHER_KEY)])
    assert [alert.state for alert in alerts] == ["triggered"]


def test_refused_events_open_no_alert():
    assert pagerduty_alerts([a_record("trigger", accepted=False)]) == []


BODY = b'{"type": "page", "dedup_key": "inc-1"}'


def signed(body=BODY, *, webhook_id="msg_1", age=timedelta(0), secret=SECRET):
    at = datetime.now(UTC) - age
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


REFUSED_WEBHOOKS = [
    ("unsigned", dict, "Missing required headers"),
    ("six minutes old", lambda: signed(age=timedelta(minutes=6)), "too old"),
    ("six minutes early", lambda: signed(age=timedelta(minutes=-6)), "too new"),
    ("another body", lambda: signed(b"{}"), "No matching signature"),
    ("another secret", lambda: signed(secret="whsec_c2VjcmV0c2VjcmV0c2VjcmV0"), "No matching signature"),
    ("another id", lambda: signed() | {"webhook-id": "msg_2"}, "No matching signature"),
    ("a signature without a version", lambda: signed() | {"webhook-signature": "abc"}, "Invalid Signature Headers"),
    ("a signature that is not base64", lambda: signed() | {"webhook-signature": "v1,abc"}, "Invalid Signature Headers"),
    ("only an asymmetric signature", lambda: signed() | {"webhook-signature": "v1a,abcd"}, "No matching signature"),
]


@pytest.mark.parametrize(
    ("sign", "reason"), [row[1:] for row in REFUSED_WEBHOOKS], ids=[row[0] for row in REFUSED_WEBHOOKS]
)
def test_the_webhook_refuses(sign, reason):
    verdict = judge_webhook(sign(), BODY, SECRET, [])
    assert verdict.status == 401
    assert reason in verdict.reason


def test_the_webhook_takes_a_signed_message_once():
    first = judge_webhook(signed(), BODY, SECRET, [])
    assert (first.status, first.fields) == (200, {"webhook_id": "msg_1", "type": "page", "dedup_key": "inc-1"})
    again = judge_webhook(signed(), BODY, SECRET, [{"accepted": True, "webhook_id": "msg_1"}])
    assert (again.status, again.fields["duplicate"]) == (200, True)


def test_an_id_whose_delivery_was_refused_may_come_again():
    verdict = judge_webhook(signed(), BODY, SECRET, [{"accepted": False, "webhook_id": "msg_1"}])
    assert "duplicate" not in verdict.fields


CONFIRM = f"http://localhost:{EMULATOR_PORT}/?Action=ConfirmSubscription&TopicArn=arn&Token=t"
FOREIGN_URLS = [
    CONFIRM.replace("localhost", "evil.example"),
    CONFIRM.replace("localhost", "localhost@evil.example"),
    CONFIRM.replace(str(EMULATOR_PORT), "80"),
    CONFIRM.replace("http:", "https:"),
    CONFIRM.replace("ConfirmSubscription", "DeleteTopic"),
    CONFIRM.replace("/?", "/_ministack/reset?"),
    "http://[",
    "",
]


def an_sns_message(**fields):
    return {"x-amz-sns-message-type": fields["Type"]}, json.dumps(fields).encode()


def test_sns_confirms_a_subscription_at_the_emulator():
    headers, body = an_sns_message(Type="SubscriptionConfirmation", SubscribeURL=CONFIRM)
    verdict = judge_sns(headers, body, EMULATOR_PORT)
    assert verdict.accepted
    assert verdict.follow == CONFIRM.replace("localhost", "127.0.0.1")


@pytest.mark.parametrize("url", FOREIGN_URLS)
def test_sns_follows_no_other_url(url):
    headers, body = an_sns_message(Type="SubscriptionConfirmation", SubscribeURL=url)
    verdict = judge_sns(headers, body, EMULATOR_PORT)
    assert (verdict.status, verdict.follow) == (403, None)


def test_sns_takes_notifications_and_only_what_the_header_says_they_are():
    headers, body = an_sns_message(Type="Notification", Message="ALARM", Subject="s", TopicArn="arn", MessageId="m")
    assert judge_sns(headers, body, EMULATOR_PORT).fields["message"] == "ALARM"
    assert judge_sns({}, body, EMULATOR_PORT).status == 400
