"""A world whose every call may fail: before its effect, after it, or by the death of whoever made it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from incident_bot.domain.errors import Unavailable
from incident_bot.virtual.run import Crash
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import World

PARTS = ("store", "queue", "machines", "http", "notices", "archive")
LAMBDA_SECONDS = 30  # what a function that dies takes until Step Functions learns of it


@dataclass(slots=True)
class Plan:
    """Which calls fail how. `at` maps the number of a call (from 0) to a fault; otherwise `rate` of all calls fail.

    Faults: `throttled` (Unavailable, no effect), `lost answer` (effect, then Unavailable), `dies before`, `dies after`.
    """

    at: dict[int, str] = field(default_factory=dict)
    rate: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    calls: int = 0
    on: bool = True
    happened: list[str] = field(default_factory=list)

    def next(self, name: str) -> str:
        """The fault of the next call, empty for none."""
        number, self.calls = self.calls, self.calls + 1
        if not self.on:
            return ""
        fault = self.at.get(number, "")
        if not fault and self.rate and self.dice.random() < self.rate:
            fault = self.dice.choice(("throttled", "lost answer", "dies before", "dies after"))
        if fault:
            self.happened.append(f"call {number} {name}: {fault}")
        return fault


class Faulty:
    """One part of the world with the plan's faults around every method."""

    def __init__(self, part: Any, name: str, plan: Plan) -> None:
        self._part, self._name, self._plan = part, name, plan

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._part, method)
        return self._around(inner, f"{self._name}.{method}") if callable(inner) else inner

    def _around(self, inner: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            fault = self._plan.next(name)
            if fault == "throttled":
                raise Unavailable(f"{name} was throttled")
            if fault == "dies before":
                raise Crash(f"died before {name}", LAMBDA_SECONDS)
            result = inner(*args, **kwargs)
            if fault == "lost answer":
                raise Unavailable(f"{name} did not answer")
            if fault == "dies after":
                raise Crash(f"died after {name}", LAMBDA_SECONDS)
            return result

        return call


def faulty(world: VirtualWorld, plan: Plan) -> World:
    """The world as handlers see it: its own parts, with faults around them."""
    parts: dict[str, Any] = {name: Faulty(getattr(world, name), name, plan) for name in PARTS}
    return replace(world, **parts)
