"""A virtual world whose every call to AWS is counted and priced as DynamoDB and Lambda would bill it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from benchmarks.tally import ASSUMED, Tally, together
from incident_bot.aws.attributes import attributes
from incident_bot.virtual import checkout
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Check, Handler, Item, Key, Recordings, Update, World, Write

INDEXES = ("due_at", "opened_at")  # the sort keys of the sparse indexes
STREAM_BATCH = 100
WINDOWS = {"incidents": timedelta(0), "timeline": timedelta(seconds=10)}  # as in `infra/aws/feeds.py`
PUBLISHES = "PublishFunctionArn"


Changed = Callable[[Key, Item | None, Item | None], None]


class CountedStore:
    """A store that bills each call by the sizes of the items, as DynamoDB on demand does."""

    def __init__(self, world: VirtualWorld, tally: Tally, changed: Changed) -> None:
        self._store, self._tally, self._changed = world.store, tally, changed

    def get(self, key: Key) -> Item | None:
        found = self._store.get(key)
        self._tally.call("store.get", read_unit=_reads([found]))
        return found

    def get_many(self, keys: Sequence[Key], **how: Any) -> dict[Key, Item]:
        found = self._store.get_many(keys, **how)
        units = sum(_reads([found.get(key)]) for key in dict.fromkeys(keys))
        half = 0.5 if how.get("lagging") else 1.0
        self._tally.call("store.get_many", ceil(len(set(keys)) / 100), read_unit=units * half)
        return found

    def query(self, pk: str, prefix: str = "", **how: Any) -> list[Item]:
        found = self._store.query(pk, prefix, **how)
        self._tally.call("store.query", read_unit=_reads(found))
        return found

    def write(self, writes: Sequence[Write]) -> None:
        befores = {write.key: self._store.get(write.key) for write in writes}
        self._store.write(writes)
        self._tally.call("store.write", bool(writes))
        for write in writes:
            self._written(write.key, befores[write.key], twice=len(writes) > 1, check=isinstance(write, Check))

    def update(self, update: Update) -> Item:
        before = self._store.get(update.key)
        after = self._store.update(update)
        self._tally.call("store.update")
        self._written(update.key, before, twice=False, check=False)
        return after

    def due(self, until: str) -> list[Key]:
        self._tally.call("store.due", 4, read_unit=4 * 0.5)
        return self._store.due(until)

    def opened(self, **how: Any) -> list[Key]:
        self._tally.call("store.opened", read_unit=0.5)
        return self._store.opened(**how)

    def _written(self, key: Key, before: Item | None, *, twice: bool, check: bool) -> None:
        after = before if check else self._store.get(key)
        units = max(ceil(max(_size(before), _size(after)) / 1024), 1) * (2 if twice else 1)
        indexed = 0 if check else sum(_indexed(before, after, at) for at in INDEXES)
        self._tally.use(write_unit=units + indexed)
        if not check:
            self._tally.writes += 1
            self._changed(key, before, after)


def _indexed(before: Item | None, after: Item | None, name: str) -> int:
    """The writes by which a sparse index follows its table: one to put an entry, one to take the old one away."""
    was, now = (before or {}).get(name), (after or {}).get(name)
    return 0 if was == now else (was is not None) + (now is not None)


def _size(item: Item | None) -> int:
    return len(json.dumps(item, separators=(",", ":"), default=_as_long)) if item else 0


def _as_long(binary: bytes) -> str:
    """Text as long as what is stored as bytes."""
    return "-" * len(binary)


def _reads(items: Iterable[Item | None]) -> int:
    """Strongly consistent units of 4 KB; what is not there costs one as well."""
    return max(1, ceil(sum(map(_size, items)) / 4096))


class Counted:
    """Any other part of the world: each call of a method is one call to AWS."""

    def __init__(self, part: Any, name: str, tally: Tally, unit: str = "") -> None:
        self._part, self._name, self._tally, self._unit = part, name, tally, unit

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._part, method)

        def call(*args: Any, **how: Any) -> Any:
            number = len(args[0]) if self._name == "queue" else 1  # one SendMessage for each body
            self._tally.call(f"{self._name}.{method}", number, **({self._unit: number} if self._unit else {}))
            return inner(*args, **how)

        return call


class CountedRecordings:
    """Recordings: each put is a call, and Firehose bills it by every begun 5 KB; its own objects are counted nowhere,
    as there is at most one a minute."""

    def __init__(self, inner: Recordings, tally: Tally) -> None:
        self._inner, self._tally = inner, tally

    def put(self, data: bytes) -> None:
        """Put it, counted."""
        self._tally.call("recordings.put", firehose_5kb=ceil(len(data) / 5120))
        self._inner.put(data)


class CountedClients:
    """The clients of facts and actions."""

    def __init__(self, inner: Any, tally: Tally) -> None:
        self._inner, self._tally = inner, tally

    def client(self, service: str) -> Any:
        """That service's, counted."""
        return Counted(self._inner.client(service), service, self._tally)


class CountedRoles:
    """Roles whose assumptions, and what is done with them, are counted."""

    def __init__(self, inner: Any, tally: Tally) -> None:
        self._inner, self._tally = inner, tally

    def assume(self, action: str, **how: Any) -> CountedClients:
        """Assume it."""
        self._tally.call("roles.assume")
        return CountedClients(self._inner.assume(action, **how), self._tally)


class Account:
    """A deployment whose every call, invocation and transition is on the tally; its streams feed `publish`."""

    def __init__(self, world: VirtualWorld) -> None:
        self.world, self.tally = world, Tally()
        self._records: dict[str, list[tuple[datetime, dict[str, Any]]]] = {stream: [] for stream in WINDOWS}
        self.seen = self._counted(world)
        functions = {place: self._billed(place, function) for place, function in checkout.handlers().items()}
        self._publish = functions[PUBLISHES]
        self.deployment = Deployment(world, functions, checkout.definitions(), seen=self.seen)

    def receive(self, request: Mapping[str, Any]) -> None:
        """Let a webhook request come in."""
        self.tally.use(api_request=1, log_gb=ASSUMED["log_bytes_per_request"] / 1e9)
        answer = self.deployment.invoke("receive", request)
        if answer["statusCode"] != 202:
            raise RuntimeError(f"receive answered {answer['statusCode']}: {answer['body']}")

    def settle(self) -> None:
        """Let everything that is due happen, and what it changed be published."""
        while self.deployment.step():
            self.publish()

    def run_for(self, seconds: float) -> None:
        """Let that much time pass."""
        self.deployment.run_for(seconds)
        self.publish()

    def publish(self) -> None:
        """Hand the streams' records to `publish`, those of one window together, when it is over."""
        for stream, records in self._records.items():
            while records and records[0][0] + WINDOWS[stream] <= self.world.now():
                until = records[0][0] + WINDOWS[stream]
                batch = [record for at, record in records[:STREAM_BATCH] if at <= until]
                del records[: len(batch)]
                self._publish(self.seen, {"Records": batch})

    @property
    def transitions(self) -> int:
        """States entered (each attempt is one)."""
        return sum(len(run.path) for run in self.deployment.walker.runs.values())

    @property
    def bill(self) -> dict[str, float]:
        """Everything used so far, transitions and the queue's polling (of full batches) included."""
        polls = 2 * self.tally.invocations["consume"]
        return together(self.tally.used, {"transition": self.transitions, "sqs_request": polls})

    def _counted(self, world: VirtualWorld) -> World:
        parts: dict[str, Any] = {
            "store": CountedStore(world, self.tally, self._changed),
            "queue": Counted(world.queue, "queue", self.tally, "sqs_request"),
            "machines": Counted(world.machines, "machines", self.tally),
            "notices": Counted(world.notices, "notices", self.tally, "notice"),
            "recordings": CountedRecordings(world.recordings, self.tally),
            "archive": Counted(world.archive, "archive", self.tally, "s3_put"),
            "bus": Counted(world.bus, "bus", self.tally, "event"),
            "metrics": Metered(self.tally),
            "clients": CountedClients(world.clients, self.tally),
            "roles": CountedRoles(world.roles, self.tally),
        }
        return replace(world, **parts)

    def _changed(self, key: Key, before: Item | None, after: Item | None) -> None:
        told = {"Keys": attributes({"PK": key[0], "SK": key[1]}), "SequenceNumber": "1"}
        images = {"OldImage": before, "NewImage": after}
        told |= {name: attributes(image) for name, image in images.items() if image}
        stream = "timeline" if key[0].startswith("LOG#") else "incidents"
        self._records[stream].append((self.world.now(), {"dynamodb": told}))

    def _billed(self, place: str, function: Handler) -> Handler:
        stage = place.removesuffix("FunctionArn").lower()
        gigabytes = ASSUMED["memory_mb"].get(stage, ASSUMED["memory_mb"]["other"]) / 1024
        traced = ASSUMED["traced_share"].get(stage, ASSUMED["traced_share"]["other"])

        def invoke(world: World, event: Mapping[str, Any]) -> Any:
            before = self.tally.total
            try:
                return function(world, event)
            finally:
                waited = (self.tally.total - before) * ASSUMED["call_milliseconds"]
                seconds = (ASSUMED["invocation_milliseconds"] + waited) / 1000
                self.tally.invocations[stage] += 1
                self.tally.use(invocation=1, gb_second=gigabytes * seconds, trace=traced)

        return invoke


class Metered:
    """Metrics are lines of the log."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        """One line."""
        del name, value, dimensions
        self._tally.use(log_gb=ASSUMED["log_bytes_per_metric"] / 1e9)
