"""Does PagerDuty get what its Events API v2 takes, and is each of its answers understood?"""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from incident_bot.channels import named
from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Refused, Unavailable
from incident_bot.domain.message import Kind
from incident_bot.domain.team import ChannelSettings
from infra.local.vendors import judge_pagerduty
from tests.building import a_world
from tests.channels.messages import HOSTILE, a_message

KEY = "0123456789abcdef0123456789abcdef"
SETTINGS = ChannelSettings(url="http://pagerduty.test/")
CHANNEL = named("pagerduty")


def sent(**changes):
    world = a_world()
    delivery = CHANNEL.send(replace(a_message(), **changes), KEY, SETTINGS, world, 2.0)
    (request,) = world.http.sent
    return delivery, request


def test_a_trigger_says_everything_and_the_vendor_takes_it() -> None:
    delivery, request = sent()
    event = request.json
    assert request.url == "http://pagerduty.test/v2/enqueue"
    assert request.headers["content-type"] == "application/json"
    assert judge_pagerduty(request.body, [KEY]).status == 202
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == (KEY, "trigger", "inc1")
    assert event["payload"]["summary"] == "[Sev1] checkout: errors"
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["source"] == event["payload"]["component"] == "checkout"
    assert datetime.fromisoformat(event["payload"]["timestamp"]).tzinfo is not None
    assert event["payload"]["custom_details"]["message"] == "What is known:\n- errors"
    assert event["payload"]["custom_details"]["incident"] == "inc1"
    assert event["links"] == [{"href": "https://wiki.example.com/checkout", "text": "Runbook"}]
    assert event["client"] == "Incident Bot"
    assert delivery.reference == "inc1"


@pytest.mark.parametrize("kind", [Kind.ACKNOWLEDGE, Kind.RESOLVE])
def test_a_closing_carries_the_dedup_key_and_no_payload(kind: Kind) -> None:
    _, request = sent(kind=kind)
    assert request.json == {
        "routing_key": KEY,
        "event_action": str(kind),
        "dedup_key": "inc1",
        "client": "Incident Bot",
    }
    assert judge_pagerduty(request.body, [KEY]).accepted


@pytest.mark.parametrize(
    ("severity", "named_there"),
    list(zip(Severity, ["critical", "error", "warning", "info", "info"], strict=True)),
)
def test_severities_as_pagerduty_names_them(severity: Severity, named_there: str) -> None:
    assert sent(severity=severity)[1].json["payload"]["severity"] == named_there


def test_its_limits_are_kept_and_foreign_text_is_inert() -> None:
    _, request = sent(
        title=HOSTILE * 100, service="", text=HOSTILE * 2000, thread="t" * 400, details={HOSTILE: HOSTILE}
    )
    event = request.json
    assert judge_pagerduty(request.body, [KEY]).status == 202
    assert len(event["payload"]["summary"]) <= 1024
    assert len(event["dedup_key"]) == 255
    assert event["payload"]["source"] == "inc1"
    for hidden in ("\u202e", "\x1b", "://", "@"):
        assert hidden not in json.dumps(event["payload"], ensure_ascii=False)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Refused), (401, Refused), (302, Refused), (200, Refused), (429, Unavailable), (500, Unavailable)],
)
def test_only_202_is_a_yes(status: int, error: type[Exception]) -> None:
    world = a_world()
    world.http.answer("http://pagerduty.test", status, {"message": "so it is"})
    with pytest.raises(error, match="so it is"):
        CHANNEL.send(a_message(), KEY, SETTINGS, world, 2.0)


def test_no_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        CHANNEL.send(a_message(), KEY, ChannelSettings(url="http://nobody.test"), a_world(), 2.0)


@pytest.mark.parametrize(("kind", "key"), [(Kind.UPDATE, KEY), (Kind.TRIGGER, "")])
def test_what_pagerduty_cannot_do_is_refused_without_asking_it(kind: Kind, key: str) -> None:
    world = a_world()
    with pytest.raises(Refused):
        CHANNEL.send(replace(a_message(), kind=kind), key, SETTINGS, world, 2.0)
    assert world.http.sent == []


def test_the_vendors_address_is_the_default() -> None:
    world = a_world()
    world.http.answer("https://events.pagerduty.com/v2/enqueue", 202)
    CHANNEL.send(a_message(), KEY, ChannelSettings(), world, 2.0)
    assert len(world.http.sent) == 1
