"""`people.yaml`: who can be paged and who may act, the rotas, and the groups with their escalation steps."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.caller import flaw_of
from incident_bot.domain.nearest import nearest
from incident_bot.domain.team import EscalationStep, Group, Rota


def check(draft: Draft, today: date | None = None) -> Iterator[Flaw]:
    """Whoever is named exists, every rota has somebody at every moment, every group reaches somebody."""
    yield from _identities(draft)
    for rota in draft.rotas.values():
        yield from _rota(rota, draft, today)
    for group in draft.groups.values():
        yield from _group(group, draft)
    if not draft.default_group:
        yield Flaw(("default_group",), "is missing: nobody would be paged for a service that is not configured")
    elif draft.default_group not in draft.names["groups"]:
        yield unknown(("default_group",), "group", draft.default_group, draft.names["groups"])


def _identities(draft: Draft) -> Iterator[Flaw]:
    owners: dict[str, str] = {}
    for person in draft.people.values():
        for index, arn in enumerate(person.arns):
            path: Path = ("people", person.id, "arns", index)
            if flaw := flaw_of(arn):
                yield Flaw(path, flaw)
            elif arn in owners:
                yield Flaw(path, f"is {owners[arn]} already: one identity cannot be two people")
            owners[arn] = person.id


def _rota(rota: Rota, draft: Draft, today: date | None) -> Iterator[Flaw]:
    path: Path = ("rotas", rota.name)
    if not rota.people:
        yield Flaw((*path, "people"), "has a gap: nobody is ever on call")
    for index, person in enumerate(rota.people):
        if person not in draft.names["people"]:
            yield unknown((*path, "people", index), "person", person, draft.names["people"])
    if rota.turn_days < 1:
        yield Flaw((*path, "turn_days"), "must be at least 1")
    if today is not None and rota.starts > today:
        yield Flaw((*path, "starts"), f"has a gap: nobody is on call before {rota.starts}")
    try:
        ZoneInfo(rota.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        near = nearest(rota.timezone, available_timezones())
        yield Flaw((*path, "timezone"), f"there is no time zone {rota.timezone!r}", near)


def _group(group: Group, draft: Draft) -> Iterator[Flaw]:
    path: Path = ("groups", group.name)
    if not group.steps:
        yield Flaw((*path, "steps"), "has a gap: the group would page nobody")
    if group.rounds < 1:
        yield Flaw((*path, "rounds"), "must be at least 1")
    for channel in group.pager:
        if channel not in draft.names["channels"]:
            yield unknown((*path, "pager", channel), "channel", channel, draft.names["channels"])
    for index, step in enumerate(group.steps):
        yield from _step(step, (*path, "steps", index), draft)


def _step(step: EscalationStep, path: Path, draft: Draft) -> Iterator[Flaw]:
    for name in ("notify", "channels"):
        if not getattr(step, name):
            yield Flaw((*path, name), "must name at least one")
    if step.wait_seconds < 1:
        yield Flaw((*path, "wait_seconds"), "must be at least 1")
    for index, channel in enumerate(step.channels):
        if channel not in draft.names["channels"]:
            yield unknown((*path, "channels", index), "channel", channel, draft.names["channels"])
    for index, reference in enumerate(step.notify):
        yield from _reference(reference, (*path, "notify", index), draft)


def _reference(reference: str, path: Path, draft: Draft) -> Iterator[Flaw]:
    kind, _, name = reference.partition(":")
    known = {"rota": draft.names["rotas"], "person": draft.names["people"]}.get(kind)
    if known is None:
        valid = [f"rota:{n}" for n in draft.names["rotas"]] + [f"person:{n}" for n in draft.names["people"]]
        yield Flaw(path, f"must be rota:NAME or person:ID, not {reference!r}", nearest(reference, valid))
    elif name not in known:
        yield unknown(path, kind, name, known)
