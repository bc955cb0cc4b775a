"""Inhibition at run time: which alerts that hide others fire in a scope, remembered beside its head."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from incident_bot.domain.alert import Status
from incident_bot.domain.classify import playbook_fields
from incident_bot.domain.errors import IncidentBotError
from incident_bot.domain.inhibit import Firing, hidden_by, hides_something, is_active, told_by
from incident_bot.domain.opening import Observation
from incident_bot.domain.plaintext import line
from incident_bot.domain.series import News, Series, news
from incident_bot.domain.shape import dump, load
from incident_bot.domain.suppress import Window, muted, slug
from incident_bot.domain.team import Inhibition
from incident_bot.state import heads, keys, series
from incident_bot.world import Item, Key, Update, World, Write

BY = "by#"  # one attribute per firing source
MOST = 200  # sources remembered: the oldest are forgotten, and hide nothing then
REMEMBERED_BYTES = 1500  # of one: they lie in one item, which has 400 KB; what is larger hides nothing


def wanted(world: World, scope: str) -> list[Key]:
    """The item that remembers the sources, where any rule needs it."""
    return [keys.inhibiting(scope)] if world.team.inhibitions else []


def applied(
    world: World, scope: str, found: Mapping[Key, Item], observations: Sequence[Observation]
) -> tuple[list[Observation], list[Write]]:
    """The observations as other alerts hide them, and what is to be remembered of sources among them.

    What a window suppresses already hides nothing. One after the other is decided: what is hidden hides nothing either.
    """
    rules = world.team.inhibitions
    if not rules:
        return list(observations), []
    known = _remembered(found.get(keys.inhibiting(scope), {}))
    newest = sorted((o for o in observations if not _late(scope, found, o)), key=lambda o: o.alert.occurred_at)
    seen = {o.alert.fingerprint: _firing(rules, o) for o in newest}
    stored = {fingerprint: source for fingerprint, source in known.items() if fingerprint not in seen}
    here = {
        fingerprint: replace(firing, since=known[fingerprint].since) if fingerprint in known else firing
        for fingerprint, firing in seen.items()
        if firing and hides_something(rules, firing.fields) and _fits(firing)
    }
    sources = {**_verified(world, scope, rules, stored, [f for f in seen.values() if f]), **here}
    result: list[Observation] = []
    for observation in observations:
        hidden = _hidden(world, scope, rules, observation, sources)
        if hidden.muted:
            sources.pop(hidden.alert.fingerprint, None)
        result.append(hidden)
    told = {f: source for f, source in sources.items() if f in here}
    return result, _remembering(scope, known, told, gone=[f for f in seen if f in known and f not in told])


def still_active(world: World, window: Window) -> bool:
    """Whether the source of an inhibition still hides what it hid."""
    scope, _, fingerprint = window.source.partition("#")
    found = series.read(world.store, scope, [fingerprint]).get(fingerprint)
    return is_active(found, heads.read(world.store, scope))


def _late(scope: str, found: Mapping[Key, Item], observation: Observation) -> bool:
    """Whether it says nothing of how its series stands now."""
    item = found.get(keys.alert(scope, observation.alert.fingerprint))
    return news(load(Series, item) if item else None, observation.alert)[0] in (News.LATE, News.NEITHER)


def _firing(rules: Sequence[Inhibition], observation: Observation) -> Firing | None:
    """The alert as inhibition sees it; None for what does not fire, is suppressed or noise."""
    alert, found = observation.alert, observation.found
    if alert.status is not Status.FIRING or found.noise:
        return None
    fields = told_by(rules, playbook_fields(alert, found))
    return Firing(alert.fingerprint, line(alert.title), found.service, alert.occurred_at, found.pages, fields)


def _fits(source: Firing) -> bool:
    """Whether it can be remembered: how long its labels are is up to its sender."""
    return len(json.dumps(dump(source))) <= REMEMBERED_BYTES


def _verified(
    world: World, scope: str, rules: Sequence[Inhibition], stored: Mapping[str, Firing], firing: Sequence[Firing]
) -> dict[str, Firing]:
    """Those of the remembered sources that would hide something of the batch, and are active."""
    hiding = {f: s for f, s in stored.items() if any(hidden_by(target, rules, [s]) for target in firing)}
    if not hiding:
        return {}
    head, found = heads.read(world.store, scope), series.read(world.store, scope, hiding)
    return {fingerprint: source for fingerprint, source in hiding.items() if is_active(found.get(fingerprint), head)}


def _hidden(
    world: World,
    scope: str,
    rules: Sequence[Inhibition],
    observation: Observation,
    sources: Mapping[str, Firing],
) -> Observation:
    target = _firing(rules, observation)
    hiding = hidden_by(target, rules, sources.values()) if target else None
    if hiding is None:
        return observation
    window = _window(scope, *hiding)
    if not window.holds(world.now()):
        return observation
    found, suppression = muted(observation.found, window, world.team)
    return replace(observation, found=found, muted=suppression)


def _window(scope: str, rule: Inhibition, source: Firing) -> Window:
    return Window(
        id=f"inhibition-{slug(rule.name)}-{source.fingerprint[3:11]}-{source.since:%Y%m%dT%H%M%SZ}",
        kind="inhibition",
        name=f"inhibition {rule.name}",
        when=rule.target,
        starts=source.since,
        ends=source.since + timedelta(minutes=rule.minutes),
        author="configuration",
        reason=f"{source.title} of {source.service} fires",
        source=f"{scope}#{source.fingerprint}",
    )


def _remembered(item: Item) -> dict[str, Firing]:
    """The sources that the item names; one that cannot be read hides nothing."""
    found: dict[str, Firing] = {}
    for name, entry in item.items():
        if name.startswith(BY):
            try:
                found[name.removeprefix(BY)] = load(Firing, entry)
            except (KeyError, TypeError, ValueError, AttributeError, IncidentBotError):
                continue
    return found


def _remembering(
    scope: str, known: Mapping[str, Firing], told: Mapping[str, Firing], *, gone: Sequence[str]
) -> list[Write]:
    """One update with the sources that began to fire and those that fire no more; a repeat is neither."""
    new = {f: source for f, source in told.items() if f not in known or known[f].pages != source.pages}
    if not new and not gone:
        return []
    oldest = sorted((f for f in known if f not in gone and f not in new), key=lambda f: known[f].since)
    over = oldest[: max(0, len(oldest) + len(new) - MOST)]
    fields = {f"{BY}{fingerprint}": dump(source) for fingerprint, source in new.items()}
    return [Update(keys.inhibiting(scope), set=fields, remove=tuple(f"{BY}{f}" for f in (*gone, *over)))]
