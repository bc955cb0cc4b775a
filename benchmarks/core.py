"""CPU per alert: verify, decode, parse and enqueue it; unpack, fingerprint, classify, dedupe and correlate it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import deliveries, rival
from benchmarks.figure import Figure, ratios
from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot.domain.admit import admit
from incident_bot.ingest import arrival
from incident_bot.state import heads, series
from incident_bot.virtual.world import VirtualWorld

BATCHES = (1, 10, 100)
ALERTS = 4000  # in one run
KNOWN = 200  # series that a duplicate is of
RECORDS = 10  # in one invocation of consume, where deliveries are small
# The CPU that Alertmanager took where it was measured, and `json.loads` of one alert there: microseconds.
GOALS = {"distinct": {1: 112.0, 10: 31.0, 100: 22.0}, "duplicate": {1: 93.0, 10: 28.0, 100: 18.0}}
LOADS = 1.8


def measure() -> Iterator[Figure]:
    """Microseconds per alert over `json.loads` of one alert; the goal is Alertmanager's CPU, measured in this run where
    it is installed, otherwise in proportion to where it was."""
    program = rival.installed()
    if not program:
        reason = f"Debian's package {rival.PROGRAM} is not installed: its figures are in proportion"
        yield Figure("alertmanager", None, "CPU us/alert", note=reason)
    for kind, goals in GOALS.items():
        for batch in BATCHES:
            works = [_loads(), _receiving(kind, batch), _deciding(kind, batch), _taking(kind, batch)]
            loads, receiving, deciding, taking = (micro / ALERTS for micro in ratios(works))
            name, goal = f"{kind}.{batch}", goals[batch] / LOADS * loads
            if program:
                goal = rival.cpu_microseconds(program, deliveries.alerts(KNOWN), _batches(kind, batch)) / ALERTS
                yield Figure(f"alertmanager.{name}", goal, "CPU us/alert", loads)
            yield Figure(f"receive.{name}", receiving, "CPU us/alert", loads)
            yield Figure(f"decide.{name}", deciding, "CPU us/alert", loads)
            yield Figure(f"{name}", receiving + deciding, "CPU us/alert", loads, goal=round(goal, 1))
            yield Figure(f"with_store.{name}", receiving + taking, "CPU us/alert", loads)


def _loads() -> Callable[[], None]:
    text = json.dumps(deliveries.alerts(1)[0])

    def work() -> None:
        for _ in range(ALERTS):
            json.loads(text)

    return work


def _receiving(kind: str, batch: int) -> Callable[[], None]:
    """`receive` as a whole, over a queue in memory."""
    requests = [deliveries.request(alerts) for alerts in _batches(kind, batch)]
    world = deliveries.a_world()

    def work() -> None:
        world.queue.messages.clear()
        for request in requests:
            receive(world, request)

    return work


def _deciding(kind: str, batch: int) -> Callable[[], None]:
    """What `consume` thinks about a batch of messages, without reading or writing a table."""
    world = _knowing()
    known, head = _remembered(world)
    invocations = _invocations(world, kind, batch)

    def work() -> None:
        for records in invocations:
            observations = [a.observation for r in records for a in arrival.read(world, r) if a.observation]
            admit(
                observations,
                head=head,
                known={f: known[f] for o in observations if (f := o.alert.fingerprint) in known},
                elsewhere={},
                team=world.team,
                now=world.now(),
                new_id=world.new_id,
            )

    return work


def _taking(kind: str, batch: int) -> Callable[[], None]:
    """`consume` as a whole, over tables in memory; every run begins with the same ones."""
    invocations = _invocations(_knowing(), kind, batch)
    worlds = iter([_knowing() for _ in range(8)])

    def work() -> None:
        world = next(worlds)
        for records in invocations:
            consume(world, {"Records": records})

    return work


def _knowing() -> VirtualWorld:
    """A world that knows some series, all firing."""
    world = deliveries.a_world()
    consume(world, {"Records": deliveries.messages(world, deliveries.alerts(KNOWN))})
    return world


def _remembered(world: VirtualWorld) -> tuple[dict[str, Any], Any]:
    known = {s.fingerprint: s for s in series.of(world.store, "production")}
    return known, heads.read(world.store, "production")


def _batches(kind: str, batch: int) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, ALERTS, batch):
        place = first % KNOWN if kind == "duplicate" else KNOWN + first
        yield deliveries.alerts(batch, place)


def _invocations(world: VirtualWorld, kind: str, batch: int) -> list[list[dict[str, Any]]]:
    records = [record for alerts in _batches(kind, batch) for record in deliveries.messages(world, alerts)]
    return [records[start : start + RECORDS] for start in range(0, len(records), RECORDS)]
