"""Burn rate: how many times as fast as it would just last an error budget is spent, as the alert itself carries it.

Over several windows at once (Google, The Site Reliability Workbook, chapter 5): a long one proves that it matters, a
short one that it still goes on.
"""

from collections.abc import Mapping, Sequence
from math import isfinite


def burn_rate(labels: Mapping[str, str], windows: Sequence[str]) -> float:
    """The lowest of the burn rates that those labels carry, one a window; 0.0 where one is missing or no number."""
    rates = []
    for name in windows:
        if name not in labels:  # as of nearly all alerts
            return 0.0
        rates.append(_number(labels[name]))
    return min(rates, default=0.0)


def _number(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        return 0.0
    return rate if isfinite(rate) and rate > 0 else 0.0
