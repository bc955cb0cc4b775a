"""Does `verify` ask the source before anything is called over, and believe nobody else?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.closure.verify import verify
from incident_bot.domain.incident import Firing, Incident, State, Step
from incident_bot.state import incidents
from incident_bot.virtual.clock import T0
from incident_bot.virtual.surroundings import MemoryClients
from tests.building import a_world, an_incident
from tests.signalling import the_incident, turn_of

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:checkout-p95"
ALARM = Firing("checkout/p95", "p95", "cloudwatch", T0, T0, ask=ARN)
WEBHOOK = Firing("checkout/errors", "errors", "generic", T0, T0)
ASKED = an_incident(state=State.ACTIVE, step=Step("Verify", "its alerts cleared"))


class CloudWatch:
    """DescribeAlarms with one alarm in a given state."""

    def __init__(self, state: str) -> None:
        self.state = state

    def describe_alarms(self, **_: Any) -> Mapping[str, Any]:
        return {
            "MetricAlarms": [{"AlarmName": "checkout-p95", "AlarmArn": ARN, "StateValue": self.state}],
            "CompositeAlarms": [],
        }


def verified(incident: Incident, state: str = "OK", later: float = 0) -> Incident:
    world = a_world(None, incident, clients=MemoryClients(cloudwatch=CloudWatch(state)))
    world.clock.advance(later)
    verify(world, turn_of(incident))
    return the_incident(world)


def test_nothing_fires_any_more_so_the_quiet_period_begins() -> None:
    after = verified(replace(ASKED, state=State.MITIGATED))
    assert (after.state, after.step) == (State.MITIGATED, None)
    assert after.clocks["quiet"] == T0 + timedelta(seconds=60)


def test_a_flapping_incident_waits_longer_than_its_rhythm() -> None:
    after = verified(replace(ASKED, state=State.MITIGATED, quiet_seconds=400))
    assert after.clocks["quiet"] == T0 + timedelta(seconds=400)


@pytest.mark.parametrize(("state", "then"), [("ALARM", State.ACTIVE), ("OK", State.MITIGATED)])
def test_a_source_that_can_be_asked_decides(state: str, then: State) -> None:
    after = verified(replace(ASKED, firing={"v1:a": ALARM}), state)
    assert after.state is then
    assert ("v1:a" in after.firing) == (state == "ALARM")


def test_a_source_that_said_it_is_over_is_asked_whether_it_is() -> None:
    """A resolve may be late, forged or overtaken: the alarm itself knows."""
    said_over = replace(ASKED, state=State.MITIGATED, cleared={"v1:a": ALARM})
    assert verified(said_over, "ALARM").state is State.ACTIVE
    assert list(verified(said_over, "ALARM").firing) == ["v1:a"]
    after = verified(said_over, "OK")
    assert (after.state, after.cleared) == (State.MITIGATED, {})


def test_a_source_that_fails_to_answer_keeps_nothing_open() -> None:
    incident = replace(ASKED, state=State.MITIGATED, cleared={"v1:a": ALARM})
    world = a_world(None, incident)  # it has no client for CloudWatch
    assert verify(world, turn_of(incident)) == {"firing": 0, "asked": 1}


def test_a_persons_resolve_skips_the_quiet_period_but_not_the_source() -> None:
    asked = replace(ASKED, resolve_asked_by="ada", firing={"v1:a": ALARM})
    agreed, refused = verified(asked, "OK"), verified(asked, "ALARM")
    assert agreed.clocks["quiet"] == T0, "it closes at once"
    assert "quiet" not in refused.clocks
    assert refused.state is State.ACTIVE
    assert refused.resolve_asked_by == ""


def test_where_the_source_cannot_be_asked_a_persons_word_counts() -> None:
    after = verified(replace(ASKED, resolve_asked_by="ada", firing={"v1:b": WEBHOOK}))
    assert after.clocks["quiet"] == T0


@pytest.mark.parametrize(("later", "fires"), [(60, True), (3700, False)], ids=["heard of lately", "lost resolve"])
def test_a_lost_resolve_is_found_by_silence(later: float, fires: bool) -> None:
    after = verified(replace(ASKED, firing={"v1:b": WEBHOOK}), later=later)
    assert bool(after.firing) == fires


@pytest.mark.parametrize(
    ("source", "why"), [("generic", "its resolve was lost"), ("budgets", "it never says that it is over")]
)
def test_silence_is_said_to_be_what_it_is(source: str, why: str) -> None:
    incident = replace(ASKED, firing={"v1:b": replace(WEBHOOK, source=source)})
    world = a_world(None, incident)
    world.clock.advance(25 * 3600)

    verify(world, turn_of(incident))

    texts = [entry["text"] for entry in incidents.timeline(world.store, incident.id)]
    assert texts[0] == f"errors: not heard of for 90000 s: {why}"


def test_every_opinion_is_on_the_record() -> None:
    incident = replace(ASKED, firing={"v1:a": ALARM})
    world = a_world(None, incident, clients=MemoryClients(cloudwatch=CloudWatch("ALARM")))
    verify(world, turn_of(incident))
    texts = [entry["text"] for entry in incidents.timeline(world.store, incident.id)]
    assert texts[0] == "p95: cloudwatch says it still fires"


@pytest.mark.parametrize(
    ("firing", "reason"),
    [
        ({"v1:a": ALARM}, "ada says it is over and so does its source"),
        ({"v1:b": WEBHOOK}, "ada says it is over; not every source could be asked"),
        ({"v1:a": ALARM, "v1:b": WEBHOOK}, "ada says it is over; not every source could be asked"),
        ({}, "ada says it is over and nothing of it fires"),
    ],
    ids=["asked", "not asked", "one of two asked", "nothing to ask about"],
)
def test_the_record_claims_no_source_s_word_that_was_not_given(firing: Mapping[str, Firing], reason: str) -> None:
    incident = replace(ASKED, resolve_asked_by="ada", firing=firing)
    world = a_world(None, incident, clients=MemoryClients(cloudwatch=CloudWatch("OK")))
    verify(world, turn_of(incident))
    entries = {e["text"]: e["reason"] for e in incidents.timeline(world.store, incident.id)}
    assert entries["it closes now"] == reason


def test_silence_is_not_called_a_verified_recovery() -> None:
    incident = replace(ASKED, firing={"v1:b": WEBHOOK})
    world = a_world(None, incident)
    world.clock.advance(3700)
    verify(world, turn_of(incident))
    entries = {e["text"]: e["reason"] for e in incidents.timeline(world.store, incident.id)}
    assert entries["it closes after 60 s without news"] == "not every source could be asked: what was heard last counts"


@pytest.mark.parametrize(("hours", "fires"), [(3.9, True), (5.1, False)], ids=["before its next word", "after it"])
def test_a_source_that_repeats_rarely_is_not_called_over_before_it_would_have(hours: float, fires: bool) -> None:
    """Alertmanager repeats what fires every four hours by default: an hour's silence is no lost resolve."""
    repeated = replace(WEBHOOK, source="alertmanager")
    after = verified(replace(ASKED, firing={"v1:b": repeated}), later=hours * 3600)
    assert bool(after.firing) == fires
