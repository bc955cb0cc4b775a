"""Does a delivery reach the queue exactly when its sender is told so, and is every refusal what the contract says?"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.receive import handler, invoked, receive
from incident_bot.authentication import StandardWebhooks
from incident_bot.domain.errors import Invalid, Unavailable
from incident_bot.domain.team import Sender
from incident_bot.ingest import arrival, quarantine
from incident_bot.ingest.rate import RateLimit
from incident_bot.ingest.signals import read_raw
from incident_bot.plugins import source
from incident_bot.virtual.clock import T0
from incident_bot.virtual.surroundings import MemoryArchive, MemoryQueue
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Admitted
from tests.building import a_world

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
TOKEN = "alertmanager-token"
ALERT = {"title": "Invoices are late", "status": "firing", "service": "billing"}
GROUP = source("alertmanager").examples[0].body
DUMPED = {"title": "Invoices are late", "status": "firing", "service": "billing", "source": "generic"}


def a_front(**secrets: tuple[str, ...]) -> VirtualWorld:
    known = {"generic": (SECRET,), "alertmanager": (TOKEN,)} | secrets
    return a_world(secrets={f"webhooks/{name}": values for name, values in known.items()})


def an_event(path: str, body: bytes | str, headers: Mapping[str, str], method: str = "POST", **more: Any) -> dict:
    """API Gateway's event for a request, payload format 2.0."""
    raw = body if isinstance(body, str) else body.decode()
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/webhooks/{source}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": dict(headers),
        "pathParameters": {"source": path.rpartition("/")[2]},
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "request-1", "stage": "$default"},
        "body": raw,
        "isBase64Encoded": False,
    } | more


def generic(document: Any, message_id: str = "msg-1", **more: Any) -> dict:
    """A delivery to `generic` as its sender signs it."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return an_event("/v1/webhooks/generic", body, StandardWebhooks().sign(body, SECRET, T0, message_id)) | more


def alertmanager(document: Any, **headers: str) -> dict:
    """A delivery to `alertmanager` as it comes with a bearer token."""
    sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | headers
    return an_event("/v1/webhooks/alertmanager", json.dumps(document), sent)


def answered(response: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    return response["statusCode"], json.loads(response["body"])


def queued(world: VirtualWorld) -> list[dict[str, Any]]:
    return [json.loads(body) for body in world.queue.bodies]


def some_of(found: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in expected}


def test_a_signed_alert_is_accepted_and_queued_as_it_was_read() -> None:
    world = a_front()

    status, receipt = answered(receive(world, generic(ALERT)))

    assert (status, receipt) == (202, {"accepted": 1, "duplicates": 0, "rejected": [], "delivery_id": "msg-1"})
    (message,) = queued(world)
    assert some_of(message, {"v": 1, "kind": "", "source": "", "delivery": "", "received_at": ""}) == {
        "v": 1,
        "kind": "alerts",
        "source": "generic",
        "delivery": "msg-1",
        "received_at": "2026-01-15T10:00:00.000000Z",
    }
    assert some_of(message["alerts"][0], DUMPED) == DUMPED


def test_a_replay_is_the_same_delivery() -> None:
    world = a_front()

    receive(world, generic(ALERT))
    receive(world, generic(ALERT))

    first, second = queued(world)
    assert first == second


def test_a_delivery_that_is_not_signed_by_id_is_named_by_its_request() -> None:
    world = a_front()

    receive(world, alertmanager(GROUP))

    assert queued(world)[0]["delivery"] == "request-1"


def test_a_body_in_base64_is_the_same_body() -> None:
    world = a_front()
    event = generic(ALERT)

    encoded = {**event, "body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}

    assert answered(receive(world, encoded))[0] == 202


def test_repeats_inside_a_delivery_are_counted_and_bad_neighbours_named_and_kept() -> None:
    world = a_front()
    delivery = {"alerts": [ALERT, {"status": "firing"}, ALERT, {**ALERT, "title": "Other"}]}

    status, receipt = answered(receive(world, generic(delivery)))

    assert (status, receipt["accepted"], receipt["duplicates"]) == (202, 2, 1)
    assert receipt["rejected"] == [{"index": 1, "field": "title", "reason": "title is missing"}]
    (kept,) = quarantine.listed(world)
    assert (kept.delivery_id, kept.source, kept.reason) == ("msg-1", "generic", "title is missing")
    assert json.loads(world.archive.objects[kept.body]) == delivery


def test_what_alertmanager_left_out_is_noted() -> None:
    _, receipt = answered(receive(a_front(), alertmanager({**GROUP, "truncatedAlerts": 3})))

    assert receipt["notes"] == ["Alertmanager left out 3 more alerts of this group (truncatedAlerts)"]


def test_a_large_delivery_travels_in_messages_under_200_kb() -> None:
    world = a_front()
    alerts = [{**ALERT, "key": str(i), "summary": "x" * 2000} for i in range(300)]

    status, receipt = answered(receive(world, generic({"alerts": alerts})))

    assert (status, receipt["accepted"]) == (202, 300)
    assert len(queued(world)) == 4
    assert max(len(body) for body in world.queue.bodies) <= 200_000
    assert [a["identity"]["key"] for message in queued(world) for a in message["alerts"]] == [
        str(i) for i in range(300)
    ]


UNSIGNED = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("event", "status", "headers"),
    [
        (an_event("/v1/webhooks/nope", "{}", UNSIGNED), 404, {}),
        (an_event("/v1/webhooks/__init__", "{}", UNSIGNED), 404, {}),
        (an_event("/v1/webhooks/..%2Fgeneric", "{}", UNSIGNED), 404, {}),
        (an_event("/v1/webhooks/cloudwatch", "{}", UNSIGNED), 404, {}),
        (an_event("/v1/webhooks/generic", "", {}, "GET"), 405, {"allow": "POST"}),
        (an_event("/v1/webhooks/generic", "{}", UNSIGNED, "PUT"), 405, {"allow": "POST"}),
        (generic(ALERT, headers={"content-type": "text/plain"}), 415, {"accept": "application/json"}),
        (generic(ALERT, headers={}), 415, {"accept": "application/json"}),
        (generic(ALERT, headers={**UNSIGNED, "content-encoding": "gzip"}), 415, {}),
        (generic(ALERT, headers=UNSIGNED), 401, {"www-authenticate": "StandardWebhooks"}),
        (generic(ALERT, body=json.dumps({**ALERT, "title": "Forged"})), 401, {}),
        (
            alertmanager(GROUP, Authorization="Bearer guess"),
            401,
            {"www-authenticate": 'Bearer, Basic realm="incident-bot"'},
        ),
        (generic(ALERT, body="%%%", isBase64Encoded=True), 400, {}),
        (an_event("/v1/webhooks/generic", " " * (1 << 20) + "{}", UNSIGNED), 413, {}),
    ],
)
def test_what_is_refused_at_the_door_leaves_nothing_behind(
    event: dict[str, Any], status: int, headers: dict[str, str]
) -> None:
    world = a_front()

    response = receive(world, event)

    found, document = answered(response)
    assert (found, document["status"]) == (status, status)
    assert response["headers"]["content-type"] == "application/problem+json"
    assert headers.items() <= response["headers"].items()
    assert document["type"].startswith("urn:incident-bot:problem:")
    assert document["instance"] == "urn:incident-bot:request:request-1"
    assert document["title"]
    assert document["detail"]
    assert world.queue.bodies == []
    assert quarantine.listed(world) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"title": "late"', 400, ""),
        (b'{"title": "late", "title": "later", "status": "firing"}', 400, "title"),
        (b"[" * 20_000 + b"]" * 20_000, 400, ""),
        (b'{"status": "firing"}', 400, "title"),
        (b'{"alerts": []}', 400, "alerts"),
        (b"[]", 400, ""),
        (b"", 400, ""),
        (b'"' + b"x" * (1 << 20) + b'"', 413, ""),
    ],
)
def test_an_authentic_delivery_without_a_valid_alert_is_refused_and_quarantined(
    body: bytes, status: int, field: str
) -> None:
    world = a_front()

    found, document = answered(receive(world, generic(body)))

    assert found == status
    assert [rejection["field"] for rejection in document["rejected"]] == [field]
    (kept,) = quarantine.listed(world)
    assert (kept.delivery_id, kept.reason) == ("msg-1", document["detail"])
    assert world.archive.objects[kept.body] == body
    assert world.queue.bodies == []


def test_a_source_without_a_secret_lets_nobody_in() -> None:
    world = a_world()

    status, document = answered(receive(world, generic(ALERT)))

    assert (status, document["detail"]) == (401, "generic has no secret yet")


def test_while_keys_rotate_both_are_good() -> None:
    world = a_front(generic=("whsec_" + base64.b64encode(b"n" * 24).decode(), SECRET))

    assert answered(receive(world, generic(ALERT)))[0] == 202


def test_a_secret_that_cannot_be_read_is_never_the_senders_fault() -> None:
    world = a_front()
    world.secrets.down = True

    response = receive(world, generic(ALERT))

    assert answered(response)[0] == 503
    assert response["headers"]["retry-after"] == "5"


def test_a_secret_that_is_none_is_never_the_senders_fault() -> None:
    assert answered(receive(a_front(generic=("not base64!",)), generic(ALERT)))[0] == 503


class FullQueue(MemoryQueue):
    """A queue that takes nothing."""

    def send(self, *_: Any, **__: Any) -> None:
        raise Unavailable("SQS did not take 1 of 1 messages")


class FullArchive(MemoryArchive):
    """An archive that takes nothing."""

    def put(self, *_: Any, **__: Any) -> None:
        raise Unavailable("S3 did not answer")


def test_what_the_queue_does_not_take_is_to_be_sent_again() -> None:
    world = a_front()

    response = receive(replace(world, queue=FullQueue(world.clock)), generic(ALERT))

    assert answered(response)[0] == 503
    assert "SQS" not in response["body"]


def test_alerts_are_queued_even_when_their_bad_neighbours_cannot_be_kept() -> None:
    world = a_front()

    response = receive(replace(world, archive=FullArchive()), generic({"alerts": [ALERT, {}]}))

    assert answered(response)[0] == 503, "so that the sender repeats it, and the bad one is kept then"
    assert len(queued(world)) == 1


def test_who_sends_too_fast_is_told_when_to_come_again() -> None:
    world = replace(a_front(), admit=lambda source: Admitted(1.2 if source == "generic" else 0.0))

    response = receive(world, generic(ALERT))

    assert answered(response)[0] == 429
    assert response["headers"]["retry-after"] == "2"
    assert answered(receive(world, alertmanager(GROUP)))[0] == 202


def test_the_team_of_a_sender_that_is_slowed_down_is_told_once() -> None:
    world = a_front()
    senders = {"generic": Sender(per_second=1, burst=1, service="checkout")}
    world = replace(world, admit=RateLimit(world.now, senders).admit, team=replace(world.team, senders=senders))

    statuses = [answered(receive(world, generic(ALERT)))[0] for _ in range(4)]

    assert statuses == [202, 429, 429, 429]
    told = [alert for message in queued(world) for alert in message["alerts"] if "slowed" in alert["labels"]]
    assert [(a["title"], a["service"], a["severity"]) for a in told] == [
        ("Deliveries of generic are refused", "checkout", 2)
    ]


def test_nobody_who_holds_a_senders_secret_can_say_that_it_is_slowed_down_no_more() -> None:
    world = replace(a_front(), admit=lambda _: Admitted(1.2, told=lambda: None))
    receive(world, generic(ALERT))
    (message,) = world.queue.bodies
    (told,) = json.loads(message)["alerts"]
    forged = {"title": told["title"], "status": "resolved", "key": told["identity"]["key"]}
    receive(replace(world, admit=lambda _: Admitted(0.0)), generic(forged))

    arrived = [
        arrival.read(world, {"messageId": "m", "body": body, "attributes": {}})[0].observation
        for body in world.queue.bodies
    ]

    ours, theirs = (observation.alert for observation in arrived if observation)
    assert (ours.source, ours.status.value) == ("incident-bot", "firing")
    assert theirs.status.value == "resolved"
    assert ours.fingerprint != theirs.fingerprint


def test_that_a_sender_is_slowed_down_is_told_later_where_the_queue_did_not_take_it() -> None:
    world = a_front()
    world = replace(world, admit=RateLimit(world.now, {"generic": Sender(per_second=1, burst=1)}).admit)
    receive(world, generic(ALERT))

    statuses = [
        answered(receive(replace(world, queue=FullQueue(world.clock)), generic(ALERT)))[0],
        answered(receive(world, generic(ALERT)))[0],
    ]

    assert statuses == [503, 429]
    assert sum("slowed" in alert["labels"] for message in queued(world) for alert in message["alerts"]) == 1


def test_nobody_spends_anothers_rate_without_proof_of_who_they_are() -> None:
    limit = RateLimit(lambda: T0, {"generic": Sender(burst=1)})
    world = replace(a_front(), admit=limit.admit)

    refused = [answered(receive(world, generic(ALERT, headers=UNSIGNED)))[0] for _ in range(3)]

    assert refused == [401, 401, 401]
    assert answered(receive(world, generic(ALERT)))[0] == 202


def test_hostile_text_is_an_alert_like_any_other() -> None:
    hostile = "<!channel> \u202eevil\u0000 ${jndi:ldap://x} '; DROP TABLE incidents;--"
    world = a_front()

    status, receipt = answered(receive(world, generic({**ALERT, "title": hostile, "labels": {"$ref": "x"}})))

    assert (status, receipt["accepted"]) == (202, 1)
    assert queued(world)[0]["alerts"][0]["title"] == hostile


def test_an_answer_does_not_grow_with_what_is_rejected() -> None:
    _, document = answered(receive(a_front(), generic({"alerts": [1] * 100_000})))

    assert len(document["rejected"]) == 1000


@given(st.dictionaries(st.sampled_from(["headers", "body", "rawPath", "pathParameters", "requestContext"]), st.none()))
def test_no_request_makes_it_raise(missing: dict[str, None]) -> None:
    response = receive(a_front(), generic(ALERT) | missing)

    assert response["statusCode"] in (202, 400, 401, 404, 405, 415)


ACTION = next(e.body for e in source("cloudwatch").examples if "alarmData" in e.body)


def test_an_alarms_own_action_is_in_the_queue_as_it_came_and_its_source_reads_it() -> None:
    world = a_front()

    invoked(world, ACTION)

    (message,) = queued(world)
    assert message == ACTION
    assert read_raw(json.dumps(message), T0).source == "cloudwatch"


def test_an_action_that_cannot_be_queued_comes_again() -> None:
    world = a_front()

    with pytest.raises(Unavailable):
        invoked(replace(world, queue=FullQueue(world.clock)), ACTION)


def test_a_request_is_answered_and_an_action_raises_where_there_is_no_world() -> None:
    assert handler(generic(ALERT), None)["statusCode"] == 500
    with pytest.raises(Invalid):
        handler(ACTION, None)
