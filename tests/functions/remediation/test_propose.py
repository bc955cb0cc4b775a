"""Does `propose` begin what is allowed, ask where people must, and let a held page go on anything else?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.remediation.propose import propose
from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Firing, Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.match import matches
from incident_bot.domain.message import Kind
from incident_bot.domain.team import Mode, Playbook
from incident_bot.state import actions, approvals, incidents, intents
from incident_bot.virtual.clock import T0
from tests.remediating import CELLS, Stage, a_playbook, the_team

FIRING = Firing("orders/errors", "orders error rate", "alertmanager", T0, T0, Severity.SEV2, "orders")
HOLD = timedelta(seconds=180)


def a_stage(*playbooks: Playbook, held: bool = False, **changes: Any) -> Stage:
    """`orders` fires in inc1; its page may be held for a playbook."""
    stage = Stage(the_team(*playbooks))
    before = stage.incident("inc1")
    clocks = {"hold": T0 + HOLD} if held else {}
    orders = {"service": "orders"}
    fits = tuple(p.name for p in stage.world.team.playbooks if matches(p.when, orders))
    firing = replace(FIRING, playbooks=fits)
    after = replace(before, firing={"f1": firing}, clocks=clocks, step=Step("Propose", "it fires"), **changes)
    incidents.commit(stage.world, before, after)
    if held:
        page = Intent("inc1", "page-first", "first", Kind.TRIGGER, Severity.SEV2, "payments", (), "it pages")
        stage.world.store.write([intents.opening(replace(page, not_before=T0 + HOLD), T0)])
    return stage


def proposed(stage: Stage) -> tuple[dict[str, Any], Incident]:
    answer = propose(stage.world, {"incident": "inc1", "generation": 1})
    return answer, stage.incident("inc1")


def lines(stage: Stage) -> Sequence[tuple[str, str]]:
    return [(entry["text"], entry["reason"]) for entry in incidents.timeline(stage.world.store, "inc1")]


def page(stage: Stage) -> Intent:
    return next(intent for intent in intents.of(stage.world.store, "inc1") if intent.pages)


def test_a_playbook_may_ask_for_a_label_of_the_alert() -> None:
    """What fits was found out when the alert came in, labels included: its name stands with the series that fires."""
    playbook = a_playbook(when={"service": "orders", "labels.cell": "a"})
    stage = a_stage(playbook)
    assert proposed(stage)[0]["verdict"] == "none"
    before = stage.incident("inc1")
    firing = {"f1": replace(FIRING, playbooks=(playbook.name,))}
    incidents.commit(stage.world, before, replace(before, firing=firing, step=Step("Propose", "it fires")))
    assert proposed(stage)[0]["verdict"] == "allow"


def test_what_is_allowed_is_the_next_step_and_the_page_stays_held() -> None:
    stage = a_stage(held=True)

    answer, incident = proposed(stage)

    assert (answer["verdict"], answer["step"], answer["execution"]) == ("allow", "Remediate", "inc1-a1-apply-1")
    assert incident.step is not None
    assert (incident.step.name, incident.step.action, incident.step.purpose) == ("Remediate", "inc1-a1", "apply")
    assert (incident.actions["inc1-a1"].state, incident.actions["inc1-a1"].attempts) == ("running", 1)
    assert incident.state is State.ACTIVE
    assert page(stage).not_before == T0 + HOLD
    assert actions.read(stage.world.store, "inc1-a1").plan.targets == CELLS


def test_the_timeline_says_which_rule_decided() -> None:
    stage = a_stage()

    proposed(stage)

    (text, reason), (state, _) = lines(stage)[-2:]
    assert state == "the incident is active"
    assert text.endswith("guardrails allow")
    assert reason.startswith("mode: orders-rollback runs in mode full")


def test_where_it_asks_people_are_told_what_to_approve() -> None:
    stage = a_stage(a_playbook(mode=Mode.PROPOSE))

    answer, incident = proposed(stage)

    approval = approvals.read(stage.world.store, "inc1-p1")
    (update,) = intents.of(stage.world.store, "inc1")
    assert answer["verdict"] == "ask"
    assert incident.clocks["approval"] == approval.expires_at == T0 + timedelta(seconds=900)
    assert (update.kind, update.details["approval"], update.details["digest"]) == (
        Kind.UPDATE,
        approval.id,
        approval.digest,
    )
    assert "the last deploy is the likeliest cause" in update.text
    assert incident.step is not None
    assert incident.step.name == "Page"


def test_asking_ends_the_hold_and_the_page_carries_the_question() -> None:
    stage = a_stage(a_playbook(mode=Mode.PROPOSE), held=True)

    _, incident = proposed(stage)

    assert page(stage).not_before == T0
    assert page(stage).details["approval"] == "inc1-p1"
    assert "hold" not in incident.clocks
    assert len(intents.of(stage.world.store, "inc1")) == 1


@pytest.mark.parametrize(
    ("because", "playbook", "verdict", "said"),
    [
        ("it only monitors", a_playbook(mode=Mode.MONITOR), "deny", "mode: orders-rollback only monitors"),
        ("no playbook fits", a_playbook(when={"service": "search"}), "none", ""),
        (
            "it could not be planned",
            a_playbook(action="limit_lambda_concurrency", parameters={"limit": 1}),
            "none",
            "it could not be planned: orders has nothing that limit_lambda_concurrency takes",
        ),
    ],
)
def test_the_hold_ends_at_once_on_anything_but_allow(because: str, playbook: Playbook, verdict: str, said: str) -> None:
    stage = a_stage(playbook, held=True)

    answer, incident = proposed(stage)

    assert answer["verdict"] == verdict, because
    assert page(stage).not_before == T0
    assert incident.step is not None
    assert incident.step.name == "Page"
    assert not said or lines(stage)[-1][1].startswith(said)


def test_the_kill_switch_denies_and_the_page_goes() -> None:
    stage = a_stage(held=True)
    stage.switch(on=True)

    answer, _ = proposed(stage)

    assert answer["verdict"] == "deny"
    assert page(stage).not_before == T0


def test_what_a_playbook_would_do_is_recorded_though_it_may_not() -> None:
    stage = a_stage(a_playbook(mode=Mode.MONITOR))

    proposed(stage)

    found = actions.read(stage.world.store, "inc1-a1")
    assert (found.state, found.verdict, found.plan.targets) == ("denied", "deny", CELLS)


def test_a_playbook_has_one_turn_and_then_the_next_one_has() -> None:
    stage = a_stage(a_playbook(mode=Mode.MONITOR), a_playbook(name="restart", action="restart_ecs_service"))

    answer, _ = proposed(stage)

    assert answer["action"] == "inc1-a1"
    assert actions.read(stage.world.store, "inc1-a1").playbook == "restart"


def test_while_one_is_under_way_nothing_else_is_proposed() -> None:
    stage = a_stage()
    proposed(stage)

    answer, _ = proposed(stage)

    assert (answer["verdict"], answer["action"], answer["step"]) == ("none", "", "Remediate")
    assert len(actions.of(stage.world.store, "inc1")) == 1


def test_another_alert_does_not_let_the_page_go_that_waits_for_what_is_under_way() -> None:
    stage = a_stage(held=True)
    proposed(stage)

    proposed(stage)

    assert page(stage).not_before == T0 + HOLD


def test_a_step_that_still_waits_is_not_lost() -> None:
    stage = a_stage()
    before = stage.incident("inc1")
    incidents.commit(stage.world, before, replace(before, step=Step("Page", "the first page was missing")))

    _, incident = proposed(stage)

    assert incident.step == Step("Page", "the first page was missing")
    assert incident.actions["inc1-a1"].state == "approved"  # which the actor takes up after that


def test_another_generation_proposes_nothing() -> None:
    stage = a_stage()

    assert propose(stage.world, {"incident": "inc1", "generation": 2})["step"] == "End"
    assert actions.of(stage.world.store, "inc1") == []


def test_canary_mode_begins_with_the_canary_alone() -> None:
    stage = a_stage(a_playbook(mode=Mode.CANARY))

    answer, _ = proposed(stage)

    found = actions.read(stage.world.store, "inc1-a1")
    assert answer["verdict"] == "allow"
    assert (found.plan.targets, found.rest) == (CELLS[:1], True)
