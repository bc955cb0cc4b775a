"""Does `POST /v2/enqueue` answer whoever pages PagerDuty as PagerDuty would, and do what the event says?"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import MailKind
from incident_bot.ingest import quarantine
from incident_bot.state import mailbox
from incident_bot.virtual.surroundings import MemoryQueue
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Admitted
from tests.building import a_world
from tests.signalling import a_batch, all_incidents, pages, the_incident

KEY, NEXT, ORDERS = ("0" * 32, "1" * 32, "2" * 32)
PAYLOAD = {"summary": "Payments fail", "source": "pay-1", "severity": "critical", "component": "payments"}
TRIGGER = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "pay", "payload": PAYLOAD}
RESOLVE = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "pay"}
ACKNOWLEDGE = {**RESOLVE, "event_action": "acknowledge"}


def a_front(*keys: str) -> VirtualWorld:
    return a_world(secrets={"webhooks/pagerduty": keys or (KEY,), "channels/pagerduty": ("r" * 32,)})


def an_event(document: Any, method: str = "POST", **headers: str) -> dict[str, Any]:
    body = document if isinstance(document, str) else json.dumps(document)
    return {
        "rawPath": "/v2/enqueue",
        "headers": {"content-type": "application/x-www-form-urlencoded", **headers},
        "requestContext": {"http": {"method": method}, "requestId": "request-1"},
        "body": body,
        "isBase64Encoded": False,
    }


def sent(world: VirtualWorld, document: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    response = receive(world, an_event(document, **headers))
    assert response["headers"]["content-type"] == "application/json"
    return response["statusCode"], json.loads(response["body"])


def delivered(world: VirtualWorld, *documents: Mapping[str, Any]) -> Incident:
    """The incident, once these events have gone all the way."""
    for number, document in enumerate(documents):
        assert sent(world, document)[0] == 202
        message = world.queue.bodies[-1]
        world.clock.advance(1)
        assert consume(world, a_batch({"messageId": f"m{number}", "body": message})) == {"batchItemFailures": []}
    return the_incident(world)


def test_a_trigger_pages_and_is_answered_as_pagerduty_does() -> None:
    world = a_front()

    assert sent(world, TRIGGER) == (202, {"status": "success", "message": "Event processed", "dedup_key": "pay"})
    consume(world, a_batch({"messageId": "m", "body": world.queue.bodies[0]}))
    assert the_incident(world).service == "payments"
    assert len(pages(world)) == 1


def test_a_key_is_made_up_where_there_is_none_and_the_same_trigger_sent_twice_is_one_alert() -> None:
    world = a_front()
    bare = {name: value for name, value in TRIGGER.items() if name != "dedup_key"}

    (_, first), (_, again) = sent(world, bare), sent(world, bare)
    _, other = sent(world, {**bare, "payload": {**PAYLOAD, "summary": "Refunds fail"}})

    assert len(first["dedup_key"]) == 32
    assert first["dedup_key"] == again["dedup_key"] != other["dedup_key"]
    alerts = [json.loads(body)["alerts"][0] for body in world.queue.bodies]
    assert [alert["identity"]["dedup_key"] for alert in alerts] == [
        answer["dedup_key"] for answer in (first, again, other)
    ]


@pytest.mark.parametrize("keys", [(KEY,), (NEXT, KEY), (f"{NEXT}\n{KEY}",), (f"orders:{ORDERS} {KEY}",)])
def test_every_key_that_the_parameter_holds_is_good(keys: tuple[str, ...]) -> None:
    assert sent(a_front(*keys), TRIGGER)[0] == 202


def test_a_key_that_is_a_services_own_makes_its_alerts_that_services() -> None:
    world = a_front(f"{KEY} orders:{ORDERS}")

    for key in (KEY, ORDERS):
        sent(world, {**TRIGGER, "routing_key": key})
    anybodys, orders = (json.loads(body)["alerts"][0] for body in world.queue.bodies)

    assert (anybodys["service"], orders["service"]) == ("payments", "orders")
    assert (anybodys["identity"], orders["identity"]) == (
        {"dedup_key": "pay"},
        {"dedup_key": "pay", "service": "orders"},
    ), "two senders may use the same key"


def test_the_key_may_come_in_pagerdutys_header() -> None:
    body = {name: value for name, value in TRIGGER.items() if name != "routing_key"}

    assert sent(a_front(), body, **{"X-Routing-Key": KEY})[0] == 202


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({**TRIGGER, "routing_key": NEXT}, "Invalid routing key"),
        ({**TRIGGER, "routing_key": "\u00fc"}, "Invalid routing key"),
        ({**TRIGGER, "routing_key": None}, "'routing_key' is missing or blank"),
        ({**TRIGGER, "routing_key": 7}, "'routing_key' is missing or blank"),
        ([], "'routing_key' is missing or blank"),
        ({**TRIGGER, "event_action": "page"}, "event_action is none of trigger, acknowledge, resolve: 'page'"),
        ({**RESOLVE, "dedup_key": ""}, "dedup_key is missing"),
        ({**TRIGGER, "dedup_key": "k" * 256}, "dedup_key is longer than 255 characters"),
        ({**TRIGGER, "payload": {**PAYLOAD, "summary": ""}}, "payload.summary is missing"),
        ({**TRIGGER, "payload": {**PAYLOAD, "severity": "bad"}}, "payload.severity is none of"),
        ({**TRIGGER, "payload": None}, "payload is missing"),
    ],
)
def test_an_invalid_event_is_refused_in_pagerdutys_words(document: Any, error: str) -> None:
    status, said = sent(a_front(), document)

    assert (status, said["status"], said["message"]) == (400, "invalid event", "Event object is invalid")
    assert [reason[: len(error)] for reason in said["errors"]] == [error]


def test_what_is_no_json_is_unrecognized() -> None:
    status, said = sent(a_front(), "{not json")

    assert (status, said["status"]) == (400, "Unrecognized object")
    assert "not JSON" in said["errors"][0]


def test_an_invalid_event_of_a_known_sender_is_kept_aside() -> None:
    world = a_front()

    sent(world, {**TRIGGER, "event_action": "page"})

    assert [kept.source for kept in quarantine.listed(world)] == ["pagerduty"]


def test_who_sends_too_fast_and_what_cannot_be_taken_now_is_to_come_again() -> None:
    class Full(MemoryQueue):
        def send(self, *_: Any, **__: Any) -> None:
            raise Unavailable("SQS did not take it")

    world = a_front()
    slowed = receive(replace(world, admit=lambda _: Admitted(1.2)), an_event(TRIGGER))
    failed = receive(replace(world, queue=Full(world.clock)), an_event(TRIGGER))

    assert (slowed["statusCode"], json.loads(slowed["body"])["status"]) == (429, "throttle exceeded")
    assert slowed["headers"]["retry-after"] == "2"
    assert failed["statusCode"] == 503


def test_an_acknowledgement_is_mailed_to_the_incident_that_its_key_fires_in() -> None:
    world = a_front()
    incident = delivered(world, TRIGGER, ACKNOWLEDGE)

    acks = [mail for mail in mailbox.read(world, incident).mails if mail.kind is MailKind.ACK]
    assert [(mail.actor, mail.text) for mail in acks] == [
        ("pagerduty", "pagerduty says that somebody took Payments fail on")
    ]


@pytest.mark.parametrize(
    "before",
    [
        [],
        [TRIGGER, RESOLVE],
        [{**TRIGGER, "dedup_key": "other"}],
        [{**TRIGGER, "payload": {**PAYLOAD, "severity": "info"}}, RESOLVE],
    ],
    ids=["unknown", "resolved", "another key", "info, resolved"],
)
def test_what_does_not_fire_is_not_acknowledged(before: list[dict[str, Any]]) -> None:
    world = a_front()
    for document in (*before, ACKNOWLEDGE):
        assert sent(world, document)[0] == 202
    for number, body in enumerate(list(world.queue.bodies)):
        world.clock.advance(1)
        assert consume(world, a_batch({"messageId": f"m{number}", "body": body})) == {"batchItemFailures": []}
    boxes = [mailbox.read(world, incident).mails for incident in all_incidents(world)]
    assert [mail for mails in boxes for mail in mails if mail.kind is MailKind.ACK] == []


def test_a_resolve_with_nothing_but_its_key_clears_the_series() -> None:
    world = a_front()
    incident = delivered(world, TRIGGER, RESOLVE)

    told = [mail for mail in mailbox.read(world, incident).mails if mail.kind is MailKind.ALERT]
    assert [mail.detail["status"] for mail in told] == ["resolved"]
