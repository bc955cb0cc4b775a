"""One stack for all scenarios: up before the first, its workers told where it is, gone after the last.

The controller brings it up on free ports with a state of its own, so that a demo may run beside it. Scenarios run at
the same time, each on services of its own; one that changes what all share is marked `alone` and has it to itself.
"""

import fcntl
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from infra.local import emulator, receivers, traffic
from infra.local import laptop as laptops
from infra.local.background import ROOT, STATE
from tests.scenarios import lab, shop
from tests.scenarios.driving import Stack

PLACE = STATE / "scenarios"
STATE_THERE = PLACE / ".local"  # where the command line looks for outputs.json
REDELIVERY_SECONDS = 8  # after a death; the stack's own three minutes would be the scenario's


def pytest_sessionstart(session: pytest.Session) -> None:
    """Bring the stack up, once."""
    if _is_worker(session.config) or session.config.option.collectonly:
        return
    _down()
    shutil.rmtree(PLACE, ignore_errors=True)
    config = shop.write(ROOT / "config", PLACE / "config")
    laptop = laptops.bring_up(_a_free_port(), STATE_THERE, config, say=lambda _: None)
    queue = laptop.outputs.signals_queue_url
    attributes = {"VisibilityTimeout": str(REDELIVERY_SECONDS)}
    laptop.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    lab.build(laptop)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever needs the stack alone comes last: nobody waits for it who could run beside others."""
    items.sort(key=_alone)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take it down again."""
    if not _is_worker(session.config):
        _down()


def _alone(item: Any) -> bool:
    return item.get_closest_marker("alone") is not None


def _is_worker(config: Any) -> bool:
    return hasattr(config, "workerinput")


def _down() -> None:
    for part in (traffic, receivers, emulator):
        part.stop(STATE_THERE)


def _a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _lock(path: Path, kind: int) -> Iterator[IO[str]]:
    with path.open("w") as file:
        fcntl.flock(file, kind)
        yield file


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The deployed stack; a scenario marked `alone` has it to itself."""
    kind = fcntl.LOCK_EX if _alone(request.node) else fcntl.LOCK_SH
    with _lock(PLACE / "alone.lock", kind):
        yield Stack(laptops.find(STATE_THERE), PLACE)
