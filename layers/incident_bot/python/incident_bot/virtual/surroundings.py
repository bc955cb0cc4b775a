"""Everything outside the tables in memory: each part records what it was asked and answers as it was set up to."""

import json
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from incident_bot.domain.errors import NotFound, Refused, Unavailable
from incident_bot.virtual.clock import VirtualClock
from incident_bot.world import Response

LONGEST_DELAY = 900
LONGEST_POLICY = 2048


@dataclass(slots=True)
class Message:
    """A message in the queue: `visible_at` is when it may be received (again)."""

    id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    receives: int = 0


class MemoryQueue:
    """A `Queue` that keeps messages in order of sending; `dead` is its dead-letter queue."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._number = 0
        self.messages: list[Message] = []  # in order of their visibility
        self.dead: list[Message] = []

    @property
    def bodies(self) -> list[str]:
        """The bodies of all messages that wait, visible or not."""
        return [message.body for message in self.messages]

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        if not 0 <= delay_seconds <= LONGEST_DELAY:
            raise ValueError(f"SQS delays by 0 to {LONGEST_DELAY} s, not {delay_seconds}")
        now = self._clock.now()
        for body in bodies:
            self._number += 1
            message = Message(f"message-{self._number}", body, now, now + timedelta(seconds=delay_seconds))
            insort(self.messages, message, key=_visible)

    def receive(self, limit: int = 10, *, hidden_seconds: float = 60) -> list[Message]:
        """Up to `limit` visible messages; they are hidden until deleted or `hidden_seconds` have passed."""
        now = self._clock.now()
        batch = self.visible()[:limit]
        del self.messages[: len(batch)]
        for message in batch:
            message.receives += 1
            message.visible_at = now + timedelta(seconds=hidden_seconds)
            insort(self.messages, message, key=_visible)
        return batch

    def visible(self) -> list[Message]:
        """The messages that may be received now."""
        now = self._clock.now()
        return list(takewhile(lambda message: message.visible_at <= now, self.messages))

    def next_at(self) -> datetime | None:
        """When the next message is visible."""
        return self.messages[0].visible_at if self.messages else None

    def delete(self, message: Message) -> None:
        """The message was dealt with."""
        self.messages.remove(message)

    def bury(self, message: Message) -> None:
        """Move it to the dead-letter queue."""
        self.messages.remove(message)
        self.dead.append(message)


def _visible(message: Message) -> datetime:
    return message.visible_at


@dataclass(slots=True)
class Execution:
    """One execution of a state machine; whoever runs it (a walker, or a test by hand) sets its status."""

    machine: str
    name: str
    payload: dict[str, Any]
    started_at: datetime
    status: str = "RUNNING"


class MemoryMachines:
    """`Machines` that record executions and wake-ups. Whether Step Functions is up is for `down` to say."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.executions: dict[tuple[str, str], Execution] = {}
        self.sent: list[tuple[str, str, str]] = []  # token, the state that is next (or "") and what it needs as JSON
        self.down = False

    @property
    def started(self) -> list[tuple[str, str]]:
        """(machine, name) of all executions in the order they were started."""
        return list(self.executions)

    @property
    def woken(self) -> list[str]:
        """The tokens that merely wake, as they were sent."""
        return [token for token, state, _ in self.sent if not state]

    @property
    def left(self) -> list[tuple[str, str, str]]:
        """Token, the state that it is left for, and what that state needs as JSON."""
        return [sent for sent in self.sent if sent[1]]

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        self._reach()
        if (machine, name) in self.executions:
            return False
        copy = json.loads(json.dumps(payload))
        self.executions[machine, name] = Execution(machine, name, copy, self._clock.now())
        return True

    def running(self, machine: str, name: str) -> bool:
        self._reach()
        execution = self.executions.get((machine, name))
        return execution is not None and execution.status == "RUNNING"

    def wake(self, token: str) -> None:
        self._reach()
        self.sent.append((token, "", ""))

    def leave(self, token: str, state: str, order: Mapping[str, Any]) -> None:
        self._reach()
        self.sent.append((token, state, json.dumps(order)))

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("Step Functions did not answer")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request that was sent, and how long its sender waits for the answer."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float = 0.0

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


Peer = Callable[[Request], Response]


class MemoryHttp:
    """`Http` with peers that a test sets up; what nobody answers is Unavailable."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self._peers: dict[str, Peer] = {}

    def answer(self, prefix: str, status: int = 202, body: Any = None, *, peer: Peer | None = None) -> None:
        """Let URLs that begin with `prefix` answer so; `peer` decides by the request (and may raise Unavailable)."""
        answer = Response(status, json.dumps(body if body is not None else {}).encode())
        self._peers[prefix] = peer or (lambda _: answer)

    def get(self, url: str, *, timeout_seconds: float) -> Response:
        return self.post(url, headers={}, body=b"", timeout_seconds=timeout_seconds)

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> Response:
        request = Request(url, dict(headers), body, timeout_seconds)
        self.sent.append(request)
        for prefix in sorted(self._peers, key=len, reverse=True):
            if url.startswith(prefix):
                return self._peers[prefix](request)
        raise Unavailable(f"nobody answered at {url} within {timeout_seconds} s")


class MemorySecrets:
    """`Secrets` as a mapping that a test fills; `down` makes them unreadable."""

    def __init__(self, known: Mapping[str, Sequence[str]] | None = None) -> None:
        self.known: dict[str, tuple[str, ...]] = {name: tuple(values) for name, values in (known or {}).items()}
        self.down = False

    def values(self, name: str) -> tuple[str, ...]:
        if self.down:
            raise Unavailable(f"the parameter {name} could not be read")
        if name not in self.known:
            raise NotFound(f"there is no parameter {name}")
        return self.known[name]


class MemoryNotices:
    """`Notices` that keep (subject, text) of what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self.down = False

    def publish(self, subject: str, text: str) -> str:
        if self.down:
            raise Unavailable("SNS did not answer")
        self.published.append((subject, text))
        return f"notice-{len(self.published)}"


class MemoryArchive:
    """`Archive` as a mapping from key to body."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        self.objects[key] = body
        self.types[key] = content_type


class MemoryRecordings:
    """`Recordings` where each put is an object by itself, named after its time as Firehose names them."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.objects: dict[str, bytes] = {}
        self.down = False

    def put(self, data: bytes) -> None:
        if self.down:
            raise Unavailable("Firehose did not answer")
        now, number = self._clock.now(), len(self.objects)
        self.objects[f"deliveries/{now:%Y/%m/%d/%H}/recordings-1-{now:%Y-%m-%d-%H-%M-%S}-{number:08d}"] = data

    def keys(self, after: str, *, limit: int = 1000) -> list[str]:
        return sorted(key for key in self.objects if key > after)[:limit]

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotFound(f"there is no recording {key}")
        return self.objects[key]


class MemoryBus:
    """`Bus` that keeps (detail type, detail)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        self.events.append((detail_type, dict(detail)))


class MemoryMetrics:
    """`Metrics` that add up: `counts[name]` over all dimensions, `points` one by one."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.points: list[tuple[str, float, dict[str, str]]] = []

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + value
        self.points.append((name, value, dimensions))


class MemoryClients:
    """`Clients` out of fakes (or moto's clients) that a test puts in by service name."""

    def __init__(self, **fakes: Any) -> None:
        self.fakes: dict[str, Any] = dict(fakes)

    def client(self, service: str) -> Any:
        if service not in self.fakes:
            raise NotFound(f"this world has no client for {service}")
        return self.fakes[service]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One role that was assumed, and with what."""

    action: str
    policy: Mapping[str, Any]
    tags: Mapping[str, str]
    source_identity: str


@dataclass(slots=True)
class MemoryRoles:
    """`Roles` whose credentials are the world's own fakes; each assumption is recorded."""

    clients: MemoryClients
    assumed: list[Assumption] = field(default_factory=list)

    def assume(
        self, action: str, *, policy: Mapping[str, Any], tags: Mapping[str, str], source_identity: str
    ) -> MemoryClients:
        if len(json.dumps(policy, separators=(",", ":"))) > LONGEST_POLICY:
            raise Refused(f"the session policy of {action} is too large", rule="session policy", status=409)
        self.assumed.append(Assumption(action, dict(policy), dict(tags), source_identity))
        return self.clients
