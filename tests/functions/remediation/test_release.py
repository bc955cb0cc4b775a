"""Does `release` tell the result once, free its own locks and no other's, and wake who waits?"""

from typing import Any

from functions.remediation.act import act
from functions.remediation.release import release
from incident_bot.domain.mail import MailKind
from incident_bot.domain.team import Mode
from incident_bot.state import budgets, heads, keys
from tests.remediating import CELLS, FUNCTION, Stage, a_playbook, the_team


def event(name: str = "inc1-a1", purpose: str = "apply", attempt: int = 1) -> dict[str, Any]:
    return {"incident": name.split("-", maxsplit=1)[0], "action": name, "purpose": purpose, "attempt": attempt}


def applied(playbook: str = "orders-rollback", incident: str = "inc1") -> Stage:
    """A remediation that ran to its end."""
    stage = Stage()
    stage.start(stage.proposed(incident, playbook))
    stage.run_for(200)
    return stage


def test_it_tells_the_result_with_the_journals_head() -> None:
    stage = applied()

    (result,) = stage.mails()
    found = stage.world.store.get(keys.action("inc1-a1")) or {}
    assert result.argument == "inc1-a1"
    assert result.detail["outcome"] == "helped"
    assert result.detail["journal"] == found["journal_head"]


def test_a_change_that_stays_frees_its_locks() -> None:
    assert applied().locked() == []


def test_a_mitigation_keeps_its_lock_until_it_is_lifted() -> None:
    stage = applied("clamp", "inc3")
    kept = stage.locked()
    remediation = stage.world.store.get(keys.action("inc3-a1")) or {}

    stage.world.machines.start("remediation", "inc3-a1-lift-2", event("inc3-a1", "lift", 2))
    stage.run_for(30)

    assert remediation["state"] == "applied"
    assert kept == [FUNCTION]
    assert stage.production.reserved is None
    assert stage.outcomes("inc3") == ["helped", "lifted"]
    assert stage.locked() == []


def test_a_second_release_tells_nothing_more() -> None:
    stage = applied()

    assert release(stage.world, event()) == {"released": False, "outcome": "ended"}
    assert stage.outcomes() == ["helped"]


def test_an_unfinished_journal_is_left_to_sweep_with_its_locks() -> None:
    stage = Stage()
    stage.proposed()
    act(stage.world, event())

    assert release(stage.world, event())["outcome"] == "unfinished"
    assert stage.outcomes() == []
    assert stage.locked() == list(CELLS)


def test_who_waits_for_a_lock_is_told_and_woken() -> None:
    stage = Stage()
    stage.start(stage.proposed())
    second = stage.proposed("inc2")
    stage.run_for(5)
    stage.start(second)
    stage.run_for(200)

    told = {mail.argument for mail in stage.mails("inc2", MailKind.RELEASED)}
    assert stage.outcomes("inc2") == ["busy"]
    assert told == set(CELLS)


def test_a_busy_remediation_does_not_free_the_others_lock() -> None:
    stage = Stage()
    first, second = stage.proposed(), stage.proposed("inc2")
    act(stage.world, event(first.id))
    act(stage.world, event(second.id))

    release(stage.world, event(second.id))

    assert stage.locked() == list(CELLS)


def test_while_it_runs_nothing_moves_out_of_its_incident_and_afterwards_it_may() -> None:
    stage = Stage()
    remediation = stage.proposed()
    act(stage.world, event())
    acting = heads.read(stage.world.store, remediation.scope).acting

    stage.world.machines.start("remediation", "inc1-a1-apply-2", event(attempt=2))
    stage.run_for(200)

    assert acting == {"inc1-a1": "inc1"}
    assert heads.read(stage.world.store, remediation.scope).acting == {}


def test_the_first_rollback_demotes_the_playbook_and_says_so() -> None:
    stage = Stage()
    stage.production.sick = lambda _: True
    stage.start(stage.proposed())
    stage.run_for(200)

    assert stage.outcomes() == ["undone"]
    assert budgets.earned(stage.world.store, "orders-rollback").mode is Mode.CANARY
    assert "demoted from full to canary" in stage.mails()[0].text


def test_three_failures_in_a_row_stop_the_playbook() -> None:
    stage = Stage(the_team(a_playbook(mode=Mode.PROPOSE)))
    stage.production.sick = lambda _: True
    for _ in range(3):
        remediation = stage.proposed()
        stage.approve(remediation, "ada")
        stage.start(remediation)
        stage.run_for(200)

    stopped = stage.proposed()

    assert stage.outcomes() == ["undone"] * 3
    assert (stopped.state, stopped.rule) == ("denied", "failures")


def test_a_canary_that_helped_invites_the_rest() -> None:
    stage = Stage(the_team(a_playbook(mode=Mode.CANARY)))
    canary = stage.proposed()
    stage.start(canary)
    stage.run_for(200)

    rest = stage.proposed()

    assert canary.plan.targets == CELLS[:1]
    assert canary.verdict == "allow"
    assert [mail.argument for mail in stage.mails(kind=MailKind.RELEASED)] == ["the rest of the service"]
    assert rest.plan.targets == CELLS[1:]
    assert rest.verdict == "ask"
