"""Does what pages PagerDuty page us when only its host name and its routing key are changed?"""

from hashlib import sha1
from typing import Any

import httpx

from incident_bot.state import keys
from tests.scenarios.driving import Stack, eventually, unique
from tests.scenarios.shop import CHANGED


def enqueue(stack: Stack, routing_key: str, path: str = "/v2/enqueue", **event: Any) -> tuple[int, dict[str, Any]]:
    """Post as PagerDuty's senders do: the key in the body, no content type that says so."""
    outputs = stack.laptop.outputs
    headers = {"host": outputs.api_host, "content-type": "text/plain"}
    url, body = f"{outputs.api_url}{path}", {"routing_key": routing_key, **event}
    answer = httpx.post(url, json=body, headers=headers, timeout=30, trust_env=False)
    return answer.status_code, answer.json()


def test_a_trigger_pages_its_acknowledgement_is_heard_and_its_resolve_ends_it(stack: Stack) -> None:
    service = unique("pd")
    key = stack.laptop.outputs.webhook_secrets["pagerduty"]
    payload = {"summary": f"{service} fails", "source": "host-1", "severity": "critical", "component": service}

    status, said = enqueue(stack, key, event_action="trigger", payload=payload)
    assert (status, said["status"], said["message"]) == (202, "success", "Event processed")
    incident = stack.incident(service)["id"]
    assert stack.paged(incident)

    assert enqueue(stack, key, event_action="acknowledge", dedup_key=said["dedup_key"])[0] == 202
    eventually(lambda: stack.show(incident)["acknowledged_by"] == "pagerduty", "the acknowledgement")
    assert enqueue(stack, key, event_action="resolve", dedup_key=said["dedup_key"])[0] == 202
    eventually(lambda: stack.show(incident)["state"] in ("mitigated", "resolved"), "the recovery")


def test_what_fires_in_two_services_after_a_change_that_pagerduty_is_told_of_is_one_incident(stack: Stack) -> None:
    """Of one team: what a sender says of a change is not enough to join just any two services."""
    key = stack.laptop.outputs.webhook_secrets["pagerduty"]
    revision = sha1(unique("r").encode(), usedforsecurity=False).hexdigest()  # as a commit is named
    for service in CHANGED:
        payload = {"summary": f"{service} is deployed", "custom_details": {"service": service, "revision": revision}}
        said = enqueue(stack, key, "/v2/change/enqueue", payload=payload)
        assert said == (202, {"status": "success", "message": "Change event processed"})
    eventually(lambda: all(_deployed(stack, service) for service in CHANGED), "the change kept before anything fires")

    incidents: list[str] = []
    for service in CHANGED:
        payload = {"summary": f"{service} fails", "source": "host-1", "severity": "critical", "component": service}
        assert enqueue(stack, key, event_action="trigger", payload=payload)[0] == 202
        incidents = incidents or [stack.incident(service)["id"]]
    eventually(lambda: stack.show(incidents[0])["alerts"] == len(CHANGED), "the other service's alert")


def _deployed(stack: Stack, service: str) -> bool:
    """Whether the bot knows of a deployment of that service."""
    key = {name: {"S": value} for name, value in zip(("PK", "SK"), keys.deploys(service), strict=True)}
    table = stack.laptop.outputs.table_name
    return "Item" in stack.laptop.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)


def test_a_wrong_key_is_refused_in_pagerdutys_words(stack: Stack) -> None:
    status, said = enqueue(stack, "0" * 32, event_action="resolve", dedup_key="x")
    assert (status, said["status"], said["errors"]) == (400, "invalid event", ["Invalid routing key"])
