"""Is an approval decided by the right people, for exactly one plan, once, and in time?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from incident_bot.domain.errors import Conflict, Invalid, NotFound, Refused
from incident_bot.domain.incident import State
from incident_bot.domain.mail import MailKind
from incident_bot.domain.team import Mode
from incident_bot.state import actions, approvals, incidents, keys
from incident_bot.state.actions import Remediation
from incident_bot.state.approvals import Approval
from incident_bot.world import Update
from tests.remediating import Interrupted, Stage, a_playbook, the_team


def asked(**limits: Any) -> tuple[Stage, Remediation]:
    stage = Stage(the_team(a_playbook(mode=Mode.PROPOSE), **limits))
    return stage, stage.proposed()


def requested(stage: Stage, requester: str) -> Remediation:
    """The same, asked for by a person."""
    remediation = stage.proposed()
    for key in (keys.action(remediation.id), keys.approval(remediation.approval)):
        stage.world.store.write([Update(key, set={"requester": requester})])
    return remediation


def decided(stage: Stage, remediation: Remediation, person: str, decision: str = "approve", **changes: str) -> Approval:
    digest = changes.get("digest", remediation.digest)
    reason = changes.get("reason", "looks right")
    return approvals.decide(stage.world, remediation.approval, decision, reason, digest, person)


def state(stage: Stage, remediation: Remediation) -> tuple[str, str]:
    return approvals.read(stage.world.store, remediation.approval).state, stage.read(remediation).state


def test_one_approver_is_enough_where_one_is_needed() -> None:
    stage, remediation = asked()

    decided(stage, remediation, "ada")

    assert state(stage, remediation) == ("approved", "approved")
    (mail,) = stage.mails(kind=MailKind.APPROVAL)
    assert (mail.argument, mail.actor, mail.detail["state"]) == (remediation.approval, "ada", "approved")


def test_one_rejection_rejects() -> None:
    stage, remediation = asked(approvers=2)

    decided(stage, remediation, "ada")
    decided(stage, remediation, "grace", "reject")

    assert state(stage, remediation) == ("rejected", "rejected")


def test_two_people_are_two_different_people() -> None:
    stage, remediation = asked(approvers=2)
    decided(stage, remediation, "ada")

    with pytest.raises(Refused, match="ada has decided already") as refused:
        decided(stage, remediation, "ada")
    first = state(stage, remediation)
    decided(stage, remediation, "grace")

    assert refused.value.status == 409
    assert first == ("pending", "proposed")
    assert state(stage, remediation) == ("approved", "approved")
    assert stage.read(remediation).approvers == ("ada", "grace")


def test_somebody_with_the_role_must_be_among_them() -> None:
    stage, remediation = asked(approver_role="sre")

    with pytest.raises(Refused, match="role sre") as refused:
        decided(stage, remediation, "mallory")
    without = state(stage, remediation)
    decided(stage, remediation, "ada")

    assert (refused.value.status, without) == (403, ("pending", "proposed"))
    assert state(stage, remediation) == ("approved", "approved")


def test_the_first_of_two_needs_no_role_and_the_console_stands_in_for_one_alone() -> None:
    stage, remediation = asked(approvers=2, approver_role="sre")
    decided(stage, remediation, "mallory")
    with pytest.raises(Refused, match="role sre"):
        decided(stage, remediation, "")
    decided(stage, remediation, "ada")
    alone, other = asked(approver_role="sre")
    decided(alone, other, "")

    assert state(stage, remediation) == ("approved", "approved")
    assert state(alone, other) == ("approved", "approved")


def test_whoever_asked_for_it_never_approves_it_but_may_withdraw_it() -> None:
    stage, _ = asked()
    remediation = requested(stage, "ada")

    with pytest.raises(Refused, match="never approves") as refused:
        decided(stage, remediation, "ada")
    decided(stage, remediation, "ada", "reject")

    assert (refused.value.status, refused.value.rule) == (403, "requester")
    assert state(stage, remediation) == ("rejected", "rejected")


def test_the_console_counts_as_one_and_is_never_two() -> None:
    stage, remediation = asked(approvers=2)

    decided(stage, remediation, "")
    with pytest.raises(Refused):
        decided(stage, remediation, "")
    alone = state(stage, remediation)
    decided(stage, remediation, "ada")

    assert alone == ("pending", "proposed")
    assert stage.read(remediation).approvers == ("console", "ada")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_the_console_cannot_decide_what_a_person_asked_for(decision: str) -> None:
    stage, _ = asked()

    with pytest.raises(Refused) as refused:
        decided(stage, requested(stage, "ada"), "", decision)
    assert (refused.value.status, refused.value.rule) == (403, "console")


def test_a_stranger_may_not() -> None:
    stage, remediation = asked()

    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "eve")
    assert refused.value.status == 403


def test_another_digest_is_another_plan() -> None:
    stage, remediation = asked()

    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "ada", digest="0" * 64)
    assert (refused.value.status, refused.value.rule) == (409, "digest")


def test_a_digest_that_is_not_current_any_more_is_refused() -> None:
    stage, remediation = asked()
    stage.world.store.write([Update(keys.action(remediation.id), set={"digest": "1" * 64})])

    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "ada")
    assert refused.value.status == 409


def test_a_double_click_runs_once() -> None:
    stage, remediation = asked()
    decided(stage, remediation, "ada")

    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "ada")
    assert (refused.value.status, refused.value.rule) == (409, "used")
    assert len(stage.mails(kind=MailKind.APPROVAL)) == 1


def test_two_at_the_same_moment_are_one_approval() -> None:
    stage, remediation = asked()
    racing = Interrupted(stage.world.store, first=lambda: decided(stage, remediation, "grace"))

    with pytest.raises(Refused) as refused:
        approvals.decide(
            stage.with_parts(store=racing), remediation.approval, "approve", "why", remediation.digest, "ada"
        )

    assert refused.value.rule == "used"
    assert approvals.read(stage.world.store, remediation.approval).approvers == ("grace",)


def test_two_of_two_at_the_same_moment_both_count() -> None:
    stage, remediation = asked(approvers=2)
    racing = Interrupted(stage.world.store, first=lambda: decided(stage, remediation, "grace"))

    approvals.decide(stage.with_parts(store=racing), remediation.approval, "approve", "why", remediation.digest, "ada")

    assert stage.read(remediation).approvers == ("grace", "ada")


def test_an_expired_one_never_revives() -> None:
    stage, remediation = asked()
    stage.world.clock.advance(900)

    for decision in ("approve", "reject"):
        with pytest.raises(Refused) as refused:
            decided(stage, remediation, "ada", decision)
        assert refused.value.status == 410
    assert state(stage, remediation) == ("expired", "expired")


def test_it_expires_only_when_its_time_is_over_and_only_if_nobody_decided() -> None:
    stage, remediation = asked()

    assert not approvals.expire(stage.world, remediation.approval)
    decided(stage, remediation, "ada")
    stage.world.clock.advance(901)
    assert not approvals.expire(stage.world, remediation.approval)
    assert state(stage, remediation) == ("approved", "approved")


def test_an_incident_that_is_over_approves_nothing() -> None:
    stage, remediation = asked()
    before = stage.incident("inc1")
    over = replace(before, state=State.RESOLVED, resolved_at=stage.world.now() + timedelta(0))
    incidents.commit(stage.world, before, over)

    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "ada")
    assert (refused.value.status, refused.value.rule) == (409, "over")


def test_a_request_can_be_taken_back() -> None:
    stage, remediation = asked()

    assert approvals.void(stage.world, remediation.approval)
    with pytest.raises(Refused) as refused:
        decided(stage, remediation, "ada")
    assert refused.value.status == 409
    assert state(stage, remediation) == ("void", "denied")


@pytest.mark.parametrize(("decision", "reason"), [("maybe", "why"), ("", "why"), ("approve", ""), ("approve", "   ")])
def test_a_decision_needs_a_word_and_a_reason(decision: str, reason: str) -> None:
    stage, remediation = asked()

    with pytest.raises(Invalid):
        decided(stage, remediation, "ada", decision, reason=reason)


def test_nothing_has_that_id() -> None:
    stage, _ = asked()

    with pytest.raises(NotFound):
        approvals.decide(stage.world, "inc1-p9", "approve", "why", "d", "ada")


def test_only_one_run_claims_it() -> None:
    stage, remediation = asked()
    decided(stage, remediation, "ada")
    approval = approvals.read(stage.world.store, remediation.approval)

    stage.world.store.write([approvals.claiming(approval, "one")])
    with pytest.raises(Conflict):
        stage.world.store.write([approvals.claiming(approval, "two")])
    assert actions.read(stage.world.store, remediation.id).state == "approved"
