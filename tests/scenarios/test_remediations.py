"""Is production changed only by an approved plan, exactly once, and put back exactly as it was?"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.scenarios.driving import Stack, eventually, unique
from tests.scenarios.shop import APPROVAL_SECONDS

pytestmark = pytest.mark.xdist_group("checkout")  # one after another: all of them are about checkout

CLAMP = "limit_lambda_concurrency"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:checkout-api"


@pytest.fixture
def sick(stack: Stack) -> Iterator[str]:
    """An incident of checkout that people act on."""
    title = unique("p95 high")
    alert = {"title": title, "service": "checkout", "severity": "critical"}
    stack.webhook("generic", {**alert, "status": "firing"})
    found = eventually(
        lambda: [i for i in stack.incidents("checkout") if i["title"] == title], "an incident of checkout"
    )
    yield found[0]["id"]
    stack.webhook("generic", {**alert, "status": "resolved"})
    eventually(lambda: stack.show(found[0]["id"])["state"] == "resolved", "it ends", 90)


def concurrency(stack: Stack) -> int | None:
    """What is really reserved for the function."""
    found: int | None = stack.laptop.production.read_state().functions["checkout-api"].reserved_concurrency
    return found


def proposed(stack: Stack, incident: str, limit: int, name: str = "carol") -> dict[str, Any]:
    """The approval that a person's proposal asks for."""
    order = {"action": CLAMP, "target": FUNCTION, "reason": "cold starts", "parameters": {"limit": limit}}
    answer = stack.post(f"/v1/incidents/{incident}/actions", order, name)
    assert answer.ok, answer
    pending = [a for a in stack.show(incident)["approvals"] if a["action"] == answer.body["id"]]
    return dict(pending[0])


def decided(stack: Stack, approval: dict[str, Any], name: str, **changes: str) -> int:
    """The status that this person's approval is answered with."""
    body = {"decision": "approve", "reason": "agreed", "digest": approval["digest"], **changes}
    return stack.post(f"/v1/approvals/{approval['id']}", body, name).status


def action(stack: Stack, incident: str, identifier: str, *states: str) -> dict[str, Any]:
    """The action once it is in one of these states."""

    def look() -> dict[str, Any] | None:
        found = [a for a in stack.show(incident)["actions"] if a["id"] == identifier]
        return dict(found[0]) if found and found[0]["state"] in states else None

    shown: dict[str, Any] = eventually(look, f"{identifier} is {' or '.join(states)}", 90)
    return shown


def test_a_persons_proposal_is_approved_by_another_once_and_undone_exactly(stack: Stack, sick: str) -> None:
    approval = proposed(stack, sick, 17)
    assert decided(stack, approval, "carol") == 403, "the requester never approves"
    assert decided(stack, approval, "alice", digest="0" * 64) == 409, "only the plan that was shown"
    with ThreadPoolExecutor(4) as clicks:
        answers = sorted(clicks.map(lambda _: decided(stack, approval, "alice"), range(4)))
    assert answers[0] == 200
    assert set(answers[1:]) == {409}, "a double click runs once"
    eventually(lambda: concurrency(stack) == 17, "the concurrency is really set", 60)
    action(stack, sick, approval["action"], "applied", "undone", "failed")
    if concurrency(stack) is not None:  # its check may have found that it did not help, and undone it already
        stack.post(f"/v1/actions/{approval['action']}/undo", {"reason": "enough"}, "bob")
    eventually(lambda: concurrency(stack) is None, "everything is as it was before", 60)
    entries = stack.show(sick)["timeline"]
    assert any(entry["kind"] == "call" and "put_function_concurrency" in entry["text"] for entry in entries)
    assert stack.command("audit", "verify", sick).returncode == 0


def test_a_rejected_and_an_expired_request_change_nothing(stack: Stack, sick: str) -> None:
    approval = proposed(stack, sick, 18)
    assert decided(stack, approval, "alice", decision="reject") == 200
    assert decided(stack, approval, "bob") == 409
    late = proposed(stack, sick, 19)
    time.sleep(APPROVAL_SECONDS + 1)
    assert decided(stack, late, "alice") == 410
    assert concurrency(stack) is None


@pytest.mark.alone
def test_the_kill_switch_stops_what_was_approved(stack: Stack, sick: str) -> None:
    approval = proposed(stack, sick, 21)
    stack.post("/v1/kill-switch", {"on": True, "reason": "scenario"}, "alice")
    try:
        decided(stack, approval, "alice")
        action(stack, sick, approval["action"], "refused", "denied", "failed", "suspended")
        assert concurrency(stack) is None
    finally:
        stack.post("/v1/kill-switch", {"on": False, "reason": "scenario over"}, "alice")


def test_the_console_cannot_decide_what_a_person_requested(stack: Stack, sick: str) -> None:
    approval = proposed(stack, sick, 22)
    states = stack.laptop.client("states")
    order = {"approval": approval["id"], "decision": "approve", "reason": "console", "digest": approval["digest"]}
    machine = stack.laptop.outputs.decision_machine_arn
    started = states.start_execution(stateMachineArn=machine, input=json.dumps(order))

    def ended() -> dict[str, Any] | None:
        found = states.describe_execution(executionArn=started["executionArn"])
        return found if found["status"] != "RUNNING" else None

    outcome = eventually(ended, "the decision ends")
    assert (outcome["status"], outcome["error"]) == ("FAILED", "Refused")
    assert concurrency(stack) is None
    decided(stack, approval, "alice", decision="reject")
