"""What a storm must not cost: duplicates write nothing, busy incidents take alerts together, one reminder will do."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.ingest.consume import consume
from incident_bot.domain.alert import Severity
from incident_bot.state import mailbox
from incident_bot.virtual import checkout
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world
from tests.deciding import says
from tests.signalling import a_batch, a_record, the_incident


class Counted(MemoryStore):
    """A store that counts its calls by name."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> object:
        if name in ("get", "get_many", "query", "write", "update"):
            self.calls[name] += 1
        return super().__getattribute__(name)


@pytest.fixture
def world() -> VirtualWorld:
    return replace(a_world(), store=Counted())


def calls_of(world: VirtualWorld) -> Counter[str]:
    assert isinstance(world.store, Counted)
    return world.store.calls


def a_busy_account(world: VirtualWorld) -> Deployment:
    """An incident that parked just now and has had more mail than most."""
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())
    for number in range(mailbox.BUSY + 2):
        fire(deployment, number)
        deployment.run_for(6)
    fire(deployment, 100)
    return deployment


def fire(deployment: Deployment, number: int, severity: Severity = Severity.SEV2) -> None:
    at = (deployment.world.now() - says().occurred_at).total_seconds()
    record = a_record(deployment.world, says(f"errors {number}", at=at, severity=severity), delivery=f"d{number}")
    deployment.invoke("consume", a_batch(record))
    while deployment.step():
        pass


def test_duplicates_cost_one_read_and_no_write(world: VirtualWorld) -> None:
    alerts = [says(instance=str(number)) for number in range(20)]
    consume(world, a_batch(a_record(world, *alerts)))
    calls_of(world).clear()
    consume(world, a_batch(*(a_record(world, *alerts, delivery=f"again-{n}") for n in range(3))))
    assert calls_of(world) == {"get_many": 1}


def test_what_is_new_among_duplicates_is_taken_in(world: VirtualWorld) -> None:
    consume(world, a_batch(a_record(world, says("errors"))))
    both = a_batch(a_record(world, says("errors"), delivery="d2"), a_record(world, says("latency"), delivery="d3"))
    consume(world, both)
    box = mailbox.read(world, the_incident(world))
    assert [mail.detail["title"] for mail in box.mails if "title" in mail.detail] == ["latency"]


def test_a_busy_incident_takes_alerts_together(world: VirtualWorld) -> None:
    deployment = a_busy_account(world)
    before = the_incident(world).wakes
    for number in range(101, 104):
        fire(deployment, number)
    assert (the_incident(world).wakes, len(world.queue.messages)) == (before, 2)  # its deadline, and to wake it
    deployment.run_for(mailbox.PACE.total_seconds())
    assert the_incident(world).wakes == before + 1
    assert the_incident(world).alerts == mailbox.BUSY + 2 + 4


def test_what_is_worse_does_not_wait(world: VirtualWorld) -> None:
    deployment = a_busy_account(world)
    fire(deployment, 101)
    fire(deployment, 102, Severity.SEV1)
    assert the_incident(world).severity is Severity.SEV1


def test_an_incident_that_is_not_busy_takes_an_alert_at_once(world: VirtualWorld) -> None:
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())
    for number in range(3):
        fire(deployment, number)
    assert the_incident(world).alerts == 3


def test_one_message_reminds_of_a_deadline_however_often_the_incident_is_woken(world: VirtualWorld) -> None:
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())
    for number in range(5):
        fire(deployment, number)
        deployment.run_for(1)
    (message,) = world.queue.messages
    assert message.visible_at - world.now() > timedelta(minutes=1)
    assert message.body.startswith('{"v":1,"kind":"deadline"')
