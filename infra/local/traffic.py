"""The traffic simulator: publishes the shop's metrics as they follow from the state of production, and lets alerts out.

    python -m infra.local.traffic --state .local

Cause and effect are real: what it publishes depends on what the AWS APIs say is set, and on the weather
(`infra.local.shop_weather`). It ends by itself when production stays unreachable for a minute.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import alertmanager, shop_weather
from infra.local.alertmanager import Group
from infra.local.background import STATE, Background
from infra.local.production import Production, ProductionState
from infra.local.shop_model import Readings, cell_metric, measure
from infra.local.shop_weather import Weather

INTERVAL_SECONDS = 1.0
UNREACHABLE_SECONDS = 60.0
START_SECONDS = 15.0


class TrafficFailed(RuntimeError):
    """The simulator ended, or published nothing, instead of starting."""


class Shop(Protocol):
    """What the simulator needs of production."""

    def read_state(self) -> ProductionState: ...
    def publish(self, readings: Readings) -> None: ...


class Receiver(Protocol):
    """Where Alertmanager's notifications go; the HTTP status, or 0 when nobody answered."""

    def __call__(self, body: Mapping[str, Any]) -> int: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Alertmanager's webhook_config: where to post, what to put in Authorization, and the Host header to send."""

    url: str
    authorization: str
    host: str | None = None

    def __call__(self, body: Mapping[str, Any]) -> int:
        headers = {"Authorization": self.authorization, "User-Agent": "Alertmanager/0.28.1"}
        if self.host:
            headers["Host"] = self.host
        try:
            return httpx.post(self.url, json=body, headers=headers, timeout=10, trust_env=False).status_code
        except httpx.HTTPError:
            return 0


@dataclass(frozen=True, slots=True)
class Told:
    """One notification that Alertmanager sent, and what came of it."""

    at: str
    reason: str
    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    answer: int


class Traffic:
    """The simulator over a shop and a weather; one `tick` is one second of the shop's life."""

    def __init__(self, shop: Shop, receiver: Receiver | None = None) -> None:
        self.shop = shop
        self.receiver = receiver
        self.group = Group()
        self.told: list[Told] = []
        self._ticks = 0
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alertmanager")
        self._sending: tuple[Future[int], Group, str] | None = None

    def tick(self, weather: Weather, now: datetime) -> Readings:
        """Read production, publish what follows from it, and evaluate Alertmanager's rule."""
        state = self.shop.read_state()
        readings = measure(state, weather, self._ticks)
        self._ticks += 1
        self.shop.publish(readings)
        cells = {cell: readings[cell_metric(cell)][0] for cell in state.services}
        self.group = alertmanager.evaluate(self.group, cells, now)
        self._notify(now)
        return readings

    def _notify(self, now: datetime) -> None:
        """Send in the background, one at a time: a slow receiver must not hold back the metrics."""
        if self.receiver is None:
            return
        if self._sending and self._sending[0].done():
            self._settle(now)
        reason = alertmanager.due(self.group, now)
        if reason and not self._sending:
            body = alertmanager.payload(self.group)
            self._sending = (self._sender.submit(self.receiver, body), self.group, reason)

    def _settle(self, now: datetime) -> None:
        if self._sending is None:
            return
        future, sent, reason = self._sending
        self._sending = None
        answer = future.result()
        resolved = tuple(sorted(set(sent.alerts) - sent.firing))
        self.told.append(Told(_stamp(now), reason, tuple(sorted(sent.firing)), resolved, answer))
        del self.told[:-50]
        if 200 <= answer < 300:
            self.group = alertmanager.delivered(self.group, sent, now)

    def close(self) -> None:
        """Wait for the notification that is under way."""
        self._sender.shutdown(wait=True)


def run(traffic: Traffic, state: Path, stop: threading.Event, interval: float = INTERVAL_SECONDS) -> str:
    """Tick until told to stop or production is gone; why it ended. Its last tick is in `traffic/now.json`."""
    seen = time.monotonic()
    while not stop.is_set():
        started = time.monotonic()
        weather = shop_weather.read(state)
        now = datetime.now(UTC)
        try:
            readings = traffic.tick(weather, now)
            seen = time.monotonic()
            _show(state, traffic, weather, readings, now)
        except (BotoCoreError, ClientError) as error:
            print(f"{_stamp(now)} {error}", file=sys.stderr, flush=True)
            if time.monotonic() - seen > UNREACHABLE_SECONDS:
                return f"production was unreachable for {UNREACHABLE_SECONDS:g} s"
        stop.wait(max(0.0, interval - (time.monotonic() - started)))
    return "told to stop"


def _show(state: Path, traffic: Traffic, weather: Weather, readings: Readings, now: datetime) -> None:
    path = _shown(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    shown = {
        "at": _stamp(now),
        "weather": asdict(weather),
        "metrics": {name: value for name, (value, _) in readings.items()},
        "firing": sorted(traffic.group.firing),
        "told": [asdict(told) for told in traffic.told[-5:]],
    }
    fresh.write_text(json.dumps(shown))
    fresh.replace(path)


def last_tick(state: Path = STATE) -> Mapping[str, Any]:
    """The simulator's last tick: at, weather, metrics, firing cells, last notifications; {} before the first."""
    path = _shown(state)
    return json.loads(path.read_text()) if path.exists() else {}


def start(environment: Mapping[str, str], alertmanager_to: Endpoint | None, state: Path = STATE) -> None:
    """Start the simulator as a background process, or leave the one that runs with the same settings.

    `environment`: a whole process environment with the AWS_* of production. Raises TrafficFailed.
    """
    process = Background("traffic", state)
    settings = _settings(state)
    wanted = json.dumps(
        {
            "aws": {name: value for name, value in environment.items() if name.startswith("AWS_")},
            "alertmanager_to": asdict(alertmanager_to) if alertmanager_to else None,
        }
    )
    if process.running() and settings.exists() and settings.read_text() == wanted:
        return
    process.stop()
    settings.parent.mkdir(parents=True, exist_ok=True)
    _shown(state).unlink(missing_ok=True)
    settings.touch(mode=0o600)
    settings.write_text(wanted)
    process.start([sys.executable, "-m", "infra.local.traffic", "--state", str(state.resolve())], environment)
    deadline = time.monotonic() + START_SECONDS
    while not _shown(state).exists():
        if not process.running() or time.monotonic() > deadline:
            process.stop()
            raise TrafficFailed(f"the traffic simulator published nothing; its last words:\n{process.last_words()}")
        time.sleep(0.05)


def stop(state: Path = STATE) -> bool:
    """Stop the simulator of this state directory; False when none was running."""
    return Background("traffic", state).stop()


def _settings(state: Path) -> Path:
    return state / "traffic" / "settings.json"


def _shown(state: Path) -> Path:
    return state / "traffic" / "now.json"


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate until SIGTERM; production is the one that the AWS_* variables name."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.traffic")
    parser.add_argument("--state", type=Path, default=STATE)
    options = parser.parse_args(arguments)
    target = json.loads(_settings(options.state).read_text())["alertmanager_to"]
    traffic = Traffic(Production(os.environ), Endpoint(**target) if target else None)
    print(run(traffic, options.state, threading.Event()), file=sys.stderr)
    traffic.close()


if __name__ == "__main__":
    main()
