"""SNS over HTTPS (`POST /v1/webhooks/sns`): for alarm topics whose account cannot write into our queue.

As https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html says: signature versions 1 and 2, over
the message's own fields. A signature proves only that SNS sent it, and anybody may have a topic: so only the topics
that sources.yaml lists are listened to. No address that a message names is fetched before its host is the topic's own.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Denied, NotFound, Unauthenticated, Unavailable, Unparseable
from incident_bot.ingest import quarantine
from incident_bot.ingest.signals import MESSAGE_BYTES, packed, sort_out
from incident_bot.ingest.slowing import slowed
from incident_bot.ingest.webhook import Request, answer, problem
from incident_bot.payload import decode, kind, shown
from incident_bot.sources import Parsed, Rejection
from incident_bot.world import World

SOURCE = "sns"
NOTIFICATION, CONFIRMATION, END = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
SUBSCRIBING = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED: Mapping[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: SUBSCRIBING,
    END: SUBSCRIBING,
}
TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):(\d{12}):([\w.-]{1,256})")
CERTIFICATE_PATH = re.compile(r"/[\w.-]{1,100}\.pem")
MEDIA_TYPES = ("text/plain", "application/json", "")
CONFIRM_SECONDS = 3.0
CHALLENGE = {"www-authenticate": "SNS"}


def receive(world: World, request: Request) -> dict[str, Any]:
    """Answer one message of SNS: 202 for what is in the queue or confirmed, 503 for what SNS should repeat."""
    try:
        return _refused(request) or _received(world, request, request.body or b"")
    except Unauthenticated as failure:
        world.metrics.count("Unauthenticated", 1, source=SOURCE)
        return problem(401, failure.reason, request, headers=CHALLENGE)
    except Unparseable as unread:
        return problem(400, unread.reason, request)
    except NotFound as stranger:
        return problem(403, stranger.reason, request)
    except (Unavailable, Denied):
        world.metrics.count("ReceiveFailed", 1, source=SOURCE)
        return problem(503, "it could not be taken now; SNS tries again", request, headers={"retry-after": "5"})


def verify(message: Mapping[str, str], pem: bytes, now: datetime) -> None:
    """Raise Unauthenticated unless the certificate is valid now and its key signed the message's fields."""
    # Weighed: 90 ms, which only this door has to spend.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    digests = {"1": SHA1, "2": SHA256}
    version = message.get("SignatureVersion", "")
    if version not in digests:
        raise Unauthenticated(f"SignatureVersion is neither 1 nor 2: {shown(version)!r}")
    try:
        certificate = load_pem_x509_certificate(pem)
        key, signature = certificate.public_key(), base64.b64decode(message.get("Signature", ""), validate=True)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise Unauthenticated("the certificate is not valid now")
        if not isinstance(key, RSAPublicKey):
            raise Unauthenticated("the certificate holds no RSA key")
        # SHA-1 is what version 1 of the format is made of: a topic is asked for version 2 by its owner.
        key.verify(signature, canonical(message), PKCS1v15(), digests[version]())
    except (InvalidSignature, ValueError, binascii.Error):
        raise Unauthenticated("the signature does not match") from None


def canonical(message: Mapping[str, str]) -> bytes:
    """What is signed: name and value of each field that its type signs and that is there, a line each."""
    named = (name for name in SIGNED[message["Type"]] if name in message)
    return "".join(f"{name}\n{message[name]}\n" for name in named).encode(errors="replace")


def _refused(request: Request) -> dict[str, Any] | None:
    if request.method != "POST":
        return problem(405, "a delivery is a POST", request, headers={"allow": "POST"})
    if request.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        return problem(400, "raw message delivery carries no signature: switch it off for this subscription", request)
    if request.media_type not in MEDIA_TYPES:
        return problem(415, "the content type must be text/plain, as SNS sends it", request)
    if request.body is None:
        return problem(400, "the body is not base64, as the request says", request)
    if len(request.body) > MESSAGE_BYTES:
        return problem(413, f"the body is larger than {MESSAGE_BYTES} bytes", request)
    return None


def _received(world: World, request: Request, body: bytes) -> dict[str, Any]:
    message = _message(body)
    topic, host = message["TopicArn"], _host(world, message["TopicArn"])
    verify(message, world.certificate(_certificate_url(message, host)), world.now())
    delivery = quarantine.plain_id(message["MessageId"])
    if message["Type"] == CONFIRMATION:
        _confirm(world, message, host)
        _tell(world, delivery, topic, Status.RESOLVED)
        return _taken(delivery, 0, f"the subscription to {topic} is confirmed")
    if message["Type"] == END:
        _tell(world, delivery, topic, Status.FIRING)
        return _taken(delivery, 0, f"the subscription to {topic} has ended")
    if refused := slowed(world, SOURCE, request):
        return refused
    world.queue.send([_signed(message)])
    world.metrics.count("AlertsReceived", 1, source=SOURCE)
    return _taken(delivery, 1)


def _signed(message: Mapping[str, str]) -> str:
    """What is signed, and nothing else: `consume` knows our own messages by fields that anybody could add."""
    return json.dumps({name: message[name] for name in SIGNED[message["Type"]] if name in message})


def _taken(delivery: str, accepted: int, note: str = "") -> dict[str, Any]:
    notes = {"notes": [note]} if note else {}
    rejected: list[Rejection] = []
    return answer(202, {"accepted": accepted, "duplicates": 0, "rejected": rejected, "delivery_id": delivery, **notes})


def _message(body: bytes) -> dict[str, str]:
    """The message's fields that are strings, those that its type signs among them."""
    document = decode(body)
    if not isinstance(document, Mapping):
        raise Unparseable(f"the body is {kind(document)}, expected an object")
    found = {name: value for name, value in document.items() if isinstance(value, str)}
    if found.get("Type") not in SIGNED:
        raise Unparseable(f"Type is none of {', '.join(SIGNED)}: {shown(found.get('Type', ''))!r}", field="Type")
    missing = [name for name in SIGNED[found["Type"]] if name not in found and name != "Subject"]
    if missing:
        raise Unparseable(f"{missing[0]} is missing", field=missing[0])
    return found


def _host(world: World, topic: str) -> str:
    """SNS of the topic's own region; NotFound where nobody listed the topic."""
    parts = TOPIC.fullmatch(topic)
    if parts is None or topic not in world.team.sns_topics:
        raise NotFound(f"{shown(topic)} is none of the topics in sources.yaml")
    return f"sns.{parts[2]}.amazonaws.com{'.cn' if parts[1] == 'aws-cn' else ''}"


def _certificate_url(message: Mapping[str, str], host: str) -> str:
    """Where the certificate is, which only SNS of that region may say; made anew of what was looked at."""
    named = message.get("SigningCertURL", "")
    try:
        parts = urlsplit(named)
    except ValueError:
        raise Unauthenticated("SigningCertURL is no URL") from None
    path = CERTIFICATE_PATH.fullmatch(parts.path)
    if (parts.scheme, parts.netloc, parts.query, parts.fragment) != ("https", host, "", "") or path is None:
        raise Unauthenticated(f"SigningCertURL is none of https://{host}/: {shown(named)!r}")
    return f"https://{host}{path[0]}"


def _confirm(world: World, message: Mapping[str, str], host: str) -> None:
    """Confirm by the address that the message's SubscribeURL must be, made of what is signed in it."""
    asked = {"Action": "ConfirmSubscription", "TopicArn": message["TopicArn"], "Token": message["Token"]}
    confirmed = world.http.get(f"https://{host}/?{urlencode(asked)}", timeout_seconds=CONFIRM_SECONDS)
    if confirmed.status != 200:
        raise Unavailable(f"SNS did not confirm the subscription: {confirmed.status}")


def _tell(world: World, delivery: str, topic: str, status: Status) -> None:
    """That a topic's alarms no longer come is an alert of its own: nobody would notice it by their silence."""
    now = world.now()
    alert = Alert(
        source="generic",
        title=f"SNS topic {topic.rpartition(':')[2]} no longer delivers its alarms here",
        status=status,
        identity={"key": f"subscription of {topic}"},
        occurred_at=now,
        started_at=now,
        severity=Severity.SEV3,
        resource=topic,
        summary="Somebody ended its subscription to this webhook. Subscribe it again, or take it off sources.yaml.",
    )
    world.queue.send(packed(SOURCE, delivery, now, sort_out(Parsed((alert,))).alerts))
