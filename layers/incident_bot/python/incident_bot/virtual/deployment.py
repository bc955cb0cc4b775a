"""A deployment in memory: what runs by itself in an account, namely the queue's consumer, the executions and sweep."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.errors import IncidentBotError
from incident_bot.virtual.checkout import placeholder
from incident_bot.virtual.run import Crash
from incident_bot.virtual.surroundings import Message
from incident_bot.virtual.walker import Definitions, Walker
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Handler, World

BATCH = 10
RECEIVES = 5  # before a message goes to the dead-letter queue
SWEEP = timedelta(minutes=1)


class Deployment:
    """The handlers over one virtual world, driven in order of time; `seen` is the world that handlers get."""

    def __init__(
        self,
        world: VirtualWorld,
        functions: Mapping[str, Handler],
        definitions: Definitions,
        *,
        seen: World | None = None,
    ) -> None:
        self.world = world
        self.walker = Walker(world, definitions, functions, seen=seen)
        self.swept_at = world.now()
        self.batch = BATCH
        self._seen = seen or world
        self._functions = functions

    def run_until(self, moment: datetime) -> None:
        """Let time pass up to `moment` and everything happen that falls due."""
        while (at := self.next_at()) is not None and at <= moment:
            self.world.clock.advance_to(at)
            while self.step():
                pass
        self.world.clock.advance_to(moment)

    def run_for(self, seconds: float) -> None:
        """Let that much time pass."""
        self.run_until(self.world.now() + timedelta(seconds=seconds))

    def next_at(self) -> datetime | None:
        """When something next falls due."""
        moments = [self.walker.next_at(), self.swept_at + SWEEP, self.world.queue.next_at()]
        return min((moment for moment in moments if moment is not None), default=None)

    def step(self) -> bool:
        """Do one thing that is due now, messages first; False where nothing is."""
        if self.consume() or self.walker.step() is not None:
            return True
        if self.world.now() >= self.swept_at + SWEEP:
            self.swept_at = self.world.now()
            self.survive(lambda: self.invoke("sweep", {}))
            return True
        return False

    def consume(self) -> bool:
        """Hand one batch of visible messages to `consume`; what failed comes again when it is visible again."""
        batch = self.world.queue.receive(self.batch)
        if not batch:
            return False
        event = {"Records": [record(message) for message in batch]}
        answer = self.survive(lambda: self.invoke("consume", event))
        failed = {m.id for m in batch} if answer is None else {f["itemIdentifier"] for f in answer["batchItemFailures"]}
        for message in batch:
            if message.id not in failed:
                self.world.queue.delete(message)
            elif message.receives >= RECEIVES:
                self.world.queue.bury(message)
        return True

    def invoke(self, stage: str, event: Mapping[str, Any]) -> Any:
        """Invoke a stage's function, as its trigger would."""
        return self._functions[placeholder(stage)](self._seen, event)

    def survive(self, invoke: Callable[[], Any]) -> Any:
        """A function that fails, or dies at its work, takes nothing with it: SQS and the schedule come again."""
        try:
            return invoke()
        except (Crash, IncidentBotError):
            return None


def record(message: Message) -> dict[str, Any]:
    """The message as Lambda's event source hands it over."""
    sent = str(int(message.sent_at.timestamp() * 1000))
    attributes = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": sent}
    return {"messageId": message.id, "body": message.body, "attributes": attributes, "messageAttributes": {}}
