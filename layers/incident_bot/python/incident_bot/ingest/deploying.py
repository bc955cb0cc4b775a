"""Deployments as they are told: kept for each service, and their windows ended when they end."""

from collections.abc import Mapping
from dataclasses import replace

from incident_bot.domain.classify import named_service
from incident_bot.domain.deploys import Change, followed, recorded, windows
from incident_bot.domain.errors import NotFound
from incident_bot.domain.opening import Observation
from incident_bot.domain.suppress import Window
from incident_bot.ingest import suppression
from incident_bot.state import deploys, keys, ledger
from incident_bot.world import Item, Key, World


def note(world: World, change: Change) -> str:
    """Take what a pipeline says of a deployment; returns the service it is about. May be repeated."""
    service, rules = named_service(change.service, change.resource, change.id, world.team), world.team.deploy_windows
    known = deploys.change(
        world.store, service, lambda before: recorded(before, replace(change, service=service), rules)
    )
    if change.ended:
        ended = [d for d in known if d.source == change.source and change.id in ("", d.id)]
        for window in windows(service, ended, rules):
            _end(world, window)
    return service


def following(world: World, found: Mapping[Key, Item], observation: Observation) -> Observation:
    """The observation with what was deployed of its service before it began, as the items found tell, or the change
    that one of its labels names."""
    labels, by = observation.alert.labels, world.team.correlation
    said = next((labels[name] for name in by.change_labels if labels.get(name)), "")
    told = deploys.of(found.get(keys.deploys(observation.found.service), {}))
    began = min(observation.alert.started_at, world.now())
    what = followed(told, began, by.join_window, said)
    return replace(observation, change=what.change, after=what.after, claimed=what.claimed)


def _end(world: World, window: Window) -> None:
    """Bring the end forward in the ledger, if it suppressed anything, and look at that where it is over already."""
    try:
        kept = ledger.read(world.store, window.id)
    except NotFound:
        return
    if not kept.closed and window.ends < kept.window.ends:
        world.store.write([ledger.ending(window)])
    suppression.close(world, window.id)
