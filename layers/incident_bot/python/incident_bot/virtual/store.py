"""The two tables in memory, with the conditions, the transactions and the sparse indexes of the real ones.

Items are kept serialised, so that what a caller does with an item it wrote or read never reaches the table.
"""

import marshal
import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from incident_bot.domain.errors import Conflict, Denied, Invalid
from incident_bot.world import Absent, Below, Check, Expect, Item, Key, OneOf, Put, Shorter, Update, Write

LARGEST_ITEM = 400 * 1024
LARGEST_TRANSACTION = 100
PLAIN = frozenset({str, int, bool, bytes, type(None)})


class MemoryStore:
    """A `Store` for one thread at a time."""

    def __init__(self) -> None:
        self._items: dict[Key, bytes] = {}
        self._sorted: dict[str, list[str]] = {}  # PK -> its SKs in order
        self._due: dict[Key, str] = {}
        self._opened: dict[Key, str] = {}

    def __iter__(self) -> Iterator[Item]:
        """Every item, in order of its key: what a test or an invariant looks through."""
        return (_read(self._items[key]) for key in sorted(self._items))

    def get(self, key: Key) -> Item | None:
        found = self._items.get(key)
        return None if found is None else _read(found)

    def get_many(self, keys: Sequence[Key], *, lagging: bool = False) -> dict[Key, Item]:  # noqa: ARG002 - this one never lags
        return {key: _read(self._items[key]) for key in dict.fromkeys(keys) if key in self._items}

    def query(self, pk: str, prefix: str = "", *, limit: int = 0, backwards: bool = False) -> list[Item]:
        present = self._sorted.get(pk, [])
        start = bisect_left(present, prefix)
        end = bisect_left(present, prefix + "\U0010ffff", start)
        order = range(end - 1, start - 1, -1) if backwards else range(start, end)
        return [_read(self._items[pk, present[i]]) for i in islice(order, limit or None)]

    def write(self, writes: Sequence[Write]) -> None:
        keys = [write.key for write in writes]
        if len(keys) > LARGEST_TRANSACTION or len(set(keys)) < len(keys):
            raise Invalid("a transaction holds at most 100 writes, each of another item", where="transaction")
        befores = [self.get(key) for key in keys]
        failed = tuple(
            write.key for write, before in zip(writes, befores, strict=True) if not holds(write.expect, before or {})
        )
        if failed:
            raise Conflict(f"conditions did not hold: {failed}", failed=failed)
        afters = [_after(write, before) for write, before in zip(writes, befores, strict=True)]
        for write, after in zip(writes, afters, strict=True):
            if not isinstance(write, Check):
                self._keep(write.key, after)

    def update(self, update: Update) -> Item:
        before = self.get(update.key)
        if not holds(update.expect, before or {}):
            raise Conflict(f"conditions did not hold: {update.key}", failed=(update.key,))
        after = _updated(update, before)
        self._keep(update.key, _serialised(update.key, after))
        return after

    def due(self, until: str) -> list[Key]:
        return [key for at, key in sorted((at, key) for key, at in self._due.items() if at <= until)]

    def opened(self, *, limit: int = 200) -> list[Key]:
        newest = sorted(((at, key) for key, at in self._opened.items()), reverse=True)
        return [key for _, key in newest[:limit]]

    def _keep(self, key: Key, after: tuple[bytes, Item] | None) -> None:
        pk, sk = key
        self._due.pop(key, None)
        self._opened.pop(key, None)
        if after is None:
            if self._items.pop(key, None) is not None:
                self._sorted[pk].remove(sk)
            return
        if key not in self._items:
            insort(self._sorted.setdefault(pk, []), sk)
        self._items[key], item = after
        if "due" in item and "due_at" in item:
            self._due[key] = item["due_at"]
        if "opened" in item and "opened_at" in item:
            self._opened[key] = item["opened_at"]


def holds(expect: Expect, item: Mapping[str, Any]) -> bool:
    """Whether all conditions hold on an item (an empty one where there is none)."""
    return all(_holds(wanted, item, name) for name, wanted in expect.items())


def _holds(wanted: Any, item: Mapping[str, Any], name: str) -> bool:
    if isinstance(wanted, Absent):
        return name not in item
    if isinstance(wanted, Below):
        return name not in item or (type(item[name]) is type(wanted.value) and item[name] < wanted.value)
    if isinstance(wanted, Shorter):
        return name not in item or len(item[name]) < wanted.length
    if isinstance(wanted, OneOf):
        return name in item and any(_same(item[name], value) for value in wanted.values)
    return name in item and _same(item[name], wanted)


def _same(one: Any, other: Any) -> bool:
    # As in DynamoDB a truth value is no number; and the store tells 1 from 1.0.
    if isinstance(one, dict) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _after(write: Write, before: Item | None) -> tuple[bytes, Item] | None:
    if isinstance(write, Put):
        return _serialised(write.key, plain(write.item))
    if write.key[0].startswith("LOG#"):
        raise Denied(f"the timeline is only ever put: {write.key}")
    if isinstance(write, Update):
        return _serialised(write.key, _updated(write, before))
    return None


def _updated(update: Update, before: Item | None) -> Item:
    pk, sk = update.key
    if pk.startswith("LOG#"):
        raise Denied(f"the timeline is only ever put: {update.key}")
    item = dict(before or {"PK": pk, "SK": sk})
    item |= plain(update.set)
    for name, number in update.add.items():
        item[name] = item.get(name, 0) + number
    for name, entries in update.append.items():
        item[name] = [*item.get(name, []), *plain(entries)]
    for name in update.remove:
        item.pop(name, None)
    return item


def _read(serialised: bytes) -> Item:
    item: Item = marshal.loads(serialised)  # noqa: S302 - our own bytes, and four times as fast as JSON
    return item


def _serialised(key: Key, item: Item) -> tuple[bytes, Item]:
    serialised = marshal.dumps(item)
    if len(serialised) > LARGEST_ITEM:
        raise Invalid(f"an item of {len(serialised)} bytes is more than DynamoDB takes", where="/".join(key))
    return serialised, item


def plain(value: Any) -> Any:
    """A copy in the types that come back from a store: tuples become lists; TypeError for what no store keeps."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise TypeError(f"{value} is no number that a store keeps")
        return value + 0.0  # minus zero is zero
    if isinstance(value, Mapping):
        return {_name(name): entry if type(entry) in PLAIN else plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    raise TypeError(f"a {kind.__name__} is neither JSON's nor bytes: {value!r}")


def _name(name: Any) -> str:
    if type(name) is not str:
        raise TypeError(f"a mapping's key is a string, not {name!r}")
    return name
