"""Can an incident only go where the life cycle lets it, and never back from its end?"""

from itertools import product

import pytest

from incident_bot.domain.errors import Refused
from incident_bot.domain.incident import State
from incident_bot.domain.lifecycle import move

D, T, A, M, R, P = State.DETECTED, State.TRIAGED, State.ACTIVE, State.MITIGATED, State.RESOLVED, State.POSTMORTEM

LEGAL = {
    (D, T): "it was classified in full",
    (D, R): "noise, and what is merged before it was triaged",
    (T, A): "somebody was paged or works on it",
    (T, M): "it cleared by itself",
    (T, R): "it was merged",
    (A, M): "its alerts cleared",
    (A, R): "it was merged",
    (M, A): "it fires again inside the quiet period",
    (M, R): "it stayed quiet",
    (R, P): "its postmortem is written",
}


@pytest.mark.parametrize(("now", "then"), LEGAL, ids=lambda state: state.value)
def test_legal_moves(now: State, then: State) -> None:
    assert move(now, then) is then


@pytest.mark.parametrize("state", State)
def test_staying_is_no_move(state: State) -> None:
    assert move(state, state) is state


@pytest.mark.parametrize(
    ("now", "then"), [(a, b) for a, b in product(State, State) if a is not b and (a, b) not in LEGAL]
)
def test_everything_else_is_impossible_and_says_so(now: State, then: State) -> None:
    with pytest.raises(Refused, match=f"an incident that is {now} cannot become {then}") as refused:
        move(now, then)
    assert (refused.value.rule, refused.value.status) == ("lifecycle", 409)
