"""Does the synthetic alert go the whole way that any sender's alert goes, and is it told apart where it ends?"""

import base64
import json
from dataclasses import replace

import pytest

from functions.ingest.receive import receive
from incident_bot.domain.errors import NotFound, Unavailable
from incident_bot.ingest import arrival, synthetic
from incident_bot.virtual.surroundings import Request
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Response
from tests.building import a_world

API = "https://api.test"
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()


def a_bot(secret: str = SECRET) -> VirtualWorld:
    """A world whose own API hands webhooks to the real `receive`."""
    world = replace(a_world(secrets={"webhooks/generic": (secret,)} if secret else {}), api_url=API)

    def front(request: Request) -> Response:
        answer = receive(
            world,
            {
                "rawPath": request.url.removeprefix(API),
                "headers": dict(request.headers),
                "pathParameters": {"source": request.url.rpartition("/")[2]},
                "requestContext": {"http": {"method": "POST"}, "requestId": "request-1"},
                "body": request.body.decode(),
                "isBase64Encoded": False,
            },
        )
        return Response(answer["statusCode"], answer["body"].encode())

    world.http.answer(f"{API}/v1/webhooks/", peer=front)
    return world


def test_it_walks_the_front_door_the_authentication_and_the_queue_and_is_counted_at_the_end():
    world = a_bot()
    synthetic.send(world)
    (body,) = world.queue.bodies
    assert json.loads(body)["kind"] == "alerts"
    assert arrival.read(world, {"messageId": "m", "body": body, "attributes": {}}) == [], "it opens nothing"
    assert ("SyntheticAlert", 1, {}) in world.metrics.points, "the alarm watches the metric without dimensions"


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
