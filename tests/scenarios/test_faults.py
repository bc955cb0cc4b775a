"""Is IAM really on, and is nothing lost when a role loses a permission or a worker is killed?"""

import os
import signal
from pathlib import Path

import pytest

from tests.scenarios.driving import Stack, eventually, unique


@pytest.mark.alone
def test_a_permission_taken_from_a_role_breaks_its_stage_and_only_until_it_is_given_back(stack: Stack) -> None:
    service = unique("denied")
    with stack.denied(stack.role_of("receive"), "sqs:SendMessage"):
        answer = stack.alert(service)
        assert answer.status_code == 503, "not 202 for what is not safely in the queue"
        assert answer.headers["retry-after"]
    eventually(lambda: stack.alert(service).status_code == 202, "it is taken again")
    assert stack.paged(stack.incident(service)["id"])


@pytest.mark.alone
def test_workers_that_are_killed_lose_no_alert_and_double_no_page(stack: Stack) -> None:
    """Fault 1 and 2: whoever dies, a redelivery or the next minute's sweep goes on."""
    services = [unique("killed") for _ in range(6)]
    for number, service in enumerate(services):
        assert stack.alert(service).status_code == 202
        if number % 2:
            for worker in _workers(stack):
                os.kill(worker, signal.SIGKILL)
    for service in services:
        incident = stack.incident(service, seconds=150)["id"]
        assert len(stack.paged(incident, seconds=150)) == 1
        assert len(stack.incidents(service)) == 1


def _workers(stack: Stack) -> list[int]:
    """The processes of the emulator that run our functions: its children, started from its own scratch folder."""
    scratch = str(stack.laptop.emulator.scratch)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if scratch in command and "worker" in command.lower():
            found.append(int(process.name))
    return found
