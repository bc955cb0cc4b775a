"""Does the simulator publish what follows from production, and does a slow or failing receiver hold nothing back?"""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import EndpointConnectionError

from infra.local import shop_weather, traffic
from infra.local.shop_weather import Weather
from infra.local.traffic import Traffic
from tests.infra.local.test_shop_model import a_shop

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALM = Weather()


class ShopOnPaper:
    """A production that is what the test sets, keeps what is published, and tells who wants to know."""

    def __init__(self, state, published=lambda _: None):
        self.state = state
        self.published = []
        self._tell = published

    def read_state(self):
        return self.state

    def publish(self, readings):
        self.published.append(readings)
        self._tell(readings)


def tick(simulator, seconds, weather=CALM):
    """One tick, then the notification it may have started is waited for."""
    simulator.tick(weather, T0 + timedelta(seconds=seconds))
    if simulator._sending:
        simulator._sending[0].result()


def test_what_is_published_follows_the_state_of_production():
    shop = ShopOnPaper(a_shop())
    simulator = Traffic(shop)
    tick(simulator, 0, Weather(surge=True))
    shop.state = a_shop(concurrency=20)
    tick(simulator, 1, Weather(surge=True))
    slow, quick = (readings["CheckoutApiDurationP95"][0] for readings in shop.published)
    assert slow > 1000 > quick


def test_alertmanager_tells_of_a_bad_release_and_of_its_rollback():
    bodies = []

    def take(body):
        bodies.append(body)
        return 202

    shop = ShopOnPaper(a_shop(cell_a="orders:2", cell_b="orders:2"))
    simulator = Traffic(shop, take)
    for second in range(4):
        tick(simulator, second)
    shop.state = a_shop()
    for second in range(4, 8):
        tick(simulator, second)
    assert [body["status"] for body in bodies] == ["firing", "resolved"]
    assert [(told.reason, told.answer) for told in simulator.told] == [
        ("new firing alerts", 202),
        ("alerts resolved", 202),
    ]


def test_a_refused_notification_is_sent_again():
    answers = iter([503, 0, 202])
    shop = ShopOnPaper(a_shop(cell_a="orders:2"))
    simulator = Traffic(shop, lambda _: next(answers))
    for second in range(8):
        tick(simulator, second)
    assert [told.answer for told in simulator.told] == [503, 0, 202]


def test_a_receiver_that_does_not_answer_holds_back_no_metric():
    release = threading.Event()
    bodies = []

    def take_at_last(body):
        bodies.append(body)
        return 202 if release.wait(30) else 0

    shop = ShopOnPaper(a_shop(cell_a="orders:2"))
    simulator = Traffic(shop, take_at_last)
    for second in range(10):
        simulator.tick(CALM, T0 + timedelta(seconds=second))
    assert len(shop.published) == 10
    assert simulator.told == []
    release.set()
    simulator.close()
    assert len(bodies) == 1


def test_the_weather_changes_one_thing_at_a_time(tmp_path):
    assert shop_weather.read(tmp_path) == CALM
    shop_weather.change(tmp_path, surge=True)
    assert shop_weather.change(tmp_path, downstream_broken=True) == Weather(surge=True, downstream_broken=True)
    shop_weather.change(tmp_path, surge=False)
    assert shop_weather.read(tmp_path) == replace(CALM, downstream_broken=True)


def test_the_last_tick_can_be_read_by_others(tmp_path):
    shop_weather.change(tmp_path, surge=True)
    stop = threading.Event()
    shop = ShopOnPaper(a_shop(), published=lambda _: stop.set())
    assert traffic.run(Traffic(shop), tmp_path, stop) == "told to stop"
    shown = traffic.last_tick(tmp_path)
    assert shown["weather"] == {"surge": True, "downstream_broken": False}
    assert shown["metrics"]["CheckoutApiDurationP95"] > 1000


def test_a_production_that_does_not_answer_is_tried_again(tmp_path, capsys):
    stop = threading.Event()

    def fail_once(_):
        if len(shop.published) == 1:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        stop.set()

    shop = ShopOnPaper(a_shop(), published=fail_once)
    traffic.run(Traffic(shop), tmp_path, stop, interval=0.0)
    assert len(shop.published) == 2
    assert "Could not connect" in capsys.readouterr().err
