"""A whole world in memory, with typed handles on every part, so that a test can set it up and look into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from incident_bot.domain.identifier import identifier
from incident_bot.domain.team import Team
from incident_bot.ingest.certificates import Certificates
from incident_bot.virtual.clock import VirtualClock
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.surroundings import (
    MemoryArchive,
    MemoryBus,
    MemoryClients,
    MemoryHttp,
    MemoryMachines,
    MemoryMetrics,
    MemoryNotices,
    MemoryQueue,
    MemoryRecordings,
    MemoryRoles,
    MemorySecrets,
)
from incident_bot.world import World


@dataclass(frozen=True, slots=True)
class VirtualWorld(World):
    """A `World` whose parts are known to be in memory; `dataclasses.replace` puts a faulty part in."""

    store: MemoryStore
    queue: MemoryQueue
    machines: MemoryMachines
    http: MemoryHttp
    secrets: MemorySecrets
    notices: MemoryNotices
    archive: MemoryArchive
    recordings: MemoryRecordings
    bus: MemoryBus
    metrics: MemoryMetrics
    clients: MemoryClients
    roles: MemoryRoles
    clock: VirtualClock = field(default_factory=VirtualClock)


def virtual_world(
    team: Team,
    *,
    clock: VirtualClock | None = None,
    clients: MemoryClients | None = None,
    secrets: Mapping[str, Sequence[str]] | None = None,
    region: str = "us-east-1",
    account: str = "000000000000",
) -> VirtualWorld:
    """An empty world for that team; its ids are the clock's time and a counter, so every run is the same."""
    clock = clock or VirtualClock()
    clients = clients or MemoryClients()
    numbers, web = count(1), MemoryHttp()
    return VirtualWorld(
        now=clock.now,
        new_id=lambda: identifier(clock.now(), next(numbers)),
        store=MemoryStore(),
        queue=MemoryQueue(clock),
        machines=MemoryMachines(clock),
        http=web,
        secrets=MemorySecrets(secrets),
        notices=MemoryNotices(),
        archive=MemoryArchive(),
        recordings=MemoryRecordings(clock),
        bus=MemoryBus(),
        metrics=MemoryMetrics(),
        clients=clients,
        roles=MemoryRoles(clients),
        team=team,
        region=region,
        account=account,
        certificate=Certificates(web).fetch,
        clock=clock,
    )
