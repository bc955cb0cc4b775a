"""Asks whether the emulator starts, is found, survives being killed half way, and never takes another's port."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra.local import emulator
from infra.local.emulator import Emulator, PortTaken

pytestmark = pytest.mark.toolchain


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    emulator.stop(tmp_path)


def queues(running: Emulator) -> list[str]:
    sqs = boto3.client(
        "sqs",
        endpoint_url=running.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    sqs.create_queue(QueueName="mine")
    urls: list[str] = sqs.list_queues().get("QueueUrls", [])
    return urls


def test_a_started_one_answers_and_is_reused(state: Path) -> None:
    port = a_free_port()
    started = emulator.start(port, state)
    assert len(queues(started)) == 1
    pid = (state / "run" / "emulator.pid").read_text()
    assert emulator.start(port, state) == started == emulator.find(state)
    assert (state / "run" / "emulator.pid").read_text() == pid


def test_one_that_was_killed_is_replaced_by_an_empty_one(state: Path) -> None:
    port = a_free_port()
    started = emulator.start(port, state)
    (started.scratch / "bootstrapped").touch()
    os.killpg(int((state / "run" / "emulator.pid").read_text()), signal.SIGKILL)
    again = emulator.start(port, state)
    assert emulator.find(state) == again
    assert list(again.scratch.iterdir()) == []


def test_a_port_of_somebody_else_is_refused_with_advice(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match="INCIDENTBOT_PORT"):
            emulator.start(other.getsockname()[1], state)
    assert emulator.find(state) is None


def test_two_checkouts_run_side_by_side(state: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    neighbour = tmp_path_factory.mktemp("neighbour")
    try:
        here, there = emulator.start(a_free_port(), state), emulator.start(a_free_port(), neighbour)
        assert here.port != there.port
        assert emulator.stop(neighbour)
        assert emulator.find(state) == here
    finally:
        emulator.stop(neighbour)


def test_another_checkouts_emulator_is_not_taken_for_ours(state: Path, tmp_path: Path) -> None:
    theirs = emulator.start(a_free_port(), state)
    with pytest.raises(PortTaken):
        emulator.start(theirs.port, tmp_path / "ours")


def test_no_credentials_of_the_person_reach_a_child() -> None:
    person = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "x",
        "HOME": "/home/me",
    }
    child = Emulator(4599).process_environment(person)
    assert "production" not in child.values()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & child.keys()
    assert (child["HOME"], child["AWS_ENDPOINT_URL"]) == ("/home/me", "http://127.0.0.1:4599")
