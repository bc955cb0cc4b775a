"""Do the invariants of the fault table hold, whatever transport, AWS and people do to incidents and remediations?"""

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from incident_bot.domain.alert import Alert, Status
from tests.simulation import acting
from tests.simulation.faults import Plan
from tests.simulation.invariants import broken
from tests.simulation.remedies import broken as broken_remedies
from tests.simulation.remedies import shop_of
from tests.simulation.schedules import Told, break_everywhere, play, tell
from tests.simulation.stage import SERVICES, Account, an_account, an_alert_of

FIRING, RESOLVED = Status.FIRING, Status.RESOLVED
CASCADE = [
    (0, "checkout", "errors", FIRING),
    (20, "orders", "errors", FIRING),
    (30, "orders", "errors", RESOLVED),
    (5, "checkout", "errors", RESOLVED),
]


def test_the_story_itself_breaks_nothing_and_ends_resolved() -> None:
    account = tell(Plan(), CASCADE)
    assert broken(account) == []
    assert [incident.state for incident in account.incidents()] == ["resolved"]
    assert len(account.pager.woken) == 1
    assert account.pager.open == {}


def test_an_invariant_that_does_not_hold_is_found() -> None:
    """The checks can fail: what they look for is taken away from a healthy account."""
    account = tell(Plan(), CASCADE[:1])
    account.pager.woken.clear()
    account.world.machines.executions.clear()
    assert {flaw.split(":")[0] for flaw in broken(account)} == {"2", "11"}


@pytest.mark.parametrize("fault", ["dies before", "dies after"])
def test_whoever_dies_at_any_call_of_a_cascade_leaves_nothing_lost_or_doubled(fault: str) -> None:
    assert break_everywhere(CASCADE, [fault], stride=2) == []


AT_ONCE = [(0, "checkout", "errors", FIRING), (0, "orders", "errors", FIRING), (0, "checkout", "latency", FIRING)]
CLEARS = [(0, "checkout", "errors", FIRING), (9, "checkout", "errors", FIRING), (0, "checkout", "errors", RESOLVED)]


@pytest.mark.parametrize("story", [AT_ONCE, CLEARS], ids=["three alerts of one fault", "a repeat and its resolve"])
def test_whoever_is_overtaken_at_any_call_decides_again(story: list[Told]) -> None:
    """Two consumers, a consumer and an execution, an execution and sweep: one does all its work inside the other's."""
    assert break_everywhere(story, ["meanwhile"]) == []


@pytest.mark.parametrize("seed", range(20))
def test_random_trouble_leaves_nothing_lost_or_doubled(seed: int) -> None:
    outcome = play(seed)
    assert outcome.flaws == (), outcome.faults


@pytest.mark.parametrize("seed", range(24))
def test_whatever_people_and_permissions_do_a_remediation_is_whole_or_a_person_knows(seed: int) -> None:
    outcome = acting.play(seed)
    assert outcome.flaws == (), outcome.faults


@pytest.mark.parametrize("fault", ["dies before", "dies after", "lost answer", "throttled"])
def test_whoever_fails_at_any_call_while_two_playbooks_act_leaves_all_or_nothing(fault: str) -> None:
    offset = ["dies before", "dies after", "lost answer", "throttled"].index(fault)
    assert acting.die_everywhere(fault, stride=8, offset=2 * offset) == ()


def test_a_remedy_that_is_not_whole_is_found() -> None:
    """The checks can fail: the world is changed behind the journals, a lock and an approval are taken away."""
    account = acting.a_story(Plan())
    assert broken_remedies(account) == []
    shop = shop_of(account)
    shop.runs[shop.targets("orders-errors")[0]] = "somebody else's"
    shop.effects.pop()
    assert {flaw.split(":")[0] for flaw in broken_remedies(account)} == {"production", "1"}


class Trouble(RuleBasedStateMachine):
    """Alerts that fire, clear, come late and twice; people who acknowledge; calls that fail at any moment."""

    account: Account

    @initialize()
    def open_an_account(self) -> None:
        self.account = an_account(Plan(dice=random.Random(0)))

    @rule(
        service=st.sampled_from(SERVICES), kind=st.sampled_from(("errors", "latency")), status=st.sampled_from(Status)
    )
    def speak(self, service: str, kind: str, status: Status) -> None:
        if status is not Status.UNKNOWN:
            self.account.send(an_alert_of(service, kind, status, self.account.world.now()))
            self.account.deployment.run_for(1)

    @rule(data=st.data(), delay=st.sampled_from((0, 40)))
    def repeat_something_old(self, data: st.DataObject, delay: int) -> None:
        if self.account.sent:
            old: Alert = data.draw(st.sampled_from(self.account.sent))
            self.account.send(old, delay=delay)

    @rule()
    def acknowledge(self) -> None:
        self.account.acknowledge()

    @rule(seconds=st.sampled_from((1, 20, 61, 130)))
    def pass_time(self, seconds: int) -> None:
        self.account.deployment.run_for(seconds)

    @rule(calls=st.integers(0, 12), fault=st.sampled_from(("throttled", "lost answer", "dies before", "dies after")))
    def break_a_call_to_come(self, calls: int, fault: str) -> None:
        self.account.plan.at[self.account.plan.calls + calls] = fault

    def teardown(self) -> None:
        if hasattr(self, "account"):
            self.account.settle()
            assert broken(self.account) == [], self.account.plan.happened


Trouble.TestCase.settings = settings(
    max_examples=25, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTrouble = Trouble.TestCase
