"""`playbooks.yaml`: when to propose which action on what, and how much of it automation may do by itself."""

from collections.abc import Iterator, Sequence

from incident_bot.actions import Action
from incident_bot.configuration import matching
from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.configuration.rules import LONGEST_HOLD
from incident_bot.domain.arn import kind_of
from incident_bot.domain.nearest import nearest
from incident_bot.domain.team import Mode, Playbook, Resource

CELLS = "cells"


def check(draft: Draft) -> Iterator[Flaw]:
    """Every playbook's service, target, action and parameters exist and fit each other."""
    seen: dict[str, int] = {}
    for index, playbook in draft.playbooks:
        path: Path = ("playbooks", index)
        if playbook.name in seen:
            yield Flaw((*path, "name"), f"is the name of playbooks[{seen[playbook.name]}] already")
        seen.setdefault(playbook.name, index)
        if playbook.owner not in draft.names["groups"]:
            yield unknown((*path, "owner"), "group", playbook.owner, draft.names["groups"])
        yield from matching.check(playbook.when, (*path, "when"), draft, matching.PLAYBOOK_FIELDS)
        yield from _category(playbook, path, draft)
        yield from _clocks(playbook, path)
        action = draft.installed.actions.get(playbook.action)
        if action is None:
            yield unknown((*path, "action"), "action", playbook.action, draft.installed.actions)
            continue
        yield from _target(playbook, action, path, draft)
        yield from _parameters(playbook, action, path)
        yield from _lift(playbook, action, path)


def _category(playbook: Playbook, path: Path, draft: Draft) -> Iterator[Flaw]:
    pattern, given = playbook.when.get("category"), {rule.category for _, rule in draft.rules}
    if pattern is not None and not any(matching.covers_text(pattern, category) for category in given):
        yield unknown((*path, "when", "category"), "category that a rule sets", pattern, given)


def _clocks(playbook: Playbook, path: Path) -> Iterator[Flaw]:
    if not 0 <= playbook.hold_page_seconds <= LONGEST_HOLD:
        given = playbook.hold_page_seconds
        yield Flaw((*path, "hold_page_seconds"), f"must be between 0 and {LONGEST_HOLD} seconds, not {given}")
    if playbook.hold_page_seconds and playbook.mode is not Mode.FULL:
        yield Flaw((*path, "hold_page_seconds"), f"only a playbook of mode full may hold a page, not {playbook.mode}")
    if playbook.settle_seconds < 1:
        yield Flaw((*path, "settle_seconds"), "must be at least 1: a check right after the change sees the old world")


def _lift(playbook: Playbook, action: Action, path: Path) -> Iterator[Flaw]:
    if action.temporary and playbook.lift_after_seconds < 1:
        yield Flaw(
            (*path, "lift_after_seconds"), f"{action.name} is temporary: say after how many seconds it is lifted"
        )
    if playbook.lift_after_seconds and not action.temporary:
        yield Flaw((*path, "lift_after_seconds"), f"{action.name} is meant to stay: leave this out")


def _target(playbook: Playbook, action: Action, path: Path, draft: Draft) -> Iterator[Flaw]:
    place = (*path, "target")
    candidates = _resources(playbook, draft)
    fitting = [r for r in candidates if kind_of(r.arn) == action.takes]
    if playbook.target == CELLS:
        if not fitting:
            yield Flaw(place, f"{action.name} takes {action.takes}, of which the service has none")
        yield from _canary(playbook, fitting, path)
    elif playbook.target not in (r.arn for r in candidates):
        near = nearest(playbook.target, [r.arn for r in fitting or candidates])
        yield Flaw(place, f"{playbook.target!r} is no resource of the service, and not {CELLS!r}", near)
    elif kind_of(playbook.target) != action.takes:
        near = nearest(playbook.target, [r.arn for r in fitting])
        yield Flaw(place, f"{action.name} takes {action.takes}, not {kind_of(playbook.target) or 'this'}", near)


def _canary(playbook: Playbook, fitting: Sequence[Resource], path: Path) -> Iterator[Flaw]:
    if playbook.mode is Mode.CANARY and fitting and not any(r.canary for r in fitting):
        yield Flaw((*path, "mode"), "mode canary needs a resource with canary: true among the service's cells")


def _resources(playbook: Playbook, draft: Draft) -> list[Resource]:
    """What the playbook may target: the resources of the services that its `service` matcher names, else of all."""
    pattern = playbook.when.get("service", "*")
    services = [s for s in draft.services.values() if matching.covers_text(pattern, s.name)]
    return [resource for service in services for resource in service.resources]


def _parameters(playbook: Playbook, action: Action, path: Path) -> Iterator[Flaw]:
    for name, value in playbook.parameters.items():
        place = (*path, "parameters", name)
        wanted = action.parameters.get(name)
        if wanted is None:
            yield unknown(place, f"parameter of {action.name}", name, action.parameters)
        elif not isinstance(value, wanted):
            yield Flaw(place, f"must be {wanted.__name__}, not {value!r}")
