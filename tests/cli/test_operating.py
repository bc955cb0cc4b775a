"""An operator's day at the terminal: what each command does, prints and exits with."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.ingest.consume import consume
from incident_bot.domain.incident import State
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.domain.timeline import Line
from incident_bot.remedy.judging import policy_of
from incident_bot.state import actions, approvals, controls, incidents, mailbox
from incident_bot.state.actions import Remediation
from incident_bot.state.approvals import Approval
from incident_bot.virtual.clock import T0
from incident_bot.world import Put
from tests.building import ARN, a_team, a_world, an_incident
from tests.cli.running import HOST, Desk
from tests.deciding import says
from tests.remediating import FUNCTION, Stage
from tests.signalling import a_batch, a_record

TARGET = ARN.format("lambda", "function:checkout")
CALL = Call(TARGET, "lambda", "put_function_concurrency", {"ReservedConcurrentExecutions": 20}, {}, {})
PLAN = Plan("limit_lambda_concurrency", (Step(TARGET, CALL, CALL),), text="reserve 20 for checkout")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(None, an_incident()), tmp_path)


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """An approval `inc1-p1` is pending that ada asked for."""
    policy = policy_of(desk.world, PLAN.action, "checkout", "")
    bound: dict[str, Any] = {"incident": "inc1", "digest": PLAN.digest, "policy": policy, "created_at": T0}
    action = Remediation(
        id="inc1-a1",
        scope="s",
        service="checkout",
        action=PLAN.action,
        plan=PLAN,
        requester="ada",
        approval="inc1-p1",
        **bound,
    )
    approval = Approval(
        id="inc1-p1", action="inc1-a1", expires_at=T0 + timedelta(minutes=15), requester="ada", text=PLAN.text, **bound
    )
    desk.world.store.write([actions.opening(action), approvals.opening(approval)])
    return desk


def mails(desk: Desk) -> list[tuple[str, str, str]]:
    box = mailbox.read(desk.world, incidents.read(desk.world.store, "inc1"))
    return [(mail.kind.value, mail.actor, mail.text) for mail in box.mails]


def test_the_list_has_exactly_the_promised_fields(desk: Desk) -> None:
    [row] = desk.run("list", "--json").json
    assert list(row) == [
        *("id", "state", "severity", "service", "title", "opened_at", "resolved_at", "alerts", "pages", "noise")
    ]
    assert (row["severity"], row["state"], row["resolved_at"]) == ("sev2", "triaged", None)


def test_the_list_is_a_table_for_people_and_filters(desk: Desk) -> None:
    assert "inc1" in desk.run("list").out
    assert desk.run("list", "--service", "orders").out.strip() == "no incidents"
    assert desk.run("list", "--state", "resolved", "--json").json == []


def test_what_is_only_recorded_is_listed_with_all_and_what_is_held_always(tmp_path: Path) -> None:
    recorded, held = an_incident(id="inc1", noise=True), an_incident(id="inc2", noise=True, clocks={"hold": T0})
    desk = Desk(a_world(None, recorded, held), tmp_path)
    assert [row["id"] for row in desk.run("list", "--json").json] == ["inc2"]
    assert {row["id"] for row in desk.run("list", "--all", "--json").json} == {"inc1", "inc2"}


def test_an_unknown_state_is_wrong_usage(desk: Desk) -> None:
    assert desk.run("list", "--state", "open").code == 2


@pytest.mark.parametrize(
    "arguments", [("--json", "show", "inc1"), ("show", "--json", "inc1"), ("show", "inc1", "--json")]
)
def test_the_common_options_stand_anywhere(arguments: tuple[str, ...], desk: Desk) -> None:
    assert desk.run(*arguments).json["id"] == "inc1"


def test_show_has_everything_about_an_incident(asked: Desk) -> None:
    incident = incidents.read(asked.world.store, "inc1")
    incidents.commit(asked.world, incident, incident, [Line("decision", "it pages", "Sev2 pages")])
    shown = asked.run("show", "inc1", "--json").json
    assert {"timeline", "facts", "actions", "approvals", "postmortem"} <= shown.keys()
    [entry] = shown["timeline"]
    assert list(entry) == ["seq", "at", "actor", "kind", "text", "reason", "hash"]
    assert entry["seq"] == 1
    assert {"id", "action", "target", "mode", "state", "plan_digest"} <= shown["actions"][0].keys()
    assert {"id", "action", "digest", "state", "expires_at"} <= shown["approvals"][0].keys()
    people = asked.run("show", "inc1").out
    assert "why: Sev2 pages" in people
    assert PLAN.digest in people


def test_hostile_text_cannot_move_the_cursor_or_hide(tmp_path: Path) -> None:
    title = "disk \x1b[2J\x1b]0;owned\x07 full \u202e[bold]x[/bold]"
    desk = Desk(a_world(None, an_incident(title=title)), tmp_path)
    for command in (("list",), ("show", "inc1")):
        out = desk.run(*command).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "[bold]" in out


def test_what_does_not_exist_exits_1_with_the_reason_on_stderr(desk: Desk) -> None:
    ran = desk.run("show", "none", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "incidentbot: there is no incident none\n"


@pytest.mark.parametrize(("command", "kind"), [("ack", "ack"), ("resolve", "resolve")])
def test_an_order_is_given_in_the_name_of_the_chosen_operator(command: str, kind: str, desk: Desk) -> None:
    assert desk.run(command, "inc1", "--reason", "on it", "--as", "grace").code == 0
    assert mails(desk) == [(kind, "grace", "on it")]


def test_the_first_operator_is_the_default_and_an_unknown_one_is_refused(desk: Desk) -> None:
    desk.run("ack", "inc1")
    assert mails(desk) == [("ack", "ada", "")]
    ran = desk.run("ack", "inc1", "--as", "graze")
    assert ran.code == 1
    assert "did you mean grace?" in ran.err


def test_whoever_is_no_person_of_the_team_is_refused(desk: Desk) -> None:
    ran = desk.run("ack", "inc1", "--as", "mallory")
    assert ran.code == 1
    assert "is no person of this team" in ran.err
    assert mails(desk) == []


def test_an_incident_that_is_over_refuses_orders(tmp_path: Path) -> None:
    desk = Desk(a_world(None, an_incident(state=State.RESOLVED, resolved_at=T0)), tmp_path)
    ran = desk.run("ack", "inc1")
    assert (ran.code, ran.err) == (1, "incidentbot: it is resolved\n")


def test_requests_are_signed_for_the_api_by_its_own_host_name(desk: Desk) -> None:
    desk.run("ack", "inc1")
    [request] = desk.requests
    assert str(request.url).startswith("http://127.0.0.1:4599/v1/")
    assert request.headers["host"] == HOST
    assert "/us-east-1/execute-api/aws4_request" in request.headers["authorization"]
    assert "host" in request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]


def test_approving_with_the_digest_asks_nothing_and_shows_the_plan(asked: Desk) -> None:
    ran = asked.run("approve", "inc1-p1", "--reason", "go", "--digest", PLAN.digest, "--as", "grace", "--json")
    assert (ran.code, ran.json["state"]) == (0, "approved")
    assert "put_function_concurrency(ReservedConcurrentExecutions=20)" in ran.err


def test_approving_without_the_digest_shows_the_plan_and_asks(asked: Desk) -> None:
    asked.terminal = True
    refused = asked.run("approve", "inc1-p1", "--reason", "go", "--as", "grace", answers="n\n")
    assert refused.code == 1
    assert PLAN.digest in refused.err
    assert approvals.read(asked.world.store, "inc1-p1").state == "pending"
    assert asked.run("approve", "inc1-p1", "--reason", "go", "--as", "grace", answers="y\n").code == 0
    assert approvals.read(asked.world.store, "inc1-p1").state == "approved"


def test_without_a_terminal_nothing_is_approved_by_accident(asked: Desk) -> None:
    ran = asked.run("approve", "inc1-p1", "--reason", "go", "--as", "grace")
    assert ran.code == 1
    assert f"--digest {PLAN.digest}" in ran.err
    assert approvals.read(asked.world.store, "inc1-p1").state == "pending"


def test_rejecting_is_deciding_too(asked: Desk) -> None:
    assert asked.run("reject", "inc1-p1", "--reason", "no", "--digest", PLAN.digest, "--as", "grace").code == 0
    assert approvals.read(asked.world.store, "inc1-p1").state == "rejected"


@pytest.mark.parametrize(
    ("operator", "digest", "said"),
    [("ada", PLAN.digest, "never approves"), ("grace", "0" * 64, "digest")],
)
def test_a_refused_approval_says_why(operator: str, digest: str, said: str, asked: Desk) -> None:
    ran = asked.run("approve", "inc1-p1", "--reason", "go", "--digest", digest, "--as", operator)
    assert ran.code == 1
    assert said in ran.err.splitlines()[-1]


def test_a_decision_needs_a_reason(asked: Desk) -> None:
    assert asked.run("approve", "inc1-p1", "--digest", PLAN.digest).code == 2


def test_a_proposal_is_made_in_the_callers_name_and_refused_with_the_rule(desk: Desk) -> None:
    ran = desk.run("propose", "inc1", "make_tea", TARGET, "--reason", "thirsty")
    assert ran.code == 1
    assert "is no action" in ran.err


def test_who_proposes_reads_how_somebody_else_approves(tmp_path: Path) -> None:
    stage = Stage()
    desk = Desk(stage.world, tmp_path)
    ran = desk.run("propose", "inc1", "limit_lambda_concurrency", FUNCTION, "--parameter", "limit=20", "--reason", "x")
    assert (ran.code, ran.err) == (0, "")
    assert 'somebody else approves it: incidentbot approve inc1-p1 --reason "..."' in ran.out


def test_a_parameter_is_name_and_value(desk: Desk) -> None:
    ran = desk.run("propose", "inc1", "limit_lambda_concurrency", TARGET, "--reason", "x", "--parameter", "limit")
    assert ran.code == 2


def test_the_kill_switch_is_shown_and_turned_with_a_reason(desk: Desk) -> None:
    assert desk.run("kill-switch", "show", "--json").json["on"] is True
    assert desk.run("kill-switch", "off", "--reason", "ready", "--json").json == {
        "on": False,
        "by": "ada",
        "reason": "ready",
        "at": "2026-01-15T10:00:00Z",
    }
    assert desk.run("kill-switch", "on").code == 2
    assert controls.kill_switch(desk.world.store) is False


def test_undo_of_what_was_never_applied_is_refused(asked: Desk) -> None:
    ran = asked.run("undo", "inc1-a1", "--reason", "worse")
    assert ran.code == 1
    assert "nothing to undo" in ran.err


def test_a_whole_trail_is_proven_and_a_changed_one_found(desk: Desk) -> None:
    incident = incidents.read(desk.world.store, "inc1")
    incidents.commit(desk.world, incident, incident, [Line("note", "one"), Line("note", "two")])
    assert desk.run("audit", "verify", "inc1", "--json").json == {
        "id": "inc1",
        "entries": 2,
        "whole": True,
        "flaws": [],
    }
    changed = {**incidents.timeline(desk.world.store, "inc1")[0], "text": "nothing happened"}
    desk.world.store.write([Put(changed)])
    ran = desk.run("audit", "verify", "inc1")
    assert ran.code == 1
    assert "entry 1 does not follow" in ran.err


def test_the_kill_switch_has_a_trail_of_its_own(desk: Desk) -> None:
    desk.run("kill-switch", "off", "--reason", "ready")
    assert desk.run("audit", "verify", "controls").code == 0


def test_a_target_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    desk = Desk(a_world(), tmp_path)

    def dead(_: Any) -> Any:
        raise httpx.ConnectError("connection refused")

    desk._answer = dead  # type: ignore[assignment, method-assign]
    ran = desk.run("list")
    assert ran.code == 1
    assert "http://127.0.0.1:4599 does not answer" in ran.err


@pytest.mark.parametrize(
    "command",
    [
        *("list", "show", "ack", "resolve", "propose", "approve", "reject", "undo", "kill-switch", "send", "check"),
        *("replay", "quarantine list", "policy explain", "audit verify"),
    ],
)
def test_every_command_explains_itself(command: str, desk: Desk) -> None:
    ran = desk.run(*command.split(), "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out


def test_an_incident_is_labelled_and_shown_so(desk: Desk) -> None:
    ran = desk.run("label", "inc1", "false-positive", "--reason", "backup", "--as", "grace")
    assert (ran.code, ran.out.strip()) == (0, "grace calls inc1 false-positive")
    assert "label: false-positive (grace: backup)" in desk.run("show", "inc1").out
    assert desk.run("label", "inc1", "maybe").code == 2


def test_the_rates_of_rules_are_listed(tmp_path: Path) -> None:
    desk = Desk(a_world(None, an_incident(rule="search-errors")), tmp_path)
    assert desk.run("labels").out.strip() == "nobody has labelled an incident yet"
    desk.run("label", "inc1", "false-positive")
    assert "search-errors" in desk.run("labels").out
    [rate] = desk.run("labels", "--json").json
    assert (rate["of"], rate["name"], rate["false_positive"]) == ("rule", "search-errors", 1)


def test_incidents_are_merged_and_split_by_what_show_lists(tmp_path: Path) -> None:
    desk = Desk(a_world(a_team(services={})), tmp_path)
    for service in ("mail", "web"):
        consume(desk.world, a_batch(a_record(desk.world, says(service=service), delivery=service)))
    one, other = (row["id"] for row in desk.run("list", "--json").json)
    assert desk.run("merge", other, one, "--reason", "the same").out.strip() == f"{other} is merged into {one}"
    assert "mail and web" in desk.run("corrections").out
    (shown,) = desk.run("show", one, "--json").json["series"]
    assert f"{shown['fingerprint']}  group {shown['group']}" in desk.run("show", one).out
    ran = desk.run("split", one, "--alerts", shown["fingerprint"], "--reason", "no, it is not", "--json")
    assert (ran.json["pages"], ran.json["by"], ran.json["groups"]) == (True, "ada", [shown["group"]])


def test_a_split_names_what_to_part_and_why(desk: Desk) -> None:
    assert desk.run("split", "inc1", "--reason", "x").code == 2
    assert desk.run("split", "inc1", "--group", "g").code == 2
    ran = desk.run("split", "inc1", "--group", "g", "--reason", "x")
    assert (ran.code, ran.err) == (1, "incidentbot: nothing named g fires in inc1\n")
