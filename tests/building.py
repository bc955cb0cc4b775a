"""Builders: the shortest way to an alert, an incident, a team or a world that differs from the usual in one respect."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.team import (
    ChannelSettings,
    EscalationStep,
    Group,
    Person,
    Resource,
    Rota,
    Service,
    Signal,
    Team,
)
from incident_bot.state import incidents, mailbox
from incident_bot.virtual.clock import T0, VirtualClock
from incident_bot.virtual.surroundings import MemoryClients
from incident_bot.virtual.world import VirtualWorld, virtual_world

ARN = "arn:aws:{}:us-east-1:000000000000:{}"


def an_alert(**changes: Any) -> Alert:
    """A firing alert of the generic source about `checkout`, one minute old."""
    alert = Alert(
        source="generic",
        title="checkout error rate high",
        status=Status.FIRING,
        identity={"alert": "checkout error rate high", "service": "checkout"},
        occurred_at=T0,
        started_at=T0,
        severity=Severity.SEV2,
        service="checkout",
        summary="5.2 % of requests fail",
        labels={"service": "checkout"},
    )
    return replace(alert, **changes)


def an_incident(**changes: Any) -> Incident:
    """A triaged Sev2 incident of `checkout`, generation 1, owned by `payments`."""
    incident = Incident(
        id="inc1",
        scope="000000000000:production",
        state=State.TRIAGED,
        severity=Severity.SEV2,
        service="checkout",
        title="checkout error rate high",
        opened_at=T0,
        started_at=T0,
        owner="payments",
        generation=1,
        alerts=1,
    )
    return replace(incident, **changes)


def a_service(name: str = "checkout", **changes: Any) -> Service:
    """A tier-1 service of `payments` with one Lambda function that has an alarm signal."""
    signal = Signal("Demo", f"{name}-errors", healthy_below=1.0, period_seconds=10)
    function = Resource(ARN.format("lambda", f"function:{name}"), signal=signal)
    return replace(Service(name=name, owner="payments", tier=1, alarms=(f"{name}-",), resources=(function,)), **changes)


def a_person(identifier: str = "ada", **changes: Any) -> Person:
    """A person with an IAM user of the same name."""
    arn = f"arn:aws:iam::000000000000:user/{identifier}"
    return replace(Person(id=identifier, name=identifier.title(), arns=(arn,), roles=("sre",)), **changes)


def a_group(name: str = "payments", **changes: Any) -> Group:
    """A team paged by PagerDuty: its rota first, then grace."""
    steps = (
        EscalationStep((f"rota:{name}",), ("pagerduty",), wait_seconds=300),
        EscalationStep(("person:grace",), ("pagerduty",), wait_seconds=300),
    )
    return replace(Group(name=name, steps=steps, pager={"pagerduty": f"channels/pagerduty/{name}"}), **changes)


def a_team(**changes: Any) -> Team:
    """`payments` (ada and grace in weekly turns) owns `checkout` and `orders`; `checkout` depends on `orders`."""
    rota = Rota("payments", "Europe/Berlin", date(2026, 1, 5), time(9), ("ada", "grace"))
    team = Team(
        services={"checkout": a_service(depends_on=("orders",)), "orders": a_service("orders", tier=2)},
        people={"ada": a_person(), "grace": a_person("grace")},
        rotas={"payments": rota},
        groups={"payments": a_group()},
        channels={"pagerduty": ChannelSettings(url="http://pagerduty.test")},
        default_group="payments",
        digest="d" * 64,
    )
    return replace(team, **changes)


def a_world(
    team: Team | None = None,
    *incidents_in_it: Incident,
    clock: VirtualClock | None = None,
    clients: MemoryClients | None = None,
    secrets: Mapping[str, tuple[str, ...]] | None = None,
) -> VirtualWorld:
    """A world at T0 whose PagerDuty answers 202, empty but for the given incidents and their mailboxes."""
    keys = {"channels/pagerduty/payments": ("0123456789abcdef0123456789abcdef",)}
    world = virtual_world(team or a_team(), clock=clock, clients=clients, secrets=keys | dict(secrets or {}))
    world.http.answer("http://pagerduty.test", 202, {"status": "success", "dedup_key": "key"})
    for incident in incidents_in_it:
        _, writes = incidents.opening(world, incident, ())
        world.store.write([*writes, mailbox.opening(world, incident.id)])
    return world
