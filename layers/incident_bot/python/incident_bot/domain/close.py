"""Closing: it stayed quiet, so the incident is resolved, its page is closed and what it asked of people is void."""

from dataclasses import replace

from incident_bot.domain import tell
from incident_bot.domain.deliberation import Deliberation
from incident_bot.domain.incident import State
from incident_bot.domain.lifecycle import move
from incident_bot.domain.message import Kind

LATER = 60  # seconds until a quiet incident is looked at again whose remediation still runs
OPEN = ("proposed", "busy")


def close(d: Deliberation) -> bool:
    """Resolve it, and say so; False where something keeps it open, which is looked at again."""
    if any(action.state == "running" for action in d.incident.actions.values()):
        d.clock("quiet", d.later(LATER))
        return False
    if d.look.more:
        return False  # it is decided upon in the next turn, and the quiet period is over by then as well
    if d.incident.firing:
        d.clock("quiet", None)
        d.clock("verify", d.now)
        d.decide("not-clear", "it does not close yet", "not everything of it cleared")
        return False
    _end(d)
    return True


def _end(d: Deliberation) -> None:
    """Only the clocks that lift mitigations go on, and its postmortem is to be drafted."""
    lifts = {name: at for name, at in d.incident.clocks.items() if name.startswith("lift:")}
    void = {a: replace(s, state="expired") for a, s in d.incident.actions.items() if s.state in OPEN}
    d.set(
        state=move(d.incident.state, State.RESOLVED),
        resolved_at=d.now,
        clocks={**lifts, "draft": d.now},
        actions={**d.incident.actions, **void},
    )
    asked_by = d.incident.resolve_asked_by
    d.say("closure", "the incident is resolved", f"{asked_by} says it is over" if asked_by else "it stayed quiet")
    if d.may_stand:
        tell.message(d, "resolve", Kind.RESOLVE, "the incident is resolved")
