"""The life cycle of an incident: which state may follow which; anything else is impossible."""

from incident_bot.domain.errors import Refused
from incident_bot.domain.incident import State

MOVES: dict[State, frozenset[State]] = {
    State.DETECTED: frozenset({State.TRIAGED, State.RESOLVED}),
    State.TRIAGED: frozenset({State.ACTIVE, State.MITIGATED, State.RESOLVED}),
    State.ACTIVE: frozenset({State.MITIGATED, State.RESOLVED}),
    State.MITIGATED: frozenset({State.ACTIVE, State.RESOLVED}),
    State.RESOLVED: frozenset({State.POSTMORTEM}),
    State.POSTMORTEM: frozenset(),
}


def move(now: State, then: State) -> State:
    """Return `then` where it may follow `now` (staying is no move and always legal); Refused otherwise.

    There is no way back from resolved: a reopened fault is a new incident that links to the old one.
    """
    if then is now or then in MOVES[now]:
        return then
    raise Refused(f"an incident that is {now} cannot become {then}", rule="lifecycle", status=409)
