"""`export` writes what the bot received as a recording that replays to the same incidents."""

import json
from pathlib import Path

import pytest

from functions.ingest.consume import consume
from incident_bot.virtual.deployment import record
from tests.building import a_world
from tests.cli.running import SECRETS, Desk
from tests.signalling import a_batch, all_incidents

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(secrets={"webhooks/generic": (SECRETS["generic"],)}), tmp_path)


def happened(desk: Desk, *services: str) -> None:
    """An alert of each service came, and was taken in; the last one was delivered twice."""
    for number, service in enumerate([*services, services[-1]]):
        file = desk.folder / "alert.json"
        file.write_text(json.dumps({"title": f"{service} fails", "status": "firing", "service": service}))
        assert desk.run("send", file, "--source", "generic").code == 0
        messages = [record(message) for message in desk.world.queue.receive()]
        consume(desk.world, a_batch(*messages))
        for message in list(desk.world.queue.messages):
            desk.world.queue.delete(message)
        desk.world.clock.advance(10 + number)


def test_what_is_exported_replays_to_the_same_incidents(desk: Desk) -> None:
    happened(desk, "checkout", "search", "billing")
    out = desk.folder / "day.jsonl"
    ran = desk.run("export", "--since", "24h", "-o", out, "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["deliveries"], ran.json["file"]) == (4, str(out))
    again = desk.run("replay", out, "--config", CONFIG, "--json").json
    assert (again["deliveries"], again["incidents"]) == (4, len(all_incidents(desk.world)))


def test_it_may_be_of_one_source_and_before_a_time(desk: Desk) -> None:
    happened(desk, "checkout")
    out = desk.folder / "day.jsonl"
    until = "2026-01-15T10:00:05Z"
    found = desk.run("export", "--since", "1d", "--until", until, "--source", "generic", "-o", out, "--json").json
    assert found["deliveries"] == 1
    assert desk.run("export", "--since", "1d", "--source", "grafana", "-o", out, "--json").json["deliveries"] == 0
    assert out.read_text() == ""


def test_what_the_queue_repeated_is_there_once(desk: Desk) -> None:
    happened(desk, "checkout")
    [first, *_] = desk.world.recordings.objects.values()
    desk.world.recordings.put(first)
    assert desk.run("export", "--since", "1d", "-o", desk.folder / "day.jsonl", "--json").json["deliveries"] == 2


def test_only_a_person_gets_it_and_what_was_there_stays(desk: Desk) -> None:
    out = desk.folder / "day.jsonl"
    out.write_text("of yesterday\n")
    ran = desk.run("export", "--since", "1d", "-o", out, "--as", "mallory")
    assert (ran.code, out.read_text()) == (1, "of yesterday\n")
    assert "no person of this team" in ran.err


@pytest.mark.parametrize("since", ["yesterday", "24", "2026-01-15T10:00:00", "h"])
def test_a_time_that_is_none_is_wrong_usage(since: str, desk: Desk) -> None:
    assert desk.run("export", "--since", since, "-o", desk.folder / "x").code == 2
