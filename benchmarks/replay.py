"""How fast recorded deliveries are replayed through the real handlers and machines, as a multiple of real time."""

import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from benchmarks.generator import a_storm, a_team
from incident_bot.virtual.replay import replay

SEED = 1
SIZES = (1_000, 10_000)


def measure() -> Iterator[Figure]:
    """A storm of half an hour with single alerts, and the quarter of an hour after it that a replay plays as well."""
    for alerts in SIZES:
        storm, team = a_storm(SEED, alerts), a_team(SEED)
        started = time.process_time()
        replay(storm, team)
        took = time.process_time() - started
        lasted = (storm[-1].at - storm[0].at).total_seconds()
        note = f"{lasted:.0f} s of deliveries in {took:.1f} s of CPU"
        yield Figure(f"{alerts}", lasted / took, "times real time", goal=100, more=True, note=note)
