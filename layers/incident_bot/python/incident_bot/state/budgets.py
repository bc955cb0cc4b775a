"""Budgets: how often each action ran, when it last ran on a target, what came of it, and what each playbook earned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_bot.domain.autonomy import Record
from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Key, Shorter, Store, Update, World


@dataclass(frozen=True, slots=True)
class Spent:
    """An action's past: its runs of this hour and the last, and per target the last run and failures in a row."""

    taken: tuple[datetime, ...]
    last: Mapping[str, datetime]
    failures: int


def _hour(action: str, at: datetime) -> Key:
    return f"BUDGET#{action}", f"{rfc3339(at)[:13]}"


def _target(action: str, target: str) -> Key:
    return f"BUDGET#{action}", f"TARGET#{target}"


def spent(world: World, action: str, targets: Iterable[str]) -> Spent:
    """Read what an action has spent, strongly consistent."""
    now = world.now()
    hours = [_hour(action, now - timedelta(hours=1)), _hour(action, now)]
    per_target = {target: _target(action, target) for target in targets}
    found = world.store.get_many([*hours, *per_target.values()])
    taken = tuple(instant(at) for hour in hours for at in found.get(hour, {}).get("taken", ()))
    items = {target: found.get(key, {}) for target, key in per_target.items()}
    last = {target: instant(item["at"]) for target, item in items.items() if "at" in item}
    return Spent(taken, last, max((int(item.get("failures", 0)) for item in items.values()), default=0))


def spending(world: World, action: str, targets: Iterable[str], before: Spent, per_hour: int) -> list[Update]:
    """The writes that count one run; they do not hold where another run has used the budget up in between."""
    now = world.now()
    this_hour = rfc3339(now)[:13]
    earlier = sum(1 for at in before.taken if at > now - timedelta(hours=1) and rfc3339(at)[:13] != this_hour)
    expect = {"taken": Shorter(max(per_hour - earlier, 0))}
    runs = Update(_hour(action, now), append={"taken": [rfc3339(now)]}, expect=expect)
    return [runs, *(Update(_target(action, target), set={"at": rfc3339(now)}) for target in targets)]


def outcome(action: str, targets: Iterable[str], *, helped: bool) -> list[Update]:
    """The writes that count what came of a run on each target: failures in a row, until it helps again."""
    if helped:
        return [Update(_target(action, target), set={"failures": 0}) for target in targets]
    return [Update(_target(action, target), add={"failures": 1}) for target in targets]


def earned(store: Store, playbook: str) -> Record:
    """What that playbook has earned; nothing yet where nothing is recorded."""
    return load(Record, store.get(keys.mode(playbook)) or {})


def earning(world: World, playbook: str, before: Record, after: Record) -> Update:
    """The write that records a playbook's new standing, conditioned on the one it was decided from."""
    fields = {**dump(after), "changes": before.changes + 1, "at": rfc3339(world.now())}
    return Update(keys.mode(playbook), set=fields, expect={"changes": before.changes or ABSENT})
