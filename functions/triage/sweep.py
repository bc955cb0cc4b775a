"""Sweep: each minute, repair whatever was left undone - executions, pages, mail, remediations, deadlines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from incident_bot import paging, remedy
from incident_bot.actor import execution
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import IncidentBotError
from incident_bot.ingest import heartbeats, suppression, synthetic
from incident_bot.stage import logger, stage
from incident_bot.world import Key, World

MOST = 200  # items in one sweep; the next one comes in a minute
BUDGET = timedelta(seconds=45)


def sweep(world: World, event: Mapping[str, Any]) -> dict[str, int]:
    """Repair what is due; returns how many items of each kind were. One that fails does not stop the others."""
    del event
    started = world.now()
    done: dict[str, int] = {}
    for key in _once(world.store.due(rfc3339(started))[:MOST]):
        if world.now() - started > BUDGET:
            break
        kind = key[1].split("#")[0]
        try:
            REPAIRS[kind](world, key)
        except Exception as error:  # noqa: BLE001 - whatever one repair runs into, the others are due as well
            logger.exception("a repair failed", kind=kind, key="|".join(key), error=type(error).__name__)
            kind = "failed"
        done[kind] = done.get(kind, 0) + 1
    world.metrics.count("Sweeps")
    _attempt(synthetic.send, world, "the synthetic alert was not taken")
    _attempt(heartbeats.watch, world, "a missing heartbeat could not be told")
    return done


def _once(keys: Sequence[Key]) -> Iterator[Key]:
    """The keys, but of an incident that is due and has mail as well only one: its patience is counted in minutes."""
    seen: set[Key] = set()
    for key in keys:
        which = (key[0], "META") if key[1] == "BOX" else key
        if which not in seen:
            seen.add(which)
            yield key


def _attempt(work: Callable[[World], object], world: World, failure: str) -> None:
    """Do what is done each minute; that it failed shows as the synthetic alert's absence, or comes again."""
    try:
        work(world)
    except IncidentBotError as error:
        logger.exception(failure, reason=error.reason)


def _incident(world: World, key: Key) -> None:
    execution.ensure(world, key[0].removeprefix("INC#"), insist=True)


def _intent(world: World, key: Key) -> None:
    paging.send(world, key[0].removeprefix("INC#"), key[1].removeprefix("INTENT#"))


def _action(world: World, key: Key) -> None:
    remedy.repair(world, key[1].split("#", 1)[1])


def _lock(world: World, key: Key) -> None:
    remedy.repair_lock(world, key[0].removeprefix("LOCK#"))


def _window(world: World, key: Key) -> None:
    suppression.close(world, key[1].removeprefix("WINDOW#"))


REPAIRS: dict[str, Callable[[World, Key], None]] = {
    "META": _incident,
    "BOX": _incident,
    "INTENT": _intent,
    "ACTION": _action,
    "LOCK": _lock,
    "WINDOW": _window,
}

handler = stage(sweep)
