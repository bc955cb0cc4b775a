"""Does a lock keep others away from what a change really changes, until its own incident needs it no more?"""

import pytest

from incident_bot.domain.errors import Conflict
from incident_bot.state import locks
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:checkout"
ALIAS = f"{FUNCTION}:live"
OTHER = "arn:aws:lambda:us-east-1:000000000000:function:search"


def take(world: VirtualWorld, action: str, *targets: str) -> list[str]:
    """Take the locks; returns the incidents that stand in the way."""
    writes, others = locks.taking(world, targets or (FUNCTION,), action.split("-", maxsplit=1)[0], action)
    if not others:
        world.store.write(writes)
    return [other.incident for other in others]


def free(world: VirtualWorld, action: str, *, keep: bool = False) -> dict[str, tuple[str, ...]]:
    """End the action's run; returns who is to be told."""
    writes, waiting = locks.freeing(world, [FUNCTION], action, keep=keep)
    if writes:
        world.store.write(writes)
    return waiting


def lock(world: VirtualWorld) -> locks.Lock:
    found = locks.read(world.store, FUNCTION)
    assert found is not None
    return found


def test_another_incident_is_kept_away() -> None:
    world = a_world()

    assert take(world, "a-a1") == []
    assert take(world, "b-a1") == ["a"]


def test_an_alias_is_locked_with_its_function() -> None:
    world = a_world()
    take(world, "a-a1", ALIAS)

    assert take(world, "b-a1", FUNCTION) == ["a"]


def test_all_targets_or_none() -> None:
    world = a_world()
    take(world, "a-a1")

    assert take(world, "b-a1", OTHER, FUNCTION) == ["a"]
    assert locks.read(world.store, OTHER) is None


def test_of_two_at_the_same_moment_one_wins() -> None:
    world = a_world()
    first, _ = locks.taking(world, [FUNCTION], "a", "a-a1")
    second, _ = locks.taking(world, [FUNCTION], "b", "b-a1")
    world.store.write(first)

    with pytest.raises(Conflict):
        world.store.write(second)


def test_an_incident_may_act_again_on_what_it_holds_but_not_twice_at_once() -> None:
    world = a_world()
    take(world, "a-a1")
    while_acting = take(world, "a-a2")
    free(world, "a-a1", keep=True)

    assert while_acting == ["a"]
    assert take(world, "a-a2") == []
    assert lock(world).holders == ("a-a1", "a-a2")


def test_it_is_free_when_the_last_holder_is_through() -> None:
    world = a_world()
    take(world, "a-a1")
    free(world, "a-a1", keep=True)
    take(world, "a-a2")

    free(world, "a-a2")
    still = lock(world).holders
    free(world, "a-a1")

    assert still == ("a-a1",)
    assert take(world, "b-a1") == []


def test_freeing_what_one_does_not_hold_changes_nothing() -> None:
    world = a_world()
    take(world, "a-a1")

    assert free(world, "b-a1") == {}
    assert lock(world).acting == "a-a1"


def test_who_waits_is_told_once_it_is_free_and_not_before() -> None:
    world = a_world()
    take(world, "a-a1")
    for _ in range(2):
        locks.wait_for(world, lock(world), "b")

    kept = free(world, "a-a1", keep=True)

    assert kept == {}
    assert free(world, "a-a1") == {FUNCTION: ("b",)}


def test_waiting_for_what_is_free_already_is_said() -> None:
    world = a_world()
    take(world, "a-a1")
    held = lock(world)
    free(world, "a-a1")

    assert not locks.wait_for(world, held, "b")


def test_somebody_who_began_to_wait_meanwhile_is_not_forgotten() -> None:
    world = a_world()
    take(world, "a-a1")
    freeing, _ = locks.freeing(world, [FUNCTION], "a-a1", keep=False)
    locks.wait_for(world, lock(world), "b")

    with pytest.raises(Conflict):
        world.store.write(freeing)


def test_its_fence_rises_for_ever() -> None:
    world = a_world()
    fences = []
    for action in ("a-a1", "b-a1", "c-a1"):
        take(world, action)
        fences.append(lock(world).fence)
        free(world, action)

    assert fences == sorted(set(fences))
