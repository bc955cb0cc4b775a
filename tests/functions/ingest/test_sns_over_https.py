"""Does a topic that is listed get in with the signature of SNS, and does nothing else, nor make us fetch anything?"""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot.domain.errors import Unavailable
from incident_bot.ingest import sns
from incident_bot.state import mailbox
from incident_bot.virtual.clock import T0
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Response
from tests.building import a_team, a_world
from tests.signalling import a_batch, the_incident

TOPIC = "arn:aws:sns:eu-central-1:444455556666:shop-alarms"
CHINESE = "arn:aws-cn:sns:cn-north-1:444455556666:shop-alarms"
HOST = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
ALARM = {
    "AlarmName": "payments-errors",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:444455556666:alarm:payments-errors",
    "NewStateValue": "ALARM",
    "StateChangeTime": "2026-01-15T09:59:58.000+0000",
}


@cache
def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_certificate(key: Any = None, days: int = 1) -> bytes:
    """A certificate of our own making, valid around T0; its key is `a_key` unless another is given."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key((key or a_key()).public_key())
        .serial_number(1)
        .not_valid_before(T0 - timedelta(days=9))
        .not_valid_after(T0 + timedelta(days=days))
    )
    return made.sign(a_key(), SHA256()).public_bytes(Encoding.PEM)


def a_message(kind: str = sns.NOTIFICATION, version: str = "2", **changes: Any) -> dict[str, Any]:
    """A message as SNS makes and signs it; a change of None takes a field away before."""
    subscribing = {"Token": "t0k3n", "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0k3n"}
    message: dict[str, Any] = {
        "Type": kind,
        "MessageId": "6d2c8a3e",
        "TopicArn": TOPIC,
        "Message": json.dumps(ALARM),
        "Timestamp": "2026-01-15T09:59:59.123Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **(subscribing if kind != sns.NOTIFICATION else {"Subject": "ALARM: payments-errors"}),
        **changes,
    }
    message = {name: value for name, value in message.items() if value is not None}
    digest = {"1": SHA1, "2": SHA256}.get(version, SHA256)()
    signature = a_key().sign(sns.canonical(message), PKCS1v15(), digest)
    return {**message, "Signature": base64.b64encode(signature).decode()}


def a_front(pem: bytes | None = None, *topics: str) -> VirtualWorld:
    world = a_world(a_team(sns_topics=topics or (TOPIC,)))
    world.http.answer(CERTIFICATE, peer=lambda _: Response(200, pem or a_certificate()))
    world.http.answer(f"{HOST}/?", 200)
    return world


def sent(world: VirtualWorld, message: Any, method: str = "POST", **headers: str) -> tuple[int, dict[str, Any]]:
    event = {
        "rawPath": "/v1/webhooks/sns",
        "headers": {"content-type": "text/plain; charset=UTF-8", **headers},
        "requestContext": {"http": {"method": method}, "requestId": "request-1"},
        "body": message if isinstance(message, str) else json.dumps(message),
        "isBase64Encoded": False,
    }
    response = receive(world, event)
    return response["statusCode"], json.loads(response["body"])


def fetched(world: VirtualWorld) -> list[str]:
    return [request.url for request in world.http.sent if "pagerduty" not in request.url]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("changes", [{}, {"Subject": None}, {"Subject": "\u00fcber\nzwei"}])
def test_a_signed_notification_goes_the_way_of_one_from_the_queue(version: str, changes: Mapping[str, Any]) -> None:
    world = a_front()

    status, said = sent(world, a_message(version=version, **changes))

    assert (status, said["accepted"], said["delivery_id"]) == (202, 1, "6d2c8a3e")
    consume(world, a_batch({"messageId": "m", "body": world.queue.bodies[0]}))
    assert the_incident(world).title == "payments-errors"
    assert world.metrics.counts["AlertsReceived"] == 1


@pytest.mark.parametrize(
    "added",
    [
        {"kind": "deadline", "incident": "another"},
        {"kind": "alerts", "source": "generic", "delivery": "d", "received_at": "2026-01-15T10:00:00Z", "alerts": []},
        {"received_at": "2020-01-01T00:00:00Z"},
        {"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "detail": {}},
    ],
)
def test_what_is_not_signed_goes_no_further(added: Mapping[str, Any]) -> None:
    """Whoever may read one notification of a listed topic may send it again, with more in it."""
    world = a_front()
    assert sent(world, {**added, **a_message()})[0] == 202

    assert not json.loads(world.queue.bodies[0]).keys() - sns.SIGNED[sns.NOTIFICATION]
    consume(world, a_batch({"messageId": "m", "body": world.queue.bodies[0]}))
    assert the_incident(world).title == "payments-errors"


def test_what_is_signed_is_what_the_documentation_says() -> None:
    lines = sns.canonical({**a_message(), "Message": "m", "Extra": "x"}).decode().split("\n")
    assert lines == [
        *("Message", "m", "MessageId", "6d2c8a3e", "Subject", "ALARM: payments-errors"),
        *("Timestamp", "2026-01-15T09:59:59.123Z", "TopicArn", TOPIC, "Type", "Notification", ""),
    ]
    assert sns.canonical(a_message(sns.CONFIRMATION)).decode().split("\n")[::2] == [*sns.SUBSCRIBING, ""]


def test_the_certificate_is_fetched_once() -> None:
    world = a_front()
    for number in range(3):
        assert sent(world, a_message(MessageId=f"m{number}"))[0] == 202
    assert fetched(world) == [CERTIFICATE]


def test_a_listed_topic_is_confirmed_at_its_own_regions_sns() -> None:
    world = a_front()
    status, said = sent(world, a_message(sns.CONFIRMATION, SubscribeURL="https://evil.example/"))

    assert (status, said["notes"]) == (202, [f"the subscription to {TOPIC} is confirmed"])
    asked = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token=t0k3n"
    assert fetched(world) == [CERTIFICATE, asked]
    assert said["accepted"] == 0


def test_a_confirmation_that_fails_is_to_come_again() -> None:
    world = a_front()
    world.http.answer(f"{HOST}/?", 500)
    assert sent(world, a_message(sns.CONFIRMATION))[0] == 503


def test_that_a_topic_delivers_no_more_is_a_ticket_until_it_does_again() -> None:
    world = a_front()
    for number, kind in enumerate((sns.END, sns.CONFIRMATION)):
        assert sent(world, a_message(kind))[0] == 202
        world.clock.advance(1)
        consume(world, a_batch({"messageId": f"m{number}", "body": world.queue.bodies[number]}))
        incident = the_incident(world)
        assert (incident.title, incident.severity) == ("SNS topic shop-alarms no longer delivers its alarms here", 3)
    assert [mail.detail["status"] for mail in mailbox.read(world, incident).mails][-1:] == ["resolved"]


def test_the_chinese_partition_has_hosts_of_its_own() -> None:
    world = a_front(None, CHINESE)
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    world.http.answer(url, peer=lambda _: Response(200, a_certificate()))
    assert sent(world, a_message(TopicArn=CHINESE, SigningCertURL=url))[0] == 202


@pytest.mark.parametrize("topic", [TOPIC + "x", "arn:aws:sns:eu-central-1:999999999999:shop-alarms", "*", "evil"])
@pytest.mark.parametrize("kind", sorted(sns.SIGNED))
def test_a_topic_that_nobody_listed_is_refused_and_makes_us_fetch_nothing(kind: str, topic: str) -> None:
    world = a_front()
    status, said = sent(world, a_message(kind, TopicArn=topic))
    assert (status, "none of the topics" in said["detail"]) == (403, True)
    assert (fetched(world), world.queue.bodies) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        CERTIFICATE.replace("https", "http"),
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/x.pem",
        f"{HOST}/x.pem?redirect=https://evil.example",
        f"{HOST}/x.pem#y.pem",
        f"{HOST}/a/../x.pem",
        f"{HOST}/x.crt",
        f"{HOST}\\@evil.example/x.pem",
        "https://[/x.pem",
        "",
    ],
)
def test_a_certificate_is_fetched_from_nowhere_else(url: str) -> None:
    world = a_front()
    assert sent(world, a_message(SigningCertURL=url))[0] == 401
    assert (fetched(world), world.queue.bodies) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": "{}"},
        {"Subject": "another"},
        {"Timestamp": "2026-01-15T10:00:00.000Z"},
        {"MessageId": "another"},
        {"Signature": "AAAA"},
        {"Signature": "not base64"},
        {"Signature": ""},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
    ],
)
def test_what_was_changed_on_its_way_is_refused(changes: Mapping[str, str]) -> None:
    world = a_front()
    assert sent(world, {**a_message(), **changes})[0] == 401
    assert world.queue.bodies == []


@pytest.mark.parametrize(
    "pem",
    [
        a_certificate(days=-1),
        a_certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        a_certificate(ec.generate_private_key(ec.SECP256R1())),
        b"no certificate",
    ],
    ids=["expired", "another key", "no RSA key", "none"],
)
def test_a_certificate_that_is_not_good_is_refused(pem: bytes) -> None:
    assert sent(a_front(pem), a_message())[0] == 401


def test_a_certificate_that_cannot_be_had_is_not_the_senders_fault() -> None:
    world = a_front()
    world.http.answer(CERTIFICATE, peer=_down)
    assert sent(world, a_message())[0] == 503
    world.http.answer(CERTIFICATE, 404)
    assert sent(world, a_message())[0] == 503


def _down(_: Any) -> Response:
    raise Unavailable("SNS did not answer")


@pytest.mark.parametrize(
    ("message", "headers", "status"),
    [
        ("{not json", {}, 400),
        ([], {}, 400),
        ({"Type": "Notification"}, {}, 400),
        ({**a_message(), "Type": "Notice"}, {}, 400),
        ({**a_message(), "Message": 7}, {}, 400),
        (ALARM, {"x-amz-sns-rawdelivery": "true"}, 400),
        (a_message(), {"content-type": "text/html"}, 415),
        (a_message(Message="x" * 200_001), {}, 413),
    ],
)
def test_what_is_no_message_of_sns_is_refused(message: Any, headers: Mapping[str, str], status: int) -> None:
    world = a_front()
    assert sent(world, message, **headers)[0] == status
    assert (fetched(world), world.queue.bodies) == ([], [])


def test_only_a_post_is_a_delivery() -> None:
    assert sent(a_front(), a_message(), "GET")[0] == 405


def test_an_alarm_that_comes_both_ways_is_one_series() -> None:
    world = a_front()
    sent(world, a_message())
    by_queue = json.dumps({k: v for k, v in a_message(MessageId="other").items() if k != "Signature"})
    records = [{"messageId": "m1", "body": world.queue.bodies[0]}, {"messageId": "m2", "body": by_queue}]
    consume(world, a_batch(*records))
    assert the_incident(world).alerts == 1
