"""Does what runs by itself in an account run here, in order of time and in spite of crashes?"""

import json
from collections.abc import Mapping
from typing import Any

from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.run import Crash
from incident_bot.world import Handler, World
from tests.building import a_world


class Consumer:
    """A consumer that notes what it got, and fails or dies on what it is told to."""

    def __init__(self, *, fails: str = "", dies: str = "") -> None:
        self.got: list[tuple[float, list[str]]] = []
        self.fails = fails
        self.dies = dies

    def __call__(self, world: World, event: Mapping[str, Any]) -> dict[str, Any]:
        bodies = [record["body"] for record in event["Records"]]
        self.got.append((world.now().timestamp() % 3600, bodies))
        if self.dies in bodies:
            raise Crash(self.dies)
        failed = [record["messageId"] for record in event["Records"] if record["body"] == self.fails]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def no_sweep(world: World, event: Mapping[str, Any]) -> None:
    """Nothing to repair."""


def a_deployment(consumer: Handler, sweep: Handler = no_sweep) -> Deployment:
    return Deployment(a_world(), {"ConsumeFunctionArn": consumer, "SweepFunctionArn": sweep}, {})


def test_messages_are_consumed_in_batches_when_they_are_due() -> None:
    consumer = Consumer()
    deployment = a_deployment(consumer)
    deployment.world.queue.send([str(n) for n in range(12)])
    deployment.world.queue.send(["late"], delay_seconds=30)
    deployment.run_for(60)
    assert [(at, len(bodies)) for at, bodies in consumer.got] == [(0, 10), (0, 2), (30, 1)]
    assert deployment.world.queue.bodies == []


def test_what_failed_comes_again_alone_and_at_last_goes_to_the_dead_letters() -> None:
    consumer = Consumer(fails="poison")
    deployment = a_deployment(consumer)
    deployment.world.queue.send(["good", "poison"])
    deployment.run_for(600)
    assert consumer.got[1:] == [(60, ["poison"]), (120, ["poison"]), (180, ["poison"]), (240, ["poison"])]
    assert [message.body for message in deployment.world.queue.dead] == ["poison"]


def test_a_consumer_that_dies_gets_the_whole_batch_again() -> None:
    consumer = Consumer(dies="b")
    deployment = a_deployment(consumer)
    deployment.world.queue.send(["a", "b"])
    deployment.run_for(60)
    assert consumer.got == [(0, ["a", "b"]), (60, ["a", "b"])]


def test_sweep_comes_each_minute() -> None:
    minutes: list[int] = []
    a_deployment(Consumer(), lambda world, event: minutes.append(world.now().minute)).run_for(200)
    assert minutes == [1, 2, 3]


def test_a_record_is_what_lambda_hands_over() -> None:
    seen: list[Any] = []

    def consumer(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(event)
        return {"batchItemFailures": []}

    deployment = a_deployment(consumer)
    deployment.world.queue.send(["{}"])
    deployment.consume()
    (record,) = json.loads(json.dumps(seen))[0]["Records"]
    assert record["attributes"] == {"ApproximateReceiveCount": "1", "SentTimestamp": "1768471200000"}
