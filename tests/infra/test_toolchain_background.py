"""Asks whether a background process is found while it lives, and only then, however it ends."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.background import AlreadyRunning, Background, every

SLEEP = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]
CHILD = """
import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(60)
"""
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); time.sleep(60)",
]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Background]:
    process = Background("sleeper", tmp_path)
    yield process
    process.stop(grace_seconds=0.2)


def eventually(question: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.02)
    return False


def spoke(process: Background) -> bool:
    return eventually(lambda: process.last_words() != "")


def test_nothing_runs_before_it_is_started(process: Background) -> None:
    assert not process.running()
    assert not process.stop()


def test_it_outlives_who_started_it_and_is_found_by_name(process: Background) -> None:
    process.start(SLEEP, os.environ)
    assert Background(process.name, process.state).running()
    assert [found.name for found in every(process.state)] == ["sleeper"]


def test_it_is_not_started_twice(process: Background) -> None:
    process.start(SLEEP, os.environ)
    with pytest.raises(AlreadyRunning):
        process.start(SLEEP, os.environ)


def test_a_killed_one_leaves_nothing_stale(process: Background) -> None:
    process.start(SLEEP, os.environ)
    os.killpg(int((process.state / "run" / "sleeper.pid").read_text()), signal.SIGKILL)
    assert eventually(lambda: not process.running())
    process.start(SLEEP, os.environ)
    assert process.running()


def test_stopping_takes_its_children_along(process: Background) -> None:
    child = Background("child", process.state)
    process.start([*PARENT, CHILD, str(process.state / "run" / "child.lock")], os.environ)
    assert spoke(process)
    assert child.running()
    assert process.stop()
    assert eventually(lambda: not child.running())


def test_one_that_ignores_the_request_is_ended_by_force(process: Background) -> None:
    process.start(STUBBORN, os.environ)
    assert spoke(process)
    assert process.stop(grace_seconds=0.2)
    assert not process.running()
