"""What the operator API lets whom see and do, and how it says no."""

from datetime import timedelta
from typing import Any

import pytest

from functions.ingest.operate import operate
from incident_bot.domain.errors import Denied
from incident_bot.domain.incident import State
from incident_bot.domain.mail import MailKind
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.domain.timeline import flaws
from incident_bot.ingest import quarantine
from incident_bot.remedy.judging import policy_of
from incident_bot.sources import Rejection
from incident_bot.state import actions, approvals, controls, incidents, keys, mailbox
from incident_bot.state.actions import Remediation
from incident_bot.state.approvals import Approval
from incident_bot.virtual.clock import T0
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put
from tests.asking import ADA, GRACE, STRANGER, an_event, ask
from tests.building import ARN, a_world, an_incident

TARGET = ARN.format("lambda", "function:checkout")
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/incidents/inc1/acknowledge", {}),
    ("/v1/incidents/inc1/resolve", {}),
    ("/v1/incidents/inc1/label", {"label": "actionable"}),
    ("/v1/incidents/inc1/actions", {"action": "limit_lambda_concurrency", "target": TARGET, "reason": "why"}),
    ("/v1/actions/inc1-a1/undo", {"reason": "why"}),
    ("/v1/approvals/inc1-p1", {"decision": "approve", "reason": "why", "digest": "0" * 64}),
    ("/v1/kill-switch", {"on": True, "reason": "why"}),
    ("/v1/exports", {"since": "2026-01-15T10:00:00Z", "until": "2026-01-15T11:00:00Z"}),
)
READS = (
    "/v1/incidents",
    "/v1/incidents/inc1",
    "/v1/labels",
    "/v1/corrections",
    "/v1/approvals/inc1-p1",
    "/v1/kill-switch",
    "/v1/quarantine",
    "/v1/audit/inc1",
    "/v1/audit/controls",
)


def a_plan() -> Plan:
    """Reserve 20 of a function's concurrency."""
    forward = Call(TARGET, "lambda", "put_function_concurrency", {"ReservedConcurrentExecutions": 20}, {}, {})
    return Plan("limit_lambda_concurrency", (Step(TARGET, forward, forward),), text="reserve 20")


@pytest.fixture
def world() -> VirtualWorld:
    """An open incident whose action `a1` waits for approval `p1`, which ada asked for."""
    world = a_world(None, an_incident())
    plan, policy = a_plan(), policy_of(world, "limit_lambda_concurrency", "checkout", "")
    action = Remediation(
        id="inc1-a1",
        incident="inc1",
        scope="000000000000:production",
        service="checkout",
        action=plan.action,
        plan=plan,
        digest=plan.digest,
        policy=policy,
        created_at=T0,
        requester="ada",
        approval="inc1-p1",
    )
    approval = Approval(
        id="inc1-p1",
        incident="inc1",
        action="inc1-a1",
        digest=plan.digest,
        policy=policy,
        created_at=T0,
        expires_at=T0 + timedelta(minutes=15),
        requester="ada",
    )
    world.store.write([actions.opening(action), approvals.opening(approval)])
    return world


def mails(world: VirtualWorld) -> list[tuple[str, str, str]]:
    box = mailbox.read(world, incidents.read(world.store, "inc1"))
    return [(mail.kind.value, mail.actor, mail.text) for mail in box.mails]


@pytest.mark.parametrize(("path", "body"), WRITES)
def test_whoever_is_no_person_may_not_write(path: str, body: dict[str, Any], world: VirtualWorld) -> None:
    before = list(world.store)
    status, problem = ask(world, "POST", path, body, caller=STRANGER)
    assert (status, problem["rule"]) == (403, "caller")
    assert list(world.store) == before


@pytest.mark.parametrize("path", READS)
def test_whoever_is_no_person_may_read(path: str, world: VirtualWorld) -> None:
    assert ask(world, "GET", path, caller=STRANGER)[0] == 200


@pytest.mark.parametrize(("path", "body"), WRITES)
def test_a_request_without_an_identity_writes_nothing(path: str, body: dict[str, Any], world: VirtualWorld) -> None:
    assert ask(world, "POST", path, body, caller="")[0] == 403


@pytest.mark.parametrize(("order", "kind"), [("acknowledge", MailKind.ACK), ("resolve", MailKind.RESOLVE)])
def test_an_order_is_mail_from_the_person_behind_the_caller(order: str, kind: MailKind, world: VirtualWorld) -> None:
    status, taken = ask(world, "POST", f"/v1/incidents/inc1/{order}", {"reason": "on it"}, caller=GRACE)
    assert (status, taken) == (200, {"incident": "inc1", "order": order, "by": "grace"})
    assert mails(world) == [(kind.value, "grace", "on it")]


def test_an_order_wakes_the_execution_that_waits(world: VirtualWorld) -> None:
    incident = incidents.read(world.store, "inc1")
    assert mailbox.park(world, incident, mailbox.read(world, incident), "token-1")
    ask(world, "POST", "/v1/incidents/inc1/acknowledge", {})
    assert world.machines.woken == ["token-1"]


@pytest.mark.parametrize("order", ["acknowledge", "resolve"])
def test_an_incident_that_is_over_takes_no_orders(order: str) -> None:
    world = a_world(None, an_incident(state=State.RESOLVED, resolved_at=T0))
    status, problem = ask(world, "POST", f"/v1/incidents/inc1/{order}", {})
    assert (status, problem["rule"]) == (409, "lifecycle")


def test_noise_is_resolved_without_an_execution_and_by_name() -> None:
    world = a_world(None, an_incident(generation=0, noise=True))
    assert ask(world, "POST", "/v1/incidents/inc1/resolve", {"reason": "known"})[0] == 200
    after = incidents.read(world.store, "inc1")
    [entry] = incidents.timeline(world.store, "inc1")
    assert (after.state, entry["actor"], entry["reason"]) == (State.RESOLVED, "ada", "known")
    assert world.machines.started == []


def test_noise_cannot_be_acknowledged_for_nobody_is_paged() -> None:
    world = a_world(None, an_incident(generation=0, noise=True))
    status, problem = ask(world, "POST", "/v1/incidents/inc1/acknowledge", {})
    assert (status, problem["rule"]) == (409, "noise")


def test_an_incident_whose_page_is_only_held_gets_an_execution_when_somebody_acts_on_it() -> None:
    world = a_world(None, an_incident(generation=0, clocks={"hold": T0 + timedelta(seconds=45)}))
    assert ask(world, "POST", "/v1/incidents/inc1/acknowledge", {})[0] == 200
    assert world.machines.started == [("incident", "inc1-1")]
    assert mails(world) == [("ack", "ada", "")]


def test_the_list_is_newest_first_and_filtered() -> None:
    old = an_incident(id="inc0", opened_at=T0 - timedelta(hours=1), service="orders")
    world = a_world(None, old, an_incident(state=State.ACTIVE, pages=2))
    assert [row["id"] for row in ask(world, "GET", "/v1/incidents")[1]] == ["inc1", "inc0"]
    assert [row["id"] for row in ask(world, "GET", "/v1/incidents", query="service=orders")[1]] == ["inc0"]
    [row] = ask(world, "GET", "/v1/incidents", query="state=active")[1]
    assert row == {
        "id": "inc1",
        "state": "active",
        "severity": "sev2",
        "service": "checkout",
        "title": "checkout error rate high",
        "opened_at": "2026-01-15T10:00:00Z",
        "resolved_at": None,
        "alerts": 1,
        "pages": 2,
        "noise": False,
    }


def test_an_incident_is_shown_with_its_actions_approvals_and_draft(world: VirtualWorld) -> None:
    pk, sk = keys.postmortem("inc1")
    world.store.write([Put({"PK": pk, "SK": sk, "markdown": "# Draft"})])
    shown = ask(world, "GET", "/v1/incidents/inc1")[1]
    [action], [approval] = shown["actions"], shown["approvals"]
    digest = a_plan().digest
    assert (action["id"], action["target"], action["state"], action["plan_digest"]) == (
        "inc1-a1",
        TARGET,
        "proposed",
        digest,
    )
    assert (approval["id"], approval["digest"], approval["state"]) == ("inc1-p1", digest, "pending")
    assert action["approval"] == approval["id"]
    assert shown["postmortem"] == "# Draft"


def test_somebody_else_approves_and_a_double_click_counts_once(world: VirtualWorld) -> None:
    body = {"decision": "approve", "reason": "go", "digest": a_plan().digest}
    status, approval = ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=GRACE)
    assert (status, approval["state"], approval["decisions"][0]["person"]) == (200, "approved", "grace")
    assert ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=GRACE)[0] == 409


def test_the_requester_never_approves(world: VirtualWorld) -> None:
    body = {"decision": "approve", "reason": "go", "digest": a_plan().digest}
    assert ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=ADA)[0] == 403


def test_a_decision_needs_the_digest_of_the_plan_as_it_is(world: VirtualWorld) -> None:
    body = {"decision": "approve", "reason": "go", "digest": "0" * 64}
    assert ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=GRACE)[0] == 409
    del body["digest"]
    status, problem = ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=GRACE)
    assert status == 400
    assert "digest" in problem["detail"]


def test_an_approval_expires(world: VirtualWorld) -> None:
    world.clock.advance(901)
    body = {"decision": "approve", "reason": "go", "digest": a_plan().digest}
    assert ask(world, "POST", "/v1/approvals/inc1-p1", body, caller=GRACE)[0] == 410
    assert ask(world, "GET", "/v1/approvals/inc1-p1")[1]["state"] == "expired"


def test_reading_an_approval_shows_the_plan_and_decides_nothing(world: VirtualWorld) -> None:
    status, approval = ask(world, "GET", "/v1/approvals/inc1-p1")
    assert (status, approval["state"], approval["plan"]["text"]) == (200, "pending", "reserve 20")


def test_the_kill_switch_is_on_until_somebody_turns_it_off(world: VirtualWorld) -> None:
    assert ask(world, "GET", "/v1/kill-switch")[1]["on"] is True
    assert ask(world, "POST", "/v1/kill-switch", {"on": False, "reason": "ready"})[1]["on"] is False
    assert controls.kill_switch(world.store) is False


def test_every_turn_of_the_kill_switch_is_on_its_trail(world: VirtualWorld) -> None:
    ask(world, "POST", "/v1/kill-switch", {"on": False, "reason": "ready"})
    ask(world, "POST", "/v1/kill-switch", {"on": True, "reason": "odd things happen"}, caller=GRACE)
    trail = ask(world, "GET", "/v1/audit/controls")[1]
    assert [(e["actor"], e["text"], e["reason"]) for e in trail["entries"]] == [
        ("ada", "kill switch off", "ready"),
        ("grace", "kill switch on", "odd things happen"),
    ]
    assert flaws(trail["entries"], trail["seq"], trail["head"]) == []


@pytest.mark.parametrize(
    "body", [{"on": "false", "reason": "x"}, {"on": 0, "reason": "x"}, {"on": False, "reason": " "}]
)
def test_the_kill_switch_takes_nothing_but_a_boolean_and_a_reason(body: dict[str, Any], world: VirtualWorld) -> None:
    assert ask(world, "POST", "/v1/kill-switch", body)[0] == 400
    assert controls.kill_switch(world.store) is True


def test_quarantined_deliveries_are_listed(world: VirtualWorld) -> None:
    quarantine.keep(
        world, source="generic", delivery="d1", body=b"{", rejected=[Rejection(0, "body", "the body is not JSON")]
    )
    assert ask(world, "GET", "/v1/quarantine")[1] == [
        {
            "delivery_id": "d1",
            "source": "generic",
            "at": "2026-01-15T10:00:00.000000Z",
            "reason": "the body is not JSON",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/incidents/none", None, 404),
        ("POST", "/v1/incidents/none/acknowledge", {}, 404),
        ("GET", "/v1/approvals/none-p1", None, 404),
        ("GET", "/v1/audit/none", None, 404),
        ("GET", "/v1/nowhere", None, 404),
        ("POST", "/v1/incidents/inc1/acknowledge", "{", 400),
        ("POST", "/v1/incidents/inc1/acknowledge", "[]", 400),
        ("POST", "/v1/incidents/inc1/acknowledge", {"resaon": "typo"}, 400),
        ("POST", "/v1/incidents/inc1/acknowledge", {"reason": "x" * 1001}, 400),
        ("GET", "/v1/incidents/%2e%2e", None, 400),
    ],
)
def test_what_is_wrong_is_said_in_a_problem_document(
    method: str, path: str, body: Any, status: int, world: VirtualWorld
) -> None:
    found, problem = ask(world, method, path, body)
    assert found == status
    assert problem["status"] == status
    assert problem["detail"]


def test_what_aws_denies_the_bot_is_said_so_to_whoever_asked_for_it(world: VirtualWorld) -> None:
    class Lambda:
        def __getattr__(self, _: str) -> Any:
            raise Denied("AccessDenied: lambda:GetFunction")

    world.clients.fakes["lambda"] = Lambda()
    asked = {"action": "limit_lambda_concurrency", "target": TARGET, "reason": "x", "parameters": {"limit": 5}}
    status, problem = ask(world, "POST", "/v1/incidents/inc1/actions", asked)
    assert (status, problem["detail"]) == (502, "AccessDenied: lambda:GetFunction")


def test_a_world_is_not_kept_from_one_request_to_the_next() -> None:
    ask(a_world(None, an_incident()), "GET", "/v1/incidents/inc1")
    assert ask(a_world(), "GET", "/v1/incidents")[1] == []


def test_an_event_without_an_authorizer_is_nobody(world: VirtualWorld) -> None:
    event = an_event("POST", "/v1/incidents/inc1/acknowledge", {})
    del event["requestContext"]["authorizer"]
    assert operate(world, event)["statusCode"] == 403
    assert mails(world) == []


def test_what_is_asked_for_is_found_however_much_came_after_it() -> None:
    """A storm of noise on top of the list must not hide the outage below it."""
    active = an_incident(id="inc0", state=State.ACTIVE, opened_at=T0 - timedelta(hours=1))
    later_ones = [an_incident(id=f"noise{n}", state=State.RESOLVED, noise=True, resolved_at=T0) for n in range(210)]
    found = ask(a_world(None, active, *later_ones), "GET", "/v1/incidents", query="state=active")[1]
    assert [row["id"] for row in found] == ["inc0"]
