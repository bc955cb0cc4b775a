"""`send` delivers every source's own examples as their vendor would, and nothing else decides what they are."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.configuration.custom import ready
from tests.building import a_team, a_world
from tests.cli.running import QUEUE, SECRETS, TOPIC, Desk

CONFIG = Path(__file__).parents[2] / "config"
EXAMPLES = [
    pytest.param(source.name, example, id=f"{source.name}-{example.name}")
    for source in plugins.sources().values()
    for example in source.examples
    if example.expect and not example.rejects and source.name != "heartbeat"
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    secrets = {f"webhooks/{name}": (secret,) for name, secret in SECRETS.items()}
    return Desk(a_world(secrets=secrets), tmp_path)


def written(desk: Desk, body: Any) -> Path:
    file = desk.folder / "payload.json"
    file.write_text(body if isinstance(body, str) else json.dumps(body))
    return file


@pytest.mark.parametrize(("source", "example"), EXAMPLES)
def test_a_sources_example_is_recognised_and_goes_the_vendors_way(source: str, example: Any, desk: Desk) -> None:
    ran = desk.run("send", written(desk, example.body), "--json", "--source", source)
    assert (ran.code, ran.json["source"]) == (0, source)
    if plugins.sources()[source].authentication:
        assert (ran.json["status"], ran.json["answer"]["rejected"]) == (202, [])
        assert len(desk.world.queue.bodies) == 1
    else:
        assert len(desk.aws.published) + len(desk.aws.enqueued) == 1


def test_a_heartbeat_is_told_where_it_pings(desk: Desk) -> None:
    ran = desk.run("send", written(desk, {"heartbeat": "nightly-export"}), "--source", "heartbeat")
    assert (ran.code, "/v1/heartbeats/NAME" in ran.err, desk.requests) == (1, True, [])


def test_an_alarm_is_published_to_the_topic_as_its_bare_message(desk: Desk) -> None:
    message = {"AlarmName": "checkout-api-errors", "NewStateValue": "ALARM", "StateChangeTime": "2026-01-15T10:00:00Z"}
    assert desk.run("send", written(desk, message)).code == 0
    [published] = desk.aws.published
    assert (published["TopicArn"], json.loads(published["Message"])) == (TOPIC, message)


def test_a_notification_is_opened_before_it_is_published_again(desk: Desk) -> None:
    message = {"AlarmName": "a", "NewStateValue": "OK", "StateChangeTime": "2026-01-15T10:00:00Z"}
    notification = {"Type": "Notification", "TopicArn": TOPIC, "MessageId": "1", "Message": json.dumps(message)}
    desk.run("send", written(desk, notification))
    assert json.loads(desk.aws.published[0]["Message"]) == message


def test_an_event_lies_in_the_queue_as_the_rule_would_put_it_there_and_is_new_each_time(desk: Desk) -> None:
    event = {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "id": "1",
        "detail": {"status": "FAILED"},
    }
    file = written(desk, event)
    desk.run("send", file)
    desk.run("send", file)
    first, second = (json.loads(sent["MessageBody"]) for sent in desk.aws.enqueued)
    assert {**first, "id": "1"} == event
    assert first["id"] != second["id"]
    assert desk.aws.enqueued[0]["QueueUrl"] == QUEUE


def test_a_malformed_payload_goes_out_unchanged_where_its_source_is_named(desk: Desk) -> None:
    ran = desk.run("send", written(desk, "{ not json"), "--source", "generic", "--json")
    assert (ran.code, ran.json["status"]) == (1, 400)
    assert desk.requests[0].content == b"{ not json"
    assert "not JSON" in ran.err
    [quarantined] = desk.run("quarantine", "list", "--json").json
    assert list(quarantined) == ["delivery_id", "source", "at", "reason"]
    assert "not JSON" in desk.run("quarantine", "list").out


@pytest.mark.parametrize(("body", "reason"), [("{ not json", "not JSON"), ({"hello": "world"}, "no source reads this")])
def test_what_nobody_recognises_needs_a_named_source(body: Any, reason: str, desk: Desk) -> None:
    ran = desk.run("send", written(desk, body))
    assert ran.code == 1
    assert reason in ran.err
    assert "--source" in ran.err
    assert desk.requests == []


def test_an_unknown_source_names_the_nearest(desk: Desk) -> None:
    ran = desk.run("send", written(desk, {}), "--source", "alertmanger")
    assert ran.code == 1
    assert "did you mean alertmanager?" in ran.err


def test_a_wrong_secret_is_refused_by_the_webhook_and_exits_1(desk: Desk) -> None:
    desk.world.secrets.known["webhooks/alertmanager"] = ("another",)
    example = plugins.sources()["alertmanager"].examples[0]
    ran = desk.run("send", written(desk, example.body), "--source", "alertmanager")
    assert ran.code == 1
    assert "401" in ran.err


KUMA = {"msg": "down", "heartbeat": {"status": 0, "msg": "no answer"}, "monitor": {"id": 7, "name": "Checkout answers"}}


@pytest.mark.parametrize("naming", [("--source", "uptime_kuma"), ()])
def test_a_described_source_is_delivered_as_the_configuration_says(naming: tuple[str, ...], tmp_path: Path) -> None:
    team = replace(a_team(), custom={"uptime_kuma": ready()["uptime_kuma"].custom})
    desk = Desk(a_world(team, secrets={"webhooks/uptime_kuma": (SECRETS["uptime_kuma"],)}), tmp_path)

    ran = desk.run("send", written(desk, KUMA), "--json", "--config", CONFIG, *naming)

    assert (ran.code, ran.json["source"], ran.json["status"]) == (0, "uptime_kuma", 202), ran.err
    assert len(desk.world.queue.bodies) == 1


def test_the_policy_explains_what_a_described_source_says(desk: Desk) -> None:
    ran = desk.run("policy", "explain", written(desk, KUMA), "--json", "--config", CONFIG)

    assert [(alert["source"], alert["alert"]) for alert in ran.json] == [("uptime_kuma", "Checkout answers")]


def test_a_file_that_does_not_exist_is_wrong_usage(desk: Desk) -> None:
    assert desk.run("send", "nowhere.json").code == 2


def test_nothing_in_quarantine_is_said(desk: Desk) -> None:
    assert desk.run("quarantine", "list").out.strip() == "nothing is in quarantine"
    assert desk.run("quarantine", "list", "--json").json == []
