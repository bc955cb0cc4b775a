"""A scene: an account without faults, on a clock that counts from the beginning, with sentences to act and to look."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import NotFound
from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Group, Team, Timing
from incident_bot.domain.timeline import flaws
from incident_bot.operating import orders
from incident_bot.state import incidents, keys
from incident_bot.state.actions import Remediation
from incident_bot.virtual.clock import T0, VirtualClock
from incident_bot.world import Handler
from tests.building import a_group, a_person, a_service, a_team
from tests.remediating import Production
from tests.simulation.faults import Plan
from tests.simulation.pager import Woken
from tests.simulation.remedies import all_of
from tests.simulation.shop import Shop
from tests.simulation.stage import an_account

FIRING, RESOLVED = Status.FIRING, Status.RESOLVED
ON_CALL = "Grace"  # for `payments`, at T0


class Scene:
    """Times are seconds since T0."""

    def __init__(
        self,
        team: Team | None = None,
        *,
        shop: bool = False,
        plan: Plan | None = None,
        functions: Mapping[str, Handler] | None = None,
    ) -> None:
        shown = Shop(VirtualClock()) if shop else None
        self.account = an_account(plan or Plan(), team or two_teams(), shown, functions)
        self.world, self.pager = self.account.world, self.account.pager
        self.world.secrets.known["channels/pagerduty/platform"] = ("fedcba9876543210fedcba9876543210",)

    @property
    def shop(self) -> Shop:
        """The production it looks after."""
        assert isinstance(self.account.shop, Production)
        return self.account.shop

    @property
    def now(self) -> float:
        """Seconds since T0."""
        return (self.world.now() - T0).total_seconds()

    def at(self, seconds: float) -> None:
        """Let everything happen up to that moment."""
        self.account.run_for(seconds - self.now)

    def says(self, service: str, status: Status = FIRING, *, occurred: float | None = None, **changes: Any) -> Alert:
        """A source says so; `occurred` is its own time. It is on the queue, and consumed with what happens next."""
        alert = an_alert_at(self.now if occurred is None else occurred, service, status, **changes)
        self.account.send(alert)
        self.account.deployment.run_for(0)
        return alert

    def alert(self, service: str, **changes: Any) -> Alert:
        """What a source says at this moment, not sent yet."""
        return an_alert_at(self.now, service, **changes)

    def acknowledged(self, person: str = "ada") -> None:
        """That person takes the incident on."""
        orders.acknowledge(self.world, self.incident.id, self.world.team.people[person], "on it")
        self.account.deployment.run_for(0)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident, oldest first."""
        return self.account.incidents()

    @property
    def incident(self) -> Incident:
        """The only one."""
        (found,) = self.incidents
        return found

    @property
    def action(self) -> Remediation:
        """The only remediation there is."""
        (found,) = all_of(self.account)
        return found

    @property
    def pages(self) -> list[tuple[int, str, str]]:
        """Who was woken: (when, whom, for what)."""
        return [(round((w.at - T0).total_seconds()), w.to.title(), w.purpose) for w in self.pager.woken]

    @property
    def last_page(self) -> Woken:
        """The last of them."""
        return self.pager.woken[-1]

    def lines(self, kind: str, incident: Incident | None = None) -> list[tuple[int, str, str]]:
        """The timeline's lines of that kind: (when, text, reason); the whole timeline is proven whole on the way."""
        which = incident or self.incident
        entries = incidents.timeline(self.world.store, which.id)
        assert flaws(entries, which.seq, which.head) == []
        return [(_second(e["at"]), e["text"], e["reason"]) for e in entries if e["kind"] == kind]

    def states(self, incident: Incident | None = None) -> list[tuple[int, str]]:
        """When it became what."""
        said = self.lines("state", incident) + self.lines("closure", incident)
        return [(at, text.removeprefix("the incident is ")) for at, text, _ in said]

    def running(self, machine: str = "incident") -> list[str]:
        """The executions that live."""
        return [
            e.name for e in self.world.machines.executions.values() if e.machine == machine and e.status == "RUNNING"
        ]

    def draft(self, incident: Incident | None = None) -> str:
        """The postmortem draft."""
        item = self.world.store.get(keys.postmortem((incident or self.incident).id))
        if item is None:
            raise NotFound("there is no draft")
        return str(item)

    def locked(self) -> dict[str, str]:
        """Which incident holds which target."""
        return {i["target"]: i["incident"] for i in self.world.store if i["SK"] == "LOCK" and i.get("incident")}


def an_alert_at(seconds: float, service: str, status: Status = FIRING, **changes: Any) -> Alert:
    """What a source says at that second of its own clock about a service's errors."""
    at = T0 + timedelta(seconds=seconds)
    alert = Alert(
        source="generic",
        title="errors",
        status=status,
        identity={"service": service, "kind": "errors"},
        occurred_at=at,
        started_at=at,
        severity=Severity.SEV2,
        service=service,
    )
    return replace(alert, **changes)


def two_teams(**changes: Any) -> Team:
    """`checkout` of payments depends on `orders` of platform, whose rota is linus alone."""
    team = a_team()
    rota = replace(team.rotas["payments"], name="platform", people=("linus",))
    platform = a_group("platform", pager={"pagerduty": "channels/pagerduty/platform"})
    groups: dict[str, Group] = {**team.groups, "platform": platform}
    return replace(
        team,
        services={"checkout": a_service(depends_on=("orders",)), "orders": a_service("orders", owner="platform")},
        people={**team.people, "linus": a_person("linus")},
        rotas={**team.rotas, "platform": rota},
        groups=groups,
        timing=Timing(quiet_period=60, stale_after=3600),
        **changes,
    )


def _second(at: str) -> int:
    hours, minutes, seconds = at[11:19].split(":")
    day = int(at[8:10]) - T0.day
    return ((day * 24 + int(hours) - T0.hour) * 60 + int(minutes)) * 60 + int(seconds)
