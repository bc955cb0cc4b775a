"""Does an escalation go on until somebody answers, and never for ever?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.escalate import LONGEST_WAIT, PAGES_PER_HOUR, after, spared, waits_until
from incident_bot.domain.incident import Escalation
from incident_bot.domain.team import EscalationStep, Group
from tests.building import a_group

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)


def steps(*waits: int) -> tuple[EscalationStep, ...]:
    return tuple(EscalationStep((f"person:p{n}",), ("pagerduty",), wait) for n, wait in enumerate(waits))


def first(group: Group) -> Escalation:
    """The escalation of a new incident: its opening page took the first step."""
    return Escalation(group.name, group.steps, group.rounds)


def walk(group: Group) -> list[tuple[str, float]]:
    """(whom, seconds since the opening page) of every page of an escalation that nobody answers."""
    escalation, at = first(group), NOW
    pages = [(escalation.steps[escalation.step].notify[0], 0.0)]
    due = waits_until(escalation, at)
    while due is not None and len(pages) < 100:  # an escalation that never ends shows as too many pages
        at = due
        escalation, step, due, _ = after(escalation, at)
        if step is not None:
            pages.append((step.notify[0], (at - NOW).total_seconds()))
    return pages


def test_steps_follow_each_other_and_later_rounds_wait_longer() -> None:
    assert walk(a_group(steps=steps(60, 120), rounds=2)) == [
        ("person:p0", 0),
        ("person:p1", 60),
        ("person:p0", 180),
        ("person:p1", 300),
    ]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=5), st.integers(1, 6))
def test_an_unanswered_escalation_pages_each_step_once_a_round_and_ends(waits: list[int], rounds: int) -> None:
    pages = walk(a_group(steps=steps(*waits), rounds=rounds))
    assert [whom for whom, _ in pages] == [f"person:p{n}" for n in range(len(waits))] * rounds
    times = [at for _, at in pages]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(1 <= gap <= LONGEST_WAIT.total_seconds() for gap in gaps)


def test_an_exhausted_escalation_stays_exhausted_and_says_so() -> None:
    escalation = first(a_group(steps=steps(60), rounds=1))
    for _ in range(3):
        escalation, step, due, reason = after(escalation, NOW)
        assert (step, due) == (None, None)
        assert reason == "all 1 steps of payments went unanswered, 1 times through"


def test_a_team_without_steps_goes_straight_to_the_fallback() -> None:
    group = a_group(steps=())
    assert after(first(group), NOW)[1:] == (None, None, "payments has no escalation steps")


def test_the_first_wait_is_the_opening_steps() -> None:
    assert waits_until(first(a_group(steps=steps(90, 60))), NOW) == NOW + timedelta(seconds=90)
    assert waits_until(first(a_group(steps=())), NOW) is None


@pytest.mark.parametrize(
    ("pages", "purpose", "left_out"),
    [
        (PAGES_PER_HOUR - 1, "escalation", False),
        (PAGES_PER_HOUR, "escalation", True),
        (PAGES_PER_HOUR, "first", False),
        (10 * PAGES_PER_HOUR, "worsened", False),
    ],
)
def test_only_escalations_have_a_budget(pages: int, purpose: str, left_out: bool) -> None:
    assert bool(spared("ada", pages, purpose)) is left_out
