"""Does the head come back from the table as it was written, with what people pinned?"""

from dataclasses import replace

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.head import Group, Head, Member
from incident_bot.state import heads
from incident_bot.virtual.clock import T0
from tests.building import a_world

GROUP = Group("inc1", "web", T0, T0, T0, kinds={"generic:errors": 2}, places={"az=a": 1})


@pytest.mark.parametrize("flag", ["sure", "again", "effect", "pinned"])
@pytest.mark.parametrize("on", [True, False])
def test_each_flag_of_a_group_is_kept(flag: str, on: bool) -> None:
    group = replace(GROUP, **{flag: on})  # type: ignore[arg-type]
    head = Head(groups={"web@1": group}, incidents={"inc1": Member("web", T0, Severity.SEV2)})
    world = a_world()
    world.store.write([heads.write("production", Head(), head)])
    assert heads.read(world.store, "production") == replace(head, version=1)
