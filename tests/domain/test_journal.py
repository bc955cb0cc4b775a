"""Does the journal say what to do next from what was tried and what the world shows, and notice tampering?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from incident_bot.domain import journal
from incident_bot.domain.journal import BACK, FORWARD, Entry, Kind, Move
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.virtual.clock import T0

CALLS = [Call(f"t{i}", "ecs", "update_service", {"service": f"t{i}"}, {"v": 2}, {"v": 1}) for i in range(3)]
PLAN = Plan("roll_back", tuple(Step(call.target, call, replace(call, before={"v": 1})) for call in CALLS))
APPLIED, NOT, DRIFTED = "applied", "not applied", "drifted"


def written(*what: tuple[Kind, int, str]) -> list[Entry]:
    """A journal of these entries, one second apart."""
    entries: list[Entry] = []
    for second, (kind, step, way) in enumerate(what):
        entry = Entry(0, T0 + timedelta(seconds=second), "apply-1", kind, "why", step, way)
        entries.append(journal.following(entries, entry))
    return entries


def made(step: int, way: str = FORWARD) -> list[tuple[Kind, int, str]]:
    return [(Kind.INTENDED, step, way), (Kind.DONE, step, way)]


def tried(step: int, way: str = FORWARD) -> list[tuple[Kind, int, str]]:
    return [(Kind.INTENDED, step, way)]


def failed(step: int, way: str = FORWARD) -> list[tuple[Kind, int, str]]:
    return [(Kind.INTENDED, step, way), (Kind.FAILED, step, way)]


def looks(*each: str) -> dict[int, str]:
    return dict(enumerate(each))


@pytest.mark.parametrize(
    ("because", "so_far", "world", "move", "step"),
    [
        ("nothing was tried: make it", [], looks(NOT, NOT, NOT), Move.MAKE, 0),
        ("the first is made: make the second", made(0), looks(APPLIED, NOT, NOT), Move.MAKE, 1),
        ("tried, no answer, it went through: note it", tried(0), looks(APPLIED, NOT, NOT), Move.NOTE, 0),
        ("tried, no answer, it did not: make it", tried(0), looks(NOT, NOT, NOT), Move.MAKE, 0),
        ("failed once: once more", failed(0), looks(NOT, NOT, NOT), Move.MAKE, 0),
        ("failed three times: give up", failed(0) * 3, looks(NOT, NOT, NOT), Move.TURN, 0),
        ("somebody else did the same: hands off", [], looks(APPLIED, NOT, NOT), Move.TURN, 0),
        ("somebody put ours back: hands off", made(0), looks(NOT, NOT, NOT), Move.TURN, 0),
        ("somebody made something third of it: hands off", [], looks(DRIFTED, NOT, NOT), Move.TURN, 0),
        ("the next one drifted: hands off", made(0), looks(APPLIED, DRIFTED, NOT), Move.TURN, 1),
        ("all made", made(0) + made(1) + made(2), looks(APPLIED, APPLIED, APPLIED), Move.NONE, -1),
        (
            "held by the kill switch: not tried",
            [*tried(0), (Kind.HELD, 0, FORWARD)],
            looks(APPLIED, NOT, NOT),
            Move.TURN,
            0,
        ),
    ],
)
def test_forwards(
    because: str, so_far: Sequence[tuple[Kind, int, str]], world: dict[int, str], move: Move, step: int
) -> None:
    following = journal.forwards(PLAN, written(*so_far), world, (0, 1, 2))

    assert (following.move, following.step) == (move, step), because
    assert following.reason


@pytest.mark.parametrize(
    ("because", "so_far", "world", "move", "step"),
    [
        ("nothing was tried: nothing is to be put back", [], looks(NOT, NOT, NOT), Move.NONE, -1),
        ("the last first", made(0) + made(1), looks(APPLIED, APPLIED, NOT), Move.MAKE, 1),
        ("tried without an answer, and it went through", tried(0), looks(APPLIED, NOT, NOT), Move.MAKE, 0),
        ("tried without an answer, and it did not", tried(0), looks(NOT, NOT, NOT), Move.NONE, -1),
        ("never ours, though it looks so", [], looks(APPLIED, NOT, NOT), Move.NONE, -1),
        ("put back without an answer: note it", made(0) + tried(0, BACK), looks(NOT, NOT, NOT), Move.NOTE, 0),
        ("somebody changed it since: leave it", made(0), looks(DRIFTED, NOT, NOT), Move.LEAVE, 0),
        ("left already: done", [*made(0), (Kind.LEFT, 0, BACK)], looks(DRIFTED, NOT, NOT), Move.NONE, -1),
        ("failed three times: leave it", made(0) + failed(0, BACK) * 3, looks(APPLIED, NOT, NOT), Move.LEAVE, 0),
        ("put back: done", made(0) + made(0, BACK), looks(NOT, NOT, NOT), Move.NONE, -1),
    ],
)
def test_backwards(
    because: str, so_far: Sequence[tuple[Kind, int, str]], world: dict[int, str], move: Move, step: int
) -> None:
    following = journal.backwards(PLAN, written(*so_far), world)

    assert (following.move, following.step) == (move, step), because


def test_a_step_without_an_inverse_is_never_put_back() -> None:
    restart = replace(PLAN, steps=(replace(PLAN.steps[0], inverse=None),))

    assert journal.backwards(restart, written(*made(0)), looks(APPLIED)).move is Move.NONE


def test_a_call_without_an_answer_may_be_under_way_until_its_callers_time_is_over() -> None:
    limit = timedelta(seconds=60)
    entries = written(*made(0), *tried(1))

    assert journal.unsettled(entries, T0 + timedelta(seconds=12), limit) == timedelta(seconds=50)
    assert journal.unsettled(entries, T0 + timedelta(seconds=62), limit) == timedelta()
    assert journal.unsettled(written(*made(0)), T0, limit) == timedelta()


def test_a_run_that_takes_over_does_not_make_it_settled() -> None:
    entries = written(*tried(0), (Kind.OPENED, -1, ""))

    assert journal.unsettled(entries, T0, timedelta(seconds=60)) == timedelta(seconds=60)


def test_a_changed_dropped_inserted_or_reordered_entry_is_found() -> None:
    whole = written(*made(0), *made(1))

    assert journal.flaws(whole) == []
    assert journal.flaws([replace(whole[0], text="other"), *whole[1:]])
    assert journal.flaws([whole[0], *whole[2:]])
    assert journal.flaws([*whole[:1], whole[0], *whole[1:]])
    assert journal.flaws([whole[1], whole[0], *whole[2:]])


def test_a_person_is_told_what_is_applied_what_may_be_and_what_to_type() -> None:
    told = journal.manual(PLAN, written(*made(0), *tried(1)), "eu-west-1").splitlines()

    assert told == [
        "applied: update_service on t0",
        "perhaps applied: update_service on t1",
        "not applied: update_service on t2",
        "undo by hand: aws ecs update-service --service t1 --region eu-west-1",
        "undo by hand: aws ecs update-service --service t0 --region eu-west-1",
    ]


def test_what_has_nothing_to_undo_says_so() -> None:
    restart = replace(PLAN, steps=(replace(PLAN.steps[0], inverse=None),))

    assert journal.manual(restart, written(*made(0)), "").splitlines()[-1] == "nothing to undo by hand"


@pytest.mark.parametrize(
    ("because", "so_far", "purpose", "stops"),
    [
        ("denied, and the stop was never written down", [*tried(0), (Kind.DENIED, 0, FORWARD)], "apply", True),
        ("another purpose may be allowed what this one is not", [(Kind.DENIED, 0, FORWARD)], "undo", False),
        (
            "it stopped: whoever comes again was sent anew",
            [(Kind.DENIED, 0, FORWARD), (Kind.ENDED, -1, "")],
            "apply",
            False,
        ),
        ("nothing was denied", made(0), "apply", False),
    ],
)
def test_a_denial_holds_until_the_stop_is_written_down(
    because: str, so_far: Sequence[tuple[Kind, int, str]], purpose: str, stops: bool
) -> None:
    assert bool(journal.denial(written(*so_far), purpose)) is stops, because


def test_a_call_that_was_tried_twice_and_went_through_is_not_uncertain() -> None:
    entries = written(*tried(0), *made(0), *made(0, BACK))
    assert journal.uncertain(PLAN, entries) == ()
    assert journal.uncertain(PLAN, written(*tried(0))) == (0,)
