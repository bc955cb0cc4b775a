"""A seeded storm: faults that spread over a random topology, told by Alertmanager in deliveries, repeats included."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.team import ChannelSettings, EscalationStep, Group, Person, Rota, Service, Team
from incident_bot.ingest.recording import Recorded
from incident_bot.virtual.clock import T0

SERVICES = 40
FAULTS = 6
PODS = 4
NAMES = ("HighErrorRate", "HighLatency")
LASTS = (240.0, 900.0)  # seconds from a fault's first alert to its end
FLAPS = 0.1  # the share of series that flap


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch of time in which one series fires."""

    service: str
    name: str
    pod: str
    severity: str
    starts: float
    ends: float

    def alert(self, at: float) -> dict[str, Any]:
        """What Alertmanager says of it at that second."""
        over = at >= self.ends
        return {
            "status": "resolved" if over else "firing",
            "labels": {
                "alertname": self.name,
                "service": self.service,
                "pod": self.pod,
                "severity": self.severity,
                "cluster": "eu-1",
            },
            "annotations": {"summary": f"{self.name} of {self.service} on {self.pod}"},
            "startsAt": rfc3339(moment(self.starts)),
            "endsAt": rfc3339(moment(self.ends)) if over else "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example.com/graph?g0.expr=up",
            "fingerprint": "c0ffee0123456789",
        }


def moment(seconds: float) -> datetime:
    """That many seconds after the recording's first moment."""
    return T0 + timedelta(seconds=seconds)


def a_topology(seed: int) -> dict[str, Service]:
    """Services of three tiers; each calls up to three of those behind it."""
    dice, found = random.Random(seed), {}
    for number in range(SERVICES):
        behind = range(number + 1, SERVICES)
        calls = dice.sample(behind, min(len(behind), dice.randint(1, 3)))
        name = f"service-{number:02}"
        depends_on = tuple(f"service-{callee:02}" for callee in calls)
        found[name] = Service(name=name, owner="platform", tier=1 + number * 3 // SERVICES, depends_on=depends_on)
    return found


def a_team(seed: int) -> Team:
    """The team that runs them: one rota, one channel."""
    step = EscalationStep(("rota:platform",), ("webhook",))
    return Team(
        services=a_topology(seed),
        people={"ada": Person("ada", "Ada", ("arn:aws:iam::000000000000:user/ada",))},
        rotas={"platform": Rota("platform", "Europe/Berlin", date(2026, 1, 5), time(9), ("ada",))},
        groups={"platform": Group("platform", (step,), pager={"webhook": "channels/webhook/platform"})},
        channels={"webhook": ChannelSettings(url="https://hooks.example.com/platform")},
        default_group="platform",
        digest="b" * 64,
    )


def a_storm(seed: int, alerts: int, *, each: int = 1, seconds: float = 1800) -> list[Recorded]:
    """That many alerts within that time, `each` in a delivery: firing, resolved, and repeated as often as it takes."""
    spells = _spells(seed, seconds)
    said = sorted(_said(spells, alerts), key=lambda one: one[0])[:alerts]
    batches = [said[start : start + each] for start in range(0, len(said), each)]
    return [Recorded(moment(batch[-1][0]), f"d{n}", "alertmanager", _body(batch)) for n, batch in enumerate(batches)]


def notification(alerts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A webhook of version 4 with those alerts."""
    return {
        "version": "4",
        "groupKey": '{}:{cluster="eu-1"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "incident-bot",
        "groupLabels": {},
        "commonLabels": {"cluster": "eu-1"},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
        "alerts": list(alerts),
    }


def _spells(seed: int, seconds: float) -> list[Spell]:
    dice, services = random.Random(seed), a_topology(seed)
    found: list[Spell] = []
    for _ in range(FAULTS):
        root, starts = dice.choice(sorted(services)[SERVICES // 3 :]), dice.uniform(0, seconds * 0.6)
        ends = min(starts + dice.uniform(*LASTS), seconds - 60)
        for service, late in _reached(dice, services, root).items():
            for name in NAMES:
                for number in range(PODS):
                    severity = "critical" if service == root and name == NAMES[0] else "warning"
                    begin = starts + late + dice.uniform(0, 20)
                    pod = f"{service}-{number}"
                    found += _flapping(dice, Spell(service, name, pod, severity, begin, ends + dice.uniform(0, 40)))
    return found


def _reached(dice: random.Random, services: Mapping[str, Service], root: str) -> dict[str, float]:
    """The root, its callers and theirs, with the seconds after which each is hit."""
    found, front = {root: 0.0}, [root]
    for _ in range(2):
        callers = [(s, c) for s in front for c in services if s in services[c].depends_on and c not in found]
        found |= {caller: found[service] + dice.uniform(10, 45) for service, caller in callers}
        front = [caller for _, caller in callers]
    return found


def _flapping(dice: random.Random, whole: Spell) -> Iterator[Spell]:
    """The spell itself, or what a flapping series makes of it."""
    if dice.random() >= FLAPS:
        yield whole
        return
    at, period = whole.starts, dice.uniform(40, 110)
    while at + 15 < whole.ends:
        yield Spell(whole.service, whole.name, whole.pod, whole.severity, at, at + period / 2)
        at += period


def _said(spells: Sequence[Spell], alerts: int) -> Iterator[tuple[float, dict[str, Any]]]:
    """Each spell's first alert and its resolve, and between them repeats so often that the number comes out."""
    firing = sum(spell.ends - spell.starts for spell in spells)
    every = firing / max(1, alerts - 2 * len(spells))
    for spell in spells:
        yield spell.starts, spell.alert(spell.starts)
        yield spell.ends, spell.alert(spell.ends)
        count = round((spell.ends - spell.starts) / every)
        repeats = (spell.starts + (number + 1) * every for number in range(count))
        yield from ((at, spell.alert(at)) for at in repeats if at < spell.ends)


def _body(batch: Sequence[tuple[float, Mapping[str, Any]]]) -> str:
    return json.dumps(notification([alert for _, alert in batch]))
