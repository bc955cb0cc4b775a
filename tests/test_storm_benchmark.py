"""Does the storm benchmark tell the truth: is each delivery somebody's, is a bad assignment scored as a bad one?"""

import json
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from benchmarks.baseline import one_hop
from benchmarks.storm import Storm, a_storm, pairwise_f1, scored, told
from incident_bot.domain.alert import Severity
from incident_bot.domain.clock import rfc3339
from incident_bot.ingest.recording import Recorded
from incident_bot.virtual.clock import T0
from incident_bot.virtual.replay import Page, Replay


@pytest.fixture(scope="module")
def storm() -> Storm:
    return a_storm(1)


def test_every_delivery_is_somebodys_and_comes_in_order(storm: Storm) -> None:
    assert {delivery.delivery_id for delivery in storm.deliveries} == set(storm.truth)
    moments = [delivery.at for delivery in storm.deliveries]
    assert moments == sorted(moments)


def test_some_deliveries_come_twice_and_say_the_same(storm: Storm) -> None:
    bodies: dict[str, set[str]] = {}
    for delivery in storm.deliveries:
        bodies.setdefault(delivery.delivery_id, set()).add(delivery.body)
    assert len(storm.deliveries) > len(bodies)
    assert all(len(said) == 1 for said in bodies.values())


def test_each_fault_begins_with_its_first_delivery(storm: Storm) -> None:
    assert (
        set(storm.faults)
        == {"fault-0", "fault-1", "fault-2", "fault-zone"}
        == {name for name in storm.truth.values() if name.startswith("fault")}
    )
    for fault, first in storm.faults.items():
        its = [(d.at - T0).total_seconds() for d in storm.deliveries if storm.truth[d.delivery_id] == fault]
        assert first == min(its)


@pytest.mark.parametrize("seed", [1, 5])
def test_no_series_fires_twice_at_once(seed: int) -> None:
    for spells in a_storm(seed).fires.values():
        ordered = sorted(spells)
        assert all(before[1] < after[0] for before, after in pairwise(ordered))


def test_what_is_replayed_carries_none_of_the_truth(storm: Storm) -> None:
    assert not any("fault" in delivery.body for delivery in storm.deliveries)


def test_a_seed_is_one_storm_and_another_seed_another(storm: Storm) -> None:
    assert a_storm(1).deliveries == storm.deliveries
    assert a_storm(2).deliveries != storm.deliveries


def test_the_truth_itself_scores_one(storm: Storm) -> None:
    renamed = {delivery: f"inc-{fault}" for delivery, fault in storm.truth.items()}
    assert pairwise_f1(storm.truth, renamed) == 1.0


TRUTH = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b"}  # 3 + 1 pairs


@pytest.mark.parametrize(
    ("assigned", "f1"),
    [
        (dict.fromkeys(TRUTH, "one"), 2 * 4 / (10 + 4)),
        ({name: name for name in TRUTH}, 0.0),
        ({"a1": "x", "a2": "x", "a3": "y", "b1": "z", "b2": "z"}, 2 * 2 / (2 + 4)),
        ({"a1": "x", "a2": "x", "a3": "x", "b1": "x", "b2": "z"}, 2 * 3 / (6 + 4)),
    ],
    ids=["all in one incident", "each an incident", "one is missing", "one is in the wrong incident"],
)
def test_a_bad_assignment_scores_what_its_pairs_say(assigned: dict[str, str], f1: float) -> None:
    assert pairwise_f1(TRUTH, assigned) == pytest.approx(f1)


def a_page(at: float, *deliveries: str) -> Page:
    return Page(at, deliveries, "ada", "inc1", "core", Severity.SEV2, "page", "it pages")


def test_a_page_is_about_the_fault_in_it_however_much_noise_there_is(storm: Storm) -> None:
    fault = next(iter(storm.faults))
    noise = [d for d, name in storm.truth.items() if not name.startswith("fault")][:9]
    its = next(d for d, name in storm.truth.items() if name == fault)
    found = list(told(storm, Replay((), (a_page(5, *noise, its), a_page(6, *noise)), ())))
    assert found == [(fault, 5), (Counter(storm.truth[d] for d in noise).most_common(1)[0][0], 6)]


def a_critical(at: float, service: str) -> Recorded:
    labels = {"alertname": "Errors", "service": service, "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "startsAt": rfc3339(T0), "endsAt": "0001-01-01T00:00:00Z"}
    body = json.dumps({"version": "4", "alerts": [alert]})
    return Recorded(T0 + timedelta(seconds=at), f"{service}@{at:.0f}", "alertmanager", body)


SAID = [a_critical(0, "web"), a_critical(60, "db"), a_critical(120, "mail"), a_critical(500, "web")]


@pytest.mark.parametrize(
    ("calls", "together"),
    [
        ({}, [["web@0"], ["db@60"], ["mail@120"], ["web@500"]]),
        ({"web": ["db"]}, [["web@0", "db@60"], ["mail@120"], ["web@500"]]),
    ],
    ids=["one incident for each service", "one hop"],
)
def test_a_baseline_joins_what_it_says_and_pages_once(calls: dict[str, list[str]], together: list[list[str]]) -> None:
    found = one_hop(SAID, calls)
    incidents: dict[str, list[str]] = {}
    for line in found.assign:
        incidents.setdefault(line["incident"], []).append(line["delivery_id"])
    assert list(incidents.values()) == together
    assert [page["delivery_ids"] for page in found.pages] == [deliveries[:1] for deliveries in together]


def test_what_is_scored_of_a_baseline_is_scored_as_ours(storm: Storm) -> None:
    f1, pages, _, missed, wait = scored(storm, one_hop(storm.deliveries, {}))
    assert 0 < f1 < 1 < pages
    assert 0 <= missed < len(storm.faults)
    assert 0 <= wait < 600
