"""Earned autonomy: what a playbook's record makes of its mode; configuration is the ceiling, a rollback costs one."""

from dataclasses import dataclass, replace

from incident_bot.domain.policy import lowest
from incident_bot.domain.team import Mode

EARNED_BY = 3  # approved or allowed runs in a row that helped, until the next rung


@dataclass(frozen=True, slots=True)
class Record:
    """A playbook's standing: its earned mode (None: as configured), successes in a row since it changed, and why."""

    mode: Mode | None = None
    successes: int = 0
    reason: str = ""
    changes: int = 0  # how often it was written


def after(record: Record, configured: Mode, outcome: str) -> Record:
    """The record after a remediation of that playbook ended.

    `helped` counts towards the next rung, up to what is configured. `undone`, `failed` and `partial` cost one rung at
    once, never below `propose`. Anything else (busy, refused, suspended, lifted) says nothing about the playbook.
    """
    ladder = list(Mode)
    now = lowest(configured, record.mode)
    if outcome in ("undone", "failed", "partial"):
        return _demoted(record, now, outcome)
    if outcome != "helped":
        return replace(record, reason="")
    if now is configured:
        return replace(record, mode=None, successes=record.successes + 1, reason="")
    if record.successes + 1 < EARNED_BY:
        return replace(record, successes=record.successes + 1, reason="")
    up = ladder[ladder.index(now) + 1]
    reason = f"promoted from {now} to {up}: {EARNED_BY} runs in a row helped"
    return replace(record, mode=up, successes=0, reason=reason)


def _demoted(record: Record, now: Mode, outcome: str) -> Record:
    ladder = list(Mode)
    if ladder.index(now) <= ladder.index(Mode.PROPOSE):
        return replace(record, successes=0, reason="")
    down = ladder[ladder.index(now) - 1]
    return replace(record, mode=down, successes=0, reason=f"demoted from {now} to {down}: the last run was {outcome}")
