"""Fault 23: ten thousand alerts join one incident: each writes its own item, the incident gets one mail per batch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from functions.ingest.consume import consume
from incident_bot.domain.alert import Alert
from incident_bot.state import heads, series
from incident_bot.virtual.store import LARGEST_ITEM
from incident_bot.world import Check, Update, Write
from tests.histories.scene import ON_CALL, Scene, an_alert_at
from tests.signalling import a_batch, a_record
from tests.simulation.invariants import SCOPE

ALERTS, BATCH = 10_000, 50  # five records of ten alerts


class Counting:
    """A store that counts what is written, by the kind of item."""

    def __init__(self, store: Any) -> None:
        self._store, self.writes, self.transactions = store, Counter[str](), Counter[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, writes: Sequence[Write]) -> None:
        """Count, and write."""
        self.writes.update(write.key[1].split("#")[0] for write in writes if not isinstance(write, Check))
        self.transactions[len(writes)] += 1
        self._store.write(writes)

    def update(self, update: Update) -> Any:
        """Count, and update."""
        self.writes[update.key[1].split("#")[0]] += 1
        return self._store.update(update)


def pod(number: int) -> Alert:
    """One of the many pods that say the same."""
    return an_alert_at(1, "checkout", identity={"alert": "errors", "pod": f"pod-{number}"})


def test_a_storm_writes_each_alert_once_and_the_incident_once_per_batch() -> None:
    scene = Scene()
    scene.says("checkout")
    scene.at(1)
    store = Counting(scene.world.store)
    parts: dict[str, Any] = {"store": store}
    for start in range(0, ALERTS, BATCH):
        records = [
            a_record(scene.world, *(pod(n) for n in range(first, first + 10)), delivery=f"d{first}")
            for first in range(start, start + BATCH, 10)
        ]
        assert consume(replace(scene.world, **parts), a_batch(*records)) == {"batchItemFailures": []}

    assert store.writes["ALERT"] == ALERTS
    assert store.writes["META"] == 0
    assert store.writes["BOX"] <= ALERTS / BATCH
    assert max(store.transactions) <= 100
    assert scene.pages == [(0, ON_CALL, "first")]

    version = scene.incident.version
    scene.at(10)
    assert scene.incident.alerts == ALERTS + 1
    assert scene.incident.version - version <= 10
    assert len(scene.incident.firing) <= 20
    assert len(heads.read(scene.world.store, SCOPE).groups) == 1
    assert len(series.of(scene.world.store, SCOPE)) == ALERTS + 1
    assert max(len(str(item)) for item in scene.world.store) < LARGEST_ITEM / 4
