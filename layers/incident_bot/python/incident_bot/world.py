"""The world as a handler sees it: time, ids and every outside call, passed in as one small typed object.

`stage.py` builds it over AWS once per cold start; `virtual/` builds one in memory for tests, the replay command and the
fault simulation. Nothing else in the product reads a clock, draws a random number or talks to the outside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from incident_bot.domain.team import Team

Item = dict[str, Any]
Key = tuple[str, str]  # (PK, SK)


@dataclass(frozen=True, slots=True)
class Absent:
    """A condition: the attribute (or, under the name `PK`, the whole item) does not exist."""


@dataclass(frozen=True, slots=True)
class Below:
    """A condition: the attribute is missing or its value is lower than `value` (numbers, or strings of one format)."""

    value: int | str


@dataclass(frozen=True, slots=True)
class Shorter:
    """A condition: the list attribute is missing or has fewer than `length` entries."""

    length: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """A condition: the attribute equals one of these values."""

    values: tuple[Any, ...]


ABSENT = Absent()
Expect = Mapping[str, Any]  # attribute -> value it must equal, or one of the conditions above; all must hold


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole item (it carries PK and SK) where `expect` holds."""

    item: Item
    expect: Expect = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.item["PK"], self.item["SK"]


@dataclass(frozen=True, slots=True)
class Update:
    """Change attributes of one item (created if missing): set, add to numbers, append to lists, remove."""

    key: Key
    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    append: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    expect: Expect = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an item where `expect` holds."""

    key: Key
    expect: Expect = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing; the transaction holds only if `expect` does."""

    key: Key
    expect: Expect


Write = Put | Update | Delete | Check


class Store(Protocol):
    """The two DynamoDB tables, both with PK and SK: keys whose PK starts with `LOG#` live in the timeline table.

    Every read is strongly consistent but those of indexes and what may lag. Timeline entries are only put, on absence.
    Attribute values are what JSON can say, plus bytes, int and float told apart. `Conflict` where a condition does not
    hold (with the keys that failed), `Unavailable` where DynamoDB throttled or failed for good after jittered retries.
    """

    def get(self, key: Key) -> Item | None: ...

    def get_many(self, keys: Sequence[Key], *, lagging: bool = False) -> dict[Key, Item]:
        """The items that there are. What may lag behind by a moment costs half: for what decides nothing."""

    def query(self, pk: str, prefix: str = "", *, limit: int = 0, backwards: bool = False) -> list[Item]: ...

    def write(self, writes: Sequence[Write]) -> None:
        """All or nothing, at most 100 writes; a single one is a plain conditional write."""

    def update(self, update: Update) -> Item:
        """One update; returns the whole new item."""

    def due(self, until: str) -> list[Key]:
        """Keys in the sparse `due` index whose `due_at` is at or before `until` (RFC 3339), oldest first."""

    def opened(self, *, limit: int = 200) -> list[Key]:
        """Keys of incidents in the sparse `opened` index, newest first."""


class Queue(Protocol):
    """The signals queue."""

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Send all bodies or raise Unavailable; a delay is at most 900 s."""


class Machines(Protocol):
    """Step Functions."""

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """Start `incident`, `remediation` or `decision`; False if an execution of that name exists already."""

    def running(self, machine: str, name: str) -> bool:
        """Whether DescribeExecution says RUNNING (False for an execution that does not exist)."""

    def wake(self, token: str) -> None:
        """SendTaskSuccess; a token that is gone (TaskTimedOut, TaskDoesNotExist, InvalidToken) is not an error."""

    def leave(self, token: str, state: str, order: Mapping[str, Any]) -> None:
        """SendTaskFailure: end the wait by the name of the state that is next, `order` being what that state needs.

        A token that is gone is not an error.
        """


@dataclass(frozen=True, slots=True)
class Response:
    """What an HTTP peer answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Http(Protocol):
    """Outbound HTTP with a total time limit; raises Unavailable when nothing (or nothing in time) came back."""

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> Response: ...

    def get(self, url: str, *, timeout_seconds: float) -> Response: ...


class Secrets(Protocol):
    """SSM SecureStrings below the stack's prefix, cached; newest first, two while a key rotates."""

    def values(self, name: str) -> tuple[str, ...]:
        """All valid values; NotFound when the parameter does not exist, Unavailable when it could not be read."""


class Notices(Protocol):
    """The fallback SNS topic that reaches people when nothing else does."""

    def publish(self, subject: str, text: str) -> str: ...


class Archive(Protocol):
    """The S3 archive: quarantined bodies, postmortems."""

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None: ...


class Recordings(Protocol):
    """What deliveries said, as they came, for `incidentbot export`: kept for a month in a bucket of their own."""

    def put(self, data: bytes) -> None:
        """Hand over up to 1,000,000 bytes that begin and end a gzip member; within minutes it is part of an object."""

    def keys(self, after: str, *, limit: int = 1000) -> list[str]:
        """The keys of objects behind that one, in order, which is that of their time."""

    def get(self, key: str) -> bytes:
        """The gzip members of an object; NotFound."""


class Bus(Protocol):
    """The product's EventBridge bus: domain events, source `incident-bot`, detail carries `schema`: 1."""

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None: ...


class Metrics(Protocol):
    """CloudWatch metrics by embedded metric format; dimensions of bounded cardinality only."""

    def count(self, name: str, value: float = 1, **dimensions: str) -> None: ...


class Clients(Protocol):
    """boto3 clients under one set of credentials. `client("lambda")` returns the boto3 client."""

    def client(self, service: str) -> Any: ...


class Roles(Protocol):
    """The action roles that `act` alone may assume."""

    def assume(
        self, action: str, *, policy: Mapping[str, Any], tags: Mapping[str, str], source_identity: str
    ) -> Clients:
        """Credentials of that action's role narrowed by the session policy (at most 2,048 characters)."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Seconds that a webhook source must wait (0.0: none); `told` is to be called once its team was told that it must,
    and None where it was already."""

    wait: float = 0.0
    told: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Everything a handler may touch."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]  # short, unique, sorts by time
    store: Store
    queue: Queue
    machines: Machines
    http: Http
    secrets: Secrets
    notices: Notices
    archive: Archive
    recordings: Recordings
    bus: Bus
    metrics: Metrics
    clients: Clients  # the function's own role: reads only
    roles: Roles
    team: Team
    region: str = ""
    account: str = ""
    partition: str = "aws"
    api_url: str = ""  # the product's own HTTP API, for the synthetic alert; empty where there is none
    admit: Callable[[str], Admitted] = lambda _: Admitted()  # what this sandbox's rate limit says of a webhook source
    certificate: Callable[[str], bytes] = lambda _: b""  # the PEM behind a URL, cached; Unavailable


Handler = Callable[[World, Mapping[str, Any]], Any]
