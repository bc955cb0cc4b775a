"""How the shop behaves: its metrics as a pure function of what is set in production and of the weather."""

import zlib
from collections.abc import Mapping

from infra.local.production import BAD_ORDERS, CHECKOUT, FunctionState, ProductionState, ServiceState
from infra.local.shop_weather import Weather

# A reserved concurrency in this range sheds the surge and still serves; outside it customers queue or starve.
HELPFUL_CONCURRENCY = range(5, 51)
SLOW_MS, QUICK_MS = 2900.0, 180.0
SHED_PER_SECOND, SPILLED_PER_SECOND = 42.0, 3.0
SEARCH_BROKEN_PERCENT, SEARCH_FINE_PERCENT = 37.0, 0.4
ORDERS_BAD_PERCENT, ORDERS_FINE_PERCENT = 22.0, 0.3
JITTER = 0.02

Readings = Mapping[str, tuple[float, str]]


def measure(state: ProductionState, weather: Weather, tick: int) -> Readings:
    """What the shop's metrics read at this tick: {metric: (value, unit)}."""
    p95, throttles = _checkout(state.functions[CHECKOUT], weather)
    exact = {
        "CheckoutApiDurationP95": (p95, "Milliseconds"),
        "CheckoutApiThrottles": (throttles, "Count"),
        # The supplier fails whichever version of search asks it, so nothing done to search helps.
        "SearchApiErrorRate": (SEARCH_BROKEN_PERCENT if weather.downstream_broken else SEARCH_FINE_PERCENT, "Percent"),
    }
    exact |= {cell_metric(name): (_orders(service), "Percent") for name, service in state.services.items()}
    return {name: (_jittered(value, name, tick), unit) for name, (value, unit) in exact.items()}


def cell_metric(service: str) -> str:
    """The error-rate metric of a cell: `orders-cell-a` -> `OrdersCellAErrorRate`."""
    return "".join(part.capitalize() for part in service.split("-")) + "ErrorRate"


def _checkout(function: FunctionState, weather: Weather) -> tuple[float, float]:
    """The 95th percentile in milliseconds, and throttles a second."""
    if not weather.surge:
        return QUICK_MS, 0.0
    if function.reserved_concurrency in HELPFUL_CONCURRENCY:
        return QUICK_MS, SHED_PER_SECOND
    return SLOW_MS, SPILLED_PER_SECOND


def _orders(service: ServiceState) -> float:
    if service.running == 0:
        return 100.0
    return ORDERS_BAD_PERCENT if service.task_definition == BAD_ORDERS else ORDERS_FINE_PERCENT


def _jittered(value: float, name: str, tick: int) -> float:
    """Up to 2 % either way, the same for the same metric and tick."""
    noise = zlib.crc32(f"{name} {tick}".encode()) % 2001 / 1000 - 1
    return round(value * (1 + JITTER * noise), 3)
