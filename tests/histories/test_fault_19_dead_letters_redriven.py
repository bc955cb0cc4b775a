"""Fault 19: the dead letters are redriven days later: no stale page, nothing that was known is known twice."""

import json
from datetime import timedelta
from typing import Any

import pytest

from incident_bot.domain.clock import rfc3339
from incident_bot.virtual.clock import T0
from tests.histories.scene import ON_CALL, RESOLVED, Scene
from tests.simulation.shop import ARN, TOPIC

DAYS = 3 * 86400


def an_alarm() -> dict[str, Any]:
    """A raw SNS notification of an alarm that went off at T0."""
    message = {
        "AlarmName": "checkout-errors",
        "AWSAccountId": "000000000000",
        "NewStateValue": "ALARM",
        "StateChangeTime": rfc3339(T0),
        "AlarmArn": ARN.format("checkout-errors"),
        "Trigger": {
            "MetricName": "Errors",
            "Namespace": "Shop",
            "Dimensions": [{"name": "Service", "value": "checkout"}],
        },
    }
    return {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": json.dumps(message),
        "Timestamp": rfc3339(T0 + timedelta(seconds=1)),
    }


def an_event() -> dict[str, Any]:
    """The same by EventBridge."""
    state = {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": rfc3339(T0)}
    return {
        "id": "e1",
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": "000000000000",
        "region": "us-east-1",
        "time": rfc3339(T0),
        "resources": [ARN.format("checkout-errors")],
        "detail": {"alarmName": "checkout-errors", "state": state},
    }


def redriven(scene: Scene, *bodies: str) -> None:
    """SQS gives what it redrives a new message id and a new time of sending: only the body knows how old it is."""
    scene.world.queue.send(bodies)
    scene.at(scene.now + 120)


@pytest.mark.parametrize("raw", [an_alarm, an_event], ids=["SNS", "EventBridge"])
def test_an_alarm_that_was_buried_for_days_is_recorded_and_wakes_nobody(raw: Any) -> None:
    scene = Scene()
    scene.at(DAYS)
    redriven(scene, json.dumps(raw()))
    assert scene.pages == []
    assert (scene.incident.noise, scene.running()) == (True, [])
    decided = "severity-by-tier, stale-delivery: it waited 72 hours in a queue: recorded, not paged"
    assert decided in [why for _, _, why in scene.lines("decision")]


def test_the_same_of_a_webhooks_alerts() -> None:
    scene = Scene()
    scene.account.send(scene.alert("checkout"))
    (buried,) = [message.body for message in scene.world.queue.messages]
    scene.world.queue.messages.clear()
    scene.at(DAYS)
    redriven(scene, buried)
    assert (scene.pages, scene.incident.noise) == ([], True)


def test_what_has_been_known_and_closed_since_stays_closed() -> None:
    scene = Scene()
    scene.account.send(scene.alert("checkout"))
    body = scene.world.queue.messages[0].body
    scene.at(100)
    scene.says("checkout", RESOLVED)
    scene.at(DAYS)
    redriven(scene, body)
    assert len(scene.incidents) == 1
    assert scene.pages == [(0, ON_CALL, "first")]


def test_a_new_firing_of_the_same_series_still_pages() -> None:
    scene = Scene()
    scene.at(DAYS)
    redriven(scene, json.dumps(an_alarm()))
    scene.says("checkout", severity=None, title="fresh", identity={"alert": "fresh"}, labels={})
    assert [purpose for _, _, purpose in scene.pages] == ["first"]


def test_an_alarm_that_waited_minutes_pages_as_any() -> None:
    scene = Scene()
    scene.at(1800)
    redriven(scene, json.dumps(an_alarm()))
    assert [purpose for _, _, purpose in scene.pages][:1] == ["first"]
