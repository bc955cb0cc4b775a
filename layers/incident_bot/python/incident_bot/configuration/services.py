"""`services.yaml`: what the team runs, who owns it, what it depends on and which AWS resources it is made of."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.arn import flaw_of
from incident_bot.domain.team import Resource, Service

TIERS = (1, 2, 3)


def check(draft: Draft) -> Iterator[Flaw]:
    """Every owner and dependency exists, nothing depends on itself, no resource or alarm belongs to two services."""
    for service in draft.services.values():
        yield from _references(service, draft)
        yield from _resources(service)
    yield from _cycle(draft.services)
    yield from _claimed_twice(draft.services)


def _references(service: Service, draft: Draft) -> Iterator[Flaw]:
    path: Path = ("services", service.name)
    if service.owner not in draft.names["groups"]:
        yield unknown((*path, "owner"), "group", service.owner, draft.names["groups"])
    if service.tier not in TIERS:
        yield Flaw((*path, "tier"), f"must be 1, 2 or 3, not {service.tier}")
    for index, name in enumerate(service.depends_on):
        if name not in draft.names["services"]:
            yield unknown((*path, "depends_on", index), "service", name, draft.names["services"])


def _resources(service: Service) -> Iterator[Flaw]:
    for index, resource in enumerate(service.resources):
        path: Path = ("services", service.name, "resources", index)
        if flaw := flaw_of(resource.arn):
            yield Flaw((*path, "arn"), flaw)
        if resource.canary and not resource.cell:
            yield Flaw((*path, "canary"), "a canary is a cell that is touched first: name its cell")
        yield from _signal(resource, path)


def _signal(resource: Resource, path: Path) -> Iterator[Flaw]:
    if resource.signal is not None and resource.signal.period_seconds <= 0:
        yield Flaw((*path, "signal", "period_seconds"), "must be more than 0")


def _cycle(services: Mapping[str, Service]) -> Iterator[Flaw]:
    try:
        TopologicalSorter({name: service.depends_on for name, service in services.items()}).prepare()
    except CycleError as cycle:
        names = list(reversed(cycle.args[1]))  # graphlib walks from what is needed to what needs it
        yield Flaw(("services", names[0], "depends_on"), f"depends on itself: {' -> '.join(names)}")


def _claimed_twice(services: Mapping[str, Service]) -> Iterator[Flaw]:
    claims: dict[str, str] = {}
    for service in services.values():
        things: list[tuple[Path, str]] = [(("resources", i, "arn"), r.arn) for i, r in enumerate(service.resources)]
        things += [(("alarms", i), f"the alarm prefix {alarm!r}") for i, alarm in enumerate(service.alarms)]
        for path, thing in things:
            if thing in claims:
                yield Flaw(("services", service.name, *path), f"{thing} belongs to {claims[thing]} already")
            claims[thing] = service.name
