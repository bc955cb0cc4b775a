"""Do both stores, in memory and over DynamoDB, answer every case alike?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_bot.aws.store import DynamoStore
from incident_bot.domain.errors import Conflict, Denied, Invalid
from incident_bot.virtual.store import MemoryStore
from incident_bot.world import (
    ABSENT,
    Below,
    Check,
    Delete,
    Expect,
    Item,
    Key,
    OneOf,
    Put,
    Shorter,
    Store,
    Update,
    Write,
)
from tests.aws.conftest import moto_client
from tests.aws.tables import TABLE, TIMELINE, make_tables

KEY: Key = ("INC#1", "META")


def dynamo() -> DynamoStore:
    client = moto_client("dynamodb")
    make_tables(client)
    return DynamoStore(lambda: client, TABLE, TIMELINE, pause=lambda _: None)


@pytest.fixture(params=["memory", "dynamo"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        request.getfixturevalue("aws")
        yield dynamo()


def an_item(key: Key = KEY, **attributes: Any) -> Item:
    return {"PK": key[0], "SK": key[1], **attributes}


VALUES = [
    b"\x00", None, True, False, 0, 1, -7, 10**20, 0.0, 1.0, 0.1, -2.5, 1e22, 1e-7, "", "1", "Grüße \u202e",
    [], {}, [1, 1.0, None], {"a": [{"b": False}], "M": {"S": 1}},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(store: Store, value: Any) -> None:
    store.write([Put(an_item(value=value))])
    found = store.get(KEY)
    assert found is not None
    assert repr(found["value"]) == repr(value)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1: "a"}, object(), {"a"}], ids=lambda value: type(value).__name__
)
def test_what_no_store_keeps_is_refused(store: Store, value: Any) -> None:
    with pytest.raises(TypeError):
        store.write([Put(an_item(value=value))])


BEFORE = an_item(text="b", number=5, real=1.0, flag=True, nothing=None, list=[1, 2], map={"a": 1, "b": [None]})
CONDITIONS: list[tuple[str, Expect, bool]] = [
    ("equal text", {"text": "b"}, True),
    ("other text", {"text": "a"}, False),
    ("a missing attribute equals nothing", {"missing": "b"}, False),
    ("null equals null", {"nothing": None}, True),
    ("a null attribute is not absent", {"nothing": ABSENT}, False),
    ("a missing attribute is absent", {"missing": ABSENT}, True),
    ("a present item is not absent", {"PK": ABSENT}, False),
    ("equal number", {"number": 5}, True),
    ("equal truth value", {"flag": True}, True),
    ("a float is no integer", {"real": 1}, False),
    ("equal float", {"real": 1.0}, True),
    ("equal list", {"list": [1, 2]}, True),
    ("a tuple is a list", {"list": (1, 2)}, True),
    ("shorter list", {"list": [1]}, False),
    ("equal map in another order", {"map": {"b": [None], "a": 1}}, True),
    ("other map", {"map": {"a": 1}}, False),
    ("below a higher number", {"number": Below(6)}, True),
    ("not below itself", {"number": Below(5)}, False),
    ("below a later string", {"text": Below("c")}, True),
    ("not below an earlier string", {"text": Below("a")}, False),
    ("missing is below", {"missing": Below(1)}, True),
    ("shorter than three", {"list": Shorter(3)}, True),
    ("not shorter than its length", {"list": Shorter(2)}, False),
    ("missing is shorter", {"missing": Shorter(1)}, True),
    ("one of several", {"text": OneOf(("a", "b"))}, True),
    ("none of several", {"text": OneOf(("a", "c"))}, False),
    ("all hold", {"text": "b", "number": 5}, True),
    ("one of all fails", {"text": "b", "number": 4}, False),
]
# What DynamoDB documents and moto does not do: it takes a missing attribute for null, and compares as Python does.
BEYOND_MOTO: list[tuple[str, Expect]] = [
    ("a missing attribute is not null", {"missing": None}),
    ("a missing attribute is none of several", {"missing": OneOf(("a", None))}),
    ("a truth value is no number", {"flag": 1}),
    ("another type is not below", {"text": Below(9)}),
]
WRITES: Mapping[str, Callable[[Expect], Write]] = {
    "put": lambda expect: Put(an_item(text="after"), expect),
    "update": lambda expect: Update(KEY, set={"text": "after"}, expect=expect),
    "delete": lambda expect: Delete(KEY, expect),
    "check": lambda expect: Check(KEY, expect),
}


@pytest.mark.parametrize("kind", ["put", "check"])
@pytest.mark.parametrize(("expect", "holds"), [c[1:] for c in CONDITIONS], ids=[c[0] for c in CONDITIONS])
def test_a_condition_holds_or_conflicts(store: Store, kind: str, expect: Expect, holds: bool) -> None:
    store.write([Put(BEFORE)])
    if holds:
        store.write([WRITES[kind](expect)])
        return
    with pytest.raises(Conflict) as conflict:
        store.write([WRITES[kind](expect)])
    assert conflict.value.failed == (KEY,)
    assert store.get(KEY) == BEFORE


@pytest.mark.parametrize("expect", [c[1] for c in BEYOND_MOTO], ids=[c[0] for c in BEYOND_MOTO])
def test_the_memory_store_compares_as_dynamodb_does(expect: Expect) -> None:
    store = MemoryStore()
    store.write([Put(BEFORE)])
    with pytest.raises(Conflict):
        store.write([Check(KEY, expect)])


@pytest.mark.parametrize("kind", ["update", "delete"])
def test_updates_and_deletes_keep_their_conditions(store: Store, kind: str) -> None:
    store.write([Put(BEFORE)])
    with pytest.raises(Conflict):
        store.write([WRITES[kind]({"number": 4})])
    assert store.get(KEY) == BEFORE
    store.write([WRITES[kind]({"number": 5})])
    assert store.get(KEY) != BEFORE


@pytest.mark.parametrize("kind", ["put", "update", "delete", "check"])
def test_absence_of_an_item_is_a_condition_of_any_write(store: Store, kind: str) -> None:
    store.write([WRITES[kind]({"PK": ABSENT})])


def test_an_update_sets_adds_appends_and_removes(store: Store) -> None:
    store.write([Put(an_item(old=1, gone="x", number=4, entries=["a"]))])
    update = Update(
        KEY,
        set={"name": "n", "due": "D"},
        add={"number": 2, "fresh": 1},
        append={"entries": ["b"], "new": [{"c": 1.0}]},
        remove=("gone", "never"),
    )
    after = an_item(old=1, name="n", due="D", number=6, fresh=1, entries=["a", "b"], new=[{"c": 1.0}])
    assert store.update(update) == after
    assert store.get(KEY) == after


def test_an_update_makes_an_item_that_is_missing(store: Store) -> None:
    assert store.update(Update(KEY, add={"number": 3})) == an_item(number=3)


def test_an_update_that_lost_changes_nothing(store: Store) -> None:
    store.write([Put(an_item(number=1))])
    with pytest.raises(Conflict) as conflict:
        store.update(Update(KEY, add={"number": 1}, expect={"number": 2}))
    assert conflict.value.failed == (KEY,)
    assert store.get(KEY) == an_item(number=1)


def test_a_transaction_is_all_or_nothing_and_names_what_failed(store: Store) -> None:
    keys = [("INC#1", f"ACTION#{n}") for n in range(4)]
    store.write([Put(an_item(keys[0], n=0)), Put(an_item(keys[1], n=1))])
    writes: list[Write] = [
        Put(an_item(keys[0], n=9), {"n": 0}),
        Update(keys[1], add={"n": 1}, expect={"n": 7}),
        Delete(keys[2], {"n": 1}),
        Put({"PK": "LOG#1", "SK": "00000001", "text": "a"}, {"PK": ABSENT}),
    ]
    with pytest.raises(Conflict) as conflict:
        store.write(writes)
    assert conflict.value.failed == (keys[1], keys[2])
    assert store.get_many(keys) == {keys[0]: an_item(keys[0], n=0), keys[1]: an_item(keys[1], n=1)}
    assert store.query("LOG#1") == []


def test_a_transaction_writes_both_tables(store: Store) -> None:
    store.write([Put(an_item(n=1)), Put({"PK": "LOG#1", "SK": "00000001"}), Check(("INC#2", "META"), {"PK": ABSENT})])
    assert store.get(KEY) == an_item(n=1)
    assert store.get(("LOG#1", "00000001")) == {"PK": "LOG#1", "SK": "00000001"}


def test_a_transaction_of_a_hundred_writes_is_the_largest(store: Store) -> None:
    writes = [Put(an_item(("INC#1", f"{n:03d}"))) for n in range(101)]
    with pytest.raises(Invalid):
        store.write(writes)
    assert store.query("INC#1") == []
    store.write(writes[:100])
    assert len(store.query("INC#1")) == 100


def test_a_transaction_writes_no_item_twice(store: Store) -> None:
    with pytest.raises(Invalid):
        store.write([Put(an_item()), Check(KEY, {})])


def test_no_writes_are_no_transaction(store: Store) -> None:
    store.write([])


def test_many_are_read_at_once_and_the_missing_left_out(store: Store) -> None:
    keys = [("INC#1", f"{n:03d}") for n in range(130)]
    for start in (0, 100):
        store.write([Put(an_item(key)) for key in keys[start : start + 100]])
    store.write([Put({"PK": "LOG#1", "SK": "1"})])
    found = store.get_many([*keys, keys[0], ("INC#1", "none"), ("LOG#1", "1")])
    assert list(found) == [*keys, ("LOG#1", "1")]
    assert store.get_many([]) == {}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["A#1", "A#2", "A#3", "B#1"]),
        ({"prefix": "A#"}, ["A#1", "A#2", "A#3"]),
        ({"prefix": "A#", "limit": 2}, ["A#1", "A#2"]),
        ({"prefix": "A#", "limit": 2, "backwards": True}, ["A#3", "A#2"]),
        ({"backwards": True}, ["B#1", "A#3", "A#2", "A#1"]),
        ({"prefix": "C"}, []),
    ],
    ids=str,
)
def test_a_query_is_ordered_and_bounded(store: Store, arguments: Mapping[str, Any], expected: list[str]) -> None:
    store.write([Put(an_item(("INC#1", sk))) for sk in ("B#1", "A#3", "A#1", "A#2")])
    store.write([Put(an_item(("INC#11", "A#9")))])
    assert [found["SK"] for found in store.query("INC#1", **arguments)] == expected


def test_due_finds_what_is_due_oldest_first_over_all_shards(store: Store) -> None:
    times = {f"INC#{n}": f"2026-01-15T10:00:0{n}.000000Z" for n in range(6)}
    for pk, at in times.items():
        shard = int(pk[-1]) % 4
        store.write([Put(an_item((pk, "META"), due=f"DUE#{shard}", due_at=at))])
    store.write([Put(an_item(("INC#9", "META"), due_at=times["INC#0"]))])
    store.update(Update(("INC#1", "META"), remove=("due", "due_at")))
    store.write([Delete(("INC#2", "META"))])
    assert store.due(times["INC#4"]) == [("INC#0", "META"), ("INC#3", "META"), ("INC#4", "META")]


def test_opened_lists_the_newest_incidents_first(store: Store) -> None:
    for n in range(4):
        at = f"2026-01-15T10:00:0{n}.000000Z"
        store.write([Put(an_item((f"INC#{n}", "META"), opened="INCIDENT", opened_at=at))])
    store.write([Put(an_item(("INC#9", "META"), opened_at="2026-01-15T10:00:09.000000Z"))])
    assert store.opened(limit=3) == [(f"INC#{n}", "META") for n in (3, 2, 1)]


def test_a_callers_hands_do_not_reach_the_table(store: Store) -> None:
    mine: Item = an_item(list=[1], map={"a": []})
    store.write([Put(mine)])
    mine["list"].append(2)
    read = store.get(KEY) or {}
    read["map"]["a"].append(3)
    updated = store.update(Update(KEY, add={"n": 1}))
    updated["list"].append(4)
    store.query("INC#1")[0]["list"].append(5)
    store.get_many([KEY])[KEY]["list"].append(6)
    assert store.get(KEY) == an_item(list=[1], map={"a": []}, n=1)


def test_the_memory_store_refuses_what_no_role_may_do_to_the_timeline() -> None:
    store = MemoryStore()
    store.write([Put({"PK": "LOG#1", "SK": "1"}, {"PK": ABSENT})])
    for write in (Update(("LOG#1", "1"), set={"text": "x"}), Delete(("LOG#1", "1"))):
        with pytest.raises(Denied):
            store.write([write])


def test_the_memory_store_refuses_an_item_that_dynamodb_would() -> None:
    store = MemoryStore()
    with pytest.raises(Invalid):
        store.write([Put(an_item(text="x" * 410_000))])


KEYS = [("INC#1", sk) for sk in "ABC"]
texts, numbers = st.sampled_from(["", "x", "y"]), st.integers(-2, 2)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "text": texts | st.just(ABSENT) | st.builds(Below, texts) | st.builds(OneOf, st.tuples(texts, texts)),
        "number": numbers | st.just(ABSENT) | st.builds(Below, numbers) | st.builds(OneOf, st.tuples(numbers, numbers)),
        "list": st.builds(Shorter, st.integers(1, 3)),
        "PK": st.just(ABSENT),
    },
)


@st.composite
def updates(draw: st.DrawFn, key: Key) -> Update:
    """An update of some attributes, each in its own way."""
    change: dict[str, Any] = {"set": {"text": draw(texts)}} if draw(st.booleans()) else {"remove": ("text",)}
    if draw(st.booleans()):
        change["add"] = {"number": draw(numbers)}
    if draw(st.booleans()):
        change["append"] = {"list": draw(st.lists(texts | numbers | st.just(1.0), max_size=2))}
    return Update(key, **change, expect=draw(conditions))


@st.composite
def writes(draw: st.DrawFn) -> Write:
    """Any one write."""
    key, expect = draw(st.sampled_from(KEYS)), draw(conditions)
    kind = draw(st.sampled_from(["put", "update", "update", "delete", "check"]))
    if kind == "update":
        return draw(updates(key))
    if kind == "put":
        return Put(an_item(key, text=draw(texts), number=draw(numbers)), expect)
    return Delete(key, expect) if kind == "delete" else Check(key, expect or {"PK": ABSENT})


transactions = st.lists(writes(), min_size=1, max_size=3, unique_by=lambda write: write.key)


def lost(store: Store, transaction: list[Write]) -> list[Key]:
    """The keys that conflicted; none where it was written."""
    try:
        store.write(transaction)
    except Conflict as conflict:
        return sorted(conflict.failed)
    return []


def typed(store: Store) -> list[str]:
    """All items, so that 1, 1.0 and True differ."""
    return [repr(sorted(item.items())) for item in store.query("INC#1")]


def test_both_stores_walk_the_same_history(aws: None) -> None:
    real = dynamo()

    @settings(max_examples=40, deadline=None)
    @given(st.lists(transactions, max_size=8))
    def walk(history: list[list[Write]]) -> None:
        memory = MemoryStore()
        real.write([Delete(key) for key in KEYS])
        for transaction in history:
            assert lost(memory, transaction) == lost(real, transaction)
            assert typed(memory) == typed(real)

    walk()
