"""The scope's head in the store: every write is conditioned on its version."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from incident_bot.domain.alert import Severity
from incident_bot.domain.head import Group, Head, Member
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Check, Item, Store, Update

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACTING = "acting#"  # one attribute per remediation in flight, so that it starts and ends without reading the head


def read(store: Store, scope: str) -> Head:
    """The scope's head, strongly consistent; an empty one where there is none yet."""
    return of(store.get(keys.head(scope)) or {})


def of(item: Item) -> Head:
    """The head that the item says."""
    return Head(
        version=int(item.get("version", 0)),
        groups={name: _unpacked(group) for name, group in item.get("groups", {}).items()},
        incidents={name: load(Member, member) for name, member in item.get("incidents", {}).items()},
        acting={name.removeprefix(ACTING): value for name, value in item.items() if name.startswith(ACTING)},
        senders={name: int(behind) for name, behind in item.get("senders", {}).items()},
        kinds={kind: (int(numbers[0]), int(numbers[1])) for kind, numbers in item.get("kinds", {}).items()},
    )


def write(scope: str, before: Head, after: Head) -> Update | Check:
    """The write that turns `before` into `after`, or only checks that nobody changed it where they are equal."""
    expect = {"version": before.version or ABSENT}
    if after == before:
        return Check(keys.head(scope), expect)
    fields = {
        "groups": {name: _packed(group) for name, group in after.groups.items()},
        "incidents": dump(after.incidents),
        "version": before.version + 1,
    }
    if after.senders != before.senders or after.kinds != before.kinds:
        fields |= {"senders": dict(after.senders), "kinds": {kind: list(n) for kind, n in after.kinds.items()}}
    return Update(keys.head(scope), set=fields, expect=expect)


def _packed(group: Group) -> list[Any]:
    """A group as a list without names, times as milliseconds: the head is read and written with every change."""
    times = [_milliseconds(moment) for moment in (group.last, group.began, group.earliest)]
    numbers = [
        group.slow,
        group.series,
        group.firing,
        group.flapping,
        int(group.severity),
        group.sure + 2 * group.again + 4 * group.effect + 8 * group.pinned,
    ]
    return [group.incident, group.service, *times, *numbers, dict(group.kinds), dict(group.places), group.cause]


def _unpacked(packed: list[Any]) -> Group:
    incident, service, last, began, earliest, *numbers, kinds, places, cause = packed
    slow, series, firing, flapping, severity, flags = numbers
    return Group(
        incident=incident,
        service=service,
        last=_moment(last),
        began=_moment(began),
        earliest=_moment(earliest),
        slow=int(slow),
        series=int(series),
        firing=int(firing),
        flapping=int(flapping),
        severity=Severity(int(severity)),
        sure=bool(int(flags) & 1),
        again=bool(int(flags) & 2),
        effect=bool(int(flags) & 4),
        pinned=bool(int(flags) & 8),
        kinds=_numbers(kinds),
        places=_numbers(places),
        cause=cause,
    )


def _numbers(counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(number) for name, number in counts.items()}


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: Any) -> datetime:
    return EPOCH + timedelta(milliseconds=int(milliseconds))


def action_started(scope: str, incident: str, action: str) -> Update:
    """The update that freezes an incident while that remediation is in flight."""
    return Update(keys.head(scope), set={ACTING + action: incident}, add={"version": 1})


def action_ended(scope: str, incident: str, action: str) -> Update:
    """The update that ends it. (`incident` reads at the call's place which one.)"""
    del incident
    return Update(keys.head(scope), add={"version": 1}, remove=(ACTING + action,))
