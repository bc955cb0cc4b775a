"""Calls to AWS: per delivery, per alert and per incident's life, counted over the virtual world; and what they cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import deliveries
from benchmarks.counting import PRICES, Account, Tally
from benchmarks.figure import Figure
from benchmarks.generator import a_storm
from incident_bot.domain.caller import person_of
from incident_bot.operating import orders

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
    yield from _life()
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
    yield Figure(f"{name}.usd", account.bill.usd(), "USD")


def _duplicates(each: int, goal: float) -> Iterator[Figure]:
    account = Account(deliveries.a_world())
    alerts = deliveries.alerts(SERIES)
    _deliver(account, [alerts])
    account.run_for(MINUTE)
    before, calls, writes = account.bill, account.tally.total, account.tally.writes
    sent = [alerts[start : start + each] for start in range(0, len(alerts), each)] * (DUPLICATES // SERIES)
    for start in range(0, len(sent), 10):
        _deliver(account, sent[start : start + 10])
    used = Tally(used=account.bill.used - before.used)
    name = f"duplicates.of_{each}"
    yield Figure(f"{name}.per_delivery", (account.tally.total - calls) / len(sent), "calls")
    yield Figure(f"{name}.writes", account.tally.writes - writes, "items", goal=0)
    million = used.times(1e6 / DUPLICATES)
    yield Figure(f"{name}.usd_per_million", million.usd(), "USD", goal=goal, note=_shares(million))


def _life() -> Iterator[Figure]:
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


def _lived(name: str, account: Account, seconds: float, goal: float) -> Iterator[Figure]:
    """What one life used, without the sweeps that ran meanwhile anyway."""
    idle = Account(deliveries.a_world())
    idle.run_for(seconds)
    used, calls = account.bill.used.copy(), account.tally.total - idle.tally.total
    used.subtract(idle.bill.used)
    yield Figure(f"{name}.transitions", account.transitions, "transitions")
    yield Figure(f"{name}.calls", calls, "calls", note=_most(account.tally))
    yield Figure(f"{name}.items_written", account.tally.writes, "items")
    thousand = Tally(used=used).times(1000)
    yield Figure(f"{name}s.usd_per_thousand", thousand.usd(), "USD", goal=goal, note=_shares(thousand))


def _idle() -> Iterator[Figure]:
    """Each minute sweep and the synthetic alert, and the pollers of an empty queue."""
    account = Account(deliveries.a_world())
    account.run_for(MINUTE)
    account.receive(deliveries.synthetic(account.world.now()))
    account.settle()
    used = account.bill.times(MONTH_MINUTES).used
    used.update(sqs_request=POLLERS * 3 * MONTH_MINUTES)
    fixed = max(0, ALARMS - PRICES["always_free_month"]["alarm"]) * PRICES["usd"]["alarm_month"]
    fixed += max(0, METRICS - PRICES["always_free_month"]["metric"]) * PRICES["usd"]["metric_month"]
    month = Tally(used=used)
    yield Figure("idle.usd_per_month", month.usd(free=True) + fixed, "USD", goal=1.0, note=_shares(month))


def _deliver(account: Account, batches: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Deliveries that reach `consume` together."""
    for batch in batches:
        account.receive(deliveries.request(batch))
    account.settle()


def _most(tally: Tally) -> str:
    """Which calls there were most."""
    return ", ".join(f"{name} {number}" for name, number in tally.calls.most_common(8))


def _shares(tally: Tally) -> str:
    """What the money goes to."""
    costs = {unit: amount * PRICES["usd"][unit] for unit, amount in tally.used.items()}
    return ", ".join(
        f"{unit} {cost:.3f}" for unit, cost in sorted(costs.items(), key=lambda one: -one[1]) if cost > 5e-4
    )
