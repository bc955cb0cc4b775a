"""Which step of an escalation pages next, and when: bounded by its rounds, stopped by an acknowledgement that lasts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Escalation
from incident_bot.domain.team import EscalationStep, Group

LAST_RESORT = EscalationStep(notify=(), channels=(), wait_seconds=0)  # nobody by name: straight to the fallback topic
LONGEST_WAIT = timedelta(hours=1)
PAGES_PER_HOUR = 20  # escalation pages of all incidents that one person gets; beyond it, only the fallback is told


@dataclass(frozen=True, slots=True)
class Turn:
    """What an escalation does at one moment: page by `step` (None: nobody), and look again at `due` (None: never)."""

    escalation: Escalation
    step: EscalationStep | None
    due: datetime | None
    reason: str


def opening_step(group: Group) -> EscalationStep:
    """The step that an incident's opening page takes."""
    return group.steps[0] if group.steps else LAST_RESORT


def first(group: Group) -> Escalation:
    """The escalation of a new incident, its steps frozen; `step` is the one paged last, at opening the first."""
    return Escalation(group.name, group.steps, group.rounds)


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


def next_page(
    escalation: Escalation, now: datetime, acknowledged_at: datetime | None = None, ack_expires_seconds: int = 3600
) -> Turn:
    """The same with the acknowledgement considered: it stops the escalation until it expires, then all begins anew."""
    if acknowledged_at is None:
        return Turn(*after(escalation, now))
    expires = acknowledged_at + timedelta(seconds=ack_expires_seconds)
    if now < expires:
        return Turn(escalation, None, expires, "acknowledged, and the acknowledgement has not expired")
    anew = replace(escalation, step=0, round=0)
    step = anew.steps[0] if anew.steps else None
    return Turn(anew, step, waits_until(anew, now), f"the acknowledgement expired after {ack_expires_seconds} s")


def pages_again(paged: Severity | None, now: Severity, *, acknowledged: bool) -> tuple[bool, str]:
    """Whether a change of severity pages again: only a worse one than was paged does, acknowledged or not."""
    if paged is None:
        return False, "nobody was paged yet, the first page will carry the severity"
    if now >= paged:
        return False, f"{now.label} is no worse than {paged.label}, which was paged"
    acknowledgement = ", and the acknowledgement was for the lesser fault" if acknowledged else ""
    return True, f"{now.label} is worse than {paged.label}, which was paged{acknowledgement}"


def spared(person: str, pages_this_hour: int, purpose: str) -> str:
    """Why that person is not woken by an escalation now; empty where they are. Only escalations can be too many."""
    if purpose != "escalation" or pages_this_hour < PAGES_PER_HOUR:
        return ""
    return f"{person} was paged {pages_this_hour} times this hour already (the limit is {PAGES_PER_HOUR})"
