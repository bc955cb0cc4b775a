"""Calls to AWS: per delivery, per alert and per incident's life, counted over the virtual world; and what they cost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from benchmarks import deliveries
from benchmarks.counting import Account
from benchmarks.figure import Figure
from benchmarks.generator import a_storm
from benchmarks.tally import Tally, shares, times, together, usd
from incident_bot.domain.caller import person_of
from incident_bot.domain.team import Mode, Timing
from incident_bot.operating import orders
from incident_bot.virtual.clock import T0, VirtualClock
from incident_bot.world import Put
from tests.building import a_world
from tests.remediating import a_playbook
from tests.simulation.shop import BAD_DEPLOY, Shop, a_shop_team

STORM = 100_000
MINUTE = 60
MONTH_MINUTES = 43_800
DUPLICATES = 2_000
SERIES = 200  # more than a batch of `consume` holds
POLLERS = 2  # of an idle queue's event source, each polling three times a minute
ALARMS, METRICS = 10, 6


def measure() -> Iterator[Figure]:
    """A storm, a million duplicates, a thousand incidents, an idle month."""
    for each, goal in ((1, 1.5), (10, 2.0)):
        yield from _storm(each, goal)
    for each, goal in ((1, 3.0), (10, 0.30)):
        yield from _duplicates(each, goal)
    yield from life()
    yield from _remediated()
    yield from _idle()


def _storm(each: int, goal: float) -> Iterator[Figure]:
    """A storm whose deliveries reach `consume` in full batches."""
    account, storm = Account(deliveries.a_world()), a_storm(deliveries.SEED, STORM, each=each)
    for start in range(0, len(storm), 10):
        batch = storm[start : start + 10]
        account.deployment.run_until(batch[-1].at)
        for delivery in batch:
            account.receive(deliveries.posted(delivery.body))
        account.settle()
    tally, name = account.tally, f"storm.of_{each}"
    yield Figure(f"{name}.per_delivery", tally.total / len(storm), "calls", goal=goal, note=_most(tally))
    yield Figure(f"{name}.writes", tally.writes / STORM, "items/alert", goal=0.05)
    yield Figure(f"{name}.transitions", account.transitions / STORM, "transitions/alert")
    yield Figure(f"{name}.usd", usd(account.bill), "USD", note=shares(account.bill))


def _duplicates(each: int, goal: float) -> Iterator[Figure]:
    account = Account(deliveries.a_world())
    alerts = deliveries.alerts(SERIES)
    _deliver(account, [alerts])
    account.run_for(MINUTE)
    before, calls, writes = account.bill, account.tally.total, account.tally.writes
    sent = [alerts[start : start + each] for start in range(0, len(alerts), each)] * (DUPLICATES // SERIES)
    for start in range(0, len(sent), 10):
        _deliver(account, sent[start : start + 10])
    million = times(together(account.bill, before, -1), 1e6 / DUPLICATES)
    name = f"duplicates.of_{each}"
    yield Figure(f"{name}.per_delivery", (account.tally.total - calls) / len(sent), "calls")
    yield Figure(f"{name}.writes", account.tally.writes - writes, "items", goal=0)
    yield Figure(f"{name}.usd_per_million", usd(million), "USD", goal=goal, note=shares(million))


def life() -> Iterator[Figure]:
    """Alert, page, acknowledgement, resolve, closed: one incident without a remediation."""
    account = Account(deliveries.a_world())
    alert = deliveries.critical()
    _deliver(account, [[alert]])
    account.run_for(MINUTE)
    (key,) = account.world.store.opened()
    incident = key[0].removeprefix("INC#")
    ada = person_of("arn:aws:iam::000000000000:user/ada", account.world.team)
    assert ada is not None
    orders.acknowledge(account.seen, incident, ada, "on it")
    account.run_for(4 * MINUTE)
    _deliver(account, [[deliveries.ended(alert, account.world.now())]])
    account.run_for(5 * MINUTE)
    assert all(execution.status == "SUCCEEDED" for execution in account.world.machines.executions.values())
    yield from _lived("incident", account, 10 * MINUTE, 0.50)


def _remediated() -> Iterator[Figure]:
    """A bad deploy is rolled back, canary first, while its page is held; it helps, is verified and closes."""
    shop = Shop(VirtualClock())
    playbook = a_playbook(mode=Mode.FULL, hold_page_seconds=180)
    team = replace(a_shop_team(playbook), timing=Timing(quiet_period=60, stale_after=3600))
    world = a_world(team, clock=shop.clock, clients=shop.clients())
    world.store.write([Put({"PK": "CONTROL", "SK": "KILL", "on": False})])
    account = Account(world)
    shop.fall_ill("orders", BAD_DEPLOY)
    while world.now() < T0 + timedelta(minutes=15):
        account.deployment.run_until(shop.next_at())
        world.queue.send([json.dumps(envelope) for envelope in shop.changes()])
        account.settle()
    account.publish()
    assert not world.http.sent, "nobody was woken"
    yield from _lived("remediated", account, 15 * MINUTE, 0.80)


def _lived(name: str, account: Account, seconds: float, goal: float) -> Iterator[Figure]:
    """What one life used, without the sweeps that ran meanwhile anyway."""
    idle = Account(deliveries.a_world())
    idle.run_for(seconds)
    thousand = times(together(account.bill, idle.bill, -1), 1000)
    calls = account.tally.total - idle.tally.total
    yield Figure(f"{name}.transitions", account.transitions, "transitions")
    yield Figure(f"{name}.calls", calls, "calls", note=_most(account.tally))
    yield Figure(f"{name}.items_written", account.tally.writes, "items")
    yield Figure(f"{name}.usd_per_thousand", usd(thousand), "USD", goal=goal, note=shares(thousand))


def _idle() -> Iterator[Figure]:
    """Each minute sweep and the synthetic alert, and the pollers of an empty queue."""
    account = Account(deliveries.a_world())
    account.run_for(MINUTE)
    account.receive(deliveries.synthetic(account.world.now()))
    account.settle()
    polls = {"sqs_request": POLLERS * 3 * MONTH_MINUTES}
    fixed = {"alarm_month": ALARMS, "metric_month": METRICS}
    month = together(together(fixed, polls), account.bill, MONTH_MINUTES)
    yield Figure("idle.usd_per_month", usd(month, free=True), "USD", goal=1.0, note=shares(month))


def _deliver(account: Account, batches: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Deliveries that reach `consume` together."""
    for batch in batches:
        account.receive(deliveries.request(batch))
    account.settle()


def _most(tally: Tally) -> str:
    """Which calls there were most."""
    return ", ".join(f"{name} {number}" for name, number in tally.calls.most_common(8))
