"""Does a playbook lose a rung on its first rollback and earn it back by success, never above its configuration?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.autonomy import EARNED_BY, Record, after
from incident_bot.domain.policy import lowest
from incident_bot.domain.team import Mode

OUTCOMES = ["helped", "undone", "failed", "partial", "busy", "refused", "suspended", "lifted"]


def run(configured: Mode, *outcomes: str) -> Record:
    record = Record()
    for outcome in outcomes:
        record = after(record, configured, outcome)
    return record


@pytest.mark.parametrize("outcome", ["undone", "failed", "partial"])
def test_the_first_rollback_costs_one_rung_and_says_so(outcome: str) -> None:
    record = run(Mode.FULL, "helped", "helped", outcome)

    assert record.mode is Mode.CANARY
    assert record.successes == 0
    assert record.reason == f"demoted from full to canary: the last run was {outcome}"


def test_it_never_falls_below_propose() -> None:
    assert run(Mode.FULL, "undone", "undone", "undone", "undone").mode is Mode.PROPOSE


def test_successes_in_a_row_earn_it_back_up_to_the_configuration() -> None:
    almost = run(Mode.FULL, "undone", *["helped"] * (EARNED_BY - 1))
    earned = after(almost, Mode.FULL, "helped")

    assert almost.mode is Mode.CANARY
    assert earned.mode is Mode.FULL
    assert earned.reason.startswith("promoted from canary to full")


def test_a_failure_in_between_starts_the_count_again() -> None:
    assert run(Mode.CANARY, "undone", "helped", "undone", *["helped"] * (EARNED_BY - 1)).mode is Mode.PROPOSE


@pytest.mark.parametrize("outcome", ["busy", "refused", "suspended", "lifted"])
def test_what_says_nothing_about_the_playbook_changes_nothing(outcome: str) -> None:
    assert run(Mode.FULL, "undone", outcome).mode is Mode.CANARY
    assert run(Mode.FULL, "undone", outcome).reason == ""


@given(st.sampled_from(Mode), st.lists(st.sampled_from(OUTCOMES), max_size=30))
def test_no_history_leads_above_the_configuration_or_out_of_monitor(configured: Mode, outcomes: list[str]) -> None:
    effective = lowest(configured, run(configured, *outcomes).mode)

    ladder = list(Mode)
    assert ladder.index(effective) <= ladder.index(configured)
    assert effective is not Mode.MONITOR or configured is Mode.MONITOR
