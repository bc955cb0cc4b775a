"""Is production changed only by a plan that another person approved, exactly once, and put back exactly as it was?"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.scenarios.driving import Stack, eventually
from tests.scenarios.lab import Lab
from tests.scenarios.shop import APPROVAL_SECONDS

CLAMP = "limit_lambda_concurrency"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"


@contextmanager
def sick(stack: Stack, service: str) -> Iterator[tuple[Lab, str]]:
    """A service that no playbook mends, with its incident; well again at the end."""
    with Lab(stack, service) as lab:
        incident = str(stack.incident(service)["id"])
        yield lab, incident
        lab.heal()
        eventually(lambda: stack.incidents(service)[0]["state"] == "resolved", "it ends")


def proposed(stack: Stack, service: str, incident: str, limit: int, name: str = "carol") -> dict[str, Any]:
    """The approval that a person's proposal asks for."""
    order = {"action": CLAMP, "target": f"{FUNCTION}{service}", "reason": "slow", "parameters": {"limit": limit}}
    answer = stack.post(f"/v1/incidents/{incident}/actions", order, name)
    assert answer.ok, answer
    return dict(next(a for a in stack.show(incident)["approvals"] if a["action"] == answer.body["id"]))


def decided(stack: Stack, approval: dict[str, Any], name: str, **changes: str) -> int:
    """The status that this person's approval is answered with."""
    body = {"decision": "approve", "reason": "agreed", "digest": approval["digest"], **changes}
    return stack.post(f"/v1/approvals/{approval['id']}", body, name).status


def action(stack: Stack, incident: str, identifier: str, *states: str) -> dict[str, Any]:
    """The action once it is in one of these states."""

    def look() -> dict[str, Any] | None:
        found = [a for a in stack.show(incident)["actions"] if a["id"] == identifier]
        return dict(found[0]) if found and found[0]["state"] in states else None

    return eventually(look, f"{identifier} is {' or '.join(states)}")


def called(stack: Stack, incident: str) -> list[str]:
    """The calls that changed something, as the timeline has them."""
    return [entry["text"] for entry in stack.show(incident)["timeline"] if entry["kind"] == "call"]


def test_a_persons_proposal_is_approved_by_another_once_and_undone_exactly(stack: Stack) -> None:
    with sick(stack, "basket") as (lab, incident):
        approval = proposed(stack, "basket", incident, 17)
        assert decided(stack, approval, "carol") == 403, "the requester never approves"
        assert decided(stack, approval, "alice", digest="0" * 64) == 409, "only the plan that was shown"
        with ThreadPoolExecutor(4) as clicks:
            answers = sorted(clicks.map(lambda _: decided(stack, approval, "alice"), range(4)))
        assert answers == [200, 409, 409, 409], "a double click runs once"
        eventually(lambda: lab.concurrency() == 17, "the concurrency is really set")
        action(stack, incident, approval["action"], "applied")
        assert stack.post(f"/v1/actions/{approval['action']}/undo", {"reason": "enough"}, "bob").ok
        eventually(lambda: lab.concurrency() is None, "everything is as it was before")
        calls = eventually(lambda: called(stack, incident)[1:] and called(stack, incident), "both calls on the record")
        assert ["put_function_concurrency" in call for call in calls] == [True, False]
        assert "delete_function_concurrency" in calls[1]
        assert stack.command("audit", "verify", incident).returncode == 0


def test_a_rejected_and_an_expired_request_change_nothing(stack: Stack) -> None:
    with sick(stack, "drawer") as (lab, incident):
        approval = proposed(stack, "drawer", incident, 18)
        assert decided(stack, approval, "alice", decision="reject") == 200
        assert decided(stack, approval, "bob") == 409
        late = proposed(stack, "drawer", incident, 19)
        time.sleep(APPROVAL_SECONDS + 1)
        assert decided(stack, late, "alice") == 410
        assert lab.concurrency() is None


@pytest.mark.alone
def test_the_kill_switch_stops_what_was_approved(stack: Stack) -> None:
    with sick(stack, "shelf") as (lab, incident):
        approval = proposed(stack, "shelf", incident, 21)
        assert stack.post("/v1/kill-switch", {"on": True, "reason": "scenario"}).ok
        try:
            decided(stack, approval, "alice")
            action(stack, incident, approval["action"], "refused", "denied", "failed", "suspended")
            assert lab.concurrency() is None
        finally:
            stack.post("/v1/kill-switch", {"on": False, "reason": "scenario over"})


def test_the_console_cannot_decide_what_a_person_requested(stack: Stack) -> None:
    with sick(stack, "wallet") as (lab, incident):
        approval = proposed(stack, "wallet", incident, 22)
        order = {"approval": approval["id"], "decision": "approve", "reason": "console", "digest": approval["digest"]}
        started = stack.start_as("bob", stack.laptop.outputs.decision_machine_arn, order)
        states = stack.laptop.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            found = states.describe_execution(executionArn=started)
            return dict(found) if found["status"] != "RUNNING" else None

        outcome = eventually(ended, "the decision ends")
        assert (outcome["status"], outcome["error"]) == ("FAILED", "Refused"), json.dumps(outcome, default=str)
        assert lab.concurrency() is None
        assert decided(stack, approval, "alice", decision="reject") == 200
