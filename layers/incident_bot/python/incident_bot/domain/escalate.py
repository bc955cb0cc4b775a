"""Which step of an escalation pages next, and when: bounded by its rounds, slower with each, and by a person's hour."""

from dataclasses import replace
from datetime import datetime, timedelta

from incident_bot.domain.incident import Escalation
from incident_bot.domain.team import EscalationStep

LAST_RESORT = EscalationStep(notify=(), channels=(), wait_seconds=0)  # nobody by name: straight to the fallback topic
LONGEST_WAIT = timedelta(hours=1)
PAGES_PER_HOUR = 20  # escalation pages of all incidents that one person gets; beyond it, only the fallback is told


def waits_until(escalation: Escalation, paged_at: datetime) -> datetime | None:
    """Until when the page of its present step may be answered; None where all its rounds are through.

    The waits double with each round (at most an hour), so that an unanswered incident does not page ever faster.
    """
    if not escalation.steps or escalation.round >= escalation.rounds:
        return None
    step = escalation.steps[min(escalation.step, len(escalation.steps) - 1)]
    doubled = timedelta(seconds=max(step.wait_seconds, 1)) * (1 << min(escalation.round, 12))
    return paged_at + min(doubled, LONGEST_WAIT)


def after(escalation: Escalation, now: datetime) -> tuple[Escalation, EscalationStep | None, datetime | None, str]:
    """The step that pages now, until when it may be answered, and why; no step where all rounds are through."""
    steps, number, turn = escalation.steps, escalation.step + 1, escalation.round
    if number >= len(steps):
        number, turn = 0, turn + 1
    moved = replace(escalation, step=number, round=turn)
    due = waits_until(moved, now)
    if due is None:
        through = f"all {len(steps)} steps of {escalation.group} went unanswered, {escalation.rounds} times through"
        return moved, None, None, through if steps else f"{escalation.group} has no escalation steps"
    place = f"step {number + 1} of {len(steps)}, round {turn + 1} of {escalation.rounds}"
    return moved, steps[number], due, f"nobody acknowledged: {place} of {escalation.group}"


def spared(person: str, pages_this_hour: int, purpose: str) -> str:
    """Why that person is not woken by an escalation now; empty where they are. Only escalations can be too many."""
    if purpose != "escalation" or pages_this_hour < PAGES_PER_HOUR:
        return ""
    return f"{person} was paged {pages_this_hour} times this hour already (the limit is {PAGES_PER_HOUR})"
