"""Does a remediation end in all or nothing, wherever in it the process dies?

Every call to anything outside - store, machines, roles, every AWS client - is a place to die: right before it, or right
after it took effect. Step Functions tries the state again, or the execution is gone too and only `sweep` is left.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from incident_bot.domain import journal
from incident_bot.domain.journal import Kind
from incident_bot.domain.team import Team
from incident_bot.state import actions, heads
from incident_bot.virtual.store import MemoryStore
from incident_bot.world import Write
from tests.remediating import BAD, CELLS, GOOD, Died, Stage, a_playbook, the_team

TWO = CELLS[:2]
PLACES = ("store", "machines", "roles", "clients")
ENDED = {"applied", "undone", "failed", "refused"}


class Dying:
    """Counts the calls of everything it wraps and dies once, at call number `at`."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.count = at, after, 0
        self.where = ""

    def over(self, part: Any) -> Any:
        """The same thing, with every call counted; what a call returns that has calls of its own is wrapped too."""
        return _Part(self, part)

    def call(self, name: str, perform: Callable[[], Any]) -> Any:
        """Perform one call, or die."""
        self.count += 1
        if self.count != self.at:
            return perform()
        self.where = name
        if self.after:
            perform()
        raise Died(f"{'after' if self.after else 'before'} call {self.at}: {name}")


class _Part:
    def __init__(self, dying: Dying, part: Any) -> None:
        self._dying, self._part = dying, part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def called(*arguments: Any, **named: Any) -> Any:
            if name in ("client", "get_paginator"):
                return _Part(self._dying, found(*arguments, **named))
            answer = self._dying.call(name, lambda: found(*arguments, **named))
            return _Part(self._dying, answer) if name == "assume" else answer

        return called


def a_run(
    dying: Dying, *, sick: bool = False, execution_dies: bool = False, purpose: str = "apply", team: Team | None = None
) -> Stage:
    """Run a remediation of two cells to its end, with one death on the way."""
    stage = Stage(team or the_team(cells=TWO), cells=TWO)
    remediation = stage.proposed()
    if purpose == "undo":
        stage.start(remediation)
        stage.run_for(100)
    if sick:
        stage.production.sick = lambda _: True
    stage.seen = stage.with_parts(**{place: dying.over(getattr(stage.world, place)) for place in PLACES})
    name = stage.start(remediation, purpose, attempt=2)
    for _ in range(120):
        stage.run_for(10)
        if execution_dies and dying.where and name in stage.walker.runs and stage.walker.runs[name].running:
            stage.walker.kill(name)
    return stage


def places(*, sick: bool, purpose: str) -> range:
    """Every place to die in a run that nobody disturbs."""
    whole = Dying(0, after=False)
    a_run(whole, sick=sick, execution_dies=False, purpose=purpose)
    assert whole.count > 20
    return range(1, whole.count + 1)


def assert_all_or_nothing(stage: Stage, where: str) -> None:
    found = actions.read(stage.world.store, "inc1-a1")
    ran = set(stage.production.runs.values())
    assert not found.live, where
    assert found.state in ENDED, where
    assert ran == ({GOOD} if found.state == "applied" else {BAD}), where
    assert journal.flaws(found.journal) == [], where


def assert_once_in_effect(stage: Stage, where: str, most: int) -> None:
    """No target is changed more often than once forth and once back, whatever died."""
    assert max(Counter(stage.production.calls).values(), default=0) <= most, where


def assert_cleaned_up(stage: Stage, where: str) -> None:
    """No lock is left, no mark on the head, nothing for sweep to look at, and the last result was told once."""
    found = actions.read(stage.world.store, "inc1-a1")
    assert stage.locked() == [], where
    assert heads.read(stage.world.store, found.scope).acting == {}, where
    assert [key for key in stage.world.store.due("9999") if key[1].startswith("ACTION#")] == [], where
    outcomes = Counter(stage.outcomes())
    assert max(outcomes.values()) == 1, where


KINDS = {"helps": (False, "apply"), "does not help": (True, "apply"), "is ordered undone": (False, "undo")}
CASES = [
    pytest.param(*kind, gone, id=f"{name}, {'execution gone' if gone else 'state retried'}")
    for name, kind in KINDS.items()
    for gone in (False, True)
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("sick", "purpose", "execution_dies"), CASES)
def test_a_death_at_any_call_ends_in_all_or_nothing(
    sick: bool, purpose: str, execution_dies: bool, after: bool
) -> None:
    for at in places(sick=sick, purpose=purpose):
        dying = Dying(at, after=after)
        stage = a_run(dying, sick=sick, execution_dies=execution_dies, purpose=purpose)
        where = f"died {'after' if after else 'before'} call {at}: {dying.where}"
        assert dying.where, where
        assert_all_or_nothing(stage, where)
        assert_once_in_effect(stage, where, most=1 if KINDS["helps"] == (sick, purpose) else 2)
        assert sick or purpose == "undo" or stage.outcomes() == ["helped"], where
        assert_cleaned_up(stage, where)


@pytest.mark.parametrize("execution_dies", [False, True], ids=["state retried", "execution gone"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_restart_which_repeats_itself_by_nature_is_made_once(after: bool, execution_dies: bool) -> None:
    team = the_team(a_playbook(action="restart_ecs_service"), cells=TWO)
    whole = Dying(0, after=False)
    a_run(whole, team=team)

    for at in range(1, whole.count + 1):
        dying = Dying(at, after=after)
        stage = a_run(dying, execution_dies=execution_dies, team=team)
        where = f"died {'after' if after else 'before'} call {at}: {dying.where}"
        assert max(stage.production.forced.values()) <= 1, where
        assert_cleaned_up(stage, where)


class Watching:
    """A store that notes the last entry of the journal after each write."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self.last = store, [Kind.OPENED]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, writes: Sequence[Write]) -> None:
        self._store.write(writes)
        found = actions.read(self._store, "inc1-a1").journal
        if found and found[-1].kind is not self.last[-1]:
            self.last.append(found[-1].kind)


@pytest.mark.parametrize(("sick", "looked_afterwards"), [(False, 0), (True, 1)], ids=["helps", "does not help"])
def test_what_a_check_found_is_written_at_once_with_what_comes_of_it(sick: bool, looked_afterwards: int) -> None:
    stage = Stage(the_team(cells=TWO[:1]), cells=TWO[:1])
    stage.production.sick = lambda _: sick
    remediation = stage.proposed()
    store = Watching(stage.world.store)
    stage.seen = stage.with_parts(store=store)
    stage.start(remediation)
    stage.run_for(200)
    assert store.last[-1] in (Kind.ENDED, Kind.CHECKED)
    assert store.last.count(Kind.CHECKED) == looked_afterwards
