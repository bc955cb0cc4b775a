"""Do the histories of a remediation end as they must: helped, undone, suspended, denied, lifted, taken over?"""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from incident_bot import remedy
from incident_bot.domain.errors import Invalid, NotFound, Refused
from incident_bot.domain.mail import MailKind
from incident_bot.domain.team import Mode
from incident_bot.state import actions, heads, locks
from tests.remediating import BAD, CELLS, CLAMP, FUNCTION, GOOD, Died, FaultyRoles, Stage, a_playbook, the_team


def test_a_rollback_that_helps_goes_cell_by_cell() -> None:
    stage = Stage()
    stage.start(stage.proposed())

    stage.run_for(15)
    canary = dict(stage.production.runs)
    stage.run_for(100)

    assert canary == {CELLS[0]: GOOD, CELLS[1]: BAD, CELLS[2]: BAD}
    assert set(stage.production.runs.values()) == {GOOD}
    assert stage.outcomes() == ["helped"]


def test_a_canary_that_does_not_help_is_put_back_and_the_rest_is_never_touched() -> None:
    stage = Stage()
    stage.production.sick = lambda _: True
    stage.start(stage.proposed())

    stage.run_for(200)

    assert stage.production.calls == [("update_service", CELLS[0])] * 2
    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["undone"]
    assert "did not help" in stage.mails()[0].text


def test_a_rest_that_fails_undoes_the_canary_too() -> None:
    stage = Stage()
    stage.production.sick = lambda target: target == CELLS[2] or stage.production.runs[target] == BAD
    stage.start(stage.proposed())

    stage.run_for(300)

    assert set(stage.production.runs.values()) == {BAD}
    assert [target for _, target in stage.production.calls] == [*CELLS, *reversed(CELLS)]
    assert stage.outcomes() == ["undone"]


def test_a_mitigation_is_lifted_and_puts_back_exactly_what_was_there() -> None:
    stage = Stage()
    stage.production.reserved = 40
    stage.production.sick = lambda _: stage.production.reserved == 40
    stage.production.observe()
    remediation = stage.proposed("inc3", "clamp")
    stage.start(remediation)
    stage.run_for(60)
    clamped = stage.production.reserved

    stage.start(remediation, "lift", 2)
    stage.run_for(10)

    assert (clamped, stage.production.reserved) == (5, 40)
    assert stage.outcomes("inc3") == ["helped", "lifted"]


def test_a_lift_that_nobody_started_is_started_by_sweep() -> None:
    stage = Stage()
    stage.start(stage.proposed("inc3", "clamp"))
    stage.run_for(60)

    stage.run_for(CLAMP.lift_after_seconds + 480)

    assert stage.production.reserved is None
    assert stage.outcomes("inc3") == ["helped", "lifted"]


def test_what_somebody_changed_since_is_left_alone_and_a_person_is_told() -> None:
    stage = Stage()
    remediation = stage.proposed("inc3", "clamp")
    stage.start(remediation)
    stage.run_for(60)
    stage.production.reserved = 77

    stage.start(remediation, "lift", 2)
    stage.run_for(10)

    assert stage.production.reserved == 77
    assert stage.outcomes("inc3") == ["helped", "partial"]
    assert "somebody changed it since" in stage.mails("inc3")[-1].text


def settling() -> tuple[Stage, str]:
    """The kill switch goes on while the canary settles."""
    stage = Stage()
    remediation = stage.proposed()
    stage.start(remediation)
    stage.run_for(5)
    stage.switch(on=True)
    stage.run_for(120)
    return stage, remediation.id


def test_kill_switch_while_the_canary_settles_stops_forward_steps_and_keeps_what_is_half_way() -> None:
    stage, name = settling()

    found = actions.read(stage.world.store, name)
    assert stage.production.runs == {CELLS[0]: GOOD, CELLS[1]: BAD, CELLS[2]: BAD}
    assert (found.state, stage.outcomes()) == ("suspended", ["suspended"])
    assert stage.locked() == list(CELLS)
    assert heads.read(stage.world.store, found.scope).acting == {name: "inc1"}
    assert f"undo by hand: aws ecs update-service --cluster shop --service orders-a --task-definition {BAD}" in (
        stage.mails()[0].text
    )


def test_an_ordered_undo_works_with_the_switch_on() -> None:
    stage, name = settling()

    remedy.order_undo(stage.world, name, "grace", "the old release is worse")
    stage.run_for(30)

    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["suspended", "undone"]
    assert "grace ordered it: the old release is worse" in stage.mails()[-1].text
    assert stage.locked() == []


def test_the_switch_off_again_puts_back_what_was_half_way() -> None:
    stage, _ = settling()

    stage.run_for(300)
    untouched = dict(stage.production.runs)
    stage.switch(on=False)
    stage.run_for(200)

    assert untouched[CELLS[0]] == GOOD
    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["suspended", "undone"]


def test_an_undo_that_was_due_waits_for_the_switch_too() -> None:
    stage = Stage()
    stage.production.sick = lambda _: True
    stage.start(stage.proposed())
    stage.run_for(5)
    stage.switch(on=True)

    stage.run_for(200)

    assert stage.production.runs[CELLS[0]] == GOOD
    assert stage.outcomes() == ["suspended"]


def test_a_lift_waits_for_the_switch_and_is_then_a_lift() -> None:
    stage = Stage()
    remediation = stage.proposed("inc3", "clamp")
    stage.start(remediation)
    stage.run_for(60)
    stage.switch(on=True)
    stage.start(remediation, "lift", 2)
    stage.run_for(60)
    waiting = stage.production.reserved

    stage.switch(on=False)
    stage.run_for(200)

    assert (waiting, stage.production.reserved) == (5, None)
    assert stage.outcomes("inc3") == ["helped", "suspended", "lifted"]


def test_the_switch_is_read_again_right_before_every_call() -> None:
    stage = Stage()
    switched = stage.production.update_service

    def and_then_the_switch(**arguments: Any) -> None:
        switched(**arguments)
        if arguments["service"] == "orders-b":
            stage.switch(on=True)

    stage.production.update_service = and_then_the_switch  # type: ignore[method-assign]
    stage.start(stage.proposed())

    stage.run_for(200)

    assert stage.production.runs == {CELLS[0]: GOOD, CELLS[1]: GOOD, CELLS[2]: BAD}
    assert stage.outcomes() == ["suspended"]


def test_permissions_revoked_half_way() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.start(remediation)
    stage.run_for(5)
    stage.production.denied.add("update_service")

    stage.run_for(600)

    assert stage.production.calls == [("update_service", CELLS[0])]
    assert stage.outcomes() == ["partial"]
    assert stage.locked() == list(CELLS)


def test_once_permissions_are_back_a_person_has_it_undone() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.start(remediation)
    stage.run_for(5)
    stage.production.denied.add("update_service")
    stage.run_for(60)
    stage.production.denied.clear()

    remedy.order_undo(stage.world, remediation.id, "ada", "permissions are back")
    stage.run_for(30)

    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["partial", "undone"]
    assert stage.locked() == []


def test_a_change_that_stays_can_be_undone_by_order_unless_another_incident_has_the_target() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.start(remediation)
    stage.run_for(100)
    writes, _ = locks.taking(stage.world, CELLS[:1], "inc2", "inc2-a1")
    stage.world.store.write(writes)

    remedy.order_undo(stage.world, remediation.id, "ada", "it was the database")
    stage.run_for(10)
    while_locked = dict(stage.production.runs)
    freeing, _ = locks.freeing(stage.world, CELLS[:1], "inc2-a1", keep=False)
    stage.world.store.write(freeing)
    remedy.order_undo(stage.world, remediation.id, "ada", "it was the database")
    stage.run_for(10)

    assert set(while_locked.values()) == {GOOD}
    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["helped", "busy", "undone"]


@pytest.mark.parametrize(
    ("action", "person", "reason", "error"),
    [
        ("inc1-a9", "ada", "why", NotFound),
        ("inc1-a1", "nobody", "why", Refused),
        ("inc1-a1", "", "why", Refused),
        ("inc1-a1", "ada", "  ", Invalid),
        ("inc1-a1", "ada", "nothing was done yet", Refused),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(action: str, person: str, reason: str, error: type[Exception]) -> None:
    stage = Stage()
    stage.proposed()

    with pytest.raises(error):
        remedy.order_undo(stage.world, action, person, reason)
    assert stage.walker.world.machines.started == []


def test_a_person_may_order_the_undo_of_a_run_that_is_under_way() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.start(remediation)
    stage.run_for(5)

    remedy.order_undo(stage.world, remediation.id, "ada", "wrong guess")
    stage.run_for(200)

    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["undone"]


def test_act_dies_after_its_first_call_and_the_next_attempt_goes_on_from_there() -> None:
    stage = Stage()
    remediation = stage.proposed()
    first = stage.start(remediation)
    stage.run_for(5)
    stage.walker.kill(first)

    stage.run_for(400)

    assert stage.outcomes() == ["helped"]
    assert max(Counter(stage.production.calls).values()) == 1
    assert stage.mails()[0].detail["attempt"] == "2"


def test_an_attempt_under_a_policy_that_denies_by_now_puts_everything_back() -> None:
    stage = Stage()
    remediation = stage.proposed()
    first = stage.start(remediation)
    stage.run_for(5)
    stage.walker.kill(first)
    stage.seen = replace(stage.world, team=the_team(a_playbook(mode=Mode.MONITOR)))

    stage.run_for(400)

    assert set(stage.production.runs.values()) == {BAD}
    assert stage.outcomes() == ["undone"]
    assert "the guardrails deny it by now" in stage.mails()[0].text


def test_attempts_that_always_die_end_with_a_person_and_the_locks_kept() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.seen = stage.with_parts(roles=FaultyRoles(Died("again")))
    stage.start(remediation)

    stage.run_for(4 * 3600)

    assert stage.production.calls == []
    assert stage.outcomes() == ["partial"]
    assert "attempts died" in stage.mails()[0].text
    assert stage.locked() == list(CELLS)
    assert stage.world.notices.published != []


def test_two_incidents_one_target_and_the_second_goes_once_the_first_is_through() -> None:
    stage = Stage()
    stage.start(stage.proposed())
    second = stage.proposed("inc2")
    stage.run_for(5)
    stage.start(second)
    stage.run_for(200)
    released = [mail.argument for mail in stage.mails("inc2", MailKind.RELEASED)]
    stage.production.runs = dict.fromkeys(CELLS, BAD)
    again = stage.proposed("inc2")
    stage.start(again)
    stage.run_for(200)

    assert released == list(CELLS)
    assert stage.outcomes("inc2") == ["busy", "helped"]


def test_a_mitigation_in_force_keeps_other_incidents_away() -> None:
    stage = Stage(the_team(CLAMP, replace(CLAMP, name="again", parameters={"limit": 2})))
    stage.start(stage.proposed("inc3", "clamp"))
    stage.run_for(60)
    (lock,) = [locks.read(stage.world.store, FUNCTION)]

    writes, others = locks.taking(stage.world, [FUNCTION], "inc1", "inc1-a1")

    assert lock is not None
    assert (lock.incident, lock.acting) == ("inc3", "")
    assert (writes, [other.incident for other in others]) == ([], ["inc3"])


def test_a_lock_whose_holders_are_gone_is_freed_by_sweep_and_one_in_need_is_not() -> None:
    stage = Stage()
    writes, _ = locks.taking(stage.world, [FUNCTION], "inc2", "inc2-a1")
    stage.world.store.write(writes)
    stage.start(stage.proposed())
    stage.run_for(5)

    freed = remedy.repair_lock(stage.world, FUNCTION)
    held = remedy.repair_lock(stage.world, CELLS[0])

    assert (freed, held) == ("freed", "held")
    assert stage.locked() == list(CELLS)


def test_an_approval_that_nobody_decides_expires_by_itself() -> None:
    stage = Stage(the_team(a_playbook(mode=Mode.PROPOSE)))
    remediation = stage.proposed()

    stage.run_for(1000)

    assert stage.read(remediation).state == "expired"
    (mail,) = stage.mails(kind=MailKind.APPROVAL)
    assert mail.detail["state"] == "expired"
    assert [key for key in stage.world.store.due("9999") if key[1].startswith("ACTION#")] == []
