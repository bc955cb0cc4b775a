"""Does the webhook endpoint answer every sender as the contract says, and keep aside what it cannot read?"""

import json

import pytest

from tests.scenarios.driving import Stack, eventually, now, unique

GOOD = {"title": "it fails", "status": "firing", "service": "nobody", "severity": "info", "key": "contract"}
DEEP = b"[" * 20_000 + b"]" * 20_000


@pytest.mark.parametrize(
    ("source", "body", "extra", "status"),
    [
        ("generic", GOOD, {}, 202),
        ("generic", GOOD, {"secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, 401),
        ("alertmanager", {"version": "4", "alerts": []}, {"authorization": "Bearer wrong"}, 401),
        ("nothing", GOOD, {}, 404),
        ("generic", GOOD, {"method": "GET"}, 405),
        ("generic", b"x" * (1024 * 1024 + 1), {}, 413),
        ("generic", GOOD, {"content_type": "text/plain"}, 415),
        ("generic", b"{not json", {}, 400),
        ("generic", DEEP, {}, 400),
        ("generic", {"title": "no status"}, {}, 400),
    ],
    ids=[
        "taken",
        "bad signature",
        "bad bearer",
        "unknown",
        "GET",
        "too large",
        "not JSON",
        "broken",
        "deep",
        "no alert",
    ],
)
def test_every_status_of_the_contract(
    stack: Stack, source: str, body: bytes | dict[str, str], extra: dict[str, str], status: int
) -> None:
    answer = stack.webhook(source, body, **extra)
    assert answer.status_code == status, answer.text
    if status != 202:
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["status"] == status
        assert "Traceback" not in answer.text


def test_the_good_alerts_of_a_delivery_are_taken_and_the_bad_ones_kept_aside_with_their_reason(stack: Stack) -> None:
    service = unique("half-good")
    good = {"title": "it fails", "status": "firing", "service": service, "severity": "warning"}
    answer = stack.webhook("generic", {"alerts": [good, good, {**good, "status": "on fire"}]})
    assert answer.status_code == 202
    said = answer.json()
    assert (said["accepted"], said["duplicates"]) == (1, 1)
    assert [(r["index"], r["field"]) for r in said["rejected"]] == [(2, "status")]
    assert stack.incident(service)["alerts"] == 1
    aside = eventually(lambda: [q for q in stack.get("/v1/quarantine") if "on fire" in q["reason"]], "the quarantine")
    assert aside[0]["source"] == "generic"


def test_an_unreadable_message_of_the_queue_is_kept_aside_and_holds_nobody_up(stack: Stack) -> None:
    service = unique("neighbour")
    outputs, sqs = stack.laptop.outputs, stack.laptop.client("sqs")
    sqs.send_message(QueueUrl=outputs.signals_queue_url, MessageBody='{"Type": "Notification", "Message": "{broken"}')
    stack.alert(service)
    assert stack.paged(stack.incident(service)["id"])
    eventually(lambda: any(q["source"] == "queue" for q in stack.get("/v1/quarantine")), "the quarantine")


def test_hostile_text_is_an_alert_like_any_other_and_harmless_wherever_it_is_shown(stack: Stack) -> None:
    service = unique("hostile")
    text = "<!channel> <@U0> @everyone <script>alert(1)</script> \u202eevil\u0000 |https://evil.example|click"
    stack.alert(service, title=text.replace("\u0000", ""), summary=text.replace("\u0000", "") + " ignore all rules")
    incident = stack.incident(service)
    page = stack.paged(incident["id"])[0]
    told = json.dumps(page["body"], ensure_ascii=False)
    assert "\u202e" not in told
    assert "\u202e" not in json.dumps(stack.show(incident["id"])["timeline"], ensure_ascii=False)


def test_what_a_described_source_tells_is_an_incident_until_it_tells_the_end(stack: Stack) -> None:
    """Uptime Kuma, which `config/sources.yaml` enables in one line: no file of code is its."""
    service = unique("kuma")
    monitor = {"id": service, "name": f"{service} answers", "tags": [{"name": "service", "value": service}]}

    def beat(status: int) -> dict[str, object]:
        at = now().replace("T", " ").removesuffix("Z")
        return {"msg": "beat", "heartbeat": {"status": status, "time": at, "msg": "it does not"}, "monitor": monitor}

    assert stack.webhook("uptime_kuma", beat(0), authorization="Bearer wrong").status_code == 401
    refused = stack.webhook("uptime_kuma", beat(7))
    assert (refused.status_code, refused.json()["rejected"][0]["field"]) == (400, "status")
    answer = stack.webhook("uptime_kuma", beat(0))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
    incident = stack.incident(service)
    assert f"{service} answers" in incident["title"]
    assert stack.webhook("uptime_kuma", beat(1)).status_code == 202
    eventually(lambda: stack.show(incident["id"])["state"] in ("mitigated", "resolved"), "its end")


def test_a_group_of_alertmanager_is_one_incident_and_one_page(stack: Stack) -> None:
    service = unique("grouped")

    def alert(pod: str) -> dict[str, object]:
        labels = {"alertname": "HighErrorRate", "service": service, "severity": "critical", "pod": pod}
        return {
            "status": "firing",
            "labels": labels,
            "annotations": {},
            "startsAt": now(),
            "endsAt": "0001-01-01T00:00:00Z",
        }

    group = {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "receiver": "bot",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "truncatedAlerts": 0,
        "alerts": [alert("a"), alert("b"), alert("c")],
    }
    for _ in range(3):
        assert stack.webhook("alertmanager", group).status_code == 202
    incident = stack.incident(service)
    assert len(stack.paged(incident["id"])) == 1
    assert len(stack.incidents(service)) == 1
    eventually(lambda: stack.show(incident["id"])["alerts"] == 3, "three series in it")
    assert len(stack.pages(incident["id"])) == 1
