"""The simulated account: the real handlers and machines, a pager that deduplicates, alerts that transport mistreats."""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incident_bot import plugins
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Conflict
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.shape import dump
from incident_bot.domain.team import Team, Timing
from incident_bot.ingest import signals
from incident_bot.state import incidents, mailbox
from incident_bot.virtual import checkout
from incident_bot.virtual.clock import VirtualClock
from incident_bot.virtual.deployment import SWEEP, Deployment
from incident_bot.virtual.run import Crash
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Handler, Put, World
from tests.building import a_service, a_team, a_world
from tests.simulation.faults import Plan, faulty
from tests.simulation.pager import Pager
from tests.simulation.shop import Shop

SERVICES = ("checkout", "orders", "search")  # checkout depends on orders; search stands alone
STAGES = {
    "incident": ("triage", "enrich", "propose", "advance", "verify", "close"),
    "remediation": ("act", "check", "release"),
}
TIMING = Timing(quiet_period=60, stale_after=7200)


class Watched(Deployment):
    """A deployment that is looked at after every step."""

    look: Callable[[], None] = staticmethod(lambda: None)

    def step(self) -> bool:
        """Do one thing, then look."""
        done = super().step()
        self.look()
        return done


@dataclass(slots=True)
class Account:
    """One deployment in memory with its faults, its pager, the alerts that were sent to it, and what it looks after."""

    plan: Plan
    world: VirtualWorld
    faulty: World  # the same, as handlers see it
    deployment: Watched
    pager: Pager
    shop: Shop | None = None
    sent: list[Alert] = field(default_factory=list)
    noticed: list[str] = field(default_factory=list)  # invariants that did not hold after some step

    def send(self, *alerts: Alert, delay: int = 0) -> None:
        """Put alerts on the queue as `receive` would."""
        dumped = [json.dumps(dump(alert)) for alert in alerts]
        delivery = f"delivery-{len(self.sent)}-{delay}"
        for body in signals.packed(alerts[0].source, delivery, self.world.now(), dumped):
            self.world.queue.send([body], delay_seconds=delay)
        self.sent += alerts

    def run_for(self, seconds: float, deliver: Callable[[Alert], None] | None = None) -> None:
        """Let that much time pass; alarms of what it looks after are delivered so, at once where nobody says how."""
        end = self.world.now() + timedelta(seconds=seconds)
        while self.world.now() < end:
            self.deployment.run_until(min(end, self.shop.next_at()) if self.shop else end)
            for envelope in self.shop.changes() if self.shop else ():
                (deliver or self.send)(_read(envelope))

    def acknowledge(self) -> None:
        """Somebody acknowledges every incident that is open."""
        for incident in self.incidents():
            if not incident.over and incident.generation:
                mailbox.post(self.world, incident.id, Mail(MailKind.ACK, self.world.now(), actor="ada"))

    def incidents(self) -> list[Incident]:
        """Every incident there is."""
        found = [incidents.read(self.world.store, key[0].removeprefix("INC#")) for key in self.world.store.opened()]
        return sorted(found, key=lambda incident: (incident.opened_at, incident.id))

    def settle(self, seconds: float = 1200) -> None:
        """No more faults: what was buried is redriven, and everything that is due has the time to be repaired."""
        self.plan.on = False
        self.world.queue.send([message.body for message in self.world.queue.dead])
        self.world.queue.dead.clear()
        self.run_for(seconds)


def an_account(
    plan: Plan,
    team: Team | None = None,
    shop: Shop | None = None,
    functions: Mapping[str, Handler] | None = None,
) -> Account:
    """An empty account whose calls fail as planned; automation is switched on."""
    team = team or a_team(
        services={
            "checkout": a_service(depends_on=("orders",)),
            "orders": a_service("orders"),
            "search": a_service("search"),
        },
        timing=TIMING,
    )
    clock, clients = (shop.clock, shop.clients()) if shop else (VirtualClock(), None)
    world, pager = a_world(team, clock=clock, clients=clients), Pager()
    world.http.answer("http://pagerduty.test", peer=lambda request: pager.take(world, request))
    world.store.write([Put({"PK": "CONTROL", "SK": "KILL", "on": False})])
    seen = faulty(world, plan)
    deployment = Watched(world, functions or checkout.handlers(), checkout.definitions(), seen=seen)
    return Account(plan, world, seen, deployment, pager, shop)


def _read(envelope: Mapping[str, Any]) -> Alert:
    """The alert in an alarm's notification."""
    opened = signals.open_envelope(envelope)
    (alert,) = plugins.sources()["cloudwatch"].parse(opened, instant(envelope["Timestamp"])).alerts
    return alert


def an_alert_of(service: str, kind: str, status: Status, at: datetime) -> Alert:
    """One state change of the series `service/kind`."""
    return Alert(
        source="generic",
        title=kind,
        status=status,
        identity={"service": service, "kind": kind},
        occurred_at=at,
        started_at=at,
        severity=Severity.SEV2,
        service=service,
    )


def last_words(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """What each series said last by its own time: the truth that any order of arrival must lead to."""
    last: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (a.occurred_at, a.status is Status.RESOLVED)):
        last[alert.fingerprint] = alert
    return last


def mistreat(account: Account, dice: random.Random, alert: Alert) -> None:
    """Deliver an alert as at-least-once transport may: late, twice, or both."""
    account.send(alert, delay=dice.choice((0, 0, 0, 2, 20, 70)))
    while dice.random() < 0.3:
        account.send(alert, delay=dice.choice((0, 1, 30, 120)))


def meanwhile(account: Account, dice: random.Random) -> None:
    """What may happen while a function is at work: another one does all of its own, perhaps the very same once more."""
    match dice.choice(("another", "another", "sweep", "the same again", "acknowledge")):
        case "another":
            account.deployment.step()
        case "sweep" if account.world.now() >= account.deployment.swept_at + SWEEP / 2:
            account.deployment.swept_at = account.world.now()
            account.deployment.survive(lambda: account.deployment.invoke("sweep", {}))
        case "the same again":
            _again(account, dice)
        case _:
            account.acknowledge()


def _again(account: Account, dice: random.Random) -> None:
    """A function whose time limit passed is invoked again while the first invocation goes on; one answer is dropped."""
    running = [e for e in account.world.machines.executions.values() if e.status == "RUNNING"]
    if running:
        execution = dice.choice(running)
        stage = dice.choice(STAGES[execution.machine])
        account.deployment.survive(lambda: account.deployment.invoke(stage, execution.payload))


def live(account: Account) -> None:
    """Let what is due now happen; a Crash outside a function is none."""
    try:
        account.run_for(1)
    except (Crash, Conflict):
        return
