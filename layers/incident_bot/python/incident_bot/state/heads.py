"""The scope's head in the store: every write is conditioned on its version.

Every batch reads this item and every change writes it, and both are billed by its size. So what correlation knows lies
in one binary attribute, compressed lines of JSON, the first of the scope, the others of a group each:
`zlib.decompress(item["packed"]).decode()` shows them.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from incident_bot.domain.alert import Severity
from incident_bot.domain.head import Group, Head, Member
from incident_bot.state import keys
from incident_bot.world import ABSENT, Check, Item, Store, Update

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
ACTING = "acting#"  # one attribute per remediation in flight, so that it starts and ends without reading the head
ENCODE = json.JSONEncoder(separators=(",", ":")).encode
LEVEL = 3  # of zlib: the best one takes 13 % off a full head, and twice the time


def read(store: Store, scope: str) -> Head:
    """The scope's head, strongly consistent; an empty one where there is none yet."""
    return of(store.get(keys.head(scope)) or {})


def of(item: Item) -> Head:
    """The head that the item says."""
    known = _unpacked(item["packed"]) if "packed" in item else Head()
    return Head(
        version=int(item.get("version", 0)),
        groups=known.groups,
        incidents=known.incidents,
        acting={name.removeprefix(ACTING): value for name, value in item.items() if name.startswith(ACTING)},
        senders=known.senders,
        kinds=known.kinds,
    )


def write(scope: str, before: Head, after: Head) -> Update | Check:
    """The write that turns `before` into `after`, or only checks that nobody changed it where they are equal."""
    expect = {"version": before.version or ABSENT}
    if after == before:
        return Check(keys.head(scope), expect)
    return Update(
        keys.head(scope), set={"packed": _packed(before, after), "version": before.version + 1}, expect=expect
    )


class _Groups(dict[str, Group]):
    """The groups of a head as it was read. `lines` is how they were written, and are again unless they change."""

    lines: Mapping[str, str] = {}


def _packed(before: Head, after: Head) -> bytes:
    members = {name: _member(member) for name, member in after.incidents.items()}
    scope = ENCODE({"incidents": members, "senders": after.senders, "kinds": after.kinds})
    written = before.groups.lines if isinstance(before.groups, _Groups) else {}
    lines = (
        written[name] if name in written and group is before.groups[name] else _line(name, group)
        for name, group in after.groups.items()
    )
    return zlib.compress("\n".join((scope, *lines)).encode(), LEVEL)


@lru_cache(maxsize=8)
def _unpacked(packed: bytes) -> Head:
    """What `_packed` said; kept, as most batches find the head as the last one did."""
    scope, *lines = zlib.decompress(packed).decode().split("\n")
    known, groups = json.loads(scope), _Groups(map(_named_group, lines))
    groups.lines = dict(zip(groups, lines, strict=True))
    return Head(
        groups=groups,
        incidents={name: _as_member(*member) for name, member in known["incidents"].items()},
        senders=known["senders"],
        kinds={kind: (effects, origins) for kind, (effects, origins) in known["kinds"].items()},
    )


def _line(name: str, group: Group) -> str:
    """A group without its fields' names; moments as milliseconds, two of them as the distance from the third."""
    began = _milliseconds(group.began)
    moments = began, _milliseconds(group.last) - began, _milliseconds(group.earliest) - began
    numbers = group.slow, group.series, group.firing, group.flapping, group.severity.value
    flags = group.sure + 2 * group.again + 4 * group.effect + 8 * group.pinned + 16 * group.claimed
    followed = (group.change, group.after) if group.change else ()
    known = group.kinds, group.places, group.cause, *followed
    return ENCODE((name, group.incident, group.service, *moments, *numbers, flags, *known))


@lru_cache(maxsize=1024)
def _named_group(line: str) -> tuple[str, Group]:
    """What `_line` said; kept, as a change of the head changes few of its groups."""
    name, incident, service, began, last, earliest, *known = json.loads(line)
    slow, series, firing, flapping, severity, flags, kinds, places, cause, *followed = known
    change, after = followed or ("", 0)
    return name, Group(
        incident=incident,
        service=service,
        last=_moment(began + last),
        began=_moment(began),
        earliest=_moment(began + earliest),
        slow=slow,
        series=series,
        firing=firing,
        flapping=flapping,
        severity=Severity(severity),
        sure=bool(flags & 1),
        again=bool(flags & 2),
        effect=bool(flags & 4),
        pinned=bool(flags & 8),
        kinds=kinds,
        places=places,
        cause=cause,
        change=change,
        after=after,
        claimed=bool(flags & 16),
    )


def _member(member: Member) -> list[Any]:
    flags = member.noise + 2 * member.actor
    return [member.root, _milliseconds(member.opened_at), member.severity.value, flags]


def _as_member(root: str, opened_at: int, severity: int, flags: int) -> Member:
    return Member(root, _moment(opened_at), Severity(severity), noise=bool(flags & 1), actor=bool(flags & 2))


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def action_started(scope: str, incident: str, action: str) -> Update:
    """The update that freezes an incident while that remediation is in flight."""
    return Update(keys.head(scope), set={ACTING + action: incident}, add={"version": 1})


def action_ended(scope: str, incident: str, action: str) -> Update:
    """The update that ends it. (`incident` reads at the call's place which one.)"""
    del incident
    return Update(keys.head(scope), add={"version": 1}, remove=(ACTING + action,))
