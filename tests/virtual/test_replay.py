"""Does a replay say where every delivery belongs and who would have been paged, through the product's own handlers?"""

import json
from datetime import timedelta
from typing import Any

import pytest

from incident_bot.domain.errors import Invalid
from incident_bot.domain.incident import State
from incident_bot.ingest.recording import Recorded
from incident_bot.virtual.clock import T0
from incident_bot.virtual.replay import Replay, recorded, replay
from tests.building import a_team


def an_alertmanager_delivery(
    identifier: str, at: float, *, service: str = "checkout", alert: str = "HighErrorRate", **changes: Any
) -> Recorded:
    """One group of one alert, as Alertmanager's version 4 webhook sends it; `ends` makes it a resolve."""
    starts, ends = T0 + timedelta(seconds=changes.get("starts", at)), changes.get("ends")
    status = "firing" if ends is None else "resolved"
    labels = {"alertname": alert, "service": service, "severity": changes.get("severity", "critical")}
    entry = {
        "status": status,
        "labels": labels,
        "annotations": {},
        "startsAt": starts.isoformat(),
        "endsAt": "0001-01-01T00:00:00Z" if ends is None else (T0 + timedelta(seconds=ends)).isoformat(),
        "generatorURL": "",
        "fingerprint": f"{service}{alert}".encode().hex()[:16],
    }
    body = {
        "version": "4",
        "groupKey": "{}",
        "status": status,
        "receiver": "incident-bot",
        "groupLabels": {},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.test",
        "alerts": [entry],
    }
    return Recorded(T0 + timedelta(seconds=at), identifier, "alertmanager", json.dumps(body))


def an_alarm(identifier: str, at: float, state: str = "ALARM") -> Recorded:
    """A CloudWatch alarm's notification as SNS puts it into the queue."""
    moment = (T0 + timedelta(seconds=at)).isoformat(timespec="milliseconds")
    alarm = {
        "AlarmName": "orders-errors",
        "AlarmDescription": "",
        "AWSAccountId": "000000000000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:orders-errors",
        "NewStateValue": state,
        "OldStateValue": "OK",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": moment,
        "Trigger": {"MetricName": "Errors", "Namespace": "Shop", "Dimensions": []},
    }
    envelope = {
        "Type": "Notification",
        "MessageId": identifier,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:alarms",
        "Subject": "ALARM",
        "Message": json.dumps(alarm),
        "Timestamp": moment,
    }
    return Recorded(T0 + timedelta(seconds=at), identifier, "cloudwatch", json.dumps(envelope))


def assigned(found: Replay) -> dict[str, str | None]:
    return {line["delivery_id"]: line["incident"] for line in found.assign}


def test_a_fault_is_one_incident_with_one_page_and_its_resolve_belongs_to_it() -> None:
    found = replay(
        [
            an_alertmanager_delivery("first", 1),
            an_alertmanager_delivery("again", 31, starts=1),
            an_alertmanager_delivery("over", 61, starts=1, ends=60),
        ],
        a_team(),
    )
    (incident,) = found.incidents
    assert assigned(found) == dict.fromkeys(("first", "again", "over"), incident.id)
    assert incident.over
    (page,) = found.pages
    assert page == {"t": 1.0, "delivery_ids": ["first"], "to": "Grace", "incident": incident.id}


def test_both_doors_lead_to_the_same_incident_of_what_depends_on_each_other() -> None:
    found = replay([an_alertmanager_delivery("web", 0), an_alarm("alarm", 5)], a_team())
    assert len(found.incidents) == 1
    assert None not in assigned(found).values()


def test_what_cannot_be_read_is_named_with_its_reason() -> None:
    broken = Recorded(T0, "broken", "alertmanager", '{"version": "3"}')
    prose = Recorded(T0, "prose", "cloudwatch", "hello")
    nobody = Recorded(T0, "nobody", "carrier-pigeon", "{}")
    found = replay([broken, prose, nobody, an_alertmanager_delivery("good", 0)], a_team())
    assert [line["delivery_id"] for line in found.quarantined] == ["broken", "prose", "nobody"]
    assert all(line["reason"] for line in found.quarantined)
    assert assigned(found)["good"] is not None


def test_nobody_acknowledges_and_escalation_steps_are_left_out() -> None:
    found = replay([an_alertmanager_delivery("first", 0)], a_team())
    (incident,) = found.incidents
    assert incident.pages > 1
    assert len(found.pages) == 1


def test_deliveries_are_taken_in_order_of_arrival_and_times_count_from_the_origin() -> None:
    late, early = an_alertmanager_delivery("late", 50), an_alertmanager_delivery("early", 10, starts=10)
    found = replay([late, early], a_team(), T0 - timedelta(seconds=100))
    assert [line["delivery_id"] for line in found.assign] == ["early", "late"]
    assert found.pages[0]["t"] == 110.0


def test_the_same_recording_gives_the_same_answer() -> None:
    recording = [an_alertmanager_delivery(str(n), n * 7, alert=f"Alert{n % 3}") for n in range(12)]
    first, second = replay(recording, a_team()), replay(recording, a_team())
    assert (first.assign, first.pages) == (second.assign, second.pages)


def test_nothing_that_the_handlers_log_reaches_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    replay([an_alertmanager_delivery("first", 0)], a_team())
    assert capsys.readouterr().out == ""


def test_an_empty_recording_is_an_empty_answer() -> None:
    assert replay([], a_team()) == Replay((), (), ())


def test_a_fault_that_clears_is_closed_at_the_end() -> None:
    many = [an_alertmanager_delivery(f"f{n}", n, alert=f"Alert{n}") for n in range(3)]
    over = [an_alertmanager_delivery(f"r{n}", 60 + n, alert=f"Alert{n}", starts=n, ends=60) for n in range(3)]
    (incident,) = replay([*many, *over], a_team()).incidents
    assert incident.state in (State.RESOLVED, State.POSTMORTEM)


def a_line(**changes: Any) -> str:
    entry = {"at": 1.5, "delivery_id": "d", "source": "generic", "body": "{}"} | changes
    return json.dumps({name: value for name, value in entry.items() if value is not None})


@pytest.mark.parametrize("at", [1.5, "2026-01-15T11:00:01.5+01:00"])
def test_a_time_is_seconds_after_the_origin_or_rfc_3339(at: float | str) -> None:
    assert recorded(a_line(at=at), 1, T0) == Recorded(T0 + timedelta(seconds=1.5), "d", "generic", "{}")


@pytest.mark.parametrize("line", ["{", "[]", a_line(at=None), a_line(at="noon"), a_line(at=[1]), a_line(body=None)])
def test_a_line_that_is_no_delivery_is_named(line: str) -> None:
    with pytest.raises(Invalid, match="line 7"):
        recorded(line, 7, T0)
