"""Suppression at run time: which windows are under way, what they suppressed, and what becomes of it at their end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from incident_bot.domain.deploys import windows as opened_by
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation
from incident_bot.domain.series import Series
from incident_bot.domain.shape import dump
from incident_bot.domain.suppress import FIRES, SILENT, Suppressed, Window, outcome, planned, silent, suppress
from incident_bot.domain.timeline import Line
from incident_bot.ingest import inhibition, signals
from incident_bot.state import deploys, incidents, keys, ledger, mailbox, series, silences
from incident_bot.world import Item, Key, World, Write


@dataclass(frozen=True, slots=True)
class Ended:
    """What was found when a window ended: how many of its series still fire, and how many do not."""

    fires: int
    over: int


@dataclass(frozen=True, slots=True)
class Applied:
    """The observations under the windows of this moment, and what is to be written down for later ones."""

    observations: Sequence[Observation]
    writes: Sequence[Write]


def wanted(world: World, scope: str, observations: Iterable[Observation]) -> list[Key]:
    """The items that tell what is suppressed now: they are read together with the scope's head."""
    services = dict.fromkeys(o.found.service for o in observations) if world.team.deploy_windows else ()
    return [keys.SILENCES, *map(keys.deploys, services), *inhibition.wanted(world, scope)]


def applied(world: World, scope: str, found: Mapping[Key, Item], observations: Sequence[Observation]) -> Applied:
    """What the windows of this moment, and then alerts that hide others, make of the observations."""
    windows = [*silences.of(found.get(keys.SILENCES, {})).open.values(), *planned(world.team, world.now())]
    windows += _of_deploys(world, found)
    under = [_applied(world, windows, o) for o in observations] if windows else observations
    return Applied(*inhibition.applied(world, scope, found, under))


def _of_deploys(world: World, found: Mapping[Key, Item]) -> list[Window]:
    told = [item for key, item in found.items() if key[0] == keys.DEPLOYS]
    return [w for item in told for w in opened_by(item["service"], deploys.of(item), world.team.deploy_windows)]


def _applied(world: World, windows: Sequence[Window], observation: Observation) -> Observation:
    found, muted = suppress(observation.alert, observation.found, windows, world.team, world.now())
    return replace(observation, found=found, muted=muted) if muted else observation


def noted(world: World, observations: Iterable[Observation], lines: Sequence[Suppressed]) -> list[Write]:
    """The writes that enter what was suppressed, and its window; a silence was entered when it was made."""
    used = {line.window for line in lines}
    windows = {o.muted.window.id: o.muted.window for o in observations if o.muted and o.muted.window.id in used}
    unmade = [window for window in windows.values() if window.kind != "silence"]
    return [*(ledger.entering(window, world.now()) for window in unmade), *map(ledger.noting, lines)]


def close(world: World, identifier: str) -> Ended:
    """Look at what an ended window suppressed: what still fires is told again, through the queue, and so decided anew.

    One that is not over yet, or was closed before, is left alone. May be repeated where it broke off.
    """
    kept = ledger.read(world.store, identifier)
    if kept.closed or not _over(world, kept.window):
        return Ended(0, 0)
    lines = ledger.lines(world.store, identifier)
    known = _series(world, lines)
    homes = incidents.read_many(world.store, {s.incident for s in known.values()})
    told = [(line, _outcome(line, known, homes)) for line in lines]
    told = [(line, SILENT if how == FIRES and _left(world, line, known, homes) else how) for line, how in told]
    again = [line for line, how in told if how == FIRES]
    _tell_again(world, identifier, again, known)
    ledger.settle(world.store, told)
    world.store.write([ledger.closing(kept.window)])
    return Ended(len(again), len(told) - len(again))


def _over(world: World, window: Window) -> bool:
    """Whether a window is over; an inhibition is once its source is not active, and is looked at again until then."""
    now = world.now()
    if window.ends <= now:
        return True
    if window.kind == "inhibition" and not inhibition.still_active(world, window):
        world.store.write([ledger.ending(replace(window, ends=now))])
        return True
    if window.kind == "inhibition":
        world.store.write([ledger.entering(window, now)])
    return False


def _series(world: World, lines: Sequence[Suppressed]) -> dict[tuple[str, str], Series]:
    """The series of the lines, by scope and fingerprint."""
    found: dict[tuple[str, str], Series] = {}
    for scope in dict.fromkeys(line.scope for line in lines):
        here = series.read(world.store, scope, [line.fingerprint for line in lines if line.scope == scope])
        found |= {(scope, fingerprint): known for fingerprint, known in here.items()}
    return found


def _outcome(line: Suppressed, known: Mapping[tuple[str, str], Series], homes: Mapping[str, Incident]) -> str:
    present = known.get((line.scope, line.fingerprint))
    return outcome(present, homes.get(present.incident) if present else None)


def _left(
    world: World,
    line: Suppressed,
    known: Mapping[tuple[str, str], Series],
    homes: Mapping[str, Incident],
) -> bool:
    """Leave a series that is over by all signs to its stale time, with a line on its incident; whether that was so."""
    present = known[line.scope, line.fingerprint]
    why, home = silent(present, known.values(), world.now()), homes.get(present.incident)
    if not why or home is None:
        return False
    later = replace(present, muted_until=None, version=present.version + 1)
    said = Line(
        "decision",
        f"not paged at the end of {line.window}: {line.whom} would have been",
        why,
        rule="lost-resolve-muted",
    )
    unmuted = series.write(line.scope, present, later)
    if home.generation:
        note = Mail(
            MailKind.NOTE, world.now(), text=said.text, detail={"kind": said.kind, "reason": why, "rule": said.rule}
        )
        world.store.write([unmuted, mailbox.posting(world, home.id, [note])])
        mailbox.wake(world, home.id)
    else:
        fresh = incidents.read(world.store, home.id)
        incidents.commit(world, fresh, replace(fresh), [said], [unmuted])
    return True


def _tell_again(
    world: World, window: str, lines: Sequence[Suppressed], known: Mapping[tuple[str, str], Series]
) -> None:
    """Put the alerts into the queue as of the last word of their series: a resolve since then makes them late."""
    delivery, now = f"{window}-ended", world.now()
    alerts: dict[str, list[str]] = {}
    for line in lines:
        last = replace(line.alert, occurred_at=known[line.scope, line.fingerprint].occurred_at)
        alerts.setdefault(last.source, []).append(signals.ENCODE(dump(last)))
    for source, dumped in alerts.items():
        world.queue.send(signals.packed(source, delivery, now, dumped))
