"""Do the guardrails allow, ask and deny exactly as they are specified, and name the rule that decided?

Each row is a sentence of the specification; the code was written to it, not the other way round.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.domain.policy import Decision, Situation, Verdict, decide, fingerprint, lowest
from incident_bot.domain.team import ActionLimits, Freeze, Guardrails, Mode, Resource, Service, Signal
from incident_bot.virtual.clock import T0

SIGNAL = Signal("Shop", "Errors", healthy_below=1)
A, B = "arn:aws:ecs:us-east-1:000000000000:service/shop/a", "arn:aws:ecs:us-east-1:000000000000:service/shop/b"
SERVICE = Service(
    "orders",
    owner="payments",
    environment="production",
    resources=(Resource(A, canary=True, signal=SIGNAL), Resource(B, signal=SIGNAL)),
)
LIMITS = ActionLimits(
    environments=("production",), max_share=0.5, per_hour=3, cooldown_seconds=600, max_cost_usd_per_hour=5
)


def a_plan(*targets: str, **changes: Any) -> Plan:
    calls = [Call(target, "ecs", "update_service", {}, {"v": 2}, {"v": 1}) for target in targets or (A, B)]
    steps = tuple(Step(call.target, call, call, canary=call.target == A) for call in calls)
    return replace(Plan("roll_back", steps, share=0.5), **changes)


def a_situation(**changes: Any) -> Situation:
    """Everything in order: a full-mode playbook inside every limit."""
    situation = Situation(
        now=T0,
        plan=a_plan(),
        service=SERVICE,
        guardrails=Guardrails(limits={"*": LIMITS}),
        kill_switch="",
        mode=Mode.FULL,
        playbook="orders-rollback",
    )
    return replace(situation, **changes)


def limits(**changes: Any) -> Guardrails:
    return Guardrails(limits={"roll_back": replace(LIMITS, **changes)})


def frozen(starts: float, ends: float) -> Guardrails:
    freeze = Freeze("year end", T0 + timedelta(seconds=starts), T0 + timedelta(seconds=ends), "closing the books")
    return Guardrails(limits={"*": LIMITS}, freezes=(freeze,))


def minutes_ago(*ages: float) -> tuple[Any, ...]:
    return tuple(T0 - timedelta(minutes=age) for age in ages)


ROWS: list[tuple[str, Situation, str, str]] = [
    ("a full-mode playbook inside every limit acts by itself", a_situation(), "allow", "mode"),
    ("canary mode acts on the canary alone", a_situation(mode=Mode.CANARY, plan=a_plan(A)), "allow", "mode"),
    ("canary mode asks for anything more", a_situation(mode=Mode.CANARY), "ask", "mode"),
    ("propose mode asks", a_situation(mode=Mode.PROPOSE), "ask", "mode"),
    ("monitor mode only says what it would do", a_situation(mode=Mode.MONITOR), "deny", "mode"),
    ("a mode that nobody knows is denied", a_situation(mode="sometimes"), "deny", "mode"),
    ("a person's proposal always asks somebody else", a_situation(mode=None, requester="ada"), "ask", "requester"),
    ("nobody's proposal is denied", a_situation(mode=None), "deny", "mode"),
    ("the kill switch denies whatever else holds", a_situation(kill_switch="it is on"), "deny", "kill switch"),
    ("an unknown service is denied", a_situation(service=None), "deny", "service"),
    ("a service without an owner is denied", a_situation(service=replace(SERVICE, owner="")), "deny", "owner"),
    ("a target that is not configured is denied", a_situation(plan=a_plan(A, "arn:other")), "deny", "target"),
    ("a plan without steps is denied", a_situation(plan=a_plan(steps=())), "deny", "plan"),
    (
        "a target without a signal is denied: nothing could tell whether it helped",
        a_situation(service=replace(SERVICE, resources=(Resource(A), Resource(B)))),
        "deny",
        "signal",
    ),
    ("another environment is denied", a_situation(service=replace(SERVICE, environment="lab")), "deny", "environment"),
    ("no environment configured denies all", a_situation(guardrails=limits(environments=())), "deny", "environment"),
    ("no limits configured denies all", a_situation(guardrails=Guardrails()), "deny", "environment"),
    ("inside a freeze is denied", a_situation(guardrails=frozen(-60, 60)), "deny", "freeze"),
    ("at a freeze's first instant is denied", a_situation(guardrails=frozen(0, 60)), "deny", "freeze"),
    ("at a freeze's end is allowed again", a_situation(guardrails=frozen(-60, 0)), "allow", "mode"),
    ("before a freeze is allowed", a_situation(guardrails=frozen(1, 60)), "allow", "mode"),
    ("above the cost ceiling is denied", a_situation(plan=a_plan(cost_usd_per_hour=5.01)), "deny", "cost"),
    ("at the cost ceiling is allowed", a_situation(plan=a_plan(cost_usd_per_hour=5.0)), "allow", "mode"),
    ("the third run in an hour is allowed", a_situation(taken=minutes_ago(5, 59)), "allow", "mode"),
    ("the fourth run in an hour is denied", a_situation(taken=minutes_ago(5, 10, 59)), "deny", "rate"),
    ("a run an hour ago no longer counts", a_situation(taken=minutes_ago(5, 10, 60)), "allow", "mode"),
    ("inside the cooldown is denied", a_situation(last={B: minutes_ago(9.9)[0]}), "deny", "cooldown"),
    ("at the cooldown's end is allowed", a_situation(last={B: minutes_ago(10)[0]}), "allow", "mode"),
    ("another target's cooldown does not matter", a_situation(last={"arn:other": T0}), "allow", "mode"),
    ("after three failures in a row the playbook stops", a_situation(failures=3), "deny", "failures"),
    ("after two it goes on", a_situation(failures=2), "allow", "mode"),
    ("a person may still propose it", a_situation(failures=3, mode=None, requester="ada"), "ask", "requester"),
    ("more than the share is asked", a_situation(plan=a_plan(share=0.51)), "ask", "blast radius"),
    ("exactly the share is allowed", a_situation(plan=a_plan(share=0.5)), "allow", "mode"),
    ("two approvers are always asked", a_situation(guardrails=limits(approvers=2)), "ask", "approvers"),
    ("a role is always asked", a_situation(guardrails=limits(approver_role="sre")), "ask", "approvers"),
    (
        "under way already: how often it may begin no longer matters",
        a_situation(taken=minutes_ago(1, 2, 3), last={A: T0}, failures=9, resuming=True),
        "allow",
        "mode",
    ),
    (
        "under way already: a freeze still denies",
        a_situation(guardrails=frozen(-1, 60), resuming=True),
        "deny",
        "freeze",
    ),
    (
        "a denial beats a question",
        a_situation(plan=a_plan(share=0.9), taken=minutes_ago(1, 2, 3)),
        "deny",
        "rate",
    ),
]


@pytest.mark.parametrize(("situation", "verdict", "rule"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_guardrails_decide(situation: Situation, verdict: str, rule: str) -> None:
    decision = decide(situation)

    assert (decision.verdict.value, decision.rule) == (verdict, rule)
    assert decision.reason


def test_where_it_asks_it_says_how_many_of_which_role() -> None:
    decision = decide(a_situation(guardrails=limits(approvers=2, approver_role="security")))

    assert (decision.approvers, decision.approver_role) == (2, "security")


def test_asking_for_nobody_is_asking_for_one() -> None:
    assert decide(a_situation(mode=Mode.PROPOSE, guardrails=limits(approvers=0))).approvers == 1


@given(
    st.builds(
        a_situation,
        mode=st.sampled_from([None, *Mode]),
        kill_switch=st.sampled_from(["", "on"]),
        requester=st.sampled_from(["", "ada"]),
        failures=st.integers(0, 5),
        service=st.sampled_from([None, SERVICE, replace(SERVICE, owner=""), replace(SERVICE, environment="lab")]),
        plan=st.builds(a_plan, share=st.floats(0, 1), cost_usd_per_hour=st.floats(0, 10)),
    )
)
def test_nothing_acts_by_itself_unless_everything_is_known_and_off_limits_is_nothing(situation: Situation) -> None:
    decision: Decision = decide(situation)

    if decision.verdict is Verdict.ALLOW:
        assert situation.mode is Mode.FULL
        assert not situation.kill_switch
        assert not situation.requester
        assert situation.service == SERVICE
        assert situation.plan.share <= 0.5
        assert situation.plan.cost_usd_per_hour <= 5


@pytest.mark.parametrize(
    ("configured", "earned", "effective"),
    [
        (Mode.FULL, None, Mode.FULL),
        (Mode.FULL, Mode.CANARY, Mode.CANARY),
        (Mode.PROPOSE, Mode.FULL, Mode.PROPOSE),  # configuration is the ceiling
        (Mode.MONITOR, Mode.FULL, Mode.MONITOR),
    ],
)
def test_what_is_earned_never_exceeds_what_is_configured(
    configured: Mode, earned: Mode | None, effective: Mode
) -> None:
    assert lowest(configured, earned) is effective


def test_the_policys_fingerprint_changes_with_whatever_governs_the_action_and_with_nothing_else() -> None:
    governed = fingerprint(Guardrails(limits={"*": LIMITS}), "roll_back", SERVICE, None)
    elsewhere = Guardrails(limits={"*": LIMITS, "restart": ActionLimits(per_hour=99)})

    assert governed == fingerprint(elsewhere, "roll_back", SERVICE, None)
    assert governed != fingerprint(limits(per_hour=4), "roll_back", SERVICE, None)
    assert governed != fingerprint(frozen(0, 1), "roll_back", SERVICE, None)
    assert governed != fingerprint(Guardrails(limits={"*": LIMITS}), "roll_back", replace(SERVICE, owner="x"), None)
