"""Whether the cost of an alert grows with their number: receive and consume over tables in memory, at three sizes."""

import json
import time
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks import deliveries
from benchmarks.figure import RUNS, Figure
from benchmarks.generator import a_storm, notification
from functions.ingest.consume import consume
from functions.ingest.receive import receive
from incident_bot.ingest.recording import Recorded
from incident_bot.virtual.clock import T0

SIZES = (1_000, 10_000, 100_000)
RECORDS = 10  # in one invocation of consume
EACH = 10  # alerts in a delivery
MOST = 1.5  # times what an alert costs among a thousand


def measure() -> Iterator[Figure]:
    """Microseconds per alert, of storms and of so many new series at once; the baseline is the smallest number's."""
    for kind, bodies in (("storm", _storm), ("new_series", _new_series)):
        first: float | None = None
        for size in SIZES:
            sent = bodies(size)
            cost = median(_taken_in(sent) for _ in range(RUNS)) / size
            first = first or cost
            yield Figure(f"{kind}.{size}", cost, "CPU us/alert", first, goal=round(MOST * first, 1))


def _storm(size: int) -> list[Recorded]:
    return a_storm(deliveries.SEED, size, each=EACH)


def _new_series(size: int) -> list[Recorded]:
    batches = (deliveries.alerts(EACH, first) for first in range(0, size, EACH))
    return [Recorded(T0, "", "alertmanager", json.dumps(notification(batch))) for batch in batches]


def _taken_in(storm: Sequence[Recorded]) -> float:
    """The microseconds in which a storm is taken in, into tables that are empty."""
    world = deliveries.a_world()
    started = time.process_time()
    for start in range(0, len(storm), RECORDS):
        batch = storm[start : start + RECORDS]
        world.clock.advance_to(batch[-1].at)
        for delivery in batch:
            receive(world, deliveries.posted(delivery.body))
        consume(world, {"Records": deliveries.taken(world)})
    return (time.process_time() - started) * 1e6
