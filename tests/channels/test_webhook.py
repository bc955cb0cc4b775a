"""Is the webhook signed as Standard Webhooks says, and its body as its schema says?"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from incident_bot.channels import named
from incident_bot.domain.errors import NotFound, Refused, Unavailable
from incident_bot.domain.message import Kind
from incident_bot.domain.team import ChannelSettings
from incident_bot.virtual.clock import VirtualClock
from tests.building import a_world
from tests.channels.messages import HOSTILE, a_message

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/webhook-message.schema.json").read_text())
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SETTINGS = ChannelSettings(url="http://receiver.test/hook", secret="channels/webhook")
CHANNEL = named("webhook")


def a_receiver(status: int = 200, secrets: tuple[str, ...] = (SECRET,)):
    world = a_world(clock=VirtualClock(datetime.now(UTC)), secrets={"channels/webhook": secrets})
    world.http.answer("http://receiver.test", status, {"said": "so"})
    return world


@pytest.mark.parametrize("kind", list(Kind))
def test_the_receiver_can_verify_it_and_read_it_by_the_schema(kind: Kind) -> None:
    world = a_receiver()
    message = a_message(kind=kind, text=HOSTILE, title=HOSTILE, details={HOSTILE: HOSTILE})
    delivery = CHANNEL.send(message, "", SETTINGS, world, 2.0)
    (request,) = world.http.sent
    Webhook(SECRET).verify(request.body, dict(request.headers))
    body = request.json
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(body)
    assert body["type"] == f"incident.{kind}"
    assert body["id"] == request.headers["webhook-id"] == delivery.reference == "inc1.page-first"
    assert body["dedup_key"] == "inc1"
    assert not {"\u202e", "\x1b", "@"} & set(request.body.decode())


def test_a_changed_body_and_another_secret_do_not_verify() -> None:
    world = a_receiver()
    CHANNEL.send(a_message(), "", SETTINGS, world, 2.0)
    (request,) = world.http.sent
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLDER).verify(request.body, dict(request.headers))


def test_while_the_secret_rotates_either_verifies() -> None:
    world = a_receiver(secrets=(SECRET, OLDER))
    CHANNEL.send(a_message(), "", SETTINGS, world, 2.0)
    (request,) = world.http.sent
    for secret in (SECRET, OLDER):
        Webhook(secret).verify(request.body, dict(request.headers))


def test_a_teams_own_secret_goes_before_the_channels() -> None:
    world = a_receiver()
    CHANNEL.send(a_message(), OLDER, SETTINGS, world, 2.0)
    Webhook(OLDER).verify(world.http.sent[0].body, dict(world.http.sent[0].headers))


def test_a_repeat_has_the_same_id() -> None:
    world = a_receiver()
    for _ in range(2):
        CHANNEL.send(a_message(), "", SETTINGS, world, 2.0)
        world.clock.advance(5)
    assert len({request.headers["webhook-id"] for request in world.http.sent}) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(301, Refused), (401, Refused), (410, Refused), (429, Unavailable), (503, Unavailable)]
)
def test_only_success_is_a_yes(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="so"):
        CHANNEL.send(a_message(), "", SETTINGS, a_receiver(status), 2.0)


@pytest.mark.parametrize(
    ("settings", "secrets", "error"),
    [
        (replace(SETTINGS, url=""), (SECRET,), Refused),
        (replace(SETTINGS, secret=""), (SECRET,), Refused),
        (replace(SETTINGS, secret="elsewhere"), (SECRET,), NotFound),
        (SETTINGS, (), Refused),
        (SETTINGS, ("whsec_",), Refused),
        (SETTINGS, ("whsec_\u00e9",), Refused),
    ],
)
def test_nothing_leaves_unsigned(settings: ChannelSettings, secrets: tuple[str, ...], error: type[Exception]) -> None:
    world = a_receiver(secrets=secrets)
    with pytest.raises(error):
        CHANNEL.send(a_message(), "", settings, world, 2.0)
    assert world.http.sent == []
