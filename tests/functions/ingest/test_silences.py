"""Silences by the operator API: who may make one, what is refused, what it shows of what it suppressed and missed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.ingest.consume import consume
from functions.triage.sweep import sweep
from incident_bot.domain.alert import Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.timeline import flaws
from incident_bot.state import keys, silences
from incident_bot.virtual.clock import T0
from incident_bot.virtual.world import VirtualWorld
from tests.asking import STRANGER, ask
from tests.building import a_world
from tests.deciding import says
from tests.signalling import a_batch, a_record, pages, the_incident

HOUR = rfc3339(T0 + timedelta(hours=1))
WANTED = {"match": {"service": "checkout"}, "ends": HOUR, "reason": "deploy"}


def silenced(world: VirtualWorld, **changes: Any) -> str:
    status, made = ask(world, "POST", "/v1/silences", {**WANTED, **changes})
    assert status == 200, made
    return str(made["id"])


def fires(world: VirtualWorld, status: Status = Status.FIRING, at: float = 0) -> None:
    consume(world, a_batch(a_record(world, says(status=status, at=at), delivery=f"d{at}")))


def test_it_is_shown_with_its_author_and_what_it_suppressed() -> None:
    world = a_world()
    identifier = silenced(world)
    fires(world)
    [shown] = ask(world, "GET", "/v1/silences")[1]
    told = {
        k: shown[k] for k in ("id", "author", "reason", "match", "state", "suppressed", "would_have_paged", "missed")
    }
    assert told == {
        "id": identifier,
        "author": "ada",
        "reason": "deploy",
        "match": {"service": "checkout"},
        "state": "active",
        "suppressed": 1,
        "would_have_paged": 1,
        "missed": None,
    }
    [line] = ask(world, "GET", f"/v1/ledger/{identifier}")[1]["lines"]
    assert (line["incident"], line["whom"], line["outcome"]) == (the_incident(world).id, "rota:payments", "")
    assert pages(world) == []


REFUSED = [
    ("no matcher", {"match": {}}, "match"),
    ("everything", {"match": {"service": "*"}}, "everything"),
    ("what no alert has", {"match": {"team": "x"}}, "team"),
    ("longer than 30 days", {"ends": rfc3339(T0 + timedelta(days=31))}, "30 days"),
    ("over already", {"ends": rfc3339(T0)}, "future"),
    ("a time without its zone", {"ends": "2026-01-15T11:00:00"}, "ends"),
    ("no reason", {"reason": " "}, "reason"),
    ("a field that there is not", {"until": HOUR}, "until"),
]


@pytest.mark.parametrize(("changes", "named"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_will_not_do_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    world = a_world()
    status, problem = ask(world, "POST", "/v1/silences", {**WANTED, **changes})
    assert status == 400
    assert named in problem["detail"]
    assert silences.read(world.store).open == {}


def test_who_is_no_person_may_neither_make_nor_end_one() -> None:
    world = a_world()
    identifier = silenced(world)
    assert ask(world, "POST", "/v1/silences", WANTED, caller=STRANGER)[0] == 403
    assert ask(world, "POST", f"/v1/silences/{identifier}/expire", {"reason": ""}, caller=STRANGER)[0] == 403


def test_one_that_ends_early_tells_at_once_of_what_still_fires() -> None:
    world = a_world()
    identifier = silenced(world)
    fires(world)
    world.clock.advance(60)
    status, ended = ask(world, "POST", f"/v1/silences/{identifier}/expire", {"reason": "done"})
    assert (status, ended) == (200, {"id": identifier, "by": "ada", "fires": 1, "over": 0})
    consume(world, a_batch(*({"messageId": m.id, "body": m.body} for m in world.queue.receive(10))))
    assert len(pages(world)) == 1
    [shown] = ask(world, "GET", "/v1/silences", query="days=1")[1]
    assert (shown["state"], shown["seconds"], shown["missed"]) == ("ended", 60, 1)
    assert ask(world, "GET", "/v1/silences")[1] == []


def test_one_that_is_over_or_was_never_there_cannot_be_ended() -> None:
    world = a_world()
    identifier = silenced(world)
    path = f"/v1/silences/{identifier}/expire"
    assert [ask(world, "POST", path, {"reason": ""})[0] for _ in range(2)] == [200, 409]
    assert ask(world, "POST", "/v1/silences/silence-nowhere/expire", {"reason": ""})[0] == 404


def test_what_resolved_meanwhile_was_missed_only_if_somebody_says_that_it_mattered() -> None:
    world = a_world()
    identifier = silenced(world)
    fires(world)
    fires(world, Status.RESOLVED, at=30)
    world.clock.advance(3700)
    sweep(world, {})
    assert ask(world, "GET", f"/v1/ledger/{identifier}")[1]["missed"] == 0
    ask(world, "POST", f"/v1/incidents/{the_incident(world).id}/label", {"label": "actionable", "reason": "data lost"})
    shown = ask(world, "GET", f"/v1/ledger/{identifier}")[1]
    assert (shown["missed"], shown["lines"][0]["outcome"], shown["lines"][0]["label"]) == (1, "resolved", "actionable")


def test_every_change_is_on_a_trail_of_its_own() -> None:
    world = a_world()
    identifier = silenced(world)
    ask(world, "POST", f"/v1/silences/{identifier}/expire", {"reason": "done"})
    trail = ask(world, "GET", "/v1/audit/silences")[1]
    assert flaws(trail["entries"], trail["seq"], trail["head"]) == []
    assert [(e["actor"], e["text"], e["reason"]) for e in trail["entries"]] == [
        ("ada", f"{identifier} added: service=checkout until {HOUR}", "deploy"),
        ("ada", f"{identifier} expired", "done"),
    ]


def test_those_that_ended_make_room_and_more_than_a_hundred_are_refused() -> None:
    world = a_world()
    for _ in range(silences.MOST):
        silenced(world)
    assert ask(world, "POST", "/v1/silences", WANTED)[0] == 409
    world.clock.advance(3600)
    silenced(world, ends=rfc3339(T0 + timedelta(hours=2)))
    assert len(silences.read(world.store).open) == 1


def test_large_ones_are_refused_before_their_item_is_full_and_the_answer_says_how_to_make_room() -> None:
    world = a_world()
    large = {"match": {f"labels.l{n}": "é" * 230 for n in range(11)}}
    made = []
    while (answer := ask(world, "POST", "/v1/silences", {**WANTED, **large}))[0] == 200:
        made.append(answer[1]["id"])
    status, problem = answer
    assert status == 409
    assert f"{len(made)} of 100 silences are open" in problem["detail"]
    assert f"of {silences.ALL} bytes" in problem["detail"]
    assert f"`incidentbot silence expire ID` makes it ({made[0]}" in problem["detail"]
    assert len(json.dumps(world.store.get(keys.SILENCES))) < 400_000
    ask(world, "POST", f"/v1/silences/{made[0]}/expire", {"reason": "done"})
    silenced(world, **large)


def test_one_that_is_too_large_by_itself_is_refused_by_its_size() -> None:
    world = a_world()
    status, problem = ask(world, "POST", "/v1/silences", {**WANTED, "match": {f"labels.{'l' * 6000}": "a"}})
    assert (status, f"bytes of {silences.LARGEST}" in problem["detail"]) == (400, True)


def test_one_that_begins_later_waits() -> None:
    world = a_world()
    silenced(world, starts=rfc3339(T0 + timedelta(minutes=30)))
    assert ask(world, "GET", "/v1/silences")[1][0]["state"] == "waiting"
    fires(world)
    assert len(pages(world)) == 1
