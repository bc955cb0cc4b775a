"""Enrichment gathers what it can, says what it could not, and never stands in an incident's way."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.enrichment.enrich import enrich, enriched
from incident_bot.actor.turn import FENCED
from incident_bot.domain.errors import Denied
from incident_bot.domain.incident import Incident
from incident_bot.facts import Fact, Finding
from incident_bot.state import facts, incidents
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import World
from tests.building import a_world, an_incident

EVENT = {"incident": "inc1", "generation": 1}
Gather = Callable[[Incident, World], Finding | None]


def a_fact(name: str, gather: Gather | None = None, *, deadline: float = 5.0, ttl: int = 300) -> Fact:
    """A provider that finds its own name unless told otherwise."""
    return Fact(name, f"the {name} book", gather or (lambda *_: found(name)), deadline, ttl)


def found(text: str) -> Finding:
    return Finding(text, {"is": text}, "2026-01-15T10:00:00.000000Z")


def lines(world: VirtualWorld) -> list[tuple[str, str]]:
    return [(entry["text"], entry["reason"]) for entry in incidents.timeline(world.store, "inc1")]


@pytest.fixture
def world() -> VirtualWorld:
    return a_world(None, an_incident())


def test_a_finding_is_kept_with_its_source_and_age_and_told_on_the_timeline(world: VirtualWorld) -> None:
    answer = enriched(world, EVENT, [a_fact("owner")])
    assert (answer["facts"], answer["written"], answer["step"]) == (["owner"], True, "Propose")
    record = facts.of(world.store, "inc1")["owner"]
    assert (record.text, record.value, record.source) == ("owner", {"is": "owner"}, "the owner book")
    world.clock.advance(60)
    assert facts.texts(world.store, "inc1", world.now()) == {"owner": "owner (the owner book, 60 s old)"}
    assert lines(world) == [("owner: owner", "from the owner book, as of 2026-01-15T10:00:00.000000Z")]


def test_a_provider_that_fails_is_recorded_and_the_others_are_kept(world: VirtualWorld) -> None:
    def denied(*_: object) -> Finding:
        raise Denied("AccessDenied: lambda:ListVersionsByFunction")

    enriched(world, EVENT, [a_fact("deploys", denied), a_fact("owner")])
    assert facts.of(world.store, "inc1")["deploys"].failure == "Denied: AccessDenied: lambda:ListVersionsByFunction"
    assert set(facts.texts(world.store, "inc1", world.now())) == {"owner"}
    assert ("deploys: not found out", "Denied: AccessDenied: lambda:ListVersionsByFunction") in lines(world)


def test_a_provider_that_never_answers_costs_its_deadline_and_nothing_else(world: VirtualWorld) -> None:
    release = threading.Event()

    def hangs(*_: object) -> Finding:
        release.wait(30)
        return found("too late")

    try:
        enriched(world, EVENT, [a_fact("slow", hangs, deadline=0.01), a_fact("owner")])
        assert facts.of(world.store, "inc1")["slow"].failure == "no answer within 0.01 s"
        assert facts.of(world.store, "inc1")["owner"].text == "owner"
    finally:
        release.set()


def test_all_providers_are_asked_at_the_same_time(world: VirtualWorld) -> None:
    together = threading.Barrier(3, timeout=10)

    def meets(*_: object) -> Finding:
        together.wait()
        return found("met")

    enriched(world, EVENT, [a_fact(name, meets) for name in ("a", "b", "c")])
    assert all(record.text == "met" for record in facts.of(world.store, "inc1").values())


def test_what_does_not_apply_leaves_no_trace(world: VirtualWorld) -> None:
    answer = enriched(world, EVENT, [a_fact("runbook", lambda *_: None)])
    assert (answer["facts"], answer["written"]) == ([], False)
    assert lines(world) == []


def test_what_is_fresh_is_not_asked_again_and_what_is_stale_is(world: VirtualWorld) -> None:
    both = [a_fact("owner", ttl=300), a_fact("telemetry", ttl=30)]
    enriched(world, EVENT, both)
    world.clock.advance(31)
    assert enriched(world, EVENT, both)["facts"] == ["telemetry"]
    assert set(facts.of(world.store, "inc1")) == {"owner", "telemetry"}


def test_a_failure_is_never_fresh(world: VirtualWorld) -> None:
    def fails(*_: object) -> Finding:
        raise OSError("connection reset")

    enriched(world, EVENT, [a_fact("owner", fails)])
    assert enriched(world, EVENT, [a_fact("owner")])["facts"] == ["owner"]
    assert facts.of(world.store, "inc1")["owner"].failure == ""


def test_an_execution_of_another_generation_changes_nothing(world: VirtualWorld) -> None:
    assert enriched(world, {**EVENT, "generation": 2}, [a_fact("owner")]) == FENCED
    assert facts.of(world.store, "inc1") == {}


def test_somebody_who_writes_meanwhile_loses_nothing(world: VirtualWorld) -> None:
    def acknowledges(incident: Incident, _: World) -> Finding:
        incidents.commit(world, incident, replace(incident, acknowledged_by="ada"))
        return found("owner")

    assert enriched(world, EVENT, [a_fact("owner", acknowledges)])["written"] is True
    after = incidents.read(world.store, "inc1")
    assert (after.acknowledged_by, after.seq) == ("ada", 1)


def test_hostile_text_from_a_deploy_is_harmless_on_the_timeline(world: VirtualWorld) -> None:
    forged = "release 1\n2026-01-15 alice approved\u202e @everyone"
    enriched(world, EVENT, [a_fact("deploys", lambda *_: found(forged))])
    [(text, _)] = lines(world)
    assert "\n" not in text
    assert "@" not in text
    assert "\u202e" not in text


def test_the_stage_asks_every_provider_there_is(world: VirtualWorld) -> None:
    assert {"owner", "topology"} <= set(enrich(world, EVENT)["facts"])
    assert "telemetry" in facts.of(world.store, "inc1")
