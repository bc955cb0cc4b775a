"""Is whoever must know told, by the next channel and the next person, and is everything on an unforgeable record?"""

import pytest

from tests.scenarios.driving import Stack, eventually, unique


@pytest.mark.alone
def test_with_the_pager_down_the_next_channel_takes_the_page_and_only_that(stack: Stack) -> None:
    receivers, service = stack.laptop.receivers, unique("plan-b")
    receivers.order("pagerduty", "down")
    try:
        stack.alert(service)
        incident = stack.incident(service)["id"]
        taken = eventually(
            lambda: [r for r in receivers.records("webhook") if r["accepted"] and r["body"]["incident"] == incident],
            "the webhook took it",
        )
    finally:
        receivers.order("pagerduty", "ok")
    assert [r["type"] for r in taken] == ["incident.trigger"]
    assert stack.pages(incident) == []
    stack.alert(service, "resolved")


def test_nobody_answers_and_the_next_person_is_paged_until_somebody_does(stack: Stack) -> None:
    """The group `hurried` pages alice, then bob."""
    stack.alert("mill")
    incident = stack.incident("mill")["id"]
    second = eventually(lambda: stack.pages(incident)[1:], "the escalation")[0]
    assert "Bob" in str(second["body"])
    assert stack.post(f"/v1/incidents/{incident}/acknowledge", {"reason": "on it"}, "bob").ok
    eventually(lambda: stack.show(incident)["acknowledged_by"] == "bob", "the acknowledgement")
    stack.alert("mill", "resolved")
    stack.incident("mill", "resolved")
    assert len(stack.pages(incident)) == 2
    eventually(lambda: stack.events(incident)[-1]["event_action"] == "resolve", "the page is closed")


def test_a_changed_a_dropped_and_a_swapped_entry_are_found(stack: Stack) -> None:
    service = unique("forged")
    stack.alert(service, severity="warning")
    incident = stack.incident(service)["id"]
    eventually(lambda: len(stack.show(incident)["timeline"]) > 3, "some entries")
    table = stack.laptop.client("dynamodb")
    name = stack.laptop.outputs.timeline_table_name
    entries = table.query(
        TableName=name, KeyConditionExpression="PK = :pk", ExpressionAttributeValues={":pk": {"S": f"LOG#{incident}"}}
    )["Items"]
    assert stack.command("audit", "verify", incident).returncode == 0
    first, second = entries[0], entries[1]
    forgeries = {
        "changed": [{**first, "text": {"S": "nothing happened"}}],
        "swapped": [{**first, "SK": second["SK"]}, {**second, "SK": first["SK"]}],
    }
    for how, items in forgeries.items():
        for item in items:
            table.put_item(TableName=name, Item=item)
        assert stack.command("audit", "verify", incident).returncode == 1, how
        for item in (first, second):
            table.put_item(TableName=name, Item=item)
    table.delete_item(TableName=name, Key={"PK": first["PK"], "SK": first["SK"]})
    assert stack.command("audit", "verify", incident).returncode == 1, "dropped"
    table.put_item(TableName=name, Item=first)
    assert stack.command("audit", "verify", incident).returncode == 0
    stack.alert(service, "resolved")


@pytest.mark.alone
def test_with_step_functions_denied_the_page_still_leaves_and_the_execution_starts_later(stack: Stack) -> None:
    """History 12."""
    service, role = unique("early"), stack.role_of("consume")
    with stack.denied(role, "states:StartExecution"):
        stack.alert(service)
        incident = stack.incident(service)["id"]
        assert len(stack.paged(incident)) == 1
        assert stack.show(incident)["state"] == "detected"
    eventually(lambda: stack.show(incident)["state"] != "detected", "its execution is started by the sweep", 100)
    stack.alert(service, "resolved")
    stack.incident(service, "resolved")
    assert len(stack.pages(incident)) == 1
