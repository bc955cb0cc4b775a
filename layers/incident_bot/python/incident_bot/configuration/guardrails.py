"""`guardrails.yaml`: the limits of what automation may do at all, change freezes, and who approves."""

from collections.abc import Iterator

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.nearest import nearest
from incident_bot.domain.team import ActionLimits, Freeze

EVERY_ACTION = "*"


def check(draft: Draft) -> Iterator[Flaw]:
    """Every limited action exists, its limits can be met, and enough people may approve."""
    for name, limits in draft.guardrails.limits.items():
        path: Path = ("limits", name)
        if name != EVERY_ACTION and name not in draft.installed.actions:
            yield unknown(path, "action", name, draft.installed.actions)
        yield from _numbers(limits, path)
        yield from _environments(limits, path, draft)
        yield from _approvers(limits, path, draft)
    for index, freeze in enumerate(draft.guardrails.freezes):
        yield from _freeze(freeze, ("freezes", index))
    for field in ("approval_ttl_seconds", "stop_after_failures"):
        if getattr(draft.guardrails, field) < 1:
            yield Flaw((field,), "must be at least 1")


def _numbers(limits: ActionLimits, path: Path) -> Iterator[Flaw]:
    if not 0 < limits.max_share <= 1:
        yield Flaw((*path, "max_share"), f"must be above 0 and at most 1 (1 is everything), not {limits.max_share}")
    for field in ("per_hour", "cooldown_seconds", "max_cost_usd_per_hour"):
        if getattr(limits, field) < 0:
            yield Flaw((*path, field), "must not be negative")


def _environments(limits: ActionLimits, path: Path, draft: Draft) -> Iterator[Flaw]:
    known = {service.environment for service in draft.services.values()}
    for index, environment in enumerate(limits.environments):
        if known and environment not in known:
            near = nearest(environment, known)
            yield Flaw((*path, "environments", index), f"no service runs in an environment {environment!r}", near)


def _approvers(limits: ActionLimits, path: Path, draft: Draft) -> Iterator[Flaw]:
    able = [person for person in draft.people.values() if person.arns]
    roles = {role for person in able for role in person.roles}
    if limits.approvers < 1:
        yield Flaw((*path, "approvers"), "must be at least 1")
    if draft.people and limits.approvers > len(able):
        yield Flaw(
            (*path, "approvers"), f"asks for {limits.approvers} approvers, but only {len(able)} people can approve"
        )
    if limits.approver_role and draft.people and limits.approver_role not in roles:
        reason = f"nobody who can approve has the role {limits.approver_role!r}"
        yield Flaw((*path, "approver_role"), reason, nearest(limits.approver_role, roles))


def _freeze(freeze: Freeze, path: Path) -> Iterator[Flaw]:
    for name in ("starts", "ends"):
        if getattr(freeze, name).tzinfo is None:
            yield Flaw((*path, name), "needs a UTC offset (2026-12-24T00:00:00Z)")
            return
    if freeze.ends <= freeze.starts:
        yield Flaw((*path, "ends"), "is not after its start")
