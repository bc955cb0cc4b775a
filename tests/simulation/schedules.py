"""Schedules: one seed is one way in which alerts come, transport mistreats them, and calls fail."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from incident_bot.domain.alert import Status
from tests.simulation.faults import Plan
from tests.simulation.invariants import broken
from tests.simulation.stage import SERVICES, Account, an_account, an_alert_of, live, meanwhile, mistreat

Told = tuple[float, str, str, Status]  # seconds after the one before, service, kind, status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a schedule came to: the invariants that broke, the faults that happened, how many calls were made."""

    seed: int
    flaws: tuple[str, ...]
    faults: tuple[str, ...]
    calls: int


def play(seed: int) -> Outcome:
    """Play the schedule of that seed: some ten minutes of trouble, then quiet, then the invariants."""
    dice = random.Random(seed)
    account = an_account(Plan(rate=dice.choice((0.0, 0.01, 0.03, 0.08)), dice=random.Random(seed + 1)))
    racers = random.Random(seed + 2)
    account.plan.races = racers.choice((0.0, 0.03, 0.15))
    account.deployment.batch = racers.choice((1, 2, 10))
    account.plan.meanwhile = lambda: meanwhile(account, racers)
    _trouble(account, dice)
    account.settle()
    return Outcome(seed, tuple(broken(account)), tuple(account.plan.happened), account.plan.calls)


def _trouble(account: Account, dice: random.Random) -> None:
    kinds = [(service, kind) for service in SERVICES for kind in ("errors", "latency")]
    series = dice.sample(kinds, dice.randint(1, 4))
    firing: set[tuple[str, str]] = set()
    for _ in range(dice.randint(3, 14)):
        for which in dice.sample(series, dice.choice((1, 1, len(series)))):
            status = Status.RESOLVED if which in firing and dice.random() < 0.6 else Status.FIRING
            firing = firing - {which} if status is Status.RESOLVED else firing | {which}
            mistreat(account, dice, an_alert_of(*which, status, account.world.now()))
        if dice.random() < 0.15:
            account.acknowledge()
        account.world.clock.advance(dice.choice((0, 1, 5, 30, 90)))
        live(account)


def break_everywhere(story: Sequence[Told], faults: Sequence[str], stride: int = 1) -> list[str]:
    """Play one story again and again, each time with one fault at one call more, until every call had every fault.

    Returns what broke, each with the fault that broke it; with a `stride` only every so many-th call is tried.
    """
    found: list[str] = []
    for number in range(0, tell(Plan(), story).plan.calls, stride):
        for fault in faults:
            account = tell(Plan(at={number: fault}), story)
            found += [f"{'; '.join(account.plan.happened)}: {flaw}" for flaw in broken(account)]
    return found


def tell(plan: Plan, story: Sequence[Told]) -> Account:
    """Tell a story to an account with that plan of faults, then let it settle. What is said at once is queued at once,
    and each alert has a consumer of its own."""
    account = an_account(plan)
    plan.meanwhile = account.deployment.step
    account.deployment.batch = 1
    for after, service, kind, status in story:
        if after:
            account.deployment.run_for(after)
        account.send(an_alert_of(service, kind, status, account.world.now()))
    account.deployment.run_for(120)
    account.settle()
    return account
