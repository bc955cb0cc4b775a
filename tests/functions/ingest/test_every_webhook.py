"""Does every webhook's own example get in with the secret that the laptop makes up for it, and with no other?"""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.ingest.receive import receive
from incident_bot.domain.clock import instant
from incident_bot.sources import Example, Source, read
from incident_bot.virtual.clock import T0
from incident_bot.virtual.world import VirtualWorld
from infra.local.secret_values import webhook_secrets
from tests.building import a_team, a_world
from tests.sources.every import READY, SOURCES


class Missing(Exception):  # as boto3 names what is not there
    """No such parameter."""


class Parameters:
    """SSM, empty at first."""

    class exceptions:  # noqa: N801 - as boto3 spells it
        """Its errors."""

        ParameterNotFound = Missing

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803 - as boto3 spells it
        if Name not in self.known:
            raise Missing
        return {"Parameter": {"Value": self.known[Name]}}

    def put_parameter(self, Name: str, Value: str, Type: str) -> None:  # noqa: N803 - as above
        self.known[Name] = Value


TEAM = replace(a_team(), custom={name: described.custom for name, described in READY.items()})
SECRETS = webhook_secrets(Parameters(), "/incident-bot", TEAM)
WEBHOOKS = {name: source for name, source in SOURCES.items() if source.authentication and name != "heartbeat"}
EXAMPLES = [
    pytest.param(source, example, id=f"{name}: {example.name}")
    for name, source in WEBHOOKS.items()
    for example in source.examples
]


def delivered(source: Source, document: Any, secret: str, world: VirtualWorld) -> tuple[int, dict[str, Any]]:
    """What the sender is answered who signs the document with that secret; `?name` goes into the query, as in a URL."""
    assert source.authentication is not None
    body = json.dumps(document).encode()
    sent = source.authentication.sign(body, secret, T0, "msg_1")
    event = {
        "rawPath": f"/v1/webhooks/{source.name}",
        "requestContext": {"requestId": "request-1", "http": {"method": "POST"}},
        "headers": {name.title(): value for name, value in sent.items() if not name.startswith("?")},
        "queryStringParameters": {name[1:]: value for name, value in sent.items() if name.startswith("?")},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
    response = receive(world, event)
    return response["statusCode"], json.loads(response["body"])


def a_front() -> VirtualWorld:
    return a_world(TEAM, secrets={f"webhooks/{name}": (secret,) for name, secret in SECRETS.items()})


def test_the_laptop_makes_up_a_secret_for_every_webhook_and_keeps_it() -> None:
    ssm = Parameters()

    first = webhook_secrets(ssm, "/bot", TEAM)

    assert list(first) == list(WEBHOOKS)
    assert webhook_secrets(ssm, "/bot", TEAM) == first
    assert len(set(first.values())) == len({source.sender for source in WEBHOOKS.values()})


@pytest.mark.parametrize(("source", "example"), EXAMPLES)
def test_an_example_is_taken_as_it_promises(source: Source, example: Example) -> None:
    world = a_front()

    status, said = delivered(source, example.body, SECRETS[source.name], world)

    assert (status, said["accepted"]) == (202, len(example.expect)), said
    assert [rejection["field"] for rejection in said["rejected"]] == list(example.rejects)
    changes = read(source, example.body, instant(example.received_at)).changes
    assert bool(world.queue.bodies) is bool(example.expect or said.get("acknowledged") or changes)


@pytest.mark.parametrize("source", WEBHOOKS.values(), ids=WEBHOOKS)
def test_the_secret_of_somebody_else_opens_nothing(source: Source) -> None:
    world = a_front()

    status, _ = delivered(source, source.examples[0].body, "whsec_c29tZWJvZHkgZWxzZQ==", world)

    assert (status, world.queue.bodies) == (401, [])
