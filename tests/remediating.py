"""A production in memory whose signals follow from its state, and what drives remediations over it.

The clients behave as AWS does for the calls that the actions make: they keep state, answer with AWS's error codes, and
CloudWatch tells what was true in each period, so that a change helps only because of what it changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from functions.remediation.act import act
from functions.remediation.check import check
from functions.remediation.release import release
from incident_bot import remedy
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.incident import ActionState, Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.shape import load
from incident_bot.domain.team import (
    ActionLimits,
    Guardrails,
    Mode,
    Playbook,
    Resource,
    Service,
    Signal,
    Team,
)
from incident_bot.state import actions, approvals, controls, incidents, keys
from incident_bot.state.actions import Remediation
from incident_bot.virtual.checkout import definitions
from incident_bot.virtual.clock import T0, VirtualClock
from incident_bot.virtual.run import Crash
from incident_bot.virtual.surroundings import MemoryClients
from incident_bot.virtual.walker import Walker
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Handler, Roles, Store, World, Write
from tests.building import a_person, a_team, a_world, an_incident

REGION = "us-east-1"
CELLS = tuple(f"arn:aws:ecs:{REGION}:000000000000:service/shop/orders-{cell}" for cell in "abc")
FUNCTION = f"arn:aws:lambda:{REGION}:000000000000:function:checkout-api"
ORDERS = "arn:aws:ecs:us-east-1:000000000000:task-definition/orders"
GOOD, BAD = f"{ORDERS}:1", f"{ORDERS}:2"
PERIOD = 10


class AwsError(Exception):
    """As the SDK raises it."""

    def __init__(self, code: str) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code, "Message": code}}


class Production:
    """Cells of an ECS service and one Lambda function; `sick(target)` says whether a signal is unhealthy now."""

    def __init__(self, clock: VirtualClock, cells: Sequence[str] = CELLS) -> None:
        self._clock = clock
        self.runs = dict.fromkeys(cells, BAD)
        self.forced = dict.fromkeys(cells, 0)
        self.reserved: int | None = None
        self.calls: list[tuple[str, str]] = []  # (operation, target) of every mutating call that had an effect
        self.fails: dict[str, list[str]] = {}  # operation -> error codes of its next calls
        self.denied: set[str] = set()  # operations, or targets
        self.silent = False  # CloudWatch has no data
        self.sick: Callable[[str], bool] = lambda target: (
            self.runs[target] == BAD if target in self.runs else self.reserved is None
        )
        self._history: dict[str, list[tuple[datetime, bool]]] = {}
        self.observe()

    def observe(self) -> None:
        """Note how every target is from now on."""
        for target in (*self.runs, FUNCTION):
            self._history.setdefault(target, []).append((self._clock.now(), self.sick(target)))

    def clients(self) -> MemoryClients:
        """The clients that see and change it."""
        return MemoryClients(**{"ecs": self, "lambda": self, "cloudwatch": self})

    # -- ECS

    def describe_services(self, *, cluster: str, services: Sequence[str]) -> Any:
        del cluster
        arn = self._cell(services[0])
        primary = {"id": f"ecs-svc/{self.forced[arn]}", "status": "PRIMARY"}
        found = {"status": "ACTIVE", "taskDefinition": self.runs[arn], "desiredCount": 2, "deployments": [primary]}
        return {"services": [found], "failures": []}

    def update_service(self, **arguments: Any) -> Any:
        arn = self._cell(arguments["service"])
        self._answer("update_service", arn)
        self.runs[arn] = arguments.get("taskDefinition", self.runs[arn])
        self.forced[arn] += 1
        self._changed("update_service", arn)

    def list_service_deployments(self, **_: Any) -> Any:
        return {"serviceDeployments": []}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_task_definitions"
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        yield {"taskDefinitionArns": [BAD, GOOD]}

    # -- Lambda

    def get_function(self, **_: Any) -> Any:
        return {} if self.reserved is None else {"Concurrency": {"ReservedConcurrentExecutions": self.reserved}}

    def put_function_concurrency(self, **arguments: Any) -> Any:
        self._answer("put_function_concurrency", FUNCTION)
        self.reserved = arguments["ReservedConcurrentExecutions"]
        self._changed("put_function_concurrency", FUNCTION)

    def delete_function_concurrency(self, **_: Any) -> Any:
        self._answer("delete_function_concurrency", FUNCTION)
        self.reserved = None
        self._changed("delete_function_concurrency", FUNCTION)

    # -- CloudWatch

    def get_metric_data(self, **query: Any) -> Any:
        target = query["MetricDataQueries"][0]["MetricStat"]["Metric"]["MetricName"]
        start = query["StartTime"] - timedelta(seconds=query["StartTime"].timestamp() % PERIOD)
        times = [start + timedelta(seconds=PERIOD * i) for i in range(200)]
        shown = [] if self.silent else [at for at in times if at < query["EndTime"]]
        values = [100.0 if self._was_sick(target, at) else 0.0 for at in shown]
        return {"MetricDataResults": [{"Id": "signal", "Timestamps": shown, "Values": values}]}

    def _was_sick(self, target: str, at: datetime) -> bool:
        known = [sick for since, sick in self._history[target] if since <= at]
        return known[-1] if known else True

    def _cell(self, name: str) -> str:
        return next(arn for arn in self.runs if arn.endswith(f"/{name}"))

    def _answer(self, operation: str, target: str) -> None:
        if {operation, target} & self.denied:
            raise AwsError("AccessDeniedException")
        if self.fails.get(operation):
            raise AwsError(self.fails[operation].pop(0))

    def _changed(self, operation: str, target: str) -> None:
        self.calls.append((operation, target))
        self.observe()


def signal(target: str) -> Signal:
    """The metric that is named after its target."""
    return Signal("Shop", target, healthy_below=50, period_seconds=PERIOD)


def a_playbook(**changes: Any) -> Playbook:
    """Full-mode rollback of the orders service, cell by cell."""
    playbook = Playbook(
        name="orders-rollback",
        owner="payments",
        review_by=T0.date(),
        when={"service": "orders"},
        action="roll_back_ecs_service",
        target="cells",
        mode=Mode.FULL,
        settle_seconds=20,
        helps="the last deploy is the likeliest cause",
    )
    return replace(playbook, **changes)


CLAMP = Playbook(
    name="clamp",
    owner="payments",
    review_by=T0.date(),
    when={"service": "checkout"},
    action="limit_lambda_concurrency",
    target=FUNCTION,
    mode=Mode.FULL,
    parameters={"limit": 5},
    settle_seconds=20,
    lift_after_seconds=600,
)


def the_team(*playbooks: Playbook, cells: Sequence[str] = CELLS, **limits: Any) -> Team:
    """`payments` owns `orders` (an ECS service in cells, the first the canary) and `checkout` (a function)."""
    orders = tuple(Resource(arn, cell=arn[-1], canary=i == 0, signal=signal(arn)) for i, arn in enumerate(cells))
    checkout = (Resource(FUNCTION, signal=signal(FUNCTION)),)
    services = {
        "orders": Service("orders", "payments", tier=2, resources=orders),
        "checkout": Service("checkout", "payments", tier=1, resources=checkout),
    }
    people = {name: a_person(name) for name in ("ada", "grace")} | {"mallory": a_person("mallory", roles=())}
    usual = ActionLimits(environments=("production",), max_share=1, per_hour=50, cooldown_seconds=0)
    guardrails = Guardrails(limits={"*": replace(usual, **limits)})
    return a_team(services=services, people=people, guardrails=guardrails, playbooks=playbooks or (a_playbook(), CLAMP))


class Stage:
    """A world with an incident of `orders` and one of `checkout`, the production, and its remediations under way.

    `seen` is the world that the handlers get, where a test puts a faulty one in.
    """

    def __init__(self, team: Team | None = None, *, cells: Sequence[str] = CELLS) -> None:
        clock = VirtualClock()
        self.production = Production(clock, cells)
        team = team or the_team(cells=cells)
        inc1, inc2 = an_incident(id="inc1", service="orders"), an_incident(id="inc2", service="orders")
        inc3 = an_incident(id="inc3", service="checkout")
        clients = self.production.clients()
        self.world: VirtualWorld = a_world(team, inc1, inc2, inc3, clock=clock, clients=clients)
        self.seen: World = self.world
        self.swept = self.world.now()
        self.switch(on=False)
        machine = {"remediation": definitions()["remediation"]}
        handlers = {"ActFunctionArn": act, "CheckFunctionArn": check, "ReleaseFunctionArn": release}
        self.walker = Walker(self.world, machine, {name: self._surviving(h) for name, h in handlers.items()})

    def _surviving(self, handler: Handler) -> Handler:
        """A Lambda that dies is learned of by Step Functions when its time is over."""

        def invoke(_: World, event: Mapping[str, Any]) -> Any:
            try:
                return handler(self.seen, event)
            except Died as died:
                raise Crash(str(died)) from died

        return invoke

    def switch(self, *, on: bool) -> None:
        """Turn the kill switch."""
        controls.set_kill_switch(self.world, "ada", on=on, reason="the test says so")

    def with_parts(self, **parts: Any) -> World:
        """The same world with other parts, faulty ones perhaps."""
        return World(**{f.name: getattr(self.world, f.name) for f in fields(World)} | parts)

    def incident(self, name: str) -> Incident:
        """One of the incidents, as it is."""
        return incidents.read(self.world.store, name)

    def proposed(self, incident: str = "inc1", playbook: str = "orders-rollback") -> Remediation:
        """The playbook's remediation, planned and judged now, recorded."""
        chosen = next(p for p in self.world.team.playbooks if p.name == playbook)
        found = self.incident(incident)
        service, targets, rest = remedy.candidates(self.world, found, chosen, found.service)
        plan = remedy.plan_of(self.world, chosen.action, service, targets, chosen.parameters)
        decision = remedy.judge(self.world, plan, service, chosen)
        origin = remedy.Origin(chosen, rest=rest)
        proposal = remedy.drafted(self.world, found, service, plan, decision, origin=origin)
        self.world.store.write(proposal.writes())
        return proposal.remediation

    def approve(self, remediation: Remediation, *people: str) -> None:
        """Have these people approve it."""
        for person in people:
            approvals.decide(self.world, remediation.approval, "approve", "looks right", remediation.digest, person)

    def start(self, remediation: Remediation, purpose: str = "apply", attempt: int = 1) -> str:
        """Start an execution as the incident's machine would, which knows of it from then on; returns its name."""
        known = ActionState(remediation.action, remediation.plan.targets[0], "running", attempts=attempt)
        before = self.incident(remediation.incident)
        after = replace(before, actions={**before.actions, remediation.id: known})
        incidents.commit(self.world, before, after)
        name = f"{remediation.id}-{purpose}-{attempt}"
        ids = {"incident": remediation.incident, "action": remediation.id, "purpose": purpose, "attempt": attempt}
        assert self.world.machines.start("remediation", name, ids)
        return name

    def run_for(self, seconds: float) -> None:
        """Let that much time pass, with the executions going on and a sweep each minute."""
        end = self.world.now() + timedelta(seconds=seconds)
        while True:
            self.walker.settle()
            moments = [self.walker.next_at(), self.swept + timedelta(seconds=60), end]
            at = min(moment for moment in moments if moment is not None)
            self.world.clock.advance_to(at)
            if at >= self.swept + timedelta(seconds=60):
                self.swept = at
                self.sweep()
            if at >= end:
                self.walker.settle()
                return

    def sweep(self) -> None:
        """Repair what is due, as sweep does."""
        for pk, sk in self.world.store.due(rfc3339(self.world.now())):
            with suppress(Died):
                if sk.startswith("ACTION#"):
                    remedy.repair(self.seen, sk.removeprefix("ACTION#"))
                elif sk == "LOCK":
                    remedy.repair_lock(self.seen, pk.removeprefix("LOCK#"))

    def read(self, remediation: Remediation) -> Remediation:
        """It, as it is now."""
        return actions.read(self.world.store, remediation.id)

    def mails(self, incident: str = "inc1", kind: MailKind = MailKind.RESULT) -> list[Mail]:
        """The mails of that kind in the incident's box."""
        item = self.world.store.get(keys.box(incident)) or {}
        found = [load(Mail, entry) for entry in item.get("entries", [])]
        return [mail for mail in found if mail.kind is kind]

    def outcomes(self, incident: str = "inc1") -> list[str]:
        """What the incident was told of its remediations."""
        return [mail.detail["outcome"] for mail in self.mails(incident)]

    def locked(self) -> list[str]:
        """The targets that are locked."""
        return [item["target"] for item in self.world.store if item["SK"] == "LOCK" and item.get("incident")]


class FaultyRoles:
    """Roles that cannot be assumed."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def assume(self, *_: Any, **__: Any) -> Any:
        raise self._error


class Slow:
    """Roles whose first credentials take so long that something else happens meanwhile."""

    def __init__(self, roles: Roles, meanwhile: Callable[[], Any]) -> None:
        self._roles, self._meanwhile = roles, meanwhile

    def assume(self, *arguments: Any, **named: Any) -> Any:
        """Let the other thing happen, then give them."""
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return self._roles.assume(*arguments, **named)


class Interrupted:
    """A store before whose writes something else happens: `first` before write number `at`, or an error at each."""

    def __init__(
        self, store: Store, *, first: Callable[[], Any] | None = None, at: int = 1, error: Exception | None = None
    ) -> None:
        self._store, self._first, self._left, self._error = store, first, at, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, writes: Sequence[Write]) -> None:
        """Let the other thing happen, then write."""
        self._left -= 1
        if self._first and self._left == 0:
            self._first()
        if self._error:
            raise self._error
        self._store.write(writes)


class Died(BaseException):
    """The process is gone: nothing in it may catch this."""
