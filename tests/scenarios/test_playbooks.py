"""Does a playbook's action do what was approved or allowed, cell by cell, and end in all or nothing?"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.scenarios import shop
from tests.scenarios.driving import Stack, eventually, unique
from tests.scenarios.lab import Lab

ROLLBACK_ROLE = "IncidentBot-us-east-1-roll-back-lambda-alias"
CLAMP, FUNCTION = "limit_lambda_concurrency", "arn:aws:lambda:us-east-1:000000000000:function:"
ENDED = ("applied", "undone", "failed", "suspended", "refused", "denied")


def opened(stack: Stack, service: str) -> str:
    """The incident of what the lab watches."""
    return str(stack.incident(service)["id"])


def asked(stack: Stack, incident: str, number: int = 1) -> Mapping[str, Any]:
    """The request for approval number `number` of that incident, once it is there."""

    def look() -> Mapping[str, Any] | None:
        found = stack.show(incident)["approvals"]
        return found[number - 1] if len(found) >= number else None

    return eventually(look, f"request {number} for approval")


def ended(stack: Stack, incident: str, *states: str, seconds: float = 120) -> Mapping[str, Any]:
    """The incident once its only action is in one of these states."""

    def look() -> Mapping[str, Any] | None:
        shown = stack.show(incident)
        return shown if [a for a in shown["actions"] if a["state"] in (states or ENDED)] else None

    return eventually(look, f"an action is {' or '.join(states or ENDED)}", seconds)


def told(shown: Mapping[str, Any]) -> str:
    """The timeline as one text."""
    return "\n".join(f"{entry['actor']}: {entry['text']} ({entry['reason']})" for entry in shown["timeline"])


def test_what_the_bot_proposes_is_approved_on_the_command_line_and_lifted_in_its_time(stack: Stack) -> None:
    with Lab(stack, "till") as lab:
        incident = opened(stack, "till")
        approval = asked(stack, incident)
        refused = stack.command("approve", approval["id"], "--reason", "go", "--digest", "0" * 64, "--as", "alice")
        assert (refused.returncode, lab.concurrency()) == (1, None)
        no_sre = stack.command(
            "approve", approval["id"], "--reason", "go", "--digest", approval["digest"], "--as", "carol"
        )
        assert no_sre.returncode == 1
        done = stack.command(
            "approve", approval["id"], "--reason", "go", "--digest", approval["digest"], "--as", "alice"
        )
        assert done.returncode == 0, done.stderr
        eventually(lambda: lab.concurrency() == shop.LIMIT, "the clamp is set")
        ended(stack, incident, "applied", "lifted")
        lab.heal()
        eventually(lambda: lab.concurrency() is None, "the clamp is lifted")
        stack.incident("till", "resolved")
    assert len(stack.pages(incident)) == 1


def test_what_the_bot_proposes_is_approved_in_the_console(stack: Stack) -> None:
    with Lab(stack, "catalog") as lab:
        incident = opened(stack, "catalog")
        approval = asked(stack, incident)
        order = {"approval": approval["id"], "decision": "approve", "reason": "console", "digest": approval["digest"]}
        stack.start_as("alice", stack.laptop.outputs.decision_machine_arn, order)
        eventually(lambda: lab.concurrency() == shop.LIMIT, "the clamp is set")
        again = stack.post(f"/v1/approvals/{approval['id']}", {**_body(approval), "decision": "reject"}, "bob")
        assert again.status == 409
        lab.heal()
        shown = ended(stack, incident, "applied", "lifted")
        stack.incident("catalog", "resolved")
    assert "console" in told(shown)


def _body(approval: Mapping[str, Any]) -> dict[str, Any]:
    return {"decision": "approve", "reason": "agreed", "digest": approval["digest"]}


def test_a_held_page_never_leaves_where_the_rollback_helps_cell_by_cell(stack: Stack) -> None:
    """History 3."""
    with Lab(stack, "parcel") as lab:
        incident = opened(stack, "parcel")
        eventually(lambda: lab.version("parcel-a") == "1", "the canary is rolled back")
        assert lab.version("parcel-b") == "2", "the canary first"
        eventually(lambda: lab.version("parcel-b") == "1", "the rest follows")
        ended(stack, incident, "applied")
        shown = stack.incident("parcel", "resolved")
    assert stack.pages(incident) == []
    assert "would have been" in told(shown)


def test_permissions_that_are_revoked_half_way_stop_it_and_page_what_is_applied(stack: Stack) -> None:
    """History 11."""
    with stack.denied(ROLLBACK_ROLE, "lambda:*", "*:function:crate-b*"), Lab(stack, "crate") as lab:
        incident = opened(stack, "crate")
        page = stack.paged(incident)[0]
        shown = ended(stack, incident, "partial")
        assert (lab.version("crate-a"), lab.version("crate-b")) == ("1", "2")
        assert "crate-a" in json.dumps(page["body"])
        assert "AccessDenied" in told(shown) or "denied" in told(shown).lower()
        lab.heal()
        stack.incident("crate", "resolved")
    assert len(stack.pages(incident)) == 1


def test_the_second_of_two_incidents_waits_for_the_first_one_s_clamp(stack: Stack) -> None:
    """History 10."""
    with Lab(stack, "gate") as lab:
        first = opened(stack, "gate")
        approval = asked(stack, first)
        assert stack.post(f"/v1/approvals/{approval['id']}", _body(approval)).ok
        ended(stack, first, "applied")
        stack.incident("gate", "resolved")
        stack.alert("gate", title=unique("worse"))
        second = eventually(lambda: [i for i in stack.incidents("gate") if i["id"] != first], "another incident")[0][
            "id"
        ]
        tighter = {"action": CLAMP, "target": f"{FUNCTION}gate", "parameters": {"limit": 3}, "reason": "tighter"}
        assert stack.post(f"/v1/incidents/{second}/actions", tighter, "carol").ok
        assert stack.post(f"/v1/approvals/{asked(stack, second)['id']}", _body(asked(stack, second))).ok
        ended(stack, second, "busy")
        assert lab.concurrency() == shop.LIMIT, "the loser changes nothing"
        eventually(lambda: lab.concurrency() is None, "the first one's clamp is lifted")
        assert asked(stack, second, 2)["state"] == "pending", "and now it proposes afresh"
        lab.heal()
        stack.post(f"/v1/incidents/{second}/resolve", {"reason": "enough"})


@pytest.mark.alone
def test_the_kill_switch_suspends_what_is_half_way_and_an_ordered_undo_still_works(stack: Stack) -> None:
    """History 9."""
    with Lab(stack, "fleet") as lab:
        incident = opened(stack, "fleet")
        eventually(lambda: lab.version("fleet-a") == "1", "the canary is rolled back")
        assert stack.command("kill-switch", "on", "--reason", "scenario").returncode == 0
        try:
            shown = ended(stack, incident, "suspended")
            assert lab.version("fleet-b") == "2"
            assert stack.paged(incident)
            action = shown["actions"][0]["id"]
            assert stack.command("undo", action, "--reason", "scenario", "--as", "bob").returncode == 0
            eventually(lambda: lab.version("fleet-a") == "2", "it is undone with the switch on")
        finally:
            assert stack.command("kill-switch", "off", "--reason", "scenario over").returncode == 0
        lab.heal()
        stack.incident("fleet", "resolved")
