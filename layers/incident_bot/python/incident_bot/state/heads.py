"""The scope's head in the store: every write is conditioned on its version."""

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.head import Group, Head, Member
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import ABSENT, Check, Item, Store, Update

ACTING = "acting#"  # one attribute per remediation in flight, so that it starts and ends without reading the head


def read(store: Store, scope: str) -> Head:
    """The scope's head, strongly consistent; an empty one where there is none yet."""
    return of(store.get(keys.head(scope)) or {})


def of(item: Item) -> Head:
    """The head that the item says."""
    return Head(
        version=int(item.get("version", 0)),
        groups={name: _group(group) for name, group in item.get("groups", {}).items()},
        incidents={name: load(Member, member) for name, member in item.get("incidents", {}).items()},
        acting={name.removeprefix(ACTING): value for name, value in item.items() if name.startswith(ACTING)},
    )


def write(scope: str, before: Head, after: Head) -> Update | Check:
    """The write that turns `before` into `after`, or only checks that nobody changed it where they are equal."""
    expect = {"version": before.version or ABSENT}
    if after == before:
        return Check(keys.head(scope), expect)
    groups = {name: _dumped(group) for name, group in after.groups.items()}
    fields = {"groups": groups, "incidents": dump(after.incidents), "version": before.version + 1}
    return Update(keys.head(scope), set=fields, expect=expect)


def _group(item: Item) -> Group:
    """What `load` makes of it, in a fifth of the time: there are eighty, and the head is read for every batch."""
    return Group(item["incident"], item["service"], instant(item["last"]))


def _dumped(group: Group) -> Item:
    return {"incident": group.incident, "service": group.service, "last": rfc3339(group.last)}


def action_started(scope: str, incident: str, action: str) -> Update:
    """The update that freezes an incident while that remediation is in flight."""
    return Update(keys.head(scope), set={ACTING + action: incident}, add={"version": 1})


def action_ended(scope: str, incident: str, action: str) -> Update:
    """The update that ends it. (`incident` reads at the call's place which one.)"""
    del incident
    return Update(keys.head(scope), add={"version": 1}, remove=(ACTING + action,))
