"""Schedules in which the bot acts: playbooks that help or do not, people who decide, switch, revoke and order."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from incident_bot import remedy
from incident_bot.domain.errors import IncidentBotError
from incident_bot.domain.team import Mode, Timing
from incident_bot.state import approvals, controls
from incident_bot.virtual.clock import VirtualClock
from incident_bot.virtual.run import Crash
from tests.remediating import CLAMP, a_playbook
from tests.simulation import invariants, remedies
from tests.simulation.faults import Plan
from tests.simulation.remedies import all_of, shop_of, watch
from tests.simulation.schedules import Outcome
from tests.simulation.shop import BAD_DEPLOY, OUTAGE, STORM, WELL, Shop, a_shop_team
from tests.simulation.stage import Account, an_account, meanwhile, mistreat

ILLS = {"orders": (BAD_DEPLOY, BAD_DEPLOY, OUTAGE, WELL), "checkout": (STORM, STORM, OUTAGE, WELL)}
LIFT_AFTER = 300


def play(seed: int) -> Outcome:
    """Play the schedule of that seed: trouble, a time to settle, and then people clean up what is left to them."""
    dice = random.Random(seed)
    account = an_acting_account(dice, Plan(rate=dice.choice((0.0, 0.02, 0.05)), dice=random.Random(seed + 1)))
    racers = random.Random(seed + 2)
    account.plan.races = racers.choice((0.0, 0.03, 0.15))
    account.deployment.batch = racers.choice((1, 10))
    account.plan.meanwhile = lambda: _meanwhile(account, racers)
    _falls_ill(account, dice)
    for _ in range(dice.randint(4, 16)):
        account.run_for(dice.choice((1, 5, 12, 30, 90)), lambda alert: mistreat(account, dice, alert))
        _shake(account, dice)
    account.settle(1800)
    flaws = _broken(account)
    clean_up(account)
    open_ones = [f"{incident.id} is {incident.state}" for incident in account.incidents() if not incident.over]
    flaws += [f"cleaned up: {flaw}" for flaw in (*_broken(account), *_left(account), *open_ones)]
    return Outcome(seed, tuple(dict.fromkeys(flaws)), tuple(account.plan.happened), account.plan.calls)


def an_acting_account(dice: random.Random, plan: Plan) -> Account:
    """An account with a shop to look after, whose two playbooks may do more or less by themselves."""
    held = dice.choice((0, 120))
    rollback = a_playbook(mode=dice.choice((Mode.FULL, Mode.CANARY, Mode.PROPOSE)), hold_page_seconds=held)
    clamp = replace(CLAMP, mode=dice.choice((Mode.FULL, Mode.PROPOSE)), lift_after_seconds=LIFT_AFTER)
    team = a_shop_team(rollback, clamp, depends=dice.random() < 0.5, approvers=dice.choice((1, 1, 2)))
    team = replace(team, timing=Timing(quiet_period=60, stale_after=600))
    account = an_account(plan, team, Shop(VirtualClock()))
    watch(account)
    return account


def _meanwhile(account: Account, dice: random.Random) -> None:
    """As in any account; and people decide, or order, at any moment."""
    if dice.random() < 0.2:
        dice.choice((_people_decide, _ordered))(account, dice)
    else:
        meanwhile(account, dice)


def _shake(account: Account, dice: random.Random) -> None:
    """Something happens: to production most often, or by people."""
    for happens in dice.sample(HAPPENINGS, dice.randint(1, 3)):
        happens(account, dice)


def _falls_ill(account: Account, dice: random.Random) -> None:
    service = dice.choice(list(ILLS))
    shop_of(account).fall_ill(service, dice.choice(ILLS[service]))


def _people_decide(account: Account, dice: random.Random) -> None:
    """Every request is decided, or not; some click twice, some the wrong digest, all may find the API dying."""
    for found in all_of(account):
        for person in ("ada", "grace", "grace"):
            if found.approval and dice.random() < 0.5:
                decision = "approve" if dice.random() < 0.8 else "reject"
                digest = found.digest if dice.random() < 0.9 else "0" * 64
                with suppress(IncidentBotError, Crash):
                    approvals.decide(account.faulty, found.approval, decision, "seems right", digest, person)


def _acknowledged(account: Account, dice: random.Random) -> None:
    del dice
    account.acknowledge()


def _switched(account: Account, dice: random.Random) -> None:
    controls.set_kill_switch(account.world, "ada", on=dice.random() < 0.4, reason="a person says so")


def _permissions(account: Account, dice: random.Random) -> None:
    denied = shop_of(account).denied
    denied.clear()
    if dice.random() < 0.5:
        denied.add(dice.choice(("update_service", "put_function_concurrency", "delete_function_concurrency")))


def _killed(account: Account, dice: random.Random) -> None:
    running = [e.name for e in account.world.machines.executions.values() if e.status == "RUNNING"]
    if running:
        account.deployment.walker.kill(dice.choice(running))


def _ordered(account: Account, dice: random.Random) -> None:
    for found in all_of(account):
        if dice.random() < 0.3:
            with suppress(IncidentBotError, Crash):
                remedy.order_undo(account.faulty, found.id, "grace", "it was a mistake")


HAPPENINGS: tuple[Callable[[Account, random.Random], None], ...] = (
    _falls_ill,
    _falls_ill,
    _falls_ill,
    _people_decide,
    _people_decide,
    _acknowledged,
    _switched,
    _permissions,
    _killed,
    _ordered,
)


def clean_up(account: Account) -> None:
    """All is well again, everything is allowed, and people have undone what the bot left to them."""
    shop = shop_of(account)
    shop.denied.clear()
    for service in shop.ails:
        shop.fall_ill(service, WELL)
    controls.set_kill_switch(account.world, "ada", on=False, reason="it is over")
    account.run_for(1200)
    for found in all_of(account):
        if found.state == "partial":
            remedy.order_undo(account.world, found.id, "ada", "to be on the safe side")
    account.run_for(1800)


def _broken(account: Account) -> list[str]:
    return [*account.noticed, *invariants.broken(account), *remedies.broken(account)]


def _left(account: Account) -> list[str]:
    """With nothing in force nothing is locked, and temporary mitigations are gone."""
    left = [f"{i['target']} is locked" for i in account.world.store if i["SK"] == "LOCK" and i.get("incident")]
    left += [f"{found.id} is {found.state}" for found in all_of(account) if found.in_force]
    if shop_of(account).reserved is not None:
        left.append(f"the clamp of {shop_of(account).reserved} is still set")
    return left


def die_everywhere(fault: str, stride: int, offset: int = 0) -> tuple[str, ...]:
    """A bad deploy and a storm at once, both mitigated by playbooks, told again and again with one fault at every so
    many-th call; returns what broke, each with the fault that broke it."""
    found: list[str] = []
    for number in range(offset, a_story(Plan()).plan.calls, stride):
        account = a_story(Plan(at={number: fault}))
        found += [f"{'; '.join(account.plan.happened)}: {flaw}" for flaw in (*_broken(account), *_left(account))]
    return tuple(found)


def a_story(plan: Plan) -> Account:
    """The story itself: both are helped, the storm passes, and the clamp is lifted."""
    rollback, clamp = a_playbook(), replace(CLAMP, lift_after_seconds=LIFT_AFTER)
    team = replace(a_shop_team(rollback, clamp), timing=Timing(quiet_period=60, stale_after=600))
    account = an_account(plan, team, Shop(VirtualClock()))
    watch(account)
    account.run_for(15)
    shop_of(account).fall_ill("orders", BAD_DEPLOY)
    shop_of(account).fall_ill("checkout", STORM)
    account.run_for(90)
    shop_of(account).fall_ill("checkout", WELL)
    account.settle(1800)
    return account
