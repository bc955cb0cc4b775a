"""Suppression from end to end (traps 13, 14, 16): recorded and silent, resolves pass, what still fires pages then."""

from datetime import timedelta
from typing import Any

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import State
from incident_bot.domain.planned import Maintenance
from incident_bot.domain.suppress import Window, figures
from incident_bot.ingest import suppression
from incident_bot.operating import orders, views
from incident_bot.state import keys, ledger, silences
from incident_bot.virtual.clock import T0
from incident_bot.world import Put, Update
from tests.histories.scene import ON_CALL, RESOLVED, Scene, two_teams

HOUR = 3600
WOULD = "not paged until 2026-01-15 11:00:00 UTC: rota:payments would have been"


def silenced(scene: Scene, seconds: float = HOUR, **matchers: str) -> Window:
    """Ada silences checkout for that long."""
    when = {name.replace("_", "."): pattern for name, pattern in matchers.items()} or {"service": "checkout"}
    ends = scene.world.now() + timedelta(seconds=seconds)
    return silences.add(scene.world, "ada", when, ends=ends, reason="deploy")


def numbers(scene: Scene, window: str) -> tuple[int, int, int]:
    found = figures(ledger.lines(scene.world.store, window))
    return found.suppressed, found.would_have_paged, found.missed


def test_what_a_silence_suppresses_is_recorded_with_its_reason_and_whom_it_would_have_paged() -> None:
    scene = Scene()
    silence = silenced(scene)
    scene.says("checkout")
    assert (scene.pages, scene.incident.noise, scene.running()) == ([], True, [])
    assert (0, WOULD, f"silenced: {silence.id} (ada, deploy)") in scene.lines("decision")
    (line,) = ledger.lines(scene.world.store, silence.id)
    assert (line.incident, line.service, line.pages, line.whom) == (
        scene.incident.id,
        "checkout",
        True,
        "rota:payments",
    )


def test_what_is_hardly_believed_would_have_woken_nobody() -> None:
    scene = Scene()
    silence = silenced(scene)
    alert = scene.says("checkout")
    said = {"actionable": 0, "false_positive": 30}
    scene.world.store.write([Update(keys.stat(alert.fingerprint), add=said)])
    scene.at(60)
    scene.says("checkout", RESOLVED)
    scene.at(120)
    scene.says("checkout")
    (line,) = ledger.lines(scene.world.store, silence.id)
    assert (line.times, line.pages) == (2, False)
    assert "it wakes nobody by itself" in str(scene.lines("decision", scene.incidents[-1]))


def test_it_resolves_meanwhile_and_nobody_is_told() -> None:
    scene = Scene()
    silence = silenced(scene)
    scene.says("checkout")
    scene.at(600)
    scene.says("checkout", RESOLVED)
    assert scene.incident.state is State.RESOLVED
    scene.at(HOUR + 300)
    assert (scene.pages, len(scene.incidents)) == ([], 1)
    assert numbers(scene, silence.id) == (1, 1, 0)


def test_it_still_fires_when_the_silence_ends_and_pages_then_though_its_source_says_nothing_more() -> None:
    scene = Scene()
    silence = silenced(scene, 3 * HOUR)
    scene.at(60)
    scene.says("checkout")
    scene.at(3 * HOUR + 61)
    ((at, whom, purpose),) = scene.pages
    assert (whom, purpose) == (ON_CALL, "first")
    assert 3 * HOUR <= at <= 3 * HOUR + 60
    assert not scene.incident.noise
    assert "unmuted: it is suppressed no more, and still fires" in [why for _, _, why in scene.lines("decision")]
    assert numbers(scene, silence.id) == (1, 1, 1)


def test_a_repeat_after_the_end_pages_at_once_and_only_once() -> None:
    scene = Scene()
    silenced(scene, 100)
    scene.says("checkout")
    scene.at(101)
    scene.says("checkout", occurred=0)
    assert scene.pages == [(101, ON_CALL, "first")]
    scene.at(290)
    assert len(scene.pages) == 1


def test_repeats_while_it_lasts_change_nothing() -> None:
    scene = Scene()
    silence = silenced(scene)
    for at in range(0, 600, 60):
        scene.at(at)
        scene.says("checkout", occurred=0)
    assert (scene.pages, len(scene.incidents)) == ([], 1)
    (line,) = ledger.lines(scene.world.store, silence.id)
    assert line.times == 1


def test_expired_by_hand_it_ends_at_once() -> None:
    scene = Scene()
    silence = silenced(scene)
    scene.says("checkout")
    scene.at(600)
    silences.expire(scene.world, "grace", silence.id, "done")
    ended = suppression.close(scene.world, silence.id)
    scene.account.deployment.run_for(0)
    assert (ended.fires, ended.over) == (1, 0)
    assert scene.pages == [(600, ON_CALL, "first")]


def pods(scene: Scene, *repeats: float, resolved: float | None = None, alone: bool = False) -> None:
    """A pod's alert that its source repeats at those times; the other pod's resolves then, unless there is none."""
    two: dict[str, Any] = {"labels": {"pod": "b"}, "identity": {"pod": "b"}}
    if not alone:
        scene.says("checkout", **two)
    for at in repeats:
        scene.at(at)
        scene.says("checkout", occurred=0, labels={"pod": "a"}, identity={"pod": "a"})
    if resolved is not None:
        scene.at(resolved)
        scene.says("checkout", RESOLVED, **two)


def test_a_lost_resolve_pages_nobody_at_the_end_where_its_source_went_on_telling_of_others_like_it() -> None:
    scene = Scene()
    silence = silenced(scene)
    pods(scene, 0, 60, 120, resolved=200)
    scene.at(HOUR + 300)
    assert scene.pages == []
    assert "silent" in [line.outcome for line in ledger.lines(scene.world.store, silence.id)]
    why = [reason for _, text, reason in scene.lines("decision") if text.startswith("not paged at the end of")]
    assert [reason.endswith("its resolve was lost; should it be said again, that pages") for reason in why] == [True]
    scene.at(3 * HOUR)
    assert (scene.pages, scene.incident.state) == ([], State.RESOLVED)


@pytest.mark.parametrize(("rhythmic", "paged"), [(2, []), (1, ["first"])])
def test_what_its_source_repeated_once_counts_as_lost_where_it_repeats_others_like_it(
    rhythmic: int, paged: list[str]
) -> None:
    scene = Scene()
    silenced(scene)
    scene.says("checkout", occurred=0, labels={"pod": "a"}, identity={"pod": "a"})
    for at in (60, 120, 180):
        scene.at(at)
        for pod in "bc"[:rhythmic]:
            scene.says("checkout", occurred=60, labels={"pod": pod}, identity={"pod": pod})
        if at == 60:
            scene.says("checkout", occurred=0, labels={"pod": "a"}, identity={"pod": "a"})
    scene.at(240)
    for pod in "bc"[:rhythmic]:
        scene.says("checkout", RESOLVED, labels={"pod": pod}, identity={"pod": pod})
    scene.at(HOUR + 180)
    assert [purpose for _, _, purpose in scene.pages] == paged


def test_what_is_said_again_after_that_pages_at_once() -> None:
    scene = Scene()
    silenced(scene)
    pods(scene, 0, 60, 120, resolved=200)
    scene.at(HOUR + 300)
    pods(scene, HOUR + 300, alone=True)
    assert scene.pages == [(HOUR + 300, ON_CALL, "first")]


STILL = {
    "it is repeated to the end": ([0, 60, 120, HOUR - 60], 200, False),
    "its source never repeated it": ([0], 200, False),
    "its source repeated it once, as it does every four hours": ([0, 60], 200, False),
    "its source fell silent altogether": ([0, 60, 120], None, False),
    "its source told of the other in the same breath, and has no more to tell": ([0, 60, 120], 121, False),
    "there is no other like it": ([0, 60, 120], None, True),
}


@pytest.mark.parametrize(("repeats", "resolved", "alone"), STILL.values(), ids=STILL.keys())
def test_what_may_still_fire_pages_at_the_end(repeats: list[float], resolved: float | None, alone: bool) -> None:
    scene = Scene()
    silenced(scene)
    pods(scene, *repeats, resolved=resolved, alone=alone)
    scene.at(HOUR + 180)
    assert [purpose for _, _, purpose in scene.pages] == ["first"]


def test_another_silence_that_covers_it_takes_over() -> None:
    scene = Scene()
    first = silenced(scene, 600)
    scene.says("checkout")
    scene.at(300)
    second = silenced(scene, HOUR)
    scene.at(900)
    assert scene.pages == []
    assert [line.fingerprint for line in ledger.lines(scene.world.store, second.id)] == [
        line.fingerprint for line in ledger.lines(scene.world.store, first.id)
    ]
    scene.at(300 + HOUR + 62)
    assert [purpose for _, _, purpose in scene.pages] == ["first"]


def test_what_fired_before_the_silence_stays_paged_and_is_paged_no_more_for_what_is_suppressed() -> None:
    scene = Scene()
    scene.says("checkout")
    scene.at(30)
    silenced(scene)
    scene.says("checkout", severity=Severity.SEV1)
    assert [purpose for _, _, purpose in scene.pages] == ["first"]
    scene.acknowledged()
    scene.at(30 + HOUR + 62)
    assert [purpose for _, _, purpose in scene.pages if purpose != "escalation"] == ["first", "worsened"]


def test_a_person_closed_it_meanwhile_and_is_not_told_of_it_again() -> None:
    scene = Scene()
    silence = silenced(scene, 600)
    scene.says("checkout")
    orders.resolve(scene.world, scene.incident.id, scene.world.team.people["ada"], "known")
    scene.at(900)
    assert (scene.pages, len(scene.incidents)) == ([], 1)
    assert [line.outcome for line in ledger.lines(scene.world.store, silence.id)] == ["closed"]


def test_another_alert_of_the_incident_that_no_silence_fits_pages_at_once() -> None:
    scene = Scene()
    silenced(scene, labels_az="a")
    scene.says("checkout", labels={"az": "a"}, identity={"az": "a"})
    scene.at(10)
    scene.says("checkout", labels={"az": "b"}, identity={"az": "b"})
    assert scene.pages == [(10, ON_CALL, "first")]


def test_planned_work_suppresses_and_pages_at_its_end() -> None:
    work = Maintenance("upgrade", T0, T0 + timedelta(hours=2), {"service": "checkout"})
    scene = Scene(two_teams(maintenance=(work,)))
    scene.says("checkout")
    scene.at(2 * HOUR - 1)
    assert scene.pages == []
    scene.at(2 * HOUR + 62)
    assert [purpose for _, _, purpose in scene.pages] == ["first"]
    (kept,) = ledger.windows(scene.world.store)
    assert (kept.window.name, kept.closed) == ("maintenance upgrade", True)


@pytest.mark.parametrize("entry", [7, {}, {"id": "x"}, {"id": "x", "when": {"service": "checkout"}, "ends": "soon"}])
def test_a_silence_that_cannot_be_read_suppresses_nothing(entry: object) -> None:
    scene = Scene()
    scene.world.store.write([Put({"PK": "CONTROL", "SK": "SILENCES", "seq": 1, "open": {"broken": entry}})])
    scene.says("checkout")
    assert scene.pages == [(0, ON_CALL, "first")]


def test_a_closing_that_broke_off_is_repeated_and_pages_once() -> None:
    scene = Scene()
    silence = silenced(scene, 100)
    scene.says("checkout")
    scene.at(101)
    suppression.close(scene.world, silence.id)
    scene.world.store.write([ledger.ending(silence)])  # as if it had died before it wrote that it was done
    scene.account.deployment.run_for(0)
    scene.at(280)
    assert len(scene.pages) == 1


def test_what_is_suppressed_by_planned_work_is_marked_as_planned() -> None:
    work = Maintenance("upgrade", T0, T0 + timedelta(hours=2), {"service": "checkout"})
    scene = Scene(two_teams(maintenance=(work,)))
    scene.says("checkout")
    shown = views.shown(scene.world, scene.incident.id)
    assert (shown.planned, shown.suppressed_by) == (True, "maintenance-upgrade-20260115T1000Z")


def test_a_window_of_hours_outlasts_the_stale_time_and_loses_nothing() -> None:
    """A source that tells transitions only says nothing more, and noise that is not heard of for an hour ends."""
    scene = Scene()
    silenced(scene, 5 * HOUR)
    scene.says("checkout")
    scene.at(5 * HOUR - 1)
    assert (scene.incident.state, scene.pages) == (State.DETECTED, [])
    scene.at(5 * HOUR + 62)
    assert [purpose for _, _, purpose in scene.pages] == ["first"]


def test_it_is_told_though_the_ledger_says_that_its_window_was_looked_at() -> None:
    """Whatever goes wrong at the end of a window, its page is late and not lost."""
    scene = Scene()
    silence = silenced(scene, 600)
    scene.says("checkout")
    scene.world.store.write([ledger.closing(silence)])
    scene.at(600 + 120 + 61)
    ((at, _, purpose),) = scene.pages
    assert purpose == "first"
    assert 720 <= at <= 780
