"""A figure: one measured number with its unit, what it is compared with in the same run, and the machine it is from."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

RUNS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or the reason why there is none. `goal` is what it should not exceed (or reach, where `more` is true).

    A figure without a baseline is a count: it is the same on every machine.
    """

    name: str
    value: float | None
    unit: str
    baseline: float | None = None
    goal: float | None = None
    more: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the baseline it is."""
        return self.value / self.baseline if self.value is not None and self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.more else self.value <= self.goal

    def document(self) -> dict[str, Any]:
        """The figure as it stands in results.json."""
        found = {"value": self.value, "unit": self.unit, "baseline": self.baseline, "ratio": self.ratio}
        rounded = {name: _rounded(entry) if isinstance(entry, float) else entry for name, entry in found.items()}
        notes = {"goal": self.goal} if self.goal is not None else {}
        return rounded | {"machine": machine()} | notes | ({"note": self.note} if self.note else {})


def cpu_microseconds(work: Callable[[], object], per: int = 1, runs: int = RUNS) -> float:
    """The CPU time of this process for one of the `per` pieces of the work, as the median of some runs."""
    return median(_once(work) for _ in range(runs)) / per


def ratios(works: Sequence[Callable[[], object]], runs: int = RUNS) -> list[float]:
    """The CPU microseconds of each work, their runs interleaved so that a busy machine is as unfair to all of them."""
    rounds = [[_once(work) for work in works] for _ in range(runs)]
    return [median(one) for one in zip(*rounds, strict=True)]


@cache
def machine() -> str:
    """Where this was measured."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _once(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6


def _rounded(number: float) -> float:
    """Four digits are more than a measurement has."""
    return float(f"{number:.4g}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
