"""A world whose every call may fail: before its effect, after it, or by the death of whoever made it."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from incident_bot.domain.errors import Unavailable
from incident_bot.virtual.run import Crash
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Clients, Roles, World

PARTS = ("store", "queue", "machines", "http", "notices", "archive")
LAMBDA_SECONDS = 30  # what a function that dies takes until Step Functions learns of it


@dataclass(slots=True)
class Plan:
    """Which calls fail how. `at` maps the number of a call (from 0) to a fault; otherwise `rate` of all calls fail.

    Faults: `throttled` (Unavailable, no effect), `lost answer` (effect, then Unavailable), `dies before`, `dies after`,
    and `meanwhile`: somebody else's whole work comes first, as it may where functions run at once.
    Only calls of the thread that made the plan count: what enrichment asks at once comes in no certain order.
    """

    at: dict[int, str] = field(default_factory=dict)
    rate: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    calls: int = 0
    on: bool = True
    happened: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    races: float = 0.0  # how many of all calls somebody else is faster than
    thread: int = field(default_factory=threading.get_ident)
    _racing: bool = False

    def next(self, name: str) -> str:
        """The fault of the next call, empty for none."""
        if threading.get_ident() != self.thread:
            return ""
        number, self.calls = self.calls, self.calls + 1
        if not self.on:
            return ""
        fault = self.at.get(number, "")
        if not fault and self.rate and self.dice.random() < self.rate:
            fault = self.dice.choice(("throttled", "lost answer", "dies before", "dies after"))
        if not fault and self.races and not self._racing and self.dice.random() < self.races:
            fault = "meanwhile"
        if fault:
            self.happened.append(f"call {number} {name}: {fault}")
        return fault

    def call(self, name: str, perform: Callable[[], Any]) -> Any:
        """Perform one call, or what its fault leaves of it."""
        fault = self.next(name)
        if fault == "meanwhile":
            self._race()
        if fault == "throttled":
            raise Unavailable(f"{name} was throttled")
        if fault == "dies before":
            raise Crash(f"died before {name}", LAMBDA_SECONDS)
        result = perform()
        if fault == "lost answer":
            raise Unavailable(f"{name} did not answer")
        if fault == "dies after":
            raise Crash(f"died after {name}", LAMBDA_SECONDS)
        return result

    def _race(self) -> None:
        """Let somebody else do all of their work first; in it nobody else races, and it may die on its own."""
        self._racing = True
        try:
            self.meanwhile()
        finally:
            self._racing = False


class Faulty:
    """One part of the world with the plan's faults around every method."""

    def __init__(self, part: Any, name: str, plan: Plan) -> None:
        self._part, self._name, self._plan = part, name, plan

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._part, method)
        return self._around(inner, f"{self._name}.{method}") if callable(inner) else inner

    def _around(self, inner: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._plan.call(name, lambda: inner(*args, **kwargs))

        return call


@dataclass(frozen=True, slots=True)
class FaultyClients:
    """Clients whose every call may fail."""

    clients: Clients
    plan: Plan

    def client(self, service: str) -> Any:
        """That service's, with faults around its calls."""
        return Faulty(self.clients.client(service), service, self.plan)


@dataclass(frozen=True, slots=True)
class FaultyRoles:
    """Roles that may not be assumed, and whose clients may fail."""

    roles: Roles
    plan: Plan

    def assume(
        self, action: str, *, policy: Mapping[str, Any], tags: Mapping[str, str], source_identity: str
    ) -> Clients:
        """Assume it, if nothing happens."""
        given = self.plan.call(
            "roles.assume",
            lambda: self.roles.assume(action, policy=policy, tags=tags, source_identity=source_identity),
        )
        return FaultyClients(given, self.plan)


def faulty(world: VirtualWorld, plan: Plan) -> World:
    """The world as handlers see it: its own parts, with faults around them."""
    parts: dict[str, Any] = {name: Faulty(getattr(world, name), name, plan) for name in PARTS}
    parts |= {"clients": FaultyClients(world.clients, plan), "roles": FaultyRoles(world.roles, plan)}
    return replace(world, **parts)
