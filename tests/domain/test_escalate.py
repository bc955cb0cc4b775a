"""Does an escalation go on until somebody answers, and never for ever?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.domain.escalate import (
    LAST_RESORT,
    LONGEST_WAIT,
    PAGES_PER_HOUR,
    after,
    first,
    next_page,
    opening_step,
    pages_again,
    spared,
    waits_until,
)
from incident_bot.domain.team import EscalationStep, Group
from tests.building import a_group

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def steps(*waits: int) -> tuple[EscalationStep, ...]:
    return tuple(EscalationStep((f"person:p{n}",), ("pagerduty",), wait) for n, wait in enumerate(waits))


def walk(group: Group) -> list[tuple[str, float]]:
    """(whom, seconds since the opening page) of every page of an escalation that nobody answers."""
    escalation, at = first(group), NOW
    pages = [(opening_step(group).notify[0], 0.0)]
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
    assert opening_step(group) is LAST_RESORT
    assert after(first(group), NOW)[1:] == (None, None, "payments has no escalation steps")


def test_the_steps_are_frozen_at_opening() -> None:
    group = a_group(steps=steps(60, 60))
    escalation = first(group)
    replace(group, steps=())
    assert after(escalation, NOW)[1] == steps(60, 60)[1]


def test_the_first_wait_is_the_opening_steps() -> None:
    assert waits_until(first(a_group(steps=steps(90, 60))), NOW) == NOW + timedelta(seconds=90)
    assert waits_until(first(a_group(steps=())), NOW) is None


ACKNOWLEDGED = [
    # acknowledged how long ago (minutes), whom it pages, when it looks again (minutes from now), reason
    (None, "person:p1", 1, "nobody acknowledged"),
    (0, None, 30, "has not expired"),
    (29, None, 1, "has not expired"),
    (30, "person:p0", 1, "expired"),
    (300, "person:p0", 1, "expired"),
]


@pytest.mark.parametrize(("ago", "whom", "again", "reason"), ACKNOWLEDGED)
def test_an_acknowledgement_stops_the_escalation_until_it_expires(
    ago: int | None, whom: str | None, again: int, reason: str
) -> None:
    at = None if ago is None else NOW - ago * MINUTE
    turn = next_page(first(a_group(steps=steps(60, 60))), NOW, at, ack_expires_seconds=1800)
    assert (turn.step.notify[0] if turn.step else None) == whom
    assert turn.due == NOW + again * MINUTE
    assert reason in turn.reason


def test_after_an_expired_acknowledgement_all_begins_anew() -> None:
    worn = replace(first(a_group(steps=steps(60, 60), rounds=2)), step=1, round=1)
    turn = next_page(worn, NOW, NOW - 60 * MINUTE, ack_expires_seconds=1800)
    assert (turn.escalation.step, turn.escalation.round) == (0, 0)
    assert turn.step == worn.steps[0]


@pytest.mark.parametrize(
    ("paged", "now", "acknowledged", "again", "reason"),
    [
        (Severity.SEV2, Severity.SEV1, True, True, "the acknowledgement was for the lesser fault"),
        (Severity.SEV2, Severity.SEV1, False, True, "sev1 is worse than sev2"),
        (Severity.SEV2, Severity.SEV2, True, False, "no worse"),
        (Severity.SEV1, Severity.SEV3, False, False, "no worse"),
        (None, Severity.SEV1, False, False, "the first page will carry"),
    ],
)
def test_only_a_worse_alert_pages_again(
    paged: Severity | None, now: Severity, acknowledged: bool, again: bool, reason: str
) -> None:
    decided, why = pages_again(paged, now, acknowledged=acknowledged)
    assert decided is again
    assert reason in why


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
