"""What was used and what it costs: calls by name, invocations by stage, and amounts priced by prices.json."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PRICES: Mapping[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text())
USD: Mapping[str, float] = PRICES["usd"]
FREE: Mapping[str, float] = PRICES["always_free_month"]
ASSUMED: Mapping[str, Any] = PRICES["assumed"]
Used = Mapping[str, float]  # amounts by the names of `usd` in prices.json


@dataclass(slots=True)
class Tally:
    """Counts while it goes on; `writes` are items written."""

    calls: Counter[str] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)
    used: dict[str, float] = field(default_factory=dict)
    writes: int = 0

    def call(self, name: str, number: int = 1, **used: float) -> None:
        """Count a call and what it uses."""
        self.calls[name] += number
        self.use(**used)

    def use(self, **used: float) -> None:
        """Add to what is billed by its amount."""
        self.used |= together(self.used, used)

    @property
    def total(self) -> int:
        """All calls; the queue's own polling is none of them."""
        return self.calls.total()


def together(one: Used, other: Used, times: float = 1) -> dict[str, float]:
    """Both amounts; the other one so many times."""
    return {unit: one.get(unit, 0) + times * other.get(unit, 0) for unit in {**one, **other}}


def times(used: Used, number: float) -> dict[str, float]:
    """So many of the same."""
    return together({}, used, number)


def usd(used: Used, *, free: bool = False) -> float:
    """What it costs; with `free`, what is left of that beyond the always-free tier of a month."""
    return sum(max(0.0, amount - (FREE.get(unit, 0) if free else 0)) * USD[unit] for unit, amount in used.items())


def shares(used: Used) -> str:
    """What the money goes to, in words."""
    costs = sorted(((amount * USD[unit], unit) for unit, amount in used.items()), reverse=True)
    return ", ".join(f"{unit} {cost:.3f}" for cost, unit in costs if cost >= 0.0005)
