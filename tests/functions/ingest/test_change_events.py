"""Does `POST /v2/change/enqueue` answer whoever tells PagerDuty of changes as PagerDuty would, and keep each change?"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.team import Team
from incident_bot.ingest import quarantine
from incident_bot.state import deploys
from incident_bot.virtual.clock import T0
from incident_bot.virtual.surroundings import MemoryQueue
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Admitted
from tests.building import a_service, a_team, a_world
from tests.signalling import a_batch, all_incidents, pages

KEY, CHECKOUT, MAIL, OTHER = ("0" * 32, "1" * 32, "2" * 32, "3" * 32)
DETAILS = {"service": "orders", "revision": "3b18e5", "build_state": "passed"}
PAYLOAD = {"summary": "3b18e5 is in production", "source": "ci", "timestamp": T0.isoformat(), "custom_details": DETAILS}
CHANGE = {"routing_key": KEY, "payload": PAYLOAD, "links": [{"href": "https://ci.example.com/2", "text": "build 2"}]}


def a_front(team: Team | None = None) -> VirtualWorld:
    keys = f"{KEY} checkout:{CHECKOUT} mail:{MAIL}"
    return a_world(team, secrets={"webhooks/pagerduty": (keys,), "channels/pagerduty": ("r" * 32,)})


def an_event(document: Any, path: str = "/v2/change/enqueue", method: str = "POST") -> dict[str, Any]:
    return {
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method}, "requestId": "request-1"},
        "body": document if isinstance(document, str) else json.dumps(document),
        "isBase64Encoded": False,
    }


def sent(world: VirtualWorld, document: Any) -> tuple[int, dict[str, Any]]:
    response = receive(world, an_event(document))
    assert response["headers"]["content-type"] == "application/json"
    return response["statusCode"], json.loads(response["body"])


def consumed(world: VirtualWorld) -> None:
    for number, message in enumerate(world.queue.receive(10)):
        batch = a_batch({"messageId": f"{message.id}-{number}", "body": message.body})
        assert consume(world, batch) == {"batchItemFailures": []}
        world.queue.delete(message)


def kept(world: VirtualWorld, service: str) -> list[tuple[str, bool]]:
    """The service's changes: what each is called, and whether it went badly."""
    return [(deploy.version, deploy.failed) for deploy in deploys.read(world.store, service)]


def test_a_change_is_answered_as_pagerduty_does_and_kept_and_pages_nobody() -> None:
    world = a_front()
    assert sent(world, CHANGE) == (202, {"status": "success", "message": "Change event processed"})
    consumed(world)
    assert kept(world, "orders") == [("3b18e5", False)]
    assert (list(all_incidents(world)), pages(world)) == ([], [])


def test_a_change_sent_twice_is_one() -> None:
    world = a_front()
    sent(world, CHANGE)
    sent(world, CHANGE)
    consumed(world)
    assert len(kept(world, "orders")) == 1


def test_a_change_without_a_time_is_another_one_each_time() -> None:
    world = a_front()
    bare = {"routing_key": CHECKOUT, "payload": {"summary": "A secret was rotated"}}
    for _ in range(2):
        sent(world, bare)
        world.clock.advance(60)
    consumed(world)
    assert len({version for version, _ in kept(world, "checkout")}) == 2


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({**PAYLOAD, "custom_details": {**DETAILS, "build_state": "Failed"}}, ("3b18e5", True)),
        ({**PAYLOAD, "custom_details": "by hand"}, ("3b18e5 is in production (", False)),
        ({**PAYLOAD, "custom_details": {"revision": 7}}, ("3b18e5 is in production (", False)),
        ({**PAYLOAD, "source": None, "timestamp": ""}, ("3b18e5", False)),
    ],
    ids=["a build that failed", "details that are prose", "a revision that is no text", "neither source nor time"],
)
def test_a_key_of_a_service_tells_whose_change_it_is(payload: Any, found: tuple[str, bool]) -> None:
    world = a_front()
    assert sent(world, {"routing_key": CHECKOUT, "payload": payload})[0] == 202
    consumed(world)
    ((version, failed),) = kept(world, "checkout")
    assert (version.startswith(found[0]), failed) == (True, found[1])


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({**CHANGE, "routing_key": OTHER}, "Invalid routing key"),
        ({"payload": PAYLOAD}, "'routing_key' is missing or blank"),
        ({"routing_key": KEY}, "payload is missing"),
        ({"routing_key": KEY, "payload": []}, "payload is"),
        ({"routing_key": KEY, "payload": {"source": "ci"}}, "payload.summary is missing"),
        ({"routing_key": KEY, "payload": {"summary": "x" * 1025}}, "payload.summary is longer than 1024 characters"),
        ({"routing_key": KEY, "payload": {**PAYLOAD, "timestamp": "yesterday"}}, "timestamp is not a time"),
    ],
)
def test_an_invalid_change_is_refused_in_pagerdutys_words(document: Mapping[str, Any], error: str) -> None:
    status, said = sent(a_front(), document)
    assert (status, said["status"], said["message"]) == (400, "invalid event", "Event object is invalid")
    assert [reason[: len(error)] for reason in said["errors"]] == [error]


def test_an_invalid_change_of_a_known_sender_is_kept_aside() -> None:
    world = a_front()
    sent(world, {"routing_key": KEY, "payload": {}})
    assert [entry.source for entry in quarantine.listed(world)] == ["pagerduty_change"]


def test_an_alert_without_its_action_is_still_refused_at_the_door_for_alerts() -> None:
    response = receive(a_front(), an_event(CHANGE, "/v2/enqueue"))
    assert response["statusCode"] == 400


def test_who_sends_too_fast_is_slowed_with_its_alerts_and_what_cannot_be_taken_is_to_come_again() -> None:
    class Full(MemoryQueue):
        def send(self, *_: Any, **__: Any) -> None:
            raise Unavailable("SQS did not take it")

    world = a_front()
    slow = replace(world, admit=lambda sender: Admitted(1.2 if sender == "pagerduty" else 0))
    slowed = receive(slow, an_event(CHANGE))
    failed = receive(replace(world, queue=Full(world.clock)), an_event(CHANGE))
    assert (slowed["statusCode"], json.loads(slowed["body"])["status"]) == (429, "throttle exceeded")
    assert failed["statusCode"] == 503


@pytest.mark.parametrize(("owner", "incidents"), [("payments", 1), ("platform", 2)])
def test_what_fires_after_one_change_in_two_services_of_a_team_is_one_incident(owner: str, incidents: int) -> None:
    team = a_team()
    world = a_front(replace(team, services={**team.services, "mail": a_service("mail", owner=owner)}))
    for key in (CHECKOUT, MAIL):
        sent(world, {**CHANGE, "routing_key": key})
    consumed(world)
    for key in (CHECKOUT, MAIL):
        world.clock.advance(30)
        trigger = {"summary": f"{key} fails", "source": "x", "severity": "critical"}
        document = {"routing_key": key, "event_action": "trigger", "dedup_key": key, "payload": trigger}
        receive(world, an_event(document, "/v2/enqueue"))
        consumed(world)
    assert len(list(all_incidents(world))) == incidents
