"""Does the synthetic alert go the whole way that any sender's alert goes, and is it told apart where it ends?"""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from functions.ingest.receive import receive
from incident_bot import plugins
from incident_bot.domain.errors import Invalid, NotFound, Unavailable
from incident_bot.ingest import arrival, synthetic
from incident_bot.virtual.surroundings import MemorySecrets, Request
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Response
from tests.building import a_world

API = "https://api.test"
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()


def as_request(request: Request) -> dict[str, Any]:
    """API Gateway's event for a request to the API."""
    return {
        "rawPath": request.url.removeprefix(API),
        "headers": dict(request.headers),
        "pathParameters": {"source": request.url.rpartition("/")[2]},
        "requestContext": {"http": {"method": "POST"}, "requestId": "request-1"},
        "body": request.body.decode(),
        "isBase64Encoded": False,
    }


def a_bot(secret: str = SECRET) -> VirtualWorld:
    """A world whose own API hands webhooks to the real `receive`."""
    world = replace(a_world(secrets={"webhooks/generic": (secret,)} if secret else {}), api_url=API)

    def front(request: Request) -> Response:
        answer = receive(world, as_request(request))
        return Response(answer["statusCode"], answer["body"].encode())

    world.http.answer(f"{API}/v1/webhooks/", peer=front)
    return world


def deliver(world: VirtualWorld, body: bytes, identifier: str) -> None:
    """As any sender that holds the secret would."""
    authentication = plugins.source("generic").authentication
    assert authentication
    headers = authentication.sign(body, SECRET, world.now(), identifier)
    url = f"{API}/v1/webhooks/generic"
    assert world.http.post(url, headers=headers, body=body, timeout_seconds=1).status == 202


def test_it_walks_the_front_door_the_authentication_and_the_queue_and_is_counted_at_the_end():
    world = a_bot()
    synthetic.send(world)
    (body,) = world.queue.bodies
    assert json.loads(body)["kind"] == "alerts"
    assert arrival.read(world, {"messageId": "m", "body": body, "attributes": {}}) == [], "it opens nothing"
    assert ("SyntheticAlert", 1, {}) in world.metrics.points, "the alarm watches the metric without dimensions"


@pytest.mark.parametrize("label", ["true", "", "0" * 64, "é"])
def test_what_others_label_as_synthetic_is_an_alert_like_any_other(label: str) -> None:
    world = a_bot()
    alert = {"title": "the canary failed", "status": "firing", "key": "canary", "labels": {"synthetic": label}}
    deliver(world, json.dumps(alert).encode(), "msg-1")
    (body,) = world.queue.bodies
    (arrived,) = arrival.read(world, {"messageId": "m", "body": body, "attributes": {}})
    assert arrived.observation
    assert (arrived.observation.alert.title, arrived.observation.alert.source) == ("the canary failed", "generic")
    assert not [point for point in world.metrics.points if point[0] == "SyntheticAlert"]


def test_the_proof_of_one_delivery_is_none_for_another() -> None:
    world = a_bot()
    synthetic.send(world)
    sent = world.http.sent[0].body
    deliver(world, sent, "msg-1")
    body = world.queue.bodies[-1]
    assert len(arrival.read(world, {"messageId": "m", "body": body, "attributes": {}})) == 1


@pytest.mark.parametrize(
    "reason", [NotFound("there is no parameter"), Invalid("it is no secret")], ids=["gone", "broken"]
)
def test_where_the_secret_is_gone_since_the_sender_proved_itself_nothing_is_taken_until_it_comes_again(
    reason: Exception,
) -> None:
    class Vanishing(MemorySecrets):
        def values(self, name: str) -> tuple[str, ...]:
            if name not in self.known:
                raise reason
            return self.known.pop(name)

    bot = a_bot()
    synthetic.send(bot)
    (sent,) = bot.http.sent
    world = replace(bot, secrets=Vanishing({"webhooks/generic": (SECRET,)}))

    taken = len(bot.queue.bodies)
    answers = [receive(world, as_request(sent))["statusCode"] for _ in range(2)]

    assert answers == [503, 401 if isinstance(reason, NotFound) else 503]
    assert len(bot.queue.bodies) == taken


def test_it_is_in_no_recording_and_what_only_looks_like_it_is() -> None:
    world = a_bot()
    synthetic.send(world)
    deliver(
        world,
        b'{"title": "the canary failed", "status": "firing", "key": "canary", "labels": {"synthetic": "true"}}',
        "msg-1",
    )
    assert ["body" in json.loads(body) for body in world.queue.bodies] == [False, True]


def test_a_secret_that_was_never_set_is_said_and_not_hidden():
    with pytest.raises(NotFound, match="webhooks/generic"):
        synthetic.send(a_bot(secret=""))


def test_a_front_that_does_not_take_it_is_a_failure():
    world = a_bot()
    world.http.answer(f"{API}/v1/webhooks/", 502)
    with pytest.raises(Unavailable, match="502"):
        synthetic.send(world)


def test_where_there_is_no_api_nothing_is_sent():
    world = a_world()
    synthetic.send(world)
    assert world.http.sent == []
