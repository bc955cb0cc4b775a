"""Is every delivery recorded once, as it came but for its secrets, and does nothing depend on that?"""

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot import plugins
from incident_bot.domain.redact import REDACTED
from incident_bot.ingest import synthetic
from incident_bot.ingest.recording import LARGEST, Recorded, keep
from incident_bot.operating.exporting import members
from incident_bot.virtual.deployment import record
from incident_bot.virtual.replay import recorded as read_back
from incident_bot.virtual.replay import replay
from incident_bot.virtual.surroundings import MemoryRecordings
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import World
from tests.building import a_team, a_world
from tests.signalling import a_batch, pages

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ="
ALERT = {"title": "checkout fails", "status": "firing", "severity": "sev1", "service": "checkout"}
ALARM = json.dumps(plugins.source("cloudwatch").examples[0].body)


@pytest.fixture
def world() -> VirtualWorld:
    return a_world(secrets={"webhooks/generic": (SECRET,)})


def send(world: World, body: str | bytes, identifier: str = "d1") -> dict[str, Any]:
    """Deliver to `generic`, authentic."""
    raw = body.encode() if isinstance(body, str) else body
    authentication = plugins.source("generic").authentication
    assert authentication is not None
    request = {
        "rawPath": "/v1/webhooks/generic",
        "requestContext": {"requestId": identifier, "http": {"method": "POST"}},
        "headers": authentication.sign(raw, SECRET, world.now(), identifier),
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
    }
    answer: dict[str, Any] = receive(world, request)
    return answer


def take(world: VirtualWorld) -> dict[str, Any]:
    """Hand everything that waits to `consume`."""
    batch = world.queue.receive()
    found: dict[str, Any] = consume(world, a_batch(*(record(message) for message in batch)))
    return found


def recorded(world: VirtualWorld) -> list[Mapping[str, Any]]:
    lines = b"".join(members(data) for data in world.recordings.objects.values()).decode().splitlines()
    return [json.loads(line) for line in lines]


def test_a_webhook_is_recorded_as_it_came_in_one_call_of_its_batch(world: VirtualWorld) -> None:
    bodies = [json.dumps({"alerts": [ALERT]}, indent=n) for n in range(1, 4)]
    for number, body in enumerate(bodies):
        send(world, body, f"d{number}")
    world.clock.advance(9)
    take(world)
    assert recorded(world) == [
        {"at": "2026-01-15T10:00:00.000000Z", "delivery_id": f"d{number}", "source": "generic", "body": body}
        for number, body in enumerate(bodies)
    ]
    assert len(world.recordings.objects) == 1


def test_secrets_stay_out_of_it_and_headers_never_are_in_it(world: VirtualWorld) -> None:
    send(world, json.dumps({"alerts": [ALERT | {"labels": {"api_token": "hunter2"}}]}))
    take(world)
    [found] = recorded(world)
    assert json.loads(found["body"])["alerts"][0]["labels"] == {"api_token": REDACTED}
    assert SECRET not in str(found)


def test_the_service_that_a_key_is_for_is_recorded_beside_the_body_and_replayed(world: VirtualWorld) -> None:
    world.secrets.known["webhooks/pagerduty"] = ("checkout:k3y",)
    event = plugins.source("pagerduty").examples[0].body
    body = json.dumps({**cast(dict[str, Any], event), "routing_key": "k3y", "event_action": "trigger"})
    headers = {"content-type": "application/json"}
    request = {"rawPath": "/v1/webhooks/pagerduty", "headers": headers, "body": body}
    assert receive(world, request | {"requestContext": {"http": {"method": "POST"}}})["statusCode"] == 202
    take(world)
    [found] = recorded(world)
    assert (found["service"], json.loads(found["body"])["routing_key"]) == ("checkout", REDACTED)
    again = replay([read_back(json.dumps(found), 1, world.now())], world.team)
    assert [incident.service for incident in again.incidents] == ["checkout"]


def test_what_comes_by_sns_is_recorded_under_its_source_and_its_carriers_id(world: VirtualWorld) -> None:
    world.queue.send([ALARM])
    take(world)
    assert [(f["source"], f["delivery_id"], f["body"]) for f in recorded(world)] == [
        ("cloudwatch", json.loads(ALARM)["MessageId"], ALARM)
    ]


@pytest.mark.parametrize("body", ["hello", "{}", "[1]", '{"Type": "Notification", "Message": "{"}'])
def test_what_nobody_recognises_is_recorded_too(body: str, world: VirtualWorld) -> None:
    world.queue.send([body])
    take(world)
    assert [(f["source"], f["body"]) for f in recorded(world)] == [("queue", body)]


@pytest.mark.parametrize("body", [b"{ not", b"{}", b'{"title": "\xff"}', b'{"alerts": []}'])
def test_what_is_rejected_is_recorded_at_once(body: bytes, world: VirtualWorld) -> None:
    assert send(world, body)["statusCode"] == 400
    [found] = recorded(world)
    assert found["body"].encode(errors="surrogateescape") == body
    assert world.queue.bodies == []


def test_a_body_that_does_not_fit_into_a_message_is_recorded_at_once(world: VirtualWorld) -> None:
    body = json.dumps({"alerts": [ALERT | {"extra": "x" * 150_000}], "more": "y" * 150_000})
    send(world, body)
    assert [found["body"] for found in recorded(world)] == [body]
    take(world)
    assert len(recorded(world)) == 1


def test_the_alert_that_walks_the_front_and_deadlines_are_no_deliveries(world: VirtualWorld) -> None:
    labels = {synthetic.LABEL: synthetic.proof(SECRET, "d1")}
    send(world, json.dumps({"title": "heartbeat", "status": "firing", "labels": labels}), "d1")
    world.queue.send(['{"v":1,"kind":"deadline","incident":"none"}'])
    take(world)
    assert recorded(world) == []


def test_what_failed_and_comes_again_is_recorded_when_it_is_taken_in(world: VirtualWorld) -> None:
    send(world, json.dumps(ALERT))
    message = record(world.queue.receive()[0])
    broken = replace(world, store=cast(Any, None))
    assert consume(broken, a_batch(message)) == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}
    assert recorded(world) == []
    consume(world, a_batch(message))
    assert len(recorded(world)) == 1


def test_a_page_goes_out_before_and_whether_or_not_it_can_be_recorded(world: VirtualWorld) -> None:
    seen = _Watching(world)
    world = replace(world, recordings=seen)
    send(world, json.dumps(ALERT))
    assert take(world) == {"batchItemFailures": []}
    assert seen.pages == [1]
    assert len(pages(world)) == 1
    assert world.metrics.counts["RecordingFailed"] == 1


@dataclass
class _Watching(MemoryRecordings):
    """Fails, and notes how many pages had gone out by then."""

    world: VirtualWorld
    pages: list[int] = field(default_factory=list)

    def put(self, data: bytes) -> None:
        self.pages.append(len(pages(self.world)))
        raise RuntimeError(f"{len(data)} bytes and no way to keep them")


def test_a_team_may_say_that_nothing_is_recorded() -> None:
    world = a_world(a_team(recording=False), secrets={"webhooks/generic": (SECRET,)})
    send(world, json.dumps(ALERT))
    assert '"body":' not in world.queue.bodies[0]
    take(world)
    send(world, "{ not")
    assert world.recordings.objects == {}


def test_a_large_batch_is_several_records_that_firehose_takes(world: VirtualWorld) -> None:
    noise = random.Random(1).randbytes(450_000).hex()
    deliveries = [Recorded(datetime(2026, 1, 15, tzinfo=UTC), f"d{n}", "generic", noise) for n in range(3)]
    keep(world, deliveries)
    assert [found["delivery_id"] for found in recorded(world)] == ["d0", "d1", "d2"]
    assert all(len(data) <= LARGEST for data in world.recordings.objects.values())
