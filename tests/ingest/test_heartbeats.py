"""Does a heartbeat that stops open one incident, its next ping end it, and a healthy one leave nothing behind?"""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from functions.ingest.consume import consume
from functions.ingest.receive import receive
from functions.triage.sweep import sweep
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Heartbeat, Sender
from incident_bot.ingest import heartbeats
from incident_bot.ingest.rate import RateLimit
from incident_bot.state import incidents
from incident_bot.virtual.surroundings import MemoryQueue, MemorySecrets
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_team, a_world

EXPORT = Heartbeat("nightly-export", "checkout", every_seconds=3600, grace_seconds=300)


def a_watch(**parts: Any) -> VirtualWorld:
    """A world that waits for the export."""
    team = replace(a_team(), heartbeats={"nightly-export": EXPORT})
    return a_world(team, secrets={"webhooks/heartbeat/nightly-export": ("token",)}, **parts)


def ping(world: VirtualWorld, name: str = "nightly-export", secret: str = "token", **query: str) -> int:
    status = send(world, name, secret, **query)
    take(world)
    return status


def send(world: VirtualWorld, name: str, secret: str = "token", **query: str) -> int:
    answer = receive(
        world,
        {
            "rawPath": f"/v1/heartbeats/{name}",
            "headers": {"authorization": f"Bearer {secret}"},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "POST"}, "requestId": f"request-{world.now().timestamp():.0f}"},
        },
    )
    return int(answer["statusCode"])


def take(world: VirtualWorld) -> None:
    """What is in the queue is taken in."""
    bodies = [b for b in world.queue.bodies if json.loads(b)["kind"] == "alerts"]
    world.queue.messages.clear()
    for number, body in enumerate(bodies):
        failed = consume(world, {"Records": [{"messageId": f"m{number}", "body": body, "attributes": {}}]})
        assert failed == {"batchItemFailures": []}


def minutes(world: VirtualWorld, number: int) -> None:
    for _ in range(number):
        world.clock.advance(60)
        sweep(world, {})
        take(world)


def opened(world: VirtualWorld) -> list[Incident]:
    return [incidents.read(world.store, key[0].removeprefix("INC#")) for key in world.store.opened()]


def test_a_healthy_heartbeat_opens_nothing() -> None:
    world = a_watch()
    for _ in range(5):
        assert ping(world) == 202
        minutes(world, 55)
    assert opened(world) == []


def test_one_that_stops_opens_one_incident_of_its_service_until_it_pings_again() -> None:
    world = a_watch()
    ping(world)
    minutes(world, 65 + 40)

    (incident,) = opened(world)
    assert (incident.title, incident.service, incident.alerts) == ("Heartbeat nightly-export", "checkout", 1)
    assert "last heard of" in incident.summary
    ping(world)
    assert "resolved" in " ".join(mail_texts(world, incident.id))


def mail_texts(world: VirtualWorld, incident: str) -> list[str]:
    return [entry["text"] for entry in (world.store.get((f"INC#{incident}", "BOX")) or {})["entries"]]


def test_one_that_was_never_heard_of_is_missed_too() -> None:
    world = a_watch()
    minutes(world, 64)
    assert opened(world) == []
    minutes(world, 3)
    assert [i.title for i in opened(world)] == ["Heartbeat nightly-export"]


def test_one_that_says_it_failed_is_an_alert_at_once_and_its_next_good_word_ends_it() -> None:
    world = a_watch()
    ping(world, status="failed", message="exit status 3")

    (incident,) = opened(world)
    assert (incident.service, incident.summary) == ("checkout", "exit status 3")
    world.clock.advance(300)
    ping(world)
    assert "resolved" in " ".join(mail_texts(world, incident.id))


def test_the_secret_of_one_keeps_no_other_alive() -> None:
    world = a_watch()
    team = replace(world.team, heartbeats={**world.team.heartbeats, "backup": replace(EXPORT, name="backup")})
    world = replace(world, team=team)
    assert ping(world, "backup") == 401
    world.secrets.known["webhooks/heartbeat/backup"] = ("another",)
    assert [ping(world, "backup", secret) for secret in ("token", "", "another")] == [401, 401, 202]
    assert [ping(world, secret=secret) for secret in ("another", "token")] == [401, 202]


def test_one_that_pings_too_often_silences_no_other() -> None:
    world = a_watch()
    senders = {"heartbeat": Sender(per_second=0.01, burst=1)}
    team = replace(world.team, heartbeats={**world.team.heartbeats, "backup": replace(EXPORT, name="backup")})
    world = replace(world, team=replace(team, senders=senders), admit=RateLimit(world.now, senders).admit)
    world.secrets.known["webhooks/heartbeat/backup"] = ("token",)

    assert [send(world, name) for name in ("nightly-export", "nightly-export", "backup")] == [202, 429, 202]
    told = [alert["labels"] for body in world.queue.bodies for alert in json.loads(body)["alerts"]]
    assert [labels["slowed"] for labels in told if "slowed" in labels] == ["heartbeat/nightly-export"]


@pytest.mark.parametrize("name", ["nightly-exprot", "../generic", "a/b", "x" * 3000])
def test_no_secret_is_looked_for_that_a_stranger_names(name: str) -> None:
    class Watched(MemorySecrets):
        def values(self, name: str) -> tuple[str, ...]:
            raise AssertionError(name)

    assert ping(replace(a_watch(), secrets=Watched()), quote(name, safe="")) == 401


def test_one_that_was_taken_out_of_the_configuration_is_kept_aside_with_the_nearest_name() -> None:
    world = a_watch()
    beats = {"nightly-exprot": EXPORT}
    world.secrets.known["webhooks/heartbeat/nightly-exprot"] = ("token",)
    front = replace(world, team=replace(world.team, heartbeats=beats))
    assert send(front, "nightly-exprot") == 202
    take(world)
    (kept,) = world.store.query(f"QUARANTINE#{world.now():%Y-%m-%d}")
    assert "did you mean nightly-export?" in json.dumps(kept)
    assert opened(world) == []


def test_an_absence_that_the_queue_did_not_take_is_told_in_the_next_minute() -> None:
    class Full(MemoryQueue):
        def send(self, *_: Any, **__: Any) -> None:
            raise Unavailable("SQS did not take it")

    world = a_watch()
    ping(world)
    world.clock.advance(66 * 60)
    sweep(replace(world, queue=Full(world.clock)), {})
    minutes(world, 1)
    assert len(opened(world)) == 1


def test_without_heartbeats_nothing_is_read() -> None:
    assert heartbeats.watch(a_world()) == 0


def test_no_secret_is_for_all_heartbeats() -> None:
    secrets = {"webhooks/heartbeat": ("all",), "webhooks/heartbeat/nightly-export": ("token",)}
    world = a_world(replace(a_team(), heartbeats={"nightly-export": EXPORT}), secrets=secrets)
    for secret in ("all", "token"):
        answer = receive(
            world,
            {
                "rawPath": "/v1/webhooks/heartbeat",
                "headers": {"authorization": f"Bearer {secret}", "content-type": "application/json"},
                "requestContext": {"http": {"method": "POST"}, "requestId": "request-1"},
                "body": json.dumps({"heartbeat": "nightly-export"}),
            },
        )
        assert (answer["statusCode"], world.queue.bodies) == (404, [])
    assert ping(world, secret="all") == 401
    assert ping(world) == 202
