"""Do the shop's metrics follow from what is set in production and from the weather, and from nothing else?"""

import pytest

from infra.local.production import ALARMS, FunctionState, ProductionState, ServiceState
from infra.local.shop_model import cell_metric, measure
from infra.local.shop_weather import Weather


def a_shop(*, concurrency=None, search_version="2", cell_a="orders:1", cell_b="orders:1", running_b=6):
    return ProductionState(
        functions={
            "checkout-api": FunctionState("checkout-api", "2", concurrency),
            "search-api": FunctionState("search-api", search_version, None),
        },
        services={
            "orders-cell-a": ServiceState("orders-cell-a", cell_a, 2, 2),
            "orders-cell-b": ServiceState("orders-cell-b", cell_b, 6, running_b),
        },
        alarms={},
    )


CALM, SURGE, BROKEN = Weather(), Weather(surge=True), Weather(downstream_broken=True)
P95, THROTTLES, SEARCH = "CheckoutApiDurationP95", "CheckoutApiThrottles", "SearchApiErrorRate"
CELL_A, CELL_B = "OrdersCellAErrorRate", "OrdersCellBErrorRate"

MODEL = [
    ("a calm checkout is quick", a_shop(), CALM, P95, 180),
    ("a surge makes it slow", a_shop(), SURGE, P95, 2900),
    ("a clamp helps", a_shop(concurrency=20), SURGE, P95, 180),
    ("the smallest clamp that helps", a_shop(concurrency=5), SURGE, P95, 180),
    ("the largest clamp that helps", a_shop(concurrency=50), SURGE, P95, 180),
    ("a clamp below starves", a_shop(concurrency=4), SURGE, P95, 2900),
    ("a clamp of nothing starves", a_shop(concurrency=0), SURGE, P95, 2900),
    ("a clamp above sheds nothing", a_shop(concurrency=51), SURGE, P95, 2900),
    ("the clamp sheds the surge", a_shop(concurrency=20), SURGE, THROTTLES, 42),
    ("nothing is shed in calm", a_shop(concurrency=20), CALM, THROTTLES, 0),
    ("search is fine", a_shop(), SURGE, SEARCH, 0.4),
    ("search fails with its supplier", a_shop(), BROKEN, SEARCH, 37),
    ("rolling search back does not help", a_shop(search_version="1"), BROKEN, SEARCH, 37),
    ("the bad orders fail", a_shop(cell_a="orders:2", cell_b="orders:2"), CALM, CELL_A, 22),
    ("the canary can be better alone", a_shop(cell_a="orders:1", cell_b="orders:2"), CALM, CELL_A, 0.3),
    ("the other cell still fails then", a_shop(cell_a="orders:1", cell_b="orders:2"), CALM, CELL_B, 22),
    ("a cell without tasks serves nobody", a_shop(running_b=0), CALM, CELL_B, 100),
]


@pytest.mark.parametrize(
    ("shop", "weather", "metric", "expected"), [row[1:] for row in MODEL], ids=[row[0] for row in MODEL]
)
@pytest.mark.parametrize("tick", [0, 1, 77])
def test_metric(shop, weather, metric, expected, tick):
    value, _ = measure(shop, weather, tick)[metric]
    assert value == pytest.approx(expected, rel=0.021)


def test_the_jitter_moves_but_repeats():
    first, second = (measure(a_shop(), CALM, tick)[P95] for tick in (1, 2))
    assert first != second
    assert first == measure(a_shop(), CALM, 1)[P95]


def test_every_alarm_watches_a_metric_that_is_published_in_its_unit():
    readings = measure(a_shop(), CALM, 0)
    assert all(readings[alarm.metric][1] == alarm.unit for alarm in ALARMS)
    assert all(readings[alarm.metric][0] < alarm.threshold for alarm in ALARMS)


def test_each_cell_has_its_own_metric():
    assert [cell_metric(name) for name in ("orders-cell-a", "orders-cell-b")] == [CELL_A, CELL_B]
