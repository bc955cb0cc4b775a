"""Alert storms with ground truth: are faults told apart, paged once and soon, and does noise stay silent?

Each seed is a topology, faults (a cascade, one whose root reports late, a zone that fails), flapping and passing
warnings, clocks that are off, late and lost messages of its own. What is replayed carries none of the truth.
"""

import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.baseline import one_hop
from benchmarks.figure import Figure
from benchmarks.storm_config import write
from incident_bot.configuration import load
from incident_bot.domain.clock import rfc3339
from incident_bot.ingest.recording import Recorded
from incident_bot.virtual.clock import T0
from incident_bot.virtual.replay import Replay, replay

SEEDS = tuple(range(1, 7))
MINUTES = 30
CAUSES = ("DiskFull", "ConnectionsExhausted", "ProcessRestarts", "ReplicaLag")
EFFECTS = ("ErrorBudgetBurn", "SlowRequests", "QueueGrows")
ZONES = ("a", "b", "c")
GROUPS = ("edge", "core", "data")
FIGURES = (  # name, unit, goal
    ("f1", "pairwise F1", 0.95),
    ("pages", "pages per fault", 1.2),
    ("noise", "pages for noise only", 0),
    ("missed", "faults that paged nobody", 0),
    ("wait", "s to the first page", 10),
)


@dataclass(slots=True)
class Storm:
    """A storm as it is made: what a team knows of it beforehand, what arrives, and whose each delivery is."""

    dice: random.Random
    context: dict[str, Any] = field(default_factory=dict)
    deliveries: list[Recorded] = field(default_factory=list)
    truth: dict[str, str] = field(default_factory=dict)
    faults: dict[str, float] = field(default_factory=dict)  # to be paged -> when its first delivery arrives
    skew: dict[str, float] = field(default_factory=dict)
    fires: dict[tuple[str, str, str], list[tuple[float, float]]] = field(default_factory=dict)  # of each series


def a_storm(seed: int) -> Storm:
    """The storm of that seed."""
    storm = Storm(random.Random(seed))
    services = _topology(storm)
    slots = storm.dice.sample(range(120, 60 * MINUTES - 600, 240), 4)  # faults may overlap, but begin one by one
    begins = [slot + storm.dice.uniform(0, 120) for slot in slots]
    roots = storm.dice.sample([s for s in services if len(_callers(services, s)) >= 2], 3)
    for number, (root, at) in enumerate(zip(roots, begins, strict=False)):
        _cascade(storm, services, f"fault-{number}", root, at, late=45 if number == 2 else 0)
    _zone(storm, services, "fault-zone", begins[3])
    for number in range(20):
        _flapper(storm, services, f"flapping-{number}")
    for number in range(60):
        service, at = storm.dice.choice(list(services)), storm.dice.uniform(0, 60 * MINUTES)
        name = storm.dice.choice(CAUSES + EFFECTS)
        _spell(
            storm, f"passing-{number}", service, name, f"odd-{number}", "warning", at, at + storm.dice.uniform(15, 90)
        )
    storm.deliveries.sort(key=lambda d: d.at)
    for delivery in reversed(storm.deliveries):
        if (fault := storm.truth[delivery.delivery_id]).startswith("fault"):
            storm.faults[fault] = (delivery.at - T0).total_seconds()
    return storm


def _topology(storm: Storm) -> Mapping[str, Sequence[str]]:
    number = storm.dice.randint(25, 50)
    names = [f"service-{n}" for n in range(number)]
    calls = {
        n: storm.dice.sample(names[i + 1 : i + 15], min(storm.dice.randint(0, 3), number - i - 1))
        for i, n in enumerate(names)
    }
    storm.skew = {n: storm.dice.uniform(-90, 90) if storm.dice.random() < 0.05 else 0.0 for n in names}
    storm.context = {
        "services": {
            name: {"owner": storm.dice.choice(GROUPS), "tier": 1 if i < number / 3 else 2, "calls": calls[name]}
            for i, name in enumerate(names)
        },
        "maintenance": [],
    }
    return calls


def _callers(calls: Mapping[str, Sequence[str]], service: str) -> list[str]:
    return [name for name, called in calls.items() if service in called]


def _cascade(
    storm: Storm, calls: Mapping[str, Sequence[str]], fault: str, root: str, at: float, *, late: float = 0
) -> None:
    """From the root up to whoever calls it, one hop after another; the root's own messages may be late."""
    lasts, reached = storm.dice.uniform(300, 700), {root: at}
    front = [root]
    for _ in range(storm.dice.randint(2, 4)):
        front = [c for s in front for c in _callers(calls, s) if c not in reached and storm.dice.random() < 0.9]
        for caller in front:
            below = [reached[s] for s in calls[caller] if s in reached]
            reached.setdefault(caller, min(below) + storm.dice.uniform(8, 50))
    cause = storm.dice.choice(CAUSES)
    for service, begins in reached.items():
        for name in (cause, EFFECTS[0]) if service == root else EFFECTS[:2]:
            severity = "critical" if service == root or name == EFFECTS[0] else "warning"
            for pod in range(5):
                if service == root or storm.dice.random() < 0.85:
                    fires = begins + storm.dice.uniform(0, 15)
                    ends = at + lasts + storm.dice.uniform(0, 60)
                    held = late if service == root and fires < at + late else 0
                    _spell(storm, fault, service, name, f"pod-{pod}", severity, fires, ends, held=held)


def _zone(storm: Storm, calls: Mapping[str, Sequence[str]], fault: str, at: float) -> None:
    zone = storm.dice.randrange(len(ZONES))
    for number, service in enumerate(storm.dice.sample(list(calls), 7)):
        for pod in range(zone, 12, len(ZONES)):
            begins, severity = at + storm.dice.uniform(0, 30), "warning" if number else "critical"
            _spell(storm, fault, service, EFFECTS[1], f"pod-{pod}", severity, begins, at + storm.dice.uniform(300, 400))


def _flapper(storm: Storm, calls: Mapping[str, Sequence[str]], name: str) -> None:
    service, period = storm.dice.choice(list(calls)), storm.dice.uniform(40, 120)
    alert, at = storm.dice.choice(EFFECTS), storm.dice.uniform(0, 300)
    while at < 60 * MINUTES - 120:
        _spell(storm, name, service, alert, name, "warning", at, at + period * storm.dice.uniform(0.3, 0.7))
        at += period * storm.dice.uniform(0.9, 1.2)


def _spell(  # noqa: PLR0913, PLR0917 - one stretch of time in which one series fires, column by column
    storm: Storm,
    truth: str,
    service: str,
    name: str,
    pod: str,
    severity: str,
    fires: float,
    ends: float,
    *,
    held: float = 0,
) -> None:
    """Its firing, its repeats each two minutes, and its resolve (one in fifty is lost).

    A series that fires already cannot begin to fire for another fault: there is no such spell.
    """
    spells = storm.fires.setdefault((service, name, pod), [])
    if any(fires <= over and began <= ends for began, over in spells):
        return
    spells.append((fires, ends))
    digits = "".join(filter(str.isdigit, pod)) or "0"
    zone = ZONES[int(digits) % len(ZONES)]
    labels = {"alertname": name, "service": service, "pod": pod, "az": zone, "severity": severity}
    times = [fires, *range(int(fires) + 120, int(ends), 120)]
    if storm.dice.random() > 0.02:
        times.append(ends)
    for at in times:
        over, skew = at >= ends, storm.skew[service]
        alert = {
            "status": "resolved" if over else "firing",
            "labels": labels,
            "startsAt": rfc3339(T0 + timedelta(seconds=fires + skew)),
            "endsAt": rfc3339(T0 + timedelta(seconds=ends + skew)) if over else "0001-01-01T00:00:00Z",
        }
        delay = storm.dice.random() * 1.5 + (storm.dice.uniform(5, 60) if storm.dice.random() < 0.03 else 0)
        arrives = at + (held + storm.dice.uniform(0, 5) if held and at == fires else delay)
        identifier, body = f"d{len(storm.deliveries)}", json.dumps({"version": "4", "alerts": [alert]})
        storm.truth[identifier] = truth
        for again in (0.0, *((storm.dice.uniform(1, 60),) if storm.dice.random() < 0.03 else ())):
            moment = T0 + timedelta(seconds=arrives + again)
            storm.deliveries.append(Recorded(moment, identifier, "alertmanager", body))


def played(storm: Storm, *, topology: bool = True) -> Replay:
    """The storm through the product, configured from what a team knows of it."""
    services = storm.context["services"]
    if not topology:
        services = {name: {**service, "calls": []} for name, service in services.items()}
    with tempfile.TemporaryDirectory() as directory:
        write({**storm.context, "services": services}, Path(directory))
        return replay(storm.deliveries, load(Path(directory)))


def pairwise_f1(truth: Mapping[str, str], assigned: Mapping[str, str]) -> float:
    """How well pairs of deliveries that belong together (and no others) were put together."""

    def pairs(counts: Counter[Any]) -> float:
        return sum(n * (n - 1) / 2 for n in counts.values())

    both = pairs(Counter((truth[d], assigned[d]) for d in truth))
    found, true = pairs(Counter(assigned[d] for d in truth)), pairs(Counter(truth.values()))
    return 2 * both / (found + true) if found + true else 1.0


def told(storm: Storm, found: Replay) -> Iterator[tuple[str, float]]:
    """What each page was mostly about (noise only where nothing else was in it), and when."""
    for page in found.pages:
        about = Counter(storm.truth[d] for d in page["delivery_ids"])
        faults = Counter({name: n for name, n in about.items() if name.startswith("fault")})
        yield (faults or about).most_common(1)[0][0], page["t"]


Row = tuple[float, float, float, float, float]  # F1, pages per fault, pages for noise, faults missed, seconds to page


def scored(storm: Storm, found: Replay) -> Row:
    """The figures of one storm; a fault that paged nobody has no time to its page."""
    pages = list(told(storm, found))
    firsts: dict[str, float] = {}
    for name, at in pages:
        firsts.setdefault(name, at)
    waits = [firsts[fault] - first for fault, first in storm.faults.items() if fault in firsts]
    noise = sum(not name.startswith("fault") for name, _ in pages)
    f1 = pairwise_f1(storm.truth, {line["delivery_id"]: line["incident"] for line in found.assign})
    missed = len(storm.faults) - len(waits)
    return f1, (len(pages) - noise) / len(storm.faults), noise, missed, median(waits) if waits else float("inf")


def _together(rows: Sequence[Row]) -> Row:
    f1, pages, noise, missed, wait = zip(*rows, strict=True)
    return median(f1), mean(pages), float(sum(noise)), float(sum(missed)), median(wait)


def measure() -> Iterator[Figure]:
    """The storms with their topology, beside what simpler correlation makes of them; the first of them without."""
    storms = [a_storm(seed) for seed in SEEDS]
    calls = [{name: service["calls"] for name, service in storm.context["services"].items()} for storm in storms]
    alone = _together([scored(storm, one_hop(storm.deliveries, {})) for storm in storms])
    hop = _together(
        [scored(storm, one_hop(storm.deliveries, known)) for storm, known in zip(storms, calls, strict=True)]
    )
    ours = _together([scored(storm, played(storm)) for storm in storms])
    note = f"{len(SEEDS)} storms"
    for (name, unit, goal), value, baseline in zip(FIGURES, ours, hop, strict=True):
        yield Figure(name, value, unit, baseline, goal=goal, more=name == "f1", note=f"{note}; baseline: one hop")
    for simpler, row in (("per-service", alone), ("one-hop", hop)):
        for (name, unit, _), value in zip(FIGURES, row, strict=True):
            yield Figure(f"{simpler}.{name}", value, unit, note=note)
    blank = scored(storms[0], played(storms[0], topology=False))[0]
    alone_f1 = scored(storms[0], one_hop(storms[0].deliveries, {}))[0]
    yield Figure("f1-blank", blank, "pairwise F1", alone_f1, goal=0.75, more=True, note="no topology")
