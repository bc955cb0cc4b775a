"""Does `act` change the world exactly as planned, once, under every rule, or not at all?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.remediation.act import act
from incident_bot import remedy
from incident_bot.domain import journal
from incident_bot.domain.errors import Denied, Refused
from incident_bot.domain.journal import Kind
from incident_bot.domain.mail import MailKind
from incident_bot.domain.team import Freeze, Mode
from incident_bot.state import actions, approvals, locks
from incident_bot.virtual.clock import T0
from incident_bot.world import Put
from tests.remediating import (
    BAD,
    CELLS,
    CLAMP,
    FUNCTION,
    GOOD,
    Died,
    FaultyRoles,
    Interrupted,
    Slow,
    Stage,
    a_playbook,
    the_team,
)

ASKS = the_team(a_playbook(mode=Mode.PROPOSE), replace(CLAMP, mode=Mode.PROPOSE))


def event(name: str, purpose: str = "apply", attempt: int = 1, **more: Any) -> dict[str, Any]:
    return {"incident": name.split("-", maxsplit=1)[0], "action": name, "purpose": purpose, "attempt": attempt, **more}


def test_the_canary_alone_is_changed_first() -> None:
    stage = Stage()
    remediation = stage.proposed()

    answer = act(stage.world, event(remediation.id))

    assert (answer["next"], answer["wait_seconds"]) == ("settle", 20)
    assert stage.production.runs == {CELLS[0]: GOOD, CELLS[1]: BAD, CELLS[2]: BAD}


def test_it_acts_with_credentials_for_that_target_alone_in_the_name_of_who_approved() -> None:
    stage = Stage(the_team(a_playbook(mode=Mode.PROPOSE), approvers=2))
    remediation = stage.proposed()
    stage.approve(remediation, "ada", "grace")

    act(stage.world, event(remediation.id))

    (assumed,) = stage.world.roles.assumed
    assert assumed.action == "roll_back_ecs_service"
    cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/shop"
    assert [s["Resource"] for s in assumed.policy["Statement"]] == [[CELLS[0], cluster]]
    assert assumed.source_identity == "ada"
    assert assumed.tags == {"incident": "inc1", "digest": remediation.digest, "approver2": "grace"}


def test_nobody_approved_means_the_guardrails_did() -> None:
    stage = Stage()

    act(stage.world, event(stage.proposed().id))

    assert stage.world.roles.assumed[0].source_identity == "guardrails"


def refused(stage: Stage, name: str) -> str:
    """The reason for which nothing was done."""
    answer = act(stage.world, event(name))
    found = actions.read(stage.world.store, name)
    assert (answer["next"], found.outcome) == ("release", "refused")
    assert stage.production.calls == []
    assert stage.locked() == []
    return found.text


def test_without_its_approval_it_refuses() -> None:
    stage = Stage(ASKS)

    assert refused(stage, stage.proposed().id) == "approval: approval inc1-p1 is pending"


def test_an_approval_that_came_in_time_but_is_used_too_late_is_refused() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.approve(remediation, "ada")
    stage.world.clock.advance(900)

    assert "expired" in refused(stage, remediation.id)


def test_what_was_rejected_is_not_run_by_whoever_starts_the_machine() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    approvals.decide(stage.world, remediation.approval, "reject", "no", remediation.digest, "ada")

    answer = act(stage.world, event(remediation.id))

    assert (answer["next"], stage.read(remediation).state) == ("ended", "rejected")
    assert stage.production.calls == []


def test_what_nobody_decided_in_time_is_not_run_by_whoever_starts_the_machine() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.world.clock.advance(900)
    approvals.expire(stage.world, remediation.approval)

    answer = act(stage.world, event(remediation.id))

    assert (answer["next"], stage.read(remediation).state) == ("ended", "expired")
    assert stage.production.calls == []


def test_what_was_refused_stays_refused_where_its_release_was_lost() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.approve(remediation, "ada")
    stage.world.clock.advance(900)
    text = refused(stage, remediation.id)

    answer = act(stage.world, event(remediation.id, attempt=2))

    found = stage.read(remediation)
    assert (answer["next"], found.outcome, found.text) == ("release", "refused", text)
    assert stage.production.calls == []


def test_what_found_its_target_locked_does_not_act_without_the_lock_where_its_release_was_lost() -> None:
    stage = Stage()
    first, second = stage.proposed(), stage.proposed("inc2")
    act(stage.world, event(first.id))
    act(stage.world, event(second.id))
    stage.production.runs = dict.fromkeys(CELLS, BAD)
    before = len(stage.production.calls)

    answer = act(stage.world, event(second.id, attempt=2))

    assert (answer["next"], stage.read(second).outcome) == ("release", "busy")
    assert len(stage.production.calls) == before


def test_what_was_lifted_is_not_applied_again() -> None:
    stage = Stage()
    remediation = stage.proposed("inc3", "clamp")
    stage.start(remediation)
    stage.run_for(120)
    stage.start(remediation, "lift")
    stage.run_for(120)
    before = len(stage.production.calls)

    answer = act(stage.world, event(remediation.id, attempt=2))

    assert (answer["next"], stage.read(remediation).state) == ("ended", "lifted")
    assert len(stage.production.calls) == before


def test_a_policy_that_changed_since_the_approval_refuses() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.approve(remediation, "ada")
    stage.world = replace(stage.world, team=the_team(a_playbook(mode=Mode.PROPOSE), per_hour=51))

    assert refused(stage, remediation.id).startswith("policy changed")


def test_a_world_that_drifted_since_the_plan_refuses() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.production.runs[CELLS[2]] = f"{BAD}9"

    assert refused(stage, remediation.id).startswith(f"drift: {CELLS[2]} is drifted")


def test_somebody_who_did_it_already_is_drift_too() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.production.runs[CELLS[0]] = GOOD

    assert "is applied: not what it was" in refused(stage, remediation.id)


def test_the_kill_switch_refuses_before_anything_is_claimed() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.approve(remediation, "ada")
    stage.switch(on=True)

    assert refused(stage, remediation.id).startswith("kill switch")
    assert approvals.read(stage.world.store, remediation.approval).state == "approved"


def test_a_freeze_that_began_since_refuses() -> None:
    starts = T0 + timedelta(minutes=5)
    freeze = Freeze("sale", starts, starts + timedelta(days=1))
    team = the_team()
    stage = Stage(replace(team, guardrails=replace(team.guardrails, freezes=(freeze,))))
    remediation = stage.proposed()
    stage.world.clock.advance(300)

    assert refused(stage, remediation.id).startswith("freeze")


def test_a_rate_that_others_used_up_refuses() -> None:
    stage = Stage(the_team(per_hour=1))
    first, second = stage.proposed(), stage.proposed("inc2")
    stage.start(first)
    stage.run_for(600)

    answer = act(stage.world, event(second.id))

    assert answer["next"] == "release"
    assert actions.read(stage.world.store, second.id).text.startswith("rate")


def test_a_plan_that_was_tampered_with_is_refused() -> None:
    stage = Stage()
    remediation = stage.proposed()
    key = actions.key_of(remediation)
    item = stage.world.store.get(key) or {}
    item["plan"]["steps"][0]["forward"]["arguments"]["taskDefinition"] = "evil"
    stage.world.store.write([Put(item)])

    assert refused(stage, remediation.id).startswith("digest")


def test_a_session_policy_that_sts_would_not_take_refuses_before_the_journal_opens() -> None:
    cell = CELLS[0] + "x" * 2100
    stage = Stage(the_team(cells=(cell,)), cells=(cell,))

    assert refused(stage, stage.proposed().id).startswith("session policy")
    assert stage.world.roles.assumed == []


def test_an_approval_is_claimed_once_by_one_run() -> None:
    stage = Stage(ASKS)
    remediation = stage.proposed()
    stage.approve(remediation, "ada")

    act(stage.world, event(remediation.id))
    late = act(stage.world, event(remediation.id, attempt=2))

    approval = approvals.read(stage.world.store, remediation.approval)
    assert (approval.state, approval.claimed_by) == ("claimed", "inc1-a1-apply-1")
    assert late["next"] == "settle"  # the second run took over what is applied already
    assert stage.production.calls == [("update_service", CELLS[0])]


def test_two_incidents_one_target_the_second_is_busy_and_claims_nothing() -> None:
    stage = Stage(ASKS)
    first, second = stage.proposed(), stage.proposed("inc2")
    stage.approve(first, "ada")
    stage.approve(second, "ada")

    act(stage.world, event(first.id))
    answer = act(stage.world, event(second.id))

    found = actions.read(stage.world.store, second.id)
    assert (answer["next"], found.outcome, found.state) == ("release", "busy", "busy")
    assert "inc1" in found.text
    assert approvals.read(stage.world.store, second.approval).state == "approved"
    lock = locks.read(stage.world.store, CELLS[0])
    assert lock is not None
    assert (lock.incident, lock.waiters) == ("inc1", ("inc2",))


def test_a_failing_call_is_tried_three_times_and_then_everything_is_put_back() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.production.fails["update_service"] = ["ThrottlingException"] * 3

    answer = act(stage.world, event(remediation.id))

    assert answer["next"] == "undo"
    assert stage.production.runs[CELLS[0]] == BAD


def test_a_call_that_failed_once_is_repeated() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.production.fails["update_service"] = ["ThrottlingException"]

    assert act(stage.world, event(remediation.id))["next"] == "settle"
    assert stage.production.runs[CELLS[0]] == GOOD


def test_a_call_whose_answer_was_lost_is_not_repeated() -> None:
    stage = Stage()
    remediation = stage.proposed()
    update = stage.production.update_service

    def answers_too_late(**arguments: Any) -> None:
        update(**arguments)
        raise TimeoutError("read timed out")

    stage.production.update_service = answers_too_late  # type: ignore[method-assign]

    assert act(stage.world, event(remediation.id))["next"] == "settle"
    assert stage.production.calls == [("update_service", CELLS[0])]
    assert [entry.kind for entry in stage.read(remediation).journal[2:]] == [Kind.INTENDED, Kind.FOUND]


def test_a_worker_that_may_be_slow_and_not_dead_is_waited_for() -> None:
    stage = Stage()
    remediation = stage.proposed()
    with pytest.raises(Died):
        act(stage.with_parts(roles=FaultyRoles(Died("before the call"))), event(remediation.id))
    stage.world.clock.advance(20)

    again = act(stage.world, event(remediation.id))
    stage.world.clock.advance(again["wait_seconds"])

    assert (again["next"], again["wait_seconds"]) == ("wait", 40)
    assert act(stage.world, event(remediation.id))["next"] == "settle"


def test_a_run_that_was_taken_over_changes_nothing() -> None:
    stage = Stage()
    remediation = stage.proposed()
    act(stage.world, event(remediation.id))
    act(stage.world, event(remediation.id, attempt=2))

    assert act(stage.world, event(remediation.id, attempt=1))["next"] == "ended"


def test_a_slow_worker_that_was_taken_over_writes_nothing_more() -> None:
    stage = Stage()
    remediation = stage.proposed()
    taken_over: list[dict[str, Any]] = []
    takes_over = Slow(stage.world.roles, lambda: taken_over.append(act(stage.world, event(remediation.id, attempt=2))))

    slow = act(stage.with_parts(roles=takes_over), event(remediation.id))
    stage.world.clock.advance(60)
    after = act(stage.world, event(remediation.id, attempt=2))

    assert [answer["next"] for answer in (taken_over[0], slow, after)] == ["wait", "wait", "settle"]
    assert act(stage.world, event(remediation.id))["next"] == "ended"
    assert stage.production.calls == [("update_service", CELLS[0])]
    assert journal.flaws(stage.read(remediation).journal) == []


def test_a_second_worker_of_the_same_run_does_not_spoil_the_journal() -> None:
    stage = Stage()
    remediation = stage.proposed()

    def second() -> None:
        stage.world.clock.advance(61)
        act(stage.world, event(remediation.id))

    slow = act(stage.with_parts(roles=Slow(stage.world.roles, second)), event(remediation.id))

    assert slow["next"] == "wait"
    assert act(stage.world, event(remediation.id))["next"] == "settle"
    assert journal.flaws(stage.read(remediation).journal) == []


def test_two_that_claim_the_last_run_of_the_hour_at_the_same_moment_are_one() -> None:
    stage = Stage(the_team(per_hour=1))
    ours, theirs = (
        remedy.propose(stage.world, incident, "roll_back_ecs_service", cell, {}, "ada", "why")
        for incident, cell in (("inc1", CELLS[0]), ("inc2", CELLS[1]))
    )
    for remediation in (ours, theirs):
        stage.approve(remediation, "grace")
    # The first write begins the run, the second claims.
    racing = Interrupted(stage.world.store, first=lambda: act(stage.world, event(theirs.id)), at=2)

    act(stage.with_parts(store=racing), event(ours.id))

    assert stage.production.calls == [("update_service", CELLS[1])]
    assert stage.read(ours).text.startswith("rate")


def test_denied_means_no_further_call_and_a_person_who_knows_what_to_type() -> None:
    stage = Stage()
    remediation = stage.proposed()
    act(stage.world, event(remediation.id))
    stage.production.denied.add(CELLS[1])

    answer = act(stage.world, event(remediation.id, phase="rest"))

    found = actions.read(stage.world.store, remediation.id)
    assert (answer["next"], found.outcome, found.state) == ("release", "partial", "partial")
    assert stage.production.calls == [("update_service", CELLS[0])]
    assert f"applied: update_service on {CELLS[0]}" in found.text
    assert f"not applied: update_service on {CELLS[1]}" in found.text
    assert (
        f"undo by hand: aws ecs update-service --cluster shop --service orders-a --task-definition {BAD}" in found.text
    )


def test_a_role_that_may_not_be_assumed_is_a_denial_too() -> None:
    stage = Stage()
    remediation = stage.proposed()

    act(stage.with_parts(roles=FaultyRoles(Denied("sts:AssumeRole"))), event(remediation.id))

    found = actions.read(stage.world.store, remediation.id)
    assert (found.outcome, found.state) == ("failed", "failed")


def test_a_target_that_cannot_be_read_is_not_touched() -> None:
    stage = Stage()
    remediation = stage.proposed()

    def unreadable(**_: Any) -> Any:
        raise Refused("no such service")

    stage.production.describe_services = unreadable  # type: ignore[method-assign]

    assert "could not be read" in refused(stage, remediation.id)


def test_every_call_and_the_result_are_told_to_the_incident() -> None:
    stage = Stage()
    remediation = stage.proposed("inc3", "clamp")
    stage.start(remediation)
    stage.run_for(100)

    notes = [mail.text for mail in stage.mails("inc3", MailKind.NOTE)]
    assert notes == [f"10:00:00 UTC: called lambda:put_function_concurrency on {FUNCTION}"]
    assert stage.outcomes("inc3") == ["helped"]
