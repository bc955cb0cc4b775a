"""Does the head come back from the table as it was written, with what people pinned, and is a full one small?"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.head import GROUPS_KEPT, SENDERS_KEPT, Group, Head, Member
from incident_bot.domain.identifier import identifier
from incident_bot.domain.learn import KINDS_KEPT
from incident_bot.state import heads
from incident_bot.virtual.clock import T0
from tests.building import a_world

GROUP = Group("inc1", "web", T0, T0, T0, kinds={"generic:errors": 2}, places={"az=a": 1})
LARGEST = 8 * 1024
SERVICES = [f"{team}-{part}" for team in ("checkout", "search", "identity", "shipping") for part in "abcdefghij"]
TITLES = ("HighErrorRate", "HighLatency", "Saturation", "InstanceDown", "QueueBacklogGrowing", "CertificateExpiry")
SOURCES = ("alertmanager", "cloudwatch", "datadog", "grafana")


def test_a_head_comes_back_as_it_was_written() -> None:
    head, world = a_full_head(), a_world()
    world.store.write([heads.write("production", Head(), head)])
    assert heads.read(world.store, "production") == replace(head, version=1)


def test_a_change_of_a_few_groups_leaves_the_others_as_they_were() -> None:
    head, world = a_full_head(), a_world()
    world.store.write([heads.write("production", Head(), head)])
    read = heads.read(world.store, "production")
    changed = {"web@1": GROUP} | {n: replace(g, firing=9) for n, g in list(read.groups.items())[::20]}
    after = replace(read, groups={**read.groups, **changed}, incidents={"inc1": Member("web", T0, Severity.SEV2)})
    world.store.write([heads.write("production", read, after)])
    assert heads.read(world.store, "production") == replace(after, version=2)


@pytest.mark.parametrize("flag", ["sure", "again", "effect", "pinned"])
@pytest.mark.parametrize("on", [True, False])
def test_each_flag_of_a_group_is_kept(flag: str, on: bool) -> None:
    group = replace(GROUP, **{flag: on})  # type: ignore[arg-type]
    head = Head(groups={"web@1": group}, incidents={"inc1": Member("web", T0, Severity.SEV2)})
    world = a_world()
    world.store.write([heads.write("production", Head(), head)])
    assert heads.read(world.store, "production") == replace(head, version=1)


def test_the_change_that_a_group_follows_is_kept() -> None:
    group = replace(GROUP, change="3b18e5", after=90, claimed=True)
    head = Head(groups={"web@1": group}, incidents={"inc1": Member("web", T0, Severity.SEV2)})
    world = a_world()
    world.store.write([heads.write("production", Head(), head)])
    assert heads.read(world.store, "production") == replace(head, version=1)


def test_a_full_head_in_a_storm_is_small_because_every_batch_reads_and_pays_it() -> None:
    written = heads.write("production", Head(), a_full_head())
    assert 1000 < len(written.set["packed"]) < LARGEST  # type: ignore[union-attr]


def a_full_head() -> Head:
    """As many groups, each in an incident of its own, senders and kinds as there may be, all different."""
    numbers = range(GROUPS_KEPT)
    return Head(
        groups={f"{SERVICES[n % 40]}@{at(n):%m%dT%H%M%S}-{hash(n * 7919) % 0xFFFFFF:06x}": a_group(n) for n in numbers},
        incidents={an_id(n): Member(SERVICES[n % 40], at(n), Severity(1 + n % 5), actor=n % 3 > 0) for n in numbers},
        senders={f"{SOURCES[n % 4]}/{SERVICES[n % 40]}-{n}": n * n % 301 - 150 for n in range(SENDERS_KEPT)},
        kinds={f"{SOURCES[n % 4]}:{TITLES[n % 6]}{n}": (n * 7 % 64, n * 11 % 50) for n in range(KINDS_KEPT)},
    )


def a_group(number: int) -> Group:
    kinds = {f"{SOURCES[(number + n) % 4]}:{TITLES[(number * 5 + n) % 6]}": 1 + number % 7 for n in range(3)}
    return Group(
        incident=an_id(number),
        service=SERVICES[number % 40],
        last=at(number) + timedelta(milliseconds=number * 1237 % 90_000),
        began=at(number),
        earliest=at(number) - timedelta(milliseconds=number * 7919 % 130_000),
        slow=number % 3 * 60,
        series=3 + number,
        firing=number % 5,
        flapping=number % 2,
        severity=Severity(1 + number % 5),
        sure=number % 2 > 0,
        kinds=kinds,
        places={f"az=use1-az{number % 6}": number, f"region=us-east-{number % 4}": 2},
        cause=f"{SERVICES[number * 3 % 40]}@{at(number - 1):%m%dT%H%M%S}",
    )


def an_id(number: int) -> str:
    return identifier(at(number), number * 2654435761)


def at(number: int) -> datetime:
    return T0 + timedelta(milliseconds=number * 47_911)
